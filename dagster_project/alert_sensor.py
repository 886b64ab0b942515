"""The sensor that tells of what is worth an alert, also of runs that were killed."""

import dagster as dg

from dagster_project.failed_runs import failed_runs
from dagster_project.ingest.lake import LakeVersionError
from dagster_project.pending import Situation, look
from dagster_project.resources import Installation
from dagster_project.watch import watch


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tell once of refused releases, failed, quarantined and stale dumps, failed runs.",
)
def alerts_sensor(context: dg.SensorEvaluationContext, installation: Installation) -> dg.SkipReason:
    """Look the installation over; it starts no run."""
    settings = installation.settings
    situation: Situation | OSError | LakeVersionError
    try:
        situation = look(settings)
    except (OSError, LakeVersionError) as error:
        situation = error
    told = watch(settings, situation, failed_runs(context.instance))
    return dg.SkipReason("; ".join(f"{a.kind}: {a.title}" for a in told) or "nothing is news")
