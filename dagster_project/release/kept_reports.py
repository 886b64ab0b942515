"""Daily reports that are kept longer than the dumps that they were built from.

When a dump is too old to be kept, its events leave the facts, and with them the report of its day.
Daily reports name nobody, so they may stay: a release takes over from the release before what that
said of the days before the first dump that is kept. These rows are what they were when their dumps
left; late events that come for such a day, and what is left of it, change them no more.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from dagster_project.personal_data import Table
from dagster_project.quoting import literal

logger = logging.getLogger("walkhouse")

_DAY = "report_date"


def take_over_reports(
    release: duckdb.DuckDBPyConnection,
    before: Path,
    tables: Sequence[Table],
    *,
    first_dump: date,
    first_report: date,
) -> list[tuple[str, str]]:
    """Have a release say of days without dumps what the release before said.

    Args:
        release: the new one, open to be written.
        before: the DuckDB file of the release before.
        tables: what the tables say of people; those by day that are about no person are kept.
        first_dump: the day of the first dump that is kept; reports of earlier days are taken over.
        first_report: the first day whose reports are kept.

    Returns:
        schema and name of the tables.

    Raises:
        duckdb.Error: the release before cannot be read.
    """
    daily = [table for table in tables if _DAY in table.key and not table.is_about_persons]
    release.execute(f"attach {literal(before)} as before (read_only)")
    try:
        for table in daily:
            _take_over(release, table, first_dump=first_dump, first_report=first_report)
    finally:
        release.execute("detach before")
    return [(table.schema, table.name) for table in daily]


def _take_over(
    release: duckdb.DuckDBPyConnection, table: Table, *, first_dump: date, first_report: date
) -> None:
    name = f'"{table.schema}"."{table.name}"'
    days = f"{_DAY} < date '{first_dump}'"
    release.execute(f"delete from {name} where {days}")
    try:
        release.execute(
            f"insert into {name} by name"
            f" select {_shared_columns(release, table)} from before.{name}"
            f" where {days} and {_DAY} >= date '{first_report}'"
        )
    except (duckdb.CatalogException, duckdb.BinderException, duckdb.ConstraintException) as error:
        # Its columns are others now, and what they say of those days nobody can know.
        reason = str(error).partition("\n")[0]
        logger.warning("%s: reports of days before %s are not kept: %s", name, first_dump, reason)


def _shared_columns(release: duckdb.DuckDBPyConnection, table: Table) -> str:
    """The columns that both releases have."""
    rows = release.execute(
        "select column_name from duckdb_columns() where schema_name = ? and table_name = ?"
        " and database_name in ('before', current_database())"
        " group by column_name having count(*) = 2 order by column_name",
        [table.schema, table.name],
    ).fetchall()
    return ", ".join(f'"{column}"' for (column,) in rows) or "null"
