"""Schedules: once a day, take in what is pending; the release follows (see `sensors`)."""

from datetime import UTC, datetime

import dagster as dg

from dagster_project.defs.jobs import ingest_job
from dagster_project.defs.resources import Installation
from dagster_project.models.deployed import not_loaded
from dagster_project.operations.pending import look
from dagster_project.operations.requests import ingest_requests
from dagster_project.settings import SettingsError


def daily_schedule(cron: str, timezone: str) -> dg.ScheduleDefinition:
    """Takes in every new, changed and withdrawn dump at a time of the day.

    Raises:
        SettingsError: the expression or the time zone is none that Dagster knows.
    """

    def daily(installation: Installation) -> list[dg.RunRequest] | dg.SkipReason:
        if reason := not_loaded(installation.settings):
            return dg.SkipReason(reason)
        situation = look(installation.settings, now=datetime.now(UTC))
        if situation.held:
            return dg.SkipReason(situation.held)
        # A key counts within the tick only: dumps that failed get another try the next day.
        return list(ingest_requests(situation)) or dg.SkipReason(
            "no dump is new, changed or withdrawn"
        )

    schedule = dg.schedule(
        name="daily",
        job=ingest_job,
        cron_schedule=cron,
        execution_timezone=timezone,
        description="Take in every new, changed and withdrawn dump once a day.",
    )
    try:
        return schedule(daily)
    except dg.DagsterInvalidDefinitionError as error:
        raise SettingsError(
            f"schedule={cron!r}, schedule_timezone={timezone!r}: {error}; a schedule is a cron "
            "expression such as '0 6 * * *', for six o'clock"
        ) from error
