"""The tables of a release as PostgreSQL has them: columns with its types, and digests of slices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
from psycopg import sql

from dagster_project.quoting import identifier, literal
from dagster_project.release.copies.target import CopyError

SHARED = "walkhouse_reports"
"""The schema of the tables that name no person."""
# A table is cut by the first of these that it has: what the builds replace, a date at a time.
_SLICED_BY = ("event_date", "home_date", "dump_date", "report_date")
# PostgreSQL's own names, as its catalogue gives them.
_TYPES = {
    "BOOLEAN": "boolean",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "HUGEINT": "numeric(39,0)",
    "FLOAT": "real",
    "DOUBLE": "double precision",
    "VARCHAR": "text",
    "DATE": "date",
    "TIME": "time without time zone",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "UUID": "uuid",
}

Slices = Mapping[str, tuple[int, str]]
"""Rows and their digest, by ISO date; the empty text stands for no date."""


@dataclass(frozen=True)
class Column:
    """A column with PostgreSQL's name of its type."""

    name: str
    data_type: str
    comment: str | None

    @property
    def definition(self) -> sql.Composed:
        """Name and type, as a table is created with it."""
        # The type is one of `_TYPES`, or the numbers of a numeric: nothing that a user could write.
        return sql.SQL("{} {}").format(sql.Identifier(self.name), sql.SQL(self.data_type))


@dataclass(frozen=True)
class Table:
    """A published table.

    Attributes:
        source: SQL of DuckDB's that names it.
    """

    schema: str
    name: str
    comment: str | None
    columns: tuple[Column, ...]
    sliced_by: str | None
    slices: Slices
    source: str

    @property
    def full_name(self) -> str:
        """For people, and as the ledger knows it."""
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        """For statements."""
        return sql.Identifier(self.schema, self.name)


def published_tables(source: duckdb.DuckDBPyConnection) -> list[Table]:
    """The tables of a release.

    Raises:
        CopyError: PostgreSQL has no type for a column.
    """
    return _tables(source, database=None)


def shared_tables(source: duckdb.DuckDBPyConnection, file: Path) -> list[Table]:
    """The tables of a release's second file, which `source` reads from now on as well.

    Raises:
        CopyError: PostgreSQL has no type for a column.
    """
    source.execute(f"attach {literal(file)} as shared (read_only)")
    return [replace(table, schema=SHARED) for table in _tables(source, database="shared")]


def _tables(source: duckdb.DuckDBPyConnection, *, database: str | None) -> list[Table]:
    rows = source.execute(
        """
        select schema_name, table_name, columns.comment, column_name, data_type, tables.comment
        from duckdb_columns() as columns
        inner join duckdb_tables() as tables using (database_name, schema_name, table_name)
        where database_name = coalesce(?, current_database()) and not columns.internal
        order by schema_name, table_name, column_index
        """,
        [database],
    ).fetchall()
    columns: dict[tuple[str, str], list[Column]] = {}
    comments: dict[tuple[str, str], str | None] = {}
    for schema, table, comment, column, data_type, table_comment in rows:
        columns.setdefault((schema, table), []).append(
            Column(column, _type(f"{schema}.{table}.{column}", data_type), comment)
        )
        comments[schema, table] = table_comment
    return [
        _table(source, (database, schema, name), comments[schema, name], tuple(found))
        for (schema, name), found in columns.items()
    ]


def _type(column: str, data_type: str) -> str:
    if data_type.startswith("DECIMAL"):
        return data_type.replace("DECIMAL", "numeric").replace(" ", "")
    if data_type not in _TYPES:
        raise CopyError(f"{column}: there is no type of PostgreSQL for {data_type}")
    return _TYPES[data_type]


def _table(
    source: duckdb.DuckDBPyConnection,
    place: tuple[str | None, str, str],
    comment: str | None,
    columns: tuple[Column, ...],
) -> Table:
    named = identifier(*filter(None, place))
    dates = {column.name for column in columns if column.data_type == "date"}
    sliced_by = next((column for column in _SLICED_BY if column in dates), None)
    cut = f"{identifier(sliced_by)}::varchar" if sliced_by else "''"
    slices = source.execute(
        f"select coalesce({cut}, ''), count(*), sum(hash(row_of))::varchar"
        f" from {named} as row_of group by 1 order by 1"
    ).fetchall()
    digests = {date: (rows, digest) for date, rows, digest in slices}
    # An empty table is remembered too.
    _, schema, name = place
    return Table(schema, name, comment, columns, sliced_by, digests or {"": (0, "")}, named)
