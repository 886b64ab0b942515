"""What is measured, and what it must reach: the one place where the targets stand."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks import days, fortnights, histories, reading, shared, spark, tiny
from benchmarks.cluster import ClusterError
from benchmarks.days import Reading
from benchmarks.results import Measure
from benchmarks.workbench import RunFailedError, Workbench


@dataclass(frozen=True)
class Benchmark:
    """One row of the results.

    Attributes:
        name: what `--only` calls it.
        title: what the table calls it.
        take: measures it.
        must: None where it stands for comparison only; `results.Measure` tells more.
    """

    name: str
    title: str
    take: Callable[[Workbench], Reading]
    unit: str = "x"
    must: float | None = None
    aim: float | None = None

    def measure(self, bench: Workbench) -> Measure:
        """Take the measure; one that cannot be taken says why and does not stop the others."""
        try:
            reading = self.take(bench)
        except (RunFailedError, ClusterError, ImportError, OSError) as error:
            traceback.print_exc()
            return self._measured(None, str(error))
        return self._measured(reading.value, reading.detail)

    def _measured(self, value: float | None, detail: str) -> Measure:
        return Measure(self.title, value, self.unit, self.must, self.aim, detail)


def _first_load(form: str, files: int = 1) -> Callable[[Workbench], Reading]:
    return partial(days.first_load_over_copy, form=form, files=files)


BENCHMARKS = (
    Benchmark(
        "tiny",
        "first run on ten lines / importing the libraries (processor time)",
        tiny.tiny_over_imports,
        must=4,
        aim=2.5,
    ),
    Benchmark(
        "next_tiny",
        "the run after it, with ten more lines / the same",
        tiny.next_tiny_over_imports,
        must=4,
        aim=2,
    ),
    Benchmark(
        "fortnight",
        "simulated fortnight, from nothing to release / the same",
        fortnights.fortnight_over_imports,
        must=9,
        aim=6,
    ),
    Benchmark(
        "day_after_fortnight",
        "one more day of 20,000 events after it / the same",
        fortnights.day_after_fortnight,
        must=5,
        aim=2.5,
    ),
    Benchmark(
        "analysts_loop",
        "dbt building or testing one report of it / dbt parse (processor time)",
        fortnights.analysts_loop,
        must=1.5,
        aim=1.2,
    ),
    Benchmark(
        "day",
        "first load of one day (3 million, gzipped NDJSON) / DuckDB's copy",
        _first_load("player"),
        must=11,
        aim=7,
    ),
    Benchmark(
        "day_in_four_files",
        "the same in four files",
        _first_load("player", files=4),
        must=11,
        aim=8,
    ),
    Benchmark("day_in_parquet", "the same in Parquet", _first_load("parquet"), must=11, aim=8),
    Benchmark("day_in_csv", "the same in CSV", _first_load("csv"), must=11, aim=8),
    Benchmark(
        "next_day",
        "one more day after a long history / after 1 day",
        histories.next_day,
        must=1.5,
        aim=1.1,
    ),
    Benchmark(
        "late_dump",
        "late dump on 5 old dates / ordinary day",
        histories.late_dump,
        must=3,
        aim=1.5,
    ),
    Benchmark(
        "all_at_once",
        "long history at once / one day, events per second",
        histories.all_at_once,
        must=0.7,
        aim=1,
    ),
    Benchmark(
        "memory",
        "peak memory, one day of 10 million",
        days.peak_memory,
        unit="GiB",
        must=6,
        aim=2,
    ),
    Benchmark("idle", "run with nothing to do", fortnights.idle, unit="s", must=12, aim=3),
    Benchmark(
        "disk", "warehouse and lake on disk / gzipped dump", days.disk_over_dumps, must=5.5, aim=4.5
    ),
    Benchmark(
        "readers",
        "95th percentile of a report's query, 8 readers, during a release / alone",
        reading.readers_beside_release,
        must=3,
        aim=1.2,
    ),
    Benchmark(
        "events_alone",
        "DuckDB alone writing the events table and nothing else / DuckDB's copy",
        days.events_alone_over_copy,
    ),
    Benchmark(
        "tables_alone",
        "DuckDB alone writing the tables of a finished release / DuckDB's copy",
        days.tables_alone_over_copy,
    ),
    Benchmark(
        "release_alone",
        "DuckDB alone writing the dump's events and the other, finished tables / DuckDB's copy",
        days.release_alone_over_copy,
    ),
    Benchmark("pandas", "pandas on the same day / DuckDB's copy", days.pandas_over_copy),
    Benchmark("dlt", "dlt, loading only / DuckDB's copy", days.dlt_over_copy),
    Benchmark(
        "shared_ingest_speed_up",
        "dumps taken into a shared lake by one process with one thread / by two at once",
        shared.ingest_speed_up,
        aim=1.9,
    ),
    *(
        benchmark
        for name, title, size in (
            ("spark_fortnight", "simulated fortnight", spark.FORTNIGHT),
            ("spark_day", "one day of 3 million events", spark.DAY),
            ("spark_ten_days", "ten days, 30 million events", spark.TEN_DAYS),
        )
        for benchmark in (
            Benchmark(
                name,
                f"{title}, built by Spark with two workers / by DuckDB",
                partial(spark.over_duckdb, size=size),
            ),
            Benchmark(
                f"{name}_speed_up",
                f"{title}, built by Spark with one worker / with two",
                partial(spark.speed_up, size=size),
                # The fixed cost of so few events is nearly all that there is.
                must=None if size is spark.FORTNIGHT else 1.6,
                aim=None if size is spark.FORTNIGHT else 1.9,
            ),
        )
    ),
)
