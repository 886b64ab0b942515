"""The runs of the installation's jobs that failed last, as Dagster recorded them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import dagster as dg

from dagster_project.operations.runs import BUILD, COPY, INGEST, days_of, history
from dagster_project.operations.watch import FailedRun, FailedStep

_RUNS_LOOKED_AT = 50
_REASON_LENGTH = 300


def failed_runs(instance: dg.DagsterInstance, location: str | None = None) -> list[FailedRun]:
    """Of the last ingests those that failed, and the last build and the last copying if they did.

    The newest comes first; an ingest has the days that no later one took up.
    """
    failed = []
    taken_up: set[date] = set()
    for record in _finished(instance, INGEST, location)[:_RUNS_LOOKED_AT]:
        run = record.dagster_run
        days = tuple(day for day in days_of(run.tags) if day not in taken_up)
        taken_up |= set(days)
        if days and not run.is_success:
            failed.append(FailedRun(run.run_id, INGEST, days, _failed_steps(instance, run.run_id)))
    copying = _finished(instance, COPY, location)[:1]
    for record in [*copying, *_finished(instance, BUILD, location)[:1]]:
        run = record.dagster_run
        if run.is_success:
            continue
        steps = _failed_steps(instance, run.run_id)
        if any(later.storage_id > record.storage_id for later in copying):
            # Whether the copies of a build were sent is for the copying after it to say.
            others = tuple(step for step in steps if step.name != "copies")
            if steps and not others:
                continue
            steps = others
        failed.append(FailedRun(run.run_id, run.job_name, (), steps))
    return failed


def _finished(
    instance: dg.DagsterInstance, job: str, location: str | None
) -> Sequence[dg.RunRecord]:
    ended = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE)
    records = history(instance, job, location).records
    return [record for record in records if record.dagster_run.status in ended]


def _failed_steps(instance: dg.DagsterInstance, run_id: str) -> tuple[FailedStep, ...]:
    """Why each step failed, in a line; the text of an unforeseen error may be data: left out."""
    steps = []
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        event = entry.dagster_event
        if event is None or event.step_key is None:
            continue
        failure = event.step_failure_data
        said = failure.user_failure_data
        if said is not None:
            reasons = (said.description or "").splitlines()
        else:
            reasons = [failure.error.cls_name or ""] if failure.error else []
        lines = tuple(reason[:_REASON_LENGTH] for reason in reasons if reason) or ("failed",)
        steps.append(FailedStep(event.step_key, lines, said is not None))
    return tuple(steps)
