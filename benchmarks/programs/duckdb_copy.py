"""DuckDB alone: copies event files to one Parquet file. The least that any warehouse has to do."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

import duckdb

_READERS = {
    "player": "read_ndjson(?, ignore_errors = true)",
    "csv": "read_csv(?, ignore_errors = true)",
    "parquet": "read_parquet(?)",
}


def copy(*, files: Sequence[str], form: str, target: str, threads: int) -> None:
    """Copy files of one form, with types as DuckDB guesses them, to zstd Parquet."""
    with duckdb.connect(config={"threads": threads}) as connection:
        connection.execute(
            f"copy (from {_READERS[form]}) to '{target}' (format parquet, compression zstd)",
            [list(files)],
        )


if __name__ == "__main__":
    copy(**json.loads(sys.argv[1]))
