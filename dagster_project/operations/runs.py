"""Runs as Dagster recorded them: which are under way, which were cut short, which were refused.

A run says by its tags what it was asked for and whether its failure is conclusive, so the record
of runs is all that the sensors need to remember. See `attempts` for what follows from it.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from dagster_project.locks import ended_runs, forget_run, held_runs
from dagster_project.operations.attempts import Attempt

logger = logging.getLogger("walkhouse")

REQUEST = "walkhouse/request"
CONCLUSIVE = "walkhouse/conclusive"

_WAITING = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
_CAME_TO_NOTHING = [DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


def close_abandoned_runs(instance: dg.DagsterInstance, home: Path) -> None:
    """Record runs of killed processes as failed.

    They would be shown as under way for ever, and count in the pool that they ran in.
    """
    for run_id in ended_runs(home):
        run = instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            logger.info("run %s of %s was cut short: its process ended", run_id, run.job_name)
            if run.status == DagsterRunStatus.CANCELING:
                instance.report_run_canceled(run, message="its process ended")
            else:
                instance.report_run_failed(run, message="its process ended before the run did")
        forget_run(home, run_id)


def runs_under_way(instance: dg.DagsterInstance, home: Path) -> set[str]:
    """Ids of the runs that wait or are executed.

    `walkhouse run` counts from its start to its end, also between its two runs.
    """
    records = instance.get_runs(filters=RunsFilter(statuses=_WAITING))
    return {run.run_id for run in records} | held_runs(home)


def attempts_of(instance: dg.DagsterInstance, key: str) -> list[Attempt]:
    """The runs with this key that ended and came to nothing, whoever asked for them."""
    records = instance.get_run_records(
        filters=RunsFilter(tags={REQUEST: key}, statuses=_CAME_TO_NOTHING)
    )
    return [
        Attempt(
            ended_at=datetime.fromtimestamp(record.end_time or 0.0, UTC),
            is_conclusive=CONCLUSIVE in record.dagster_run.tags,
        )
        for record in records
    ]


def note_conclusive(context: dg.AssetExecutionContext) -> None:
    """Say of the run under way that it would fail again as long as its inputs are the same."""
    context.instance.add_run_tags(context.run.run_id, {CONCLUSIVE: "true"})
