"""Measures of Spark beside DuckDB: the same build of the same lake, on one worker and on two.

The lake is there before the clock runs, and nothing else is: both sides build every table and
release it, and Spark starts its driver. Driver and workers share the machine. For the speed-up,
each worker is bound to a share of a core, where that is possible, so that two of them and the
driver fit two cores.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from benchmarks.cluster import standalone
from benchmarks.days import Reading
from benchmarks.workbench import Installation, Run, Workbench

_FIRST_DAY = date(2026, 3, 2)
_JAR = "jars/iceberg-spark-runtime-3.5_2.12-1.9.2.jar"
_OF_RUNS = {("meta", "release"), ("meta", "rebuilds")}
_MIB = 1 << 20
_SHARE = 0.6  # of a core
_PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Size:
    """A landing: so many working days of so many events."""

    name: str
    days: int
    events_per_day: int


FORTNIGHT = Size("fortnight", 14, 20_000)
DAY = Size("day", 1, 3_000_000)
TEN_DAYS = Size("ten-days", 10, 3_000_000)


@dataclass(frozen=True)
class Build:
    """One build of everything, and its release.

    Attributes:
        events: in the release.
        work: what Spark's tasks did: their number, milliseconds, bytes shuffled and spilled; and
            milliseconds of processor time of all that is Java, by `driver` and `executors`.
        is_bounded: whether each worker had no more than the share of a core that was asked for.
    """

    run: Run
    release: Path
    events: int
    work: Counter[str]
    is_bounded: bool = False


def over_duckdb(bench: Workbench, *, size: Size) -> Reading:
    """Seconds of Spark on two workers over those of DuckDB."""
    duckdb_build, spark = _on_duckdb(bench, size), _on_spark(bench, size, workers=2)
    equal, tables = _equal_tables(duckdb_build.release, spark.release)
    work = spark.work
    return Reading(
        spark.run.seconds / duckdb_build.run.seconds,
        f"{spark.events:,} events in {spark.run.seconds:.0f} s; DuckDB"
        f" {duckdb_build.run.seconds:.0f} s; {equal} of {tables} tables equal; processor time:"
        f" DuckDB {duckdb_build.run.processor_seconds:.0f} s, driver"
        f" {spark.run.processor_seconds + work['driver'] / 1000:.0f} s, executors"
        f" {work['executors'] / 1000:.0f} s (tasks {work['cpu'] / 1000:.0f} s, in"
        f" {work['tasks']:,}); shuffled {work['shuffled'] / _MIB:,.0f} MiB,"
        f" spilled {work['spilled'] / _MIB:,.0f} MiB",
    )


def speed_up(bench: Workbench, *, size: Size) -> Reading:
    """Seconds of Spark on one worker over those on two."""
    one, two = (_on_spark(bench, size, workers=workers, share=_SHARE) for workers in (1, 2))
    ratio = one.run.seconds / two.run.seconds
    bounds = f"{_SHARE:g} of a core for each worker" if two.is_bounded else "no bounds"
    return Reading(
        ratio,
        f"{one.events:,} events in {one.run.seconds:.0f} s, then {two.run.seconds:.0f} s;"
        f" {max(0.0, 2 - 2 / ratio):.0%} of the work scales; tasks ran for"
        f" {one.work['run'] / 1000:.0f} s and {two.work['run'] / 1000:.0f} s;"
        f" {os.cpu_count()} cores for workers and driver, {bounds}",
    )


def _on_duckdb(bench: Workbench, size: Size) -> Build:
    key = ("spark", size, "duckdb")
    if key not in bench.memo:
        installation = _with_lake(bench, size, "duckdb")
        run = bench.walkhouse(installation, "run", log=f"spark-{size.name}-duckdb")
        bench.memo[key] = Build(run, installation.published, installation.events, Counter())
    build: Build = bench.memo[key]
    return build


def _on_spark(bench: Workbench, size: Size, *, workers: int, share: float | None = None) -> Build:
    key = ("spark", size, workers, share)
    if key not in bench.memo:
        name = f"{workers}-workers" + ("-bound" if share else "")
        installation = _with_lake(bench, size, name)
        folder = installation.home.parent
        with standalone(folder / "cluster", workers=workers, memory="2g", share=share) as cluster:
            variables = _variables(folder, cluster.address)
            run = bench.walkhouse(
                installation, "run", log=f"spark-{size.name}-{name}", variables=variables
            )
            _wait_for_drivers(folder / "events")
        work = _work_in(folder / "events") + _java_time_in(folder / "metrics")
        bench.memo[key] = Build(
            run, installation.published, installation.events, work, cluster.is_bounded
        )
    build: Build = bench.memo[key]
    return build


def _with_lake(bench: Workbench, size: Size, name: str) -> Installation:
    """An installation in which every dump is taken in and nothing is built."""
    landing = bench.landing(start=_FIRST_DAY, days=size.days, events_per_day=size.events_per_day)
    taken_in = ("spark", size, "lake")
    if taken_in not in bench.memo:
        first = bench.installation(f"spark-{size.name}-lake", landing=landing)
        bench.walkhouse(first, "run", "--ingest-only", log=f"spark-{size.name}-lake")
        bench.memo[taken_in] = first.home / "lake"
    installation = bench.installation(f"spark-{size.name}-{name}", landing=landing)
    shutil.copytree(bench.memo[taken_in], installation.home / "lake", copy_function=os.link)
    return installation


def _variables(folder: Path, address: str) -> dict[str, str]:
    """By which a run finds a cluster; Spark writes down what its tasks do."""
    events, metrics, configuration = folder / "events", folder / "metrics", folder / "conf"
    for each in (events, metrics, configuration):
        each.mkdir()
    (configuration / "spark-defaults.conf").write_text(
        "spark.ui.enabled false\n"
        "spark.driver.memory 2g\n"
        "spark.executor.memory 2g\n"
        "spark.eventLog.enabled true\n"
        f"spark.eventLog.dir file://{events}\n"
        "spark.metrics.conf.*.sink.csv.class org.apache.spark.metrics.sink.CsvSink\n"
        f"spark.metrics.conf.*.sink.csv.directory {metrics}\n",
        encoding="utf-8",
    )
    carrier = importlib.import_module("snowpark_connect_deps_iceberg")
    return {
        "WALKHOUSE_ENGINE": "spark",
        "WALKHOUSE_SPARK_REMOTE": address,
        "WALKHOUSE_SPARK_ICEBERG": str(Path(str(carrier.__file__)).parent / _JAR),
        "SPARK_CONF_DIR": str(configuration),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder / "scratch"),
    }


def _wait_for_drivers(folder: Path) -> None:
    """A driver's Java ends after the run, and then gives the log of its events another name."""
    patience = time.monotonic() + _PATIENCE_SECONDS
    while any(folder.glob("*.inprogress")) and time.monotonic() < patience:
        time.sleep(0.1)


