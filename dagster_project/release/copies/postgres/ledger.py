"""What a copy remembers of itself, in a schema of its own: `walkhouse`.

    held      one row: the release that readers see, and the installation that sends
    tables    the tables that Walkhouse created, each with PostgreSQL's own number of it
    slices    rows and digest of every slice of them

A table that somebody else made has another number, whatever it is called. All of it is written in
the transaction of the rows.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from dagster_project.release.copies.postgres.session import Connection
from dagster_project.release.copies.postgres.tables import Slices, Table
from dagster_project.release.copies.target import CopyError

SCHEMA = "walkhouse"
_CREATED = """
    create table if not exists walkhouse.held (release_id text not null);
    alter table walkhouse.held add column if not exists installation text;
    create table if not exists walkhouse.tables (table_name text primary key, oid oid not null);
    create table if not exists walkhouse.slices (
        table_name text,
        slice text,
        rows bigint not null,
        digest text not null,
        primary key (table_name, slice)
    )
"""
# The columns by which each of them is known; earlier versions had fewer.
_KNOWN_BY = {
    "held": {"release_id"},
    "tables": {"table_name", "oid"},
    "slices": {"table_name", "slice", "rows", "digest"},
}


@dataclass(frozen=True)
class Ledger:
    """What the copy remembers.

    Attributes:
        release_id: what readers see, None before the first release.
        installation: who sends; None where nobody said so yet.
        tables: oid by full name of the tables that Walkhouse created and that still stand.
        slices: by full name of a table.
    """

    release_id: str | None = None
    installation: str | None = None
    tables: Mapping[str, int] = field(default_factory=dict)
    slices: Mapping[str, Slices] = field(default_factory=dict)

    @classmethod
    def read(cls, connection: Connection) -> Ledger:
        """What the copy remembers now; nothing before the first release.

        Raises:
            CopyError: there are tables of these names that somebody else made.
        """
        found = _columns_of_ledger(connection)
        foreign = [
            f"{SCHEMA}.{name}"
            for name, known_by in _KNOWN_BY.items()
            if name in found and not known_by <= found[name]
        ]
        if foreign:
            raise CopyError(
                "these are there already, and Walkhouse did not create them: "
                f"{', '.join(foreign)}; give the copy a database of its own, or move or drop them"
            )
        if not {"held", "slices"} <= found.keys():
            return cls()
        is_owned = "installation" in found["held"]
        held = connection.execute(
            "select release_id, installation from walkhouse.held"
            if is_owned
            else "select release_id, null from walkhouse.held"
        ).fetchone()
        release_id, installation = held or (None, None)
        return cls(
            release_id,
            installation,
            tables=_tables(connection, are_noted="tables" in found),
            slices=_slices(connection),
        )


def _columns_of_ledger(connection: Connection) -> dict[str, set[str]]:
    rows = connection.execute(
        """
        select relname, array_agg(attname::text)
        from pg_class
        inner join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
        where relnamespace = to_regnamespace(%s) and relname = any(%s)
        group by relname
        """,
        [SCHEMA, list(_KNOWN_BY)],
    ).fetchall()
    return {name: set(columns) for name, columns in rows}


def _tables(connection: Connection, *, are_noted: bool) -> dict[str, int]:
    """The tables that Walkhouse created; before it noted that, those of which it noted slices."""
    noted = "walkhouse.tables" if are_noted else "walkhouse.slices"
    is_same = "and pg_class.oid = noted.oid" if are_noted else ""
    rows = connection.execute(
        f"""
        select distinct table_name, pg_class.oid::bigint
        from {noted} as noted
        inner join pg_class on relkind = 'r' {is_same}
        inner join pg_namespace on pg_namespace.oid = relnamespace
        where table_name = nspname || '.' || relname
        """
    ).fetchall()
    return dict(rows)


def _slices(connection: Connection) -> dict[str, dict[str, tuple[int, str]]]:
    slices: dict[str, dict[str, tuple[int, str]]] = {}
    for name, date, rows, digest in connection.execute(
        "select table_name, slice, rows, digest from walkhouse.slices"
    ).fetchall():
        slices.setdefault(name, {})[date] = (rows, digest)
    return slices


def only_sender(connection: Connection) -> None:
    """Until the end of the transaction.

    Raises:
        CopyError: another process is sending.
    """
    held = connection.execute(
        "select pg_try_advisory_xact_lock(hashtext('walkhouse copy'))"
    ).fetchone()
    if held != (True,):
        raise CopyError("another process is sending a copy there; run again when it is done")


def create(connection: Connection) -> None:
    """Make the ledger's tables, where they are missing."""
    connection.execute(_CREATED)


def note(
    connection: Connection,
    release_id: str,
    installation: str,
    tables: Sequence[Table],
    before: Ledger,
) -> None:
    """Remember that the copy holds these tables, and nothing else."""
    connection.execute("delete from walkhouse.held")
    connection.execute(
        "insert into walkhouse.held (release_id, installation) values (%s, %s)",
        [release_id, installation],
    )
    connection.execute("delete from walkhouse.tables")
    connection.execute(
        """
        insert into walkhouse.tables (table_name, oid)
        select nspname || '.' || relname, pg_class.oid
        from pg_class
        inner join pg_namespace on pg_namespace.oid = relnamespace
        inner join unnest(%s::text[], %s::text[]) as published (table_schema, table_name)
            on nspname = table_schema and relname = table_name
        """,
        [[table.schema for table in tables], [table.name for table in tables]],
    )
    _note_slices(connection, {table.full_name: table.slices for table in tables}, before.slices)


def _note_slices(
    connection: Connection, now: Mapping[str, Slices], before: Mapping[str, Slices]
) -> None:
    held = {
        (name, date, *noted) for name, slices in before.items() for date, noted in slices.items()
    }
    holds = {(name, date, *noted) for name, slices in now.items() for date, noted in slices.items()}
    connection.execute(
        "delete from walkhouse.slices where (table_name, slice) in"
        " (select * from unnest(%s::text[], %s::text[]))",
        _transposed([row[:2] for row in held - holds], 2),
    )
    connection.execute(
        "insert into walkhouse.slices (table_name, slice, rows, digest)"
        " select * from unnest(%s::text[], %s::text[], %s::bigint[], %s::text[])",
        _transposed(holds - held, 4),
    )


def _transposed(rows: Collection[Sequence[object]], width: int) -> list[list[object]]:
    return [[row[column] for row in rows] for column in range(width)]
