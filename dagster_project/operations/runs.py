"""Runs as Dagster recorded them: which are under way, which were cut short, which were refused.

A run says by its tags what it was asked for and whether its failure is conclusive, so the record
of runs is all that the sensors need to remember. See `attempts` for what follows from it. An
instance may hold runs of other projects as well; those count for nothing here.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from dagster_project.locks import ended_runs, forget_run, held_runs
from dagster_project.operations.attempts import Attempt

logger = logging.getLogger("walkhouse")

INGEST = "ingest_dumps"
BUILD = "build_and_release"
COPY = "send_copies"
"""The jobs that requests are for."""

REQUEST = "walkhouse/request"
CONCLUSIVE = "walkhouse/conclusive"
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
_PARTITION = "dagster/partition"
_LOCATION = "dagster/code_location"

_OF_CHOSEN_ASSETS = "__ASSET_JOB"  # Dagster's name for what a person materializes in the UI
_LOOKED_AT = 200  # runs of a job; attempts become rare long before

_WAITING = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
_CAME_TO_NOTHING = [DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


@dataclass(frozen=True)
class History:
    """The last runs of a job, the newest first."""

    records: Sequence[dg.RunRecord]

    @property
    def newest(self) -> str:
        """Id of the last run; empty where there was none."""
        return self.records[0].dagster_run.run_id if self.records else ""

    def attempts(self, key: str, days: Collection[date] = ()) -> list[Attempt]:
        """The last runs of a request that came to nothing, whoever asked for them.

        Those from before another request was made, or this one fulfilled, do not count: a state
        that comes back is a new one.

        Args:
            key: of the request.
            days: the dump dates that it is about; runs for other days say nothing of it.
        """
        attempts = []
        for record in self.records:
            run = record.dagster_run
            if days and not set(days) & set(days_of(run.tags)):
                continue
            if run.tags.get(REQUEST) != key or run.status not in _CAME_TO_NOTHING:
                break
            attempts.append(
                Attempt(
                    ended_at=datetime.fromtimestamp(record.end_time or 0.0, UTC),
                    is_conclusive=CONCLUSIVE in run.tags,
                )
            )
        return attempts


def history(instance: dg.DagsterInstance, job: str, location: str | None = None) -> History:
    """What became of the last runs of a job of the installation.

    Args:
        instance: of Dagster.
        job: name of the job.
        location: the code location of the installation, where it is known.
    """
    records = instance.get_run_records(filters=RunsFilter(job_name=job), limit=_LOOKED_AT)
    return History([each for each in records if _is_ours(each.dagster_run, location)])


def days_of(tags: Mapping[str, str]) -> tuple[date, ...]:
    """The dump dates that a run with these tags is to take in; none for a build."""
    partition = tags.get(_PARTITION)
    first, last = tags.get(RANGE_START, partition), tags.get(RANGE_END, partition)
    if first is None or last is None:
        return ()
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return tuple(start + timedelta(days=number) for number in range((end - start).days + 1))


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


def runs_under_way(
    instance: dg.DagsterInstance, home: Path, location: str | None = None
) -> set[str]:
    """Ids of the installation's runs that wait or are executed.

    `walkhouse run` counts from its start to its end, also between its two runs.
    """
    waiting = instance.get_runs(filters=RunsFilter(statuses=_WAITING))
    return {run.run_id for run in waiting if _is_ours(run, location)} | held_runs(home)


def note_conclusive(context: dg.AssetExecutionContext) -> None:
    """Say of the run under way that it would fail again as long as its inputs are the same."""
    context.instance.add_run_tags(context.run.run_id, {CONCLUSIVE: "true"})


def _is_ours(run: dg.DagsterRun, location: str | None) -> bool:
    """Whether a run is of the installation; `walkhouse run` has no code location."""
    runs_in = run.tags.get(_LOCATION)
    if None not in (runs_in, location) and runs_in != location:
        return False
    is_chosen = run.job_name == _OF_CHOSEN_ASSETS and runs_in == location is not None
    return is_chosen or run.job_name in (INGEST, BUILD, COPY)