def _java_time_in(folder: Path) -> Counter[str]:
    """Processor time of each Java: its threads for tasks, for collecting garbage, for compiling."""
    spent: Counter[str] = Counter()
    for file in folder.glob("*.JVMCPU.jvmCpuTime.csv"):
        nanoseconds = int(float(file.read_text(encoding="utf-8").split()[-1].split(",")[1]))
        place = "driver" if ".driver." in file.name else "executors"
        spent[place] += nanoseconds // 1_000_000
    return spent


def _work_in(folder: Path) -> Counter[str]:
    """What the tasks of all sessions did, by Spark's event logs."""
    work: Counter[str] = Counter()
    for log in folder.iterdir():
        with log.open(encoding="utf-8") as lines:
            for line in lines:
                if '"Event":"SparkListenerTaskEnd"' not in line:
                    continue
                metrics = json.loads(line).get("Task Metrics")
                if not metrics:  # of a task that was lost
                    continue
                work["tasks"] += 1
                work["run"] += metrics["Executor Run Time"]
                work["cpu"] += metrics["Executor CPU Time"] // 1_000_000
                work["shuffled"] += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
                work["spilled"] += metrics["Disk Bytes Spilled"]
    return work


def _equal_tables(one: Path, other: Path) -> tuple[int, int]:
    """How many tables of two releases have the same rows, and how many there are."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one}' as one (read_only)")
        connection.execute(f"attach '{other}' as other (read_only)")
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'one'"
        ).fetchall()
        compared = [table for table in tables if tuple(table) not in _OF_RUNS]
        digests = [
            {
                connection.execute(
                    "select count(*), coalesce(sum(hash(read)), 0)"
                    f" from {release}.{schema}.{table} as read"
                ).fetchone()
                for release in ("one", "other")
            }
            for schema, table in compared
        ]
    return sum(len(digest) == 1 for digest in digests), len(digests)
