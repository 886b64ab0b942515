"""How the columns of a table change, from what the copy has to what the release has."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from dagster_project.release.copies.postgres.session import LOCK_WAIT, Connection, run
from dagster_project.release.copies.postgres.tables import Column, Table
from dagster_project.release.copies.target import CopyError

_TRIES, _WAIT_MS, _PAUSE_SECONDS = 20, 100, 0.5


@dataclass(frozen=True)
class Change:
    """A table of the release beside that of the copy.

    Attributes:
        table: in the release.
        oid: PostgreSQL's number of the table, None if the copy lacks it.
        added: columns that the copy lacks.
        retyped: columns that have another type there.
        gone: names of columns that the release lacks.
    """

    table: Table
    oid: int | None
    added: tuple[Column, ...] = ()
    retyped: tuple[Column, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether the copy lacks the table."""
        return self.oid is None

    @property
    def is_alteration(self) -> bool:
        """Whether the copy's table has other columns."""
        return bool(self.added or self.retyped or self.gone)

    @property
    def dropped(self) -> tuple[str, ...]:
        """Columns that do not stay, as far as whoever uses them is concerned."""
        return (*self.gone, *(column.name for column in self.retyped))


def compare(connection: Connection, table: Table, oid: int | None) -> Change:
    """How a table differs from the one of the copy, known by its number."""
    if oid is None:
        return Change(table, None)
    existing = dict(
        connection.execute(
            """
            select attname, format_type(atttypid, atttypmod)
            from pg_attribute
            where attrelid = %s::oid and attnum > 0 and not attisdropped
            """,
            [oid],
        ).fetchall()
    )
    named = {column.name for column in table.columns}
    return Change(
        table,
        oid,
        added=tuple(column for column in table.columns if column.name not in existing),
        retyped=tuple(
            column
            for column in table.columns
            if existing.get(column.name, column.data_type) != column.data_type
        ),
        gone=tuple(name for name in existing if name not in named),
    )


def lock(connection: Connection, tables: Mapping[str, sql.Identifier]) -> None:
    """Have tables to oneself until the end of the transaction: all of them or, for now, none.

    New readers wait for one short try at the most.

    Raises:
        CopyError: one of them is being read all the time.
    """
    being_read = ""
    for attempt in range(_TRIES):
        try:
            with connection.transaction():  # undone as a whole, it frees what it has locked
                connection.execute(f"set local lock_timeout = '{_WAIT_MS}ms'")
                for name, identifier in tables.items():
                    being_read = name
                    run(connection, "lock table {} in access exclusive mode", identifier)
                connection.execute(f"set local lock_timeout = '{LOCK_WAIT}'")
                return
        except psycopg.errors.LockNotAvailable:
            if attempt + 1 < _TRIES:
                time.sleep(_PAUSE_SECONDS)
    raise CopyError(
        f"{being_read}: its columns changed, and it was being read all the time; run again when "
        "its readers are done"
    )


def alter(connection: Connection, change: Change) -> None:
    """Give a table the columns of the release; new ones are empty."""
    new: Iterable[Column] = (*change.added, *change.retyped)
    actions: Sequence[sql.Composed] = [
        *(sql.SQL("drop column {}").format(sql.Identifier(name)) for name in change.dropped),
        *(sql.SQL("add column {}").format(column.definition) for column in new),
    ]
    run(connection, "alter table {} {}", change.table.identifier, sql.SQL(", ").join(actions))
