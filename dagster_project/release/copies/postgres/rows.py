"""How the rows of a table change: only the slices that differ are deleted and sent."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import psycopg
from psycopg import sql

from dagster_project.quoting import identifier
from dagster_project.release.copies.postgres.columns import Change
from dagster_project.release.copies.postgres.ledger import SCHEMA
from dagster_project.release.copies.postgres.session import Connection, run, sentence
from dagster_project.release.copies.postgres.tables import Column, Slices, Table
from dagster_project.release.copies.target import CopyError

_ROWS_AT_ONCE = 5_000


def send_rows(
    connection: Connection, source: duckdb.DuckDBPyConnection, change: Change, held: Slices
) -> int | None:
    """Send the slices of a table that the copy does not hold, and delete what it held instead.

    Where the columns change, all rows go to a table beside it, for `take_in_staged`.

    Returns:
        how many rows were sent; None if the copy holds all of them.
    """
    table = change.table
    if change.is_new:
        _create(connection, table)
        return _copy(connection, source, table, table.slices, into=table.identifier)
    if change.is_alteration:
        run(
            connection,
            "create unlogged table {} ({})",
            _staged(table),
            _definitions(table.columns),
        )
        return _copy(connection, source, table, table.slices, into=_staged(table))
    stale = {date for date in {*table.slices, *held} if table.slices.get(date) != held.get(date)}
    if not stale:
        return None
    _delete(connection, table, None if stale >= held.keys() else sorted(stale))
    sent = {date: noted for date, noted in table.slices.items() if date in stale}
    return _copy(connection, source, table, sent, into=table.identifier)


def take_in_staged(connection: Connection, table: Table) -> None:
    """Replace all rows of a table by those beside it."""
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    _delete(connection, table, None)
    run(
        connection,
        "insert into {} ({}) select {} from {}",
        table.identifier,
        names,
        names,
        _staged(table),
    )
    run(connection, "drop table {}", _staged(table))
    run(connection, "analyze {}", table.identifier)


def _staged(table: Table) -> sql.Identifier:
    return sql.Identifier(SCHEMA, table.full_name)


def _definitions(columns: Sequence[Column]) -> sql.Composed:
    return sql.SQL(", ").join(column.definition for column in columns)


def _create(connection: Connection, table: Table) -> None:
    run(connection, "create table {} ({})", table.identifier, _definitions(table.columns))
    if table.sliced_by:
        run(
            connection,
            "create index on {} ({})",
            table.identifier,
            sql.Identifier(table.sliced_by),
        )


def _delete(connection: Connection, table: Table, dates: Sequence[str] | None) -> None:
    """Delete all rows, or those of some dates (the empty text stands for no date)."""
    if dates is None or table.sliced_by is None:
        run(connection, "delete from {}", table.identifier)
        return
    column = sql.Identifier(table.sliced_by)
    connection.execute(
        sql.SQL("delete from {} where {} = any(%s::date[]) or (%s and {} is null)").format(
            table.identifier, column, column
        ),
        [[date for date in dates if date], "" in dates],
    )


def _copy(
    connection: Connection,
    source: duckdb.DuckDBPyConnection,
    table: Table,
    slices: Slices,
    *,
    into: sql.Identifier,
) -> int:
    """Copy the rows of slices; all of them must arrive.

    DuckDB writes the lines of COPY's text format itself: rows never become Python objects one by
    one, and, other than in CSV, no text in them can be taken for the end of the data.
    """
    expected = sum(rows for rows, _ in slices.values())
    query = f"select {_line(table.columns)} from {table.source}"
    if table.sliced_by:
        column = identifier(table.sliced_by)
        query += f" where coalesce({column}::varchar, '') in (select unnest(?::varchar[]))"
    lines = source.execute(query, [list(slices)] if table.sliced_by else None)
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns)
    with connection.cursor() as cursor:
        try:
            with cursor.copy(sql.SQL("copy {} ({}) from stdin").format(into, names)) as copy:
                while rows := lines.fetchmany(_ROWS_AT_ONCE):
                    copy.write("".join(row[0] for row in rows))
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            raise CopyError(f"{table.full_name}: {sentence(error)}") from None
        if cursor.rowcount != expected:
            raise CopyError(
                f"{table.full_name}: {cursor.rowcount} rows arrived of {expected}; run again"
            )
    run(connection, "analyze {}", into)
    return expected


def _line(columns: Sequence[Column]) -> str:
    """SQL of DuckDB for a row as a line of COPY's text format."""
    return " || chr(9) || ".join(_field(column) for column in columns) + " || chr(10)"


def _field(column: Column) -> str:
    text = f"{identifier(column.name)}::varchar"
    if column.data_type == "text":
        # A text of PostgreSQL cannot hold U+0000: its picture, U+2400, takes its place.
        for character, written in (
            ("'\\'", "'\\\\'"),
            ("chr(9)", "'\\t'"),
            ("chr(10)", "'\\n'"),
            ("chr(13)", "'\\r'"),
            ("chr(0)", "chr(9216)"),
        ):
            text = f"replace({text}, {character}, {written})"
    return f"coalesce({text}, '\\N')"
