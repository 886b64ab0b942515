"""A copy of a release in a PostgreSQL database: the schemas `facts`, `reports` and `meta`.

The tables of the second file, which name no person, are in a schema of their own,
`walkhouse_reports`.

A release is sent in one transaction. It begins with checks that change nothing (`refusals`), and
then deletes and inserts rows: a reader sees all of a release or all of the one before, and never
waits, because in PostgreSQL writers of rows keep no reader waiting. (What several statements see is
one release if they share a `repeatable read` transaction.)

    session    one transaction, what it sets for itself, and what its errors become
    ledger     what the copy remembers: its release, its owner, its tables and their slices
    tables     the tables of a release, with PostgreSQL's types
    refusals   what is not done, said before anything is changed
    columns    how the columns of a table change
    rows       how the rows of a table change
    readers    who may read, and the comments

Only what changed is sent. Each table is cut into slices, by date where it has one, and the ledger
keeps a digest of every slice, so a copy that missed releases, or goes back to an earlier one, gets
what it lacks.

PostgreSQL alters no table that is being read. So the rows of a table whose columns changed are sent
to a table beside it first. At the end the table is locked, with few short tries so that nobody
queues behind a long query, and its rows are replaced within the database. It stays the same table:
readers' views on it go on.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import duckdb
from psycopg import sql

from dagster_project.release.copies.postgres import ledger as bookkeeping
from dagster_project.release.copies.postgres.columns import Change, alter, compare, lock
from dagster_project.release.copies.postgres.ledger import SCHEMA, Ledger, only_sender
from dagster_project.release.copies.postgres.readers import (
    create_readers,
    create_schemas,
    grant_and_describe,
)
from dagster_project.release.copies.postgres.refusals import refuse
from dagster_project.release.copies.postgres.rows import send_rows, take_in_staged
from dagster_project.release.copies.postgres.session import (
    Connection,
    by_itself,
    explained,
    run,
    transaction,
)
from dagster_project.release.copies.postgres.tables import (
    Table,
    published_tables,
    shared_tables,
)
from dagster_project.release.publish import Release
from dagster_project.release.report_file import REPORTS
from dagster_project.settings import without_password

logger = logging.getLogger("walkhouse")

_CLEAR_STATISTICS = "vacuum (full) pg_catalog.pg_statistic"


def held_release(url: str) -> str | None:
    """See `copies.Target`."""
    with transaction(url) as connection:
        return Ledger.read(connection).release_id


def send_release(
    url: str, folder: Path, release: Release, *, keep: int, installation: str
) -> Mapping[str, int]:
    """See `copies.Target`; a database holds one release, whatever `keep` says."""
    del keep
    file = str(folder / "walkhouse.duckdb")
    with explained(url), duckdb.connect(file, read_only=True) as source:
        source.execute("set timezone = 'UTC'")
        source.execute("set enable_progress_bar = false")
        tables = published_tables(source)
        if (folder / REPORTS).exists():  # earlier versions published none
            tables += shared_tables(source, folder / REPORTS)
        with transaction(url) as connection:
            only_sender(connection)
            return _send(connection, source, tables, release.release_id, installation)


def remove_traces(url: str, kept: Collection[str], *, installation: str) -> None:
    """See `copies.Target`: rows that were deleted leave the files of the tables as well.

    PostgreSQL keeps them there until it uses their space again, and examples of values in its
    statistics of columns. Who reads a table waits while it is written anew.
    """
    del kept, installation
    with transaction(url) as connection:
        tables = Ledger.read(connection).tables
    with by_itself(url) as connection:
        for name in tables:
            run(connection, "vacuum (full, analyze) {}", sql.Identifier(*name.split(".", 1)))
        if _owns_database(connection):
            run(connection, _CLEAR_STATISTICS)
        else:
            logger.warning(
                "copy %s: statistics of columns may hold values that are gone, until PostgreSQL "
                "uses their space again; have the owner of the database run `%s`",
                without_password(url),
                _CLEAR_STATISTICS,
            )


def _owns_database(connection: Connection) -> bool:
    """Whether the account may have the catalogue of the database written anew."""
    rows = connection.execute(
        "select pg_catalog.pg_has_role(datdba, 'usage') from pg_catalog.pg_database"
        " where datname = pg_catalog.current_database()"
    ).fetchall()
    return bool(rows and rows[0][0])


def _send(
    connection: Connection,
    source: duckdb.DuckDBPyConnection,
    tables: Sequence[Table],
    release_id: str,
    installation: str,
) -> dict[str, int]:
    ledger = Ledger.read(connection)
    changes = [compare(connection, table, ledger.tables.get(table.full_name)) for table in tables]
    published = {table.full_name for table in tables}
    gone = {name: oid for name, oid in ledger.tables.items() if name not in published}
    refuse(connection, changes, gone, ledger, installation)
    _prepare(connection, tables)
    rows_sent = tables_changed = 0
    for change in changes:
        held = ledger.slices.get(change.table.full_name, {})
        rows = send_rows(connection, source, change, held)
        if rows is not None:
            rows_sent += rows
            tables_changed += 1
    # Last, because what is locked is locked until the transaction ends.
    _alter(connection, [change for change in changes if change.is_alteration], gone)
    for table in tables:
        grant_and_describe(connection, table)
    bookkeeping.note(connection, release_id, installation, tables, ledger)
    return {"rows": rows_sent, "tables": tables_changed}


def _prepare(connection: Connection, tables: Sequence[Table]) -> None:
    """Make what has to exist before tables do."""
    schemas = sorted({table.schema for table in tables})
    create_readers(connection, schemas)
    create_schemas(connection, [SCHEMA, *schemas])
    bookkeeping.create(connection)


def _alter(connection: Connection, changes: Sequence[Change], gone: Mapping[str, int]) -> None:
    """Change the columns of tables, and drop those that the release does not have."""
    dropped = {name: sql.Identifier(*name.split(".", 1)) for name in gone}
    lock(
        connection,
        {change.table.full_name: change.table.identifier for change in changes} | dropped,
    )
    for change in changes:
        alter(connection, change)
        take_in_staged(connection, change.table)
    for identifier in dropped.values():
        run(connection, "drop table {}", identifier)
