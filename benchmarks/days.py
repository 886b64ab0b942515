"""Measures of one installation that begins empty and takes in one large day.

A first load starts without a home: what Dagster and dbt need to start is in it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.workbench import (
    Installation,
    Run,
    RunFailedError,
    Workbench,
    bytes_of,
    event_files,
    warm,
)

# A Tuesday: the simulated company does less at weekends.
_DAY = date(2026, 3, 3)
_EVENTS = 3_000_000
_MANY_EVENTS = 10_000_000
_COPIES = 3
_GIB = 1 << 30


@dataclass(frozen=True)
class Reading:
    """A value and what it was made from."""

    value: float
    detail: str


@dataclass(frozen=True)
class FirstLoad:
    """A landing taken into an empty installation.

    Attributes:
        events: in the release.
        dumps_bytes: the landed event files.
        lake_bytes: the typed copy of them.
        warehouse_bytes: the file in which dbt builds.
        published_bytes: the release.
        release: its DuckDB file.
    """

    run: Run
    events: int
    dumps_bytes: int
    lake_bytes: int
    warehouse_bytes: int
    published_bytes: int
    release: Path


@dataclass(frozen=True)
class TablesWritten:
    """Finished tables, written once more by DuckDB alone."""

    run: Run
    file_bytes: int
    parquet_bytes: int


def first_load_over_copy(bench: Workbench, *, form: str, files: int) -> Reading:
    """Seconds of a first load over those of DuckDB alone, which copies the same files."""
    copied = _copy(bench, form=form, files=files)
    loaded = first_load(bench, form=form, files=files)
    return Reading(
        loaded.run.seconds / copied.seconds,
        f"{loaded.events:,} events in {loaded.run.seconds:.1f} s; copy {copied.seconds:.1f} s",
    )


def disk_over_dumps(bench: Workbench) -> Reading:
    """Bytes of lake and warehouse after the first load over those of the gzipped dump."""
    loaded = first_load(bench, form="player", files=1)
    return Reading(
        (loaded.lake_bytes + loaded.warehouse_bytes) / loaded.dumps_bytes,
        f"dump {_mb(loaded.dumps_bytes)}, lake {_mb(loaded.lake_bytes)}, warehouse"
        f" {_mb(loaded.warehouse_bytes)}; beside them the release {_mb(loaded.published_bytes)}",
    )


def peak_memory(bench: Workbench) -> Reading:
    """Peak resident memory, GiB, of the first load of a very large day."""
    landing = _landing(bench, form="player", files=1, events=_MANY_EVENTS)
    installation = bench.installation("memory", landing=landing)
    run = bench.walkhouse(installation, "run", log="memory")
    events = installation.events
    shutil.rmtree(installation.home)
    return Reading(run.peak_bytes / _GIB, f"{events:,} events in {run.seconds:.1f} s")


def pandas_over_copy(bench: Workbench) -> Reading:
    """Seconds of a pandas script over those of the copy; it does less than Walkhouse does."""
    return _peer_over_copy(bench, "pandas_day", python=sys.executable)


def events_alone_over_copy(bench: Workbench) -> Reading:
    """Seconds of DuckDB writing one table of a release over those of the copy: a floor."""
    return _peer_over_copy(bench, "events_alone", python=sys.executable)


def tables_alone_over_copy(bench: Workbench) -> Reading:
    """Seconds of DuckDB writing finished tables over those of the copy: a floor."""
    copied = _copy(bench, form="player", files=1)
    written = _finished_tables(bench, leave_out=())
    return Reading(
        written.run.seconds / copied.seconds,
        f"{written.run.seconds:.1f} s; copy {copied.seconds:.1f} s; DuckDB file"
        f" {_mb(written.file_bytes)}, Parquet {_mb(written.parquet_bytes)}",
    )


def release_alone_over_copy(bench: Workbench) -> Reading:
    """Seconds of DuckDB writing events that it reads and other tables that are finished: a floor.

    Whoever writes the release from the dump does at least this, over the copy of the dump.
    """
    copied = _copy(bench, form="player", files=1)
    events = _peer(bench, "events_alone", python=sys.executable)
    others = _finished_tables(bench, leave_out=("fct_item_events",)).run
    return Reading(
        (events.seconds + others.seconds) / copied.seconds,
        f"events {events.seconds:.1f} s, the other tables {others.seconds:.1f} s; copy"
        f" {copied.seconds:.1f} s",
    )


def dlt_over_copy(bench: Workbench) -> Reading:
    """Seconds of dlt, which loads only, over those of the copy.

    Raises:
        RunFailedError: dlt cannot be installed here.
    """
    return _peer_over_copy(bench, "dlt_load", python=_environment_with_dlt(bench))


def first_load(bench: Workbench, *, form: str, files: int) -> FirstLoad:
    """Take in one large day, once for all measures that need it."""
    name = f"day-{form}-{files}"
    if name not in bench.memo:
        landing = _landing(bench, form=form, files=files)
        installation = bench.installation(name, landing=landing)
        loaded = load(bench, installation, log=name)
        kept = loaded.release.resolve().replace(bench.data / f"{name}.duckdb")
        bench.memo[name] = replace(loaded, release=kept)
        shutil.rmtree(installation.home)
    of_day: FirstLoad = bench.memo[name]
    return of_day


def load(bench: Workbench, installation: Installation, *, log: str) -> FirstLoad:
    """Run Walkhouse on a landing whose files lie in memory, and see what it left.

    What `make setup` ends with comes first, so that the program lies in memory, too.
    """
    dumps = event_files(installation.landing)
    warm(dumps)
    bench.walkhouse(installation, "parse", log="parse")
    run = bench.walkhouse(installation, "run", log=log)
    return FirstLoad(
        run=run,
        events=installation.events,
        dumps_bytes=sum(bytes_of(path) for path in dumps),
        lake_bytes=bytes_of(installation.home / "lake"),
        warehouse_bytes=bytes_of(installation.home / "warehouse.duckdb"),
        published_bytes=bytes_of(installation.published.resolve().parent),
        release=installation.published,
    )


def _landing(bench: Workbench, *, form: str, files: int, events: int = _EVENTS) -> Path:
    return bench.landing(start=_DAY, days=1, events_per_day=events, form=form, files_per_dump=files)


def _copy(bench: Workbench, *, form: str, files: int) -> Run:
    """The fastest of several copies: a ratio to it flatters nobody."""
    name = f"copy-{form}-{files}"
    if name not in bench.memo:
        sources = event_files(_landing(bench, form=form, files=files))
        target = bench.data / f"{name}.parquet"
        warm(sources)
        runs = [
            bench.program(
                "duckdb_copy",
                log=f"{name}-{number}",
                files=[str(path) for path in sources],
                form=form,
                target=target,
                threads=bench.threads,
            )
            for number in range(_COPIES)
        ]
        target.unlink()
        bench.memo[name] = min(runs, key=lambda run: run.seconds)
    copied: Run = bench.memo[name]
    return copied


def _peer_over_copy(bench: Workbench, program: str, *, python: str) -> Reading:
    copied = _copy(bench, form="player", files=1)
    run = _peer(bench, program, python=python)
    return Reading(
        run.seconds / copied.seconds,
        f"{run.seconds:.1f} s and {run.peak_bytes / _GIB:.1f} GiB; copy {copied.seconds:.1f} s",
    )


def _peer(bench: Workbench, program: str, *, python: str) -> Run:
    """Run a program that takes in the files of the day."""
    sources = event_files(_landing(bench, form="player", files=1))
    with _emptied(bench.data / program) as target:
        # Only dlt reads the variables: it would report to its makers, and write into the user's
        # home.
        return bench.program(
            program,
            log=program,
            python=python,
            variables={"RUNTIME__DLTHUB_TELEMETRY": "false", "DLT_DATA_DIR": str(target / "data")},
            files=[str(path) for path in sources],
            target=target,
        )


def _finished_tables(bench: Workbench, *, leave_out: Sequence[str]) -> TablesWritten:
    """Write the tables of the day's release once more, but those that are left out."""
    release = first_load(bench, form="player", files=1).release
    with _emptied(bench.data / "tables_alone") as target:
        run = bench.program(
            "tables_alone",
            log="tables_alone",
            release=release,
            leave_out=list(leave_out),
            target=target,
            threads=bench.threads,
        )
        file = bytes_of(target / "tables.duckdb")
        return TablesWritten(run, file, bytes_of(target) - file)


@contextmanager
def _emptied(folder: Path) -> Iterator[Path]:
    """An empty folder, which is removed afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


def _environment_with_dlt(bench: Workbench) -> str:
    """The Python of an environment of its own, since dlt is no dependency of Walkhouse."""
    folder = bench.data / "dlt-environment"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.exists():
        try:
            bench.execute([sys.executable, "-m", "venv", "--clear", str(folder)], log="dlt-venv")
            wanted = ("dlt", f"duckdb=={version('duckdb')}")
            install = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")
            bench.execute([str(python), *install, *wanted], log="dlt-install")
        except (RunFailedError, subprocess.SubprocessError) as error:
            raise RunFailedError(f"dlt cannot be installed: {error}") from error
        ready.touch()
    return str(python)


def _mb(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
