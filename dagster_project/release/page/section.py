"""What a part of the page is made of: sections, tables and columns, and how rows are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import duckdb

from dagster_project.release.page.charts import Chart

DAYS = 90
ROWS = 12
WEEKS = 8

Kind = Literal["name", "text", "count", "decimal", "share", "heat"]


@dataclass(frozen=True)
class Column:
    """A column of a table on the page.

    Attributes:
        label: its heading.
        kind: how it is written: `name` is user input, `share` gets a bar, `heat` a shade.
    """

    label: str
    kind: Kind = "count"


@dataclass(frozen=True)
class Table:
    """A table on the page.

    Attributes:
        title: what it shows.
        columns: the first is the heading of its row.
        rows: one value a column; None where there is none.
        note: what has to be known to read it.
        folded: whether it is shown only when asked for.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    folded: bool = False

    @property
    def size(self) -> str:
        """How much room it takes where there is room."""
        if self.folded or len(self.columns) > 5:
            return "wide"
        return "half" if len(self.columns) > 4 else ""


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading."""

    title: str
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    problem: str = ""


def ratio(part: int | None, whole: int | None) -> float | None:
    """A share; None where there is no whole."""
    return part / whole if part is not None and whole else None


def place_of(item_type: str, item_id: str | None, kind: str = "") -> str:
    """What tells items of one name apart: type, kind and id."""
    return ", ".join(part for part in (item_type, kind, item_id and f"id {item_id}") if part)


def rows_of(release: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    return release.execute(query).fetchall()


def dicts(release: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """The rows of a query, by the names of their columns."""
    cursor = release.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
