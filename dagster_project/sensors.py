"""Sensors: new and changed dumps start an ingest, and an ingest is followed by a build."""

import dagster as dg

from dagster_project.jobs import build_job, ingest_job
from dagster_project.requests import build_request, ingest_requests
from dagster_project.resources import Installation


@dg.sensor(
    name="landing",
    job=ingest_job,
    minimum_interval_seconds=60,
    description="Take in dumps as soon as they are new, changed or withdrawn.",
)
def landing_sensor(installation: Installation) -> list[dg.RunRequest] | dg.SkipReason:
    """Request an ingest for each stretch of days with pending dumps, once for each state."""
    requests = list(ingest_requests(installation.settings))
    return requests or dg.SkipReason("no dump is new, changed or withdrawn")


@dg.sensor(
    name="lake",
    job=build_job,
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Build and release when the lake is no longer what is published.",
)
def lake_sensor(installation: Installation) -> dg.RunRequest | dg.SkipReason:
    """Request a build for a state of the lake, once; a refused state waits for a change."""
    try:
        request = build_request(installation.settings)
    except FileNotFoundError as error:  # no landing yet
        return dg.SkipReason(str(error))
    return request or dg.SkipReason("what is in the lake is published")
