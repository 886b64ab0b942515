"""DuckDB alone, writing the tables of a finished release and nothing else: a floor.

All that a release has to hold is known beforehand: each table is read from the release and written
to another DuckDB file and to Parquet. Nothing is read from a dump, joined, counted or checked.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import duckdb


def work(*, release: str, leave_out: Sequence[str], target: str, threads: int) -> None:
    """Write the tables of a release's DuckDB file, but those left out, into a folder."""
    folder = Path(target)
    file = str(folder / "tables.duckdb")
    with duckdb.connect(file, config={"threads": threads}) as connection:
        connection.execute(f"attach '{release}' as release (read_only)")
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'release'"
        ).fetchall()
        for schema, table in tables:
            if table in leave_out:
                continue
            connection.execute(f"create schema if not exists {schema}")
            connection.execute(f"create table {schema}.{table} as from release.{schema}.{table}")
            connection.execute(
                f"copy {schema}.{table} to '{folder}/{schema}.{table}.parquet'"
                " (format parquet, compression zstd, compression_level 1)"
            )


if __name__ == "__main__":
    work(**json.loads(sys.argv[1]))
