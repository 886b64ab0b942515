"""How long Dagster keeps its records of runs: some megabytes a build, which nobody else removes.

Only in the installation's own instance: what a shared one keeps is for its owner to say.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster import serialize_value

from dagster_project.operations.runs import BUILD, COPY, INGEST, days_of
from dagster_project.settings import Settings

logger = logging.getLogger("walkhouse")

_ENDED = [
    dg.DagsterRunStatus.SUCCESS,
    dg.DagsterRunStatus.FAILURE,
    dg.DagsterRunStatus.CANCELED,
]
_PATIENCE_SECONDS = 30
_EVENT_KEY = re.compile(r'"event_key": "[0-9a-f]')
_MOST_AT_ONCE = 50  # nobody should wait long for the tidying up of many years


def prune_records(
    instance: dg.DagsterInstance, settings: Settings, now: datetime | None = None
) -> int:
    """Remove what is recorded of old runs; gives their number.

    A run that is the last to say of an asset, or of a day of the dumps, that it is there, stays.

    Args:
        instance: of Dagster.
        settings: how long runs are kept, and how many of each job.
        now: the time; the clock's by default.
    """
    if Path(os.environ.get("DAGSTER_HOME", "")) != settings.dagster_home:
        return 0
    oldest = (now or datetime.now(UTC)) - timedelta(days=settings.keep_run_days)
    old: list[str] = []
    for job in (INGEST, BUILD, COPY):
        known: set[date | None] = set()
        records = instance.get_run_records(dg.RunsFilter(job_name=job, statuses=_ENDED))
        for number, record in enumerate(records):
            run = record.dagster_run
            about: set[date | None] = {*days_of(run.tags)} or {None}
            is_last_word = run.is_success and not about <= known
            if run.is_success:
                known |= about
            is_recent = number < settings.keep_runs and record.create_timestamp >= oldest
            if not (is_recent or is_last_word):
                old.append(run.run_id)
    gone = old[-_MOST_AT_ONCE:]
    for run_id in reversed(gone):
        _remove(instance, settings.dagster_home, run_id)
    return len(gone)


def _remove(instance: dg.DagsterInstance, home: Path, run_id: str) -> None:
    """Remove a run, and what Dagster leaves of it.

    That is its own database, which Dagster empties, what its steps printed, and what its checks
    found.
    """
    instance.delete_run(run_id)
    path_of = getattr(instance.event_log_storage, "path_for_shard", None)
    if path_of:
        for suffix in ("", "-wal", "-shm"):
            Path(path_of(run_id) + suffix).unlink(missing_ok=True)
        with closing(sqlite3.connect(path_of("index"), timeout=_PATIENCE_SECONDS)) as index, index:
            index.execute("delete from asset_check_executions where run_id = ?", [run_id])
    shutil.rmtree(home / "storage" / run_id, ignore_errors=True)


def remove_records(
    instance: dg.DagsterInstance, settings: Settings, names_them: Callable[[str], bool]
) -> list[str]:
    """Remove what is recorded of runs whose records name somebody.

    Args:
        instance: of Dagster.
        settings: of the installation.
        names_them: whether a text names somebody.

    Returns:
        what could not be removed, in sentences.
    """
    home = settings.dagster_home
    if Path(os.environ.get("DAGSTER_HOME", "")) != home:
        logger.warning("the records of Dagster are not in %s: see whether they name anybody", home)
        return []
    for record in instance.get_run_records(dg.RunsFilter(statuses=_ENDED)):
        run = record.dagster_run
        said = [serialize_value(entry) for entry in instance.all_logs(run.run_id)]
        if any(_is_about(text, names_them) for text in [*said, serialize_value(run)]):
            _remove(instance, home, run.run_id)
    left = []
    for file in sorted(home.rglob("*.db")):
        try:
            if _names(file, names_them):
                left.append(
                    f"{file} names somebody who is forgotten: end Dagster, and remove the file; "
                    "records are begun anew"
                )
        except sqlite3.Error as error:
            left.append(f"{file} cannot be looked at: {error}; run again when nobody uses it")
    return left


def _is_about(text: str, names_them: Callable[[str], bool]) -> bool:
    """Whether a record names somebody, or has the key of an event, as those of before did.

    It is a hash that an id can be tried against.
    """
    return bool(_EVENT_KEY.search(text)) or names_them(text)


def _names(file: Path, names_them: Callable[[str], bool]) -> bool:
    """Whether a file of SQLite names somebody, once what was deleted from it is written over."""
    with closing(sqlite3.connect(file, timeout=_PATIENCE_SECONDS)) as records:
        records.execute("vacuum")
        records.execute("pragma wal_checkpoint(truncate)")
        tables = records.execute("select name from sqlite_master where type = 'table'").fetchall()
        return any(
            isinstance(cell, str) and _is_about(cell, names_them)
            for (table,) in tables
            for row in records.execute(f'select * from "{table}"')
            for cell in row
        )
