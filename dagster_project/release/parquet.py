"""The published tables as Parquet files; what did not change is linked from the release before.

    <parquet>/<schema>/<table>/<table>.parquet          a table that is rebuilt as a whole
    <parquet>/<schema>/<table>/2026-03-01-0.parquet     one that is rebuilt by date, a date's rows
    <parquet>/versions.json                             which version of a date its file holds

Each table's folder can be read as one table. A date's file is linked if the build notes the same
versions for the date and for its rows (`audit.versions`): where not a row of it was written again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.crew import crew
from dagster_project.quoting import identifier, literal

VERSIONS = ("audit", "versions")
"""The table in which a build notes what it made of each table's dates."""

_VERSIONS_FILE = "versions.json"
_WHOLE = ""
_DATED_FILES = ("event_date", "home_date")
# Higher levels take longer, and save little after Parquet's own encodings. A dictionary of more
# values takes longer, and saves nothing.
_FORMAT = "format parquet, compression zstd, compression_level 1, dictionary_size_limit 5000"


@dataclass(frozen=True)
class TableVersions:
    """What a table was built from.

    Attributes:
        dated_by: the column whose dates are rebuilt one by one, None if it is rebuilt as a whole.
        versions: by ISO date, or by the empty text for a table without dates.
    """

    dated_by: str | None
    versions: Mapping[str, str]


def table_versions(warehouse: duckdb.DuckDBPyConnection) -> dict[str, TableVersions]:
    """What the build notes of each table; empty where nothing is noted."""
    if (
        VERSIONS
        not in warehouse.execute("select schema_name, table_name from duckdb_tables()").fetchall()
    ):
        return {}
    dated_by = dict(
        warehouse.execute(
            "select table_name, inputs[1] from audit.versions where dated_by = 'code'"
        ).fetchall()
    )
    found: dict[str, dict[str, str]] = {table: {} for table in dated_by}
    for table, column, date, version in warehouse.execute(
        "select table_name, dated_by, date::varchar, version from audit.versions"
    ).fetchall():
        if table in found and column in (dated_by[table], f"{dated_by[table]} rows"):
            of_table, day = found[table], date or _WHOLE
            of_table[day] = " ".join(sorted([*of_table.get(day, "").split(), version]))
    return {table: TableVersions(dated_by[table], found[table]) for table in found}


def write_parquet(
    release: duckdb.DuckDBPyConnection,
    folder: Path,
    tables: Sequence[tuple[str, str]],
    versions: Mapping[str, TableVersions],
    *,
    previous: Path | None,
    threads: int,
) -> None:
    """Write the tables of an open release as Parquet.

    Args:
        release: an open connection to the release's DuckDB file.
        folder: where to write; it must not exist.
        tables: schema and name.
        versions: see `table_versions`.
        previous: the same folder of the release before, to link from.
        threads: so many files are written at a time; that of a small date keeps one busy.

    Raises:
        OSError: a file could not be written.
        duckdb.Error: a table could not be written.
    """
    before = _written_before(previous)
    written: dict[str, dict[str, str]] = {}
    queries: dict[Path, str] = {}
    for schema, table in tables:
        name = f"{schema}.{table}"
        noted = versions.get(name)
        target = folder / schema / table
        target.mkdir(parents=True)
        source = previous / schema / table if previous else None
        if noted is None or noted.dated_by not in _DATED_FILES:
            queries[target / f"{table}.parquet"] = f"from {identifier(schema, table)}"
            continue
        same = _same_dates(noted.versions, before.get(name, {}))
        for file in sorted(source.glob("*-*.parquet")) if source and same else ():
            if file.name.rsplit("-", 1)[0] in same:
                _link(file, target / file.name)
        changed = noted.versions.keys() - same
        dates = _dates_with_rows(release, (schema, table), noted.dated_by, changed)
        for date in dates:
            queries[target / f"{date}-0.parquet"] = (
                f"from {identifier(schema, table)} where {noted.dated_by} = date '{date}'"
            )
        written[name] = dict(noted.versions)
        if not dates and not any(target.iterdir()):
            queries[target / f"{table}.parquet"] = f"from {identifier(schema, table)} limit 0"
    _copy_all(release, queries, threads)
    (folder / _VERSIONS_FILE).write_text(json.dumps(written, sort_keys=True), encoding="utf-8")


def _dates_with_rows(
    release: duckdb.DuckDBPyConnection,
    table: tuple[str, str],
    column: str,
    dates: Collection[str],
) -> list[str]:
    """Those of the dates of which the table has rows."""
    if not dates:
        return []
    listed = ", ".join(f"date '{date}'" for date in sorted(dates))
    found = release.execute(
        f"select distinct {column}::varchar as date from {identifier(*table)}"
        f" where {column} in ({listed}) order by date"
    ).fetchall()
    return [date for (date,) in found]


def _written_before(previous: Path | None) -> dict[str, dict[str, str]]:
    path = previous / _VERSIONS_FILE if previous else None
    if path is None or not path.exists():
        return {}
    written: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
    return written


def _same_dates(now: Mapping[str, str], before: Mapping[str, str]) -> set[str]:
    return {date for date, version in now.items() if before.get(date) == version}


def _copy_all(
    release: duckdb.DuckDBPyConnection, queries: Mapping[Path, str], threads: int
) -> None:
    """Write the rows of each query to its file."""

    def copy(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        connection.execute(f"copy ({queries[path]}) to {literal(path)} ({_FORMAT})")

    with crew(release, threads, name="parquet") as workers:
        for _ in workers.map(copy, list(queries)):
            pass


def _link(source: Path, target: Path) -> None:
    """The same file under another name; a copy where the disk has no hard links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
