"""Sensors: new and changed dumps start an ingest, and an ingest is followed by a build."""

import dagster as dg

from dagster_project.jobs import build_job, ingest_job
from dagster_project.requests import build_due, ingest_due
from dagster_project.resources import Installation
from dagster_project.runs import close_abandoned_runs


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
    return ingest_due(installation.settings, context.instance)


@dg.sensor(
    name="lake",
    job=build_job,
    minimum_interval_seconds=30,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Build and release when the lake is no longer what is published; "
    "record runs whose processes were killed as failed.",
)
def lake_sensor(
    context: dg.SensorEvaluationContext, installation: Installation
) -> dg.RunRequest | dg.SkipReason:
    """Request a build for a state of the lake; a refused state waits for a change."""
    settings = installation.settings
    close_abandoned_runs(context.instance, settings.home)
    try:
        return build_due(settings, context.instance)
    except FileNotFoundError as error:  # no landing yet
        return dg.SkipReason(str(error))
