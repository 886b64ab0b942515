"""dlt: loads a dump into DuckDB, and nothing more. Runs in an environment that has dlt."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import dlt

# dlt's own advice is to yield pages and not single records.
_RECORDS_AT_ONCE = 10_000


def load(*, files: Sequence[str], target: str) -> None:
    """Load player-envelope files into a DuckDB file in a folder."""
    pipeline = dlt.pipeline(
        pipeline_name="walkhouse_benchmark",
        pipelines_dir=str(Path(target) / "pipelines"),
        destination=dlt.destinations.duckdb(str(Path(target) / "dlt.duckdb")),
        dataset_name="events",
    )
    print(pipeline.run(_records(files), table_name="events", write_disposition="append"))


def _records(files: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    records: list[dict[str, Any]] = []
    for name in files:
        with gzip.open(name, "rb") as file:
            for line in file:
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                if isinstance(record, dict):
                    records.append(record)
                if len(records) == _RECORDS_AT_ONCE:
                    yield records
                    records = []
    yield records


if __name__ == "__main__":
    load(**json.loads(sys.argv[1]))
