"""What a build rebuilt and why, as the warehouse notes it in `audit.rebuilds`, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from dagster_project.words import counted

_SHOWN_DATES = 5
_TOLD_TABLES = ("facts.fct_item_events", "facts.fct_sessions")


@dataclass(frozen=True)
class Rebuild:
    """What a build rebuilt of a table.

    Attributes:
        table: schema and name.
        dated_by: the column whose dates it is rebuilt by, None if it has none.
        dates: the dates that were rebuilt; none where the whole table was.
        reasons: why, each once.
        rows: rows that the rebuilt dates, or the whole table, hold now.
    """

    table: str
    dated_by: str | None
    dates: tuple[date, ...]
    reasons: tuple[str, ...]
    rows: int

    @property
    def sentence(self) -> str:
        """The dates in words."""
        if not self.dates:
            return "the whole table"
        name = (self.dated_by or "").replace("_", " ")
        shown = ", ".join(map(str, self.dates[:_SHOWN_DATES]))
        more = ", …" if len(self.dates) > _SHOWN_DATES else ""
        return f"{counted(len(self.dates), name)}: {shown}{more}"


def rebuilds_of_last_build(warehouse: Path) -> dict[str, Rebuild]:
    """What the latest build rebuilt, by table; a table that was up to date is not in it."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        if ("audit", "rebuilds") not in connection.execute(
            "select schema_name, table_name from duckdb_tables()"
        ).fetchall():
            return {}
        rows = connection.execute(
            """
            select
                table_name,
                any_value(dated_by),
                list(date order by date) filter (where date is not null),
                list(distinct reason order by reason),
                sum(rows_built)::bigint
            from audit.rebuilds
            where build = (select max(build) from audit.inputs)
            group by table_name
            order by table_name
            """
        ).fetchall()
    return {
        table: Rebuild(table, dated_by, tuple(dates or ()), tuple(reasons), count)
        for table, dated_by, dates, reasons, count in rows
    }


def rebuild_summary(rebuilds: Mapping[str, Rebuild], *, tables: int) -> Iterator[str]:
    """Sentences about a build for the log.

    Args:
        rebuilds: by table.
        tables: how many tables there are.
    """
    for table in _TOLD_TABLES:
        if (rebuild := rebuilds.get(table)) is not None:
            yield (
                f"rebuilt {table}: {rebuild.sentence}; {counted(rebuild.rows, 'row')}"
                f" ({'; '.join(rebuild.reasons)})"
            )
    in_part = sum(1 for each in rebuilds.values() if each.dates)
    whole = len(rebuilds) - in_part
    yield (
        f"of {counted(tables, 'table')}, {whole} were rebuilt as a whole, {in_part} in part and "
        f"{tables - len(rebuilds)} were up to date"
    )
