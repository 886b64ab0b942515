"""Sensors: new dumps start an ingest, an ingest a build, missing copies their sending.

One more tells of what is worth an alert, killed runs included.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg
import duckdb

from dagster_project.defs.freshness import evaluation, newest_event
from dagster_project.defs.jobs import build_job, copy_job, ingest_job
from dagster_project.defs.resources import Installation
from dagster_project.ingest.lake import LakeVersionError
from dagster_project.models.deployed import in_production, not_deployed, not_loaded
from dagster_project.operations.failed_runs import failed_runs
from dagster_project.operations.pending import Situation, look
from dagster_project.operations.requests import build_due, copies_due, ingest_due
from dagster_project.operations.retention import prune_records
from dagster_project.operations.runs import close_abandoned_runs
from dagster_project.operations.watch import watch
from dagster_project.settings import Settings


@dg.sensor(
    name="landing",
    job=ingest_job,
    minimum_interval_seconds=60,
    description="Take in dumps as soon as they are new, changed or withdrawn.",
)
def landing_sensor(
    context: dg.SensorEvaluationContext, installation: Installation
) -> list[dg.RunRequest] | dg.SkipReason:
    """Request an ingest for each stretch of days with pending dumps.

    The same files are asked for again only where their run came to nothing that they explain.
    """
    if reason := not_loaded(installation.settings):
        return dg.SkipReason(reason)
    return ingest_due(installation.settings, context.instance, _location(context))


@dg.sensor(
    name="lake",
    job=build_job,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Build and release when the lake is no longer what is published; "
    "record runs whose processes were killed as failed, and forget old ones.",
)
def lake_sensor(
    context: dg.SensorEvaluationContext, installation: Installation
) -> dg.RunRequest | dg.SkipReason:
    """Request a build for a state of the lake; a refused state waits for a change."""
    settings = installation.settings
    close_abandoned_runs(context.instance, settings.home)
    if reason := not_loaded(settings):
        return dg.SkipReason(reason)
    due = build_due(settings, context.instance, _location(context))
    if isinstance(due, dg.RunRequest):
        prune_records(context.instance, settings)
    if differs := not_deployed(installation.settings_of_checkout):
        if isinstance(due, dg.SkipReason):
            return dg.SkipReason(f"{due.skip_message}; {differs}")
        context.log.warning(differs)
    return due


def copies_sensors(urls: Sequence[str]) -> list[dg.SensorDefinition]:
    """The sensor that sends copies which a build could not, where the installation has any."""

    @dg.sensor(
        name="copies",
        job=copy_job,
        minimum_interval_seconds=300,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Send the release to the copies that do not hold it.",
    )
    def copies_sensor(
        context: dg.SensorEvaluationContext, installation: Installation
    ) -> dg.RunRequest | dg.SkipReason:
        return copies_due(installation.settings, urls, context.instance, _location(context))

    return [copies_sensor] if urls else []


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tell once of refused releases, failed, quarantined and stale dumps, failed runs.",
)
def alerts_sensor(context: dg.SensorEvaluationContext, installation: Installation) -> dg.SkipReason:
    """Look the installation over; it starts no run."""
    settings = in_production(installation.settings_of_checkout)
    _say_how_fresh_the_data_are(context, settings)
    situation: Situation | OSError | LakeVersionError
    try:
        situation = look(settings)
    except (OSError, LakeVersionError) as error:
        situation = error
    told = watch(settings, situation, failed_runs(context.instance, _location(context)))
    return dg.SkipReason("; ".join(f"{a.kind}: {a.title}" for a in told) or "nothing is news")


def _say_how_fresh_the_data_are(context: dg.SensorEvaluationContext, settings: Settings) -> None:
    """Report the check of freshness anew where its result is another than the last one reported."""
    try:
        newest = newest_event(settings)
    except duckdb.Error as error:
        context.log.warning("how fresh the data are cannot be told: %s", error)
        return
    if newest is None:
        return
    found = evaluation(newest, now=datetime.now(UTC))
    state = f"{found.passed} {newest.isoformat()}"
    if context.cursor != state:
        context.instance.report_runless_asset_event(found)
        context.update_cursor(state)


def _location(context: dg.SensorEvaluationContext) -> str | None:
    """The code location that the sensor is in: other locations may have jobs of the same names."""
    return context.code_location_origin.location_name if context.code_location_origin else None
