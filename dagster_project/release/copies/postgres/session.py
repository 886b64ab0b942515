"""A session with the database: one transaction, its own settings, and what its errors become.

Nothing is expected to outlive a transaction, and no statement is prepared by name. So the copy
works behind a pooler that gives every transaction another session.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString, TypeAlias
from urllib.parse import quote

import duckdb
import psycopg
from psycopg import sql

from dagster_project.release.copies.target import CopyError

Connection: TypeAlias = psycopg.Connection[Any]

LOCK_WAIT = "60s"
_TRIES = 20
# The account, the database or the server may have settings of their own, meant for other work.
# The message that begins the transaction replaces them. `transaction_timeout` is known from
# PostgreSQL 17 on.
_BEGIN = f"""
    begin isolation level read committed read write;
    set local statement_timeout = 0;
    set local idle_in_transaction_session_timeout = 0;
    set local lock_timeout = '{LOCK_WAIT}';
    set local role none;
    set local search_path = pg_catalog, pg_temp;
    set local datestyle = 'ISO, YMD';
    set local timezone = 'UTC';
    set local standard_conforming_strings = on;
    select set_config(name, '0', true) from pg_settings where name = 'transaction_timeout'
"""
_SECRETS = ("password", "sslpassword")
# What the server says of a value that it refuses repeats the value (SQLSTATE classes 22 and 23).
_ON_VALUES = ("22", "23")


@contextmanager
def transaction(url: str) -> Iterator[Connection]:
    """A transaction that is committed if the block ends well.

    Raises:
        CopyError: see `explained`.
    """
    with explained(url), _connected(url) as connection:
        _tried(connection, _BEGIN)  # leaving the block ends it
        yield connection


@contextmanager
def by_itself(url: str) -> Iterator[Connection]:
    """A connection whose statements are in no transaction, for those that may not be.

    Raises:
        CopyError: see `explained`.
    """
    with explained(url), _connected(url) as connection:
        _tried(connection, f"set lock_timeout = '{LOCK_WAIT}'; set statement_timeout = 0")
        yield connection


def _connected(url: str) -> Connection:
    """A connection on which nothing begins a transaction by itself."""
    return psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=20,
        client_encoding="utf8",
        prepare_threshold=None,
    )


def _tried(connection: Connection, settings: LiteralString) -> None:
    """Send the message that replaces the settings, again where one of those settings cut it short.

    A `statement_timeout` of a millisecond holds until the message has replaced it, and a busy
    server may take longer than that for it.
    """
    message: LiteralString = settings
    for _ in range(_TRIES - 1):
        try:
            connection.execute(message)
            return
        except psycopg.errors.QueryCanceled:
            message = f"rollback; {settings}"  # by itself, it could be cut short as well
    connection.execute(message)


def run(connection: Connection, statement: str, *parts: sql.Composable) -> None:
    """Execute a statement with identifiers, literals or SQL in the places of its `{}`."""
    connection.execute(sql.SQL(statement).format(*parts))


def sentence(error: psycopg.Error) -> str:
    """What a person may read of an error: no detail, no context, no value, which may be rows."""
    code = error.diag.sqlstate
    if code is None:  # said by the client, on the connection
        return " ".join(str(error).split()) or type(error).__name__
    if code.startswith(_ON_VALUES):
        constraint = error.diag.constraint_name
        of = f" by constraint {constraint}" if constraint else ""
        return f"a value was refused{of} ({type(error).__name__}, {code})"
    return " ".join((error.diag.message_primary or type(error).__name__).split())


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Errors of the database and of DuckDB as sentences.

    Raises:
        CopyError: in place of any of them; without a secret or a row.
    """
    try:
        known = psycopg.conninfo.conninfo_to_dict(url)
    except psycopg.Error:
        # The client's own message would repeat the URL.
        raise CopyError(
            "the URL cannot be read; it is postgres://user:password@host:port/database"
        ) from None
    try:
        yield
    except psycopg.errors.LockNotAvailable:
        raise CopyError(
            f"a table was locked by somebody else for {LOCK_WAIT}; run again when they are done"
        ) from None
    except psycopg.Error as error:
        raise CopyError(_without_secrets(sentence(error), known)) from None
    except duckdb.Error as error:
        raise CopyError(f"the release cannot be read: {str(error).splitlines()[0]}") from None


def _without_secrets(message: str, known: dict[str, Any]) -> str:
    for name in _SECRETS:
        if secret := str(known.get(name) or ""):
            for written in (secret, quote(secret), quote(secret, safe="")):
                message = message.replace(written, "***")
    return message
