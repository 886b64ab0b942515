"""A copy of a release in a PostgreSQL database: the schemas `facts`, `reports` and `meta`.

A release is sent in one transaction that deletes and inserts rows, nothing else: a reader sees all
of it or all of the one before, and never waits, because in PostgreSQL writers of rows keep no
reader waiting. (What several statements see is one release if they share a `repeatable read`
transaction.)

Only what changed is sent. Each table is cut into slices, by date where it has one; schema
`walkhouse` remembers a digest of every slice that the copy holds, written in the same transaction,
so a copy that missed releases, or goes back to an earlier one, gets what it lacks.

A table whose columns changed is altered, which PostgreSQL does not do while it is being read: new
columns are added before, old ones dropped at the end, each in an instant and with few short tries,
so that nobody queues behind a long query. Old snapshots stay right, as no table is rewritten.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.release.copies.target import CopyError
from dagster_project.release.publish import Release

try:
    import psycopg
    from psycopg import sql
except ImportError as error:
    raise CopyError("PostgreSQL needs a client: pip install 'walkhouse[postgres]'") from error

READER = "walkhouse_reader"
_OWN_SCHEMA = "walkhouse"
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
_TRIES, _WAIT_MS, _PAUSE_SECONDS = 20, 100, 0.5
_ROWS_AT_ONCE = 5_000
_INCOMING = "__incoming"


@dataclass(frozen=True)
class _Column:
    name: str
    data_type: str
    comment: str | None


@dataclass(frozen=True)
class _Table:
    """A published table: its columns with PostgreSQL's types, and digests of its slices."""

    schema: str
    name: str
    comment: str | None
    columns: tuple[_Column, ...]
    sliced_by: str | None
    slices: Mapping[str, tuple[int, str]]

    @property
    def full_name(self) -> str:
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


@dataclass(frozen=True)
class _Changes:
    """How the columns of a table differ from what the copy has."""

    added: tuple[_Column, ...] = ()
    retyped: tuple[_Column, ...] = ()
    gone: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.retyped or self.gone)


def held_release(url: str) -> str | None:
    """See `copies.Target`."""
    with _explained(url), _connected(url) as connection:
        if not _exists(connection, f"{_OWN_SCHEMA}.held"):
            return None
        row = connection.execute("select release_id from walkhouse.held").fetchone()
        return str(row[0]) if row else None


def send_release(url: str, folder: Path, release: Release, *, keep: int) -> Mapping[str, int]:
    """See `copies.Target`; a database holds one release, whatever `keep` says."""
    del keep
    file = folder / "walkhouse.duckdb"
    with (
        _explained(url),
        duckdb.connect(str(file), read_only=True) as source,
        _connected(url) as connection,
    ):
        source.execute("set timezone = 'UTC'")
        source.execute("set enable_progress_bar = false")
        tables = _tables(source)
        with connection.transaction():
            _only_sender(connection)
            _prepare(connection, sorted({table.schema for table in tables}))
        existing = {table.full_name: _columns_in(connection, table) for table in tables}
        changes = {
            table.full_name: _changes(table, existing[table.full_name])
            for table in tables
            if existing[table.full_name]
        }
        for table in tables:
            _add_columns(connection, table, changes.get(table.full_name, _Changes()))
        with connection.transaction():
            _only_sender(connection)
            sent = _replace(connection, source, tables, existing, changes)
            connection.execute("delete from walkhouse.held")
            connection.execute(
                "insert into walkhouse.held (release_id) values (%s)", [release.release_id]
            )
            # Last, because what they lock is locked until the transaction ends.
            _drop_what_is_gone(connection, tables, changes)
        return sent


def _tables(source: duckdb.DuckDBPyConnection) -> list[_Table]:
    rows = source.execute(
        """
        select schema_name, table_name, columns.comment, column_name, data_type, tables.comment
        from duckdb_columns() as columns
        inner join duckdb_tables() as tables using (database_name, schema_name, table_name)
        where database_name = current_database() and not columns.internal
        order by schema_name, table_name, column_index
        """
    ).fetchall()
    columns: dict[tuple[str, str], list[_Column]] = {}
    comments: dict[tuple[str, str], str | None] = {}
    for schema, table, comment, column, data_type, table_comment in rows:
        columns.setdefault((schema, table), []).append(
            _Column(column, _type(f"{schema}.{table}.{column}", data_type), comment)
        )
        comments[schema, table] = table_comment
    return [
        _described(source, schema, name, comments[schema, name], tuple(found))
        for (schema, name), found in columns.items()
    ]


def _type(column: str, data_type: str) -> str:
    if data_type.startswith("DECIMAL"):
        return data_type.replace("DECIMAL", "numeric").replace(" ", "")
    if data_type not in _TYPES:
        raise CopyError(f"{column}: there is no type of PostgreSQL for {data_type}")
    return _TYPES[data_type]


def _type_name(data_type: str) -> sql.SQL:
    # One of `_TYPES`, or the numbers of a numeric: nothing that a user could write.
    return sql.SQL(data_type)


def _described(
    source: duckdb.DuckDBPyConnection,
    schema: str,
    name: str,
    comment: str | None,
    columns: tuple[_Column, ...],
) -> _Table:
    dates = {column.name for column in columns if column.data_type == "date"}
    sliced_by = next((column for column in _SLICED_BY if column in dates), None)
    cut = f"{_quoted(sliced_by)}::varchar" if sliced_by else "''"
    slices = source.execute(
        f"select coalesce({cut}, ''), count(*), sum(hash(row_of))::varchar"
        f" from {_quoted(schema)}.{_quoted(name)} as row_of group by 1 order by 1"
    ).fetchall()
    digests = {date: (rows, digest) for date, rows, digest in slices}
    # An empty table is remembered too.
    return _Table(schema, name, comment, columns, sliced_by, digests or {"": (0, "")})


def _prepare(connection: psycopg.Connection[Any], schemas: Sequence[str]) -> None:
    """Make what has to exist before tables do: schemas, the copy's own tables, the reader."""
    if not connection.execute("select 1 from pg_roles where rolname = %s", [READER]).fetchone():
        try:
            with connection.transaction():
                _run(connection, "create role {} nologin", READER)
        except psycopg.errors.InsufficientPrivilege as error:
            raise CopyError(
                f"there is no role {READER}, and this user may not create one; "
                f"have `create role {READER} nologin` run once"
            ) from error
    for schema in [*schemas, _OWN_SCHEMA]:
        if not connection.execute(
            "select 1 from pg_namespace where nspname = %s", [schema]
        ).fetchone():
            _run(connection, "create schema {}", schema)
    for schema in schemas:
        allowed = connection.execute(
            "select has_schema_privilege(%s, %s, 'usage')", [READER, schema]
        ).fetchone()
        if allowed != (True,):
            _run(connection, "grant usage on schema {} to {}", schema, READER)
    if not _exists(connection, f"{_OWN_SCHEMA}.held"):
        connection.execute("create table walkhouse.held (release_id text not null)")
        connection.execute(
            "create table walkhouse.slices ("
            "table_name text, slice text, rows bigint not null, digest text not null,"
            " primary key (table_name, slice))"
        )


def _columns_in(connection: psycopg.Connection[Any], table: _Table) -> dict[str, str]:
    """The columns that the copy has, with their types; none if it lacks the table."""
    rows = connection.execute(
        """
        select attname, format_type(atttypid, atttypmod)
        from pg_attribute
        where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped
        order by attnum
        """,
        [f"{_quoted(table.schema)}.{_quoted(table.name)}"],
    ).fetchall()
    return dict(rows)


def _changes(table: _Table, existing: Mapping[str, str]) -> _Changes:
    named = {column.name for column in table.columns}
    return _Changes(
        added=tuple(column for column in table.columns if column.name not in existing),
        retyped=tuple(
            column
            for column in table.columns
            if column.name in existing and existing[column.name] != column.data_type
        ),
        gone=tuple(name for name in existing if name not in named),
    )


def _add_columns(connection: psycopg.Connection[Any], table: _Table, changes: _Changes) -> None:
    """Let the table take the rows to come; readers see a column that is still empty."""
    left_behind = [name for name in changes.gone if name.endswith(_INCOMING)]
    actions = [sql.SQL("drop column {}").format(sql.Identifier(name)) for name in left_behind] + [
        sql.SQL("add column {} {}").format(sql.Identifier(name), _type_name(data_type))
        for name, data_type in [
            *((column.name, column.data_type) for column in changes.added),
            *((column.name + _INCOMING, column.data_type) for column in changes.retyped),
        ]
    ]
    if actions:
        _alter(connection, table, actions)


def _replace(
    connection: psycopg.Connection[Any],
    source: duckdb.DuckDBPyConnection,
    tables: Sequence[_Table],
    existing: Mapping[str, Mapping[str, str]],
    changes: Mapping[str, _Changes],
) -> dict[str, int]:
    held: dict[str, dict[str, tuple[int, str]]] = {}
    for name, date, rows, digest in connection.execute(
        "select table_name, slice, rows, digest from walkhouse.slices"
    ).fetchall():
        held.setdefault(name, {})[date] = (rows, digest)
    rows_sent = tables_changed = 0
    for table in tables:
        is_new = not existing[table.full_name]
        is_altered = bool(changes.get(table.full_name))
        before = {} if is_new else held.get(table.full_name, {})
        if is_new:
            _create(connection, table)
        _grant_and_describe(connection, table)
        stale = [
            date
            for date in sorted({*table.slices, *before})
            if is_altered or table.slices.get(date) != before.get(date)
        ]
        if not stale:
            continue
        is_whole = is_altered or table.sliced_by is None or set(before) <= set(stale)
        if not is_new:
            _delete(connection, table, None if is_whole else stale)
        rows_sent += _insert(
            connection, source, table, stale, changes.get(table.full_name, _Changes())
        )
        tables_changed += 1
        _note(connection, table, stale)
        connection.execute(sql.SQL("analyze {}").format(table.identifier))
    return {"rows": rows_sent, "tables": tables_changed}


def _create(connection: psycopg.Connection[Any], table: _Table) -> None:
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column.name), _type_name(column.data_type))
        for column in table.columns
    )
    connection.execute(sql.SQL("create table {} ({})").format(table.identifier, columns))
    if table.sliced_by:
        connection.execute(
            sql.SQL("create index on {} ({})").format(
                table.identifier, sql.Identifier(table.sliced_by)
            )
        )


def _grant_and_describe(connection: psycopg.Connection[Any], table: _Table) -> None:
    """Let the reader read it; and the comments, where they differ."""
    relation = f"{_quoted(table.schema)}.{_quoted(table.name)}"
    allowed = connection.execute(
        "select has_table_privilege(%s, %s, 'select')", [READER, relation]
    ).fetchone()
    if allowed != (True,):
        connection.execute(
            sql.SQL("grant select on {} to {}").format(table.identifier, sql.Identifier(READER))
        )
    described: dict[str | None, str] = dict(
        connection.execute(
            """
            select attname, description
            from pg_description
            left join pg_attribute on attrelid = objoid and attnum = objsubid and attnum > 0
            where objoid = %s::regclass and classoid = 'pg_class'::regclass
            """,
            [relation],
        ).fetchall()
    )
    if described.get(None) != table.comment:
        connection.execute(
            sql.SQL("comment on table {} is {}").format(table.identifier, table.comment)
        )
    for column in table.columns:
        if described.get(column.name) != column.comment:
            connection.execute(
                sql.SQL("comment on column {} is {}").format(
                    sql.Identifier(table.schema, table.name, column.name), column.comment
                )
            )


def _delete(
    connection: psycopg.Connection[Any], table: _Table, dates: Sequence[str] | None
) -> None:
    """Delete all rows, or those of some dates (the empty text stands for no date)."""
    if dates is None or table.sliced_by is None:
        connection.execute(sql.SQL("delete from {}").format(table.identifier))
        return
    column = sql.Identifier(table.sliced_by)
    connection.execute(
        sql.SQL("delete from {} where {} = any(%s::date[]) or (%s and {} is null)").format(
            table.identifier, column, column
        ),
        [[date for date in dates if date], "" in dates],
    )


def _insert(
    connection: psycopg.Connection[Any],
    source: duckdb.DuckDBPyConnection,
    table: _Table,
    dates: Sequence[str],
    changes: _Changes,
) -> int:
    """Copy the rows of the dates; all of them must arrive.

    DuckDB writes the lines of COPY's text format itself: rows never become Python objects one by
    one, and, other than in CSV, no text in them can be taken for the end of the data.
    """
    retyped = {column.name for column in changes.retyped}
    targets = [
        column.name + _INCOMING if column.name in retyped else column.name
        for column in table.columns
    ]
    expected = sum(table.slices[date][0] for date in dates if date in table.slices)
    query = f"select {_line(table.columns)} from {_quoted(table.schema)}.{_quoted(table.name)}"
    if table.sliced_by:
        column = _quoted(table.sliced_by)
        query += f" where coalesce({column}::varchar, '') in (select unnest(?::varchar[]))"
    lines = source.execute(query, [list(dates)] if table.sliced_by else None)
    with connection.cursor() as cursor:
        with cursor.copy(
            sql.SQL("copy {} ({}) from stdin").format(
                table.identifier, sql.SQL(", ").join(map(sql.Identifier, targets))
            )
        ) as copy:
            while rows := lines.fetchmany(_ROWS_AT_ONCE):
                copy.write("".join(row[0] for row in rows))
        if cursor.rowcount != expected:
            raise CopyError(
                f"{table.full_name}: {cursor.rowcount} rows arrived of {expected}; run again"
            )
    return expected


def _line(columns: Sequence[_Column]) -> str:
    """SQL of DuckDB for a row as a line of COPY's text format."""
    return " || chr(9) || ".join(_field(column) for column in columns) + " || chr(10)"


def _field(column: _Column) -> str:
    text = f"{_quoted(column.name)}::varchar"
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


def _note(connection: psycopg.Connection[Any], table: _Table, dates: Sequence[str]) -> None:
    connection.execute(
        "delete from walkhouse.slices where table_name = %s and slice = any(%s)",
        [table.full_name, list(dates)],
    )
    noted = [(table.full_name, date, *table.slices[date]) for date in dates if date in table.slices]
    with connection.cursor() as cursor:
        cursor.executemany("insert into walkhouse.slices values (%s, %s, %s, %s)", noted)


def _drop_what_is_gone(
    connection: psycopg.Connection[Any],
    tables: Sequence[_Table],
    changes: Mapping[str, _Changes],
) -> None:
    for table in tables:
        change = changes.get(table.full_name, _Changes())
        gone = [name for name in change.gone if not name.endswith(_INCOMING)]
        dropped = [*gone, *(column.name for column in change.retyped)]
        if dropped:
            _alter(
                connection,
                table,
                [sql.SQL("drop column {}").format(sql.Identifier(name)) for name in dropped],
            )
        for column in change.retyped:
            incoming = sql.Identifier(column.name + _INCOMING)
            name = sql.Identifier(column.name)
            _alter(connection, table, [sql.SQL("rename column {} to {}").format(incoming, name)])
            connection.execute(
                sql.SQL("comment on column {} is {}").format(
                    sql.Identifier(table.schema, table.name, column.name), column.comment
                )
            )
    published = {table.full_name for table in tables}
    for (name,) in connection.execute(
        "select distinct table_name from walkhouse.slices"
    ).fetchall():
        if name not in published:
            schema, _, bare = name.partition(".")
            _with_short_waits(
                connection,
                name,
                sql.SQL("drop table if exists {}").format(sql.Identifier(schema, bare)),
            )
            connection.execute("delete from walkhouse.slices where table_name = %s", [name])


def _alter(
    connection: psycopg.Connection[Any], table: _Table, actions: Sequence[sql.Composed]
) -> None:
    statement = sql.SQL("alter table {} {}").format(table.identifier, sql.SQL(", ").join(actions))
    _with_short_waits(connection, table.full_name, statement)


def _with_short_waits(
    connection: psycopg.Connection[Any], table: str, statement: sql.Composed
) -> None:
    """Run what needs the table for itself; new readers wait for one short try at the most."""
    for attempt in range(_TRIES):
        try:
            with connection.transaction():
                connection.execute("select set_config('lock_timeout', %s, true)", [f"{_WAIT_MS}ms"])
                connection.execute(statement)
                connection.execute("set local lock_timeout = 0")
                return
        except psycopg.errors.LockNotAvailable:
            if attempt + 1 < _TRIES:
                time.sleep(_PAUSE_SECONDS)
    raise CopyError(
        f"{table}: its columns changed, and it was being read all the time; run again when its "
        "readers are done"
    )


def _only_sender(connection: psycopg.Connection[Any]) -> None:
    """Until the end of the transaction.

    Raises:
        CopyError: another process is sending.
    """
    held = connection.execute(
        "select pg_try_advisory_xact_lock(hashtext('walkhouse copy'))"
    ).fetchone()
    if held != (True,):
        raise CopyError("another process is sending a copy there; run again when it is done")


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(
        url, autocommit=True, connect_timeout=20, client_encoding="utf8"
    ) as connection:
        connection.execute("set timezone = 'UTC'")
        connection.execute("set datestyle = 'ISO'")
        yield connection


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Give errors of the database as `CopyError`, without the URL or its password.

    Raises:
        CopyError: something went wrong.
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
    except (psycopg.Error, duckdb.Error) as error:
        message = " ".join(str(error).split()) or type(error).__name__
        if password := known.get("password"):
            message = message.replace(str(password), "***")
        raise CopyError(message) from None


def _exists(connection: psycopg.Connection[Any], relation: str) -> bool:
    found = connection.execute("select to_regclass(%s) is not null", [relation]).fetchone()
    return found == (True,)


def _run(connection: psycopg.Connection[Any], statement: str, *names: str) -> None:
    connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
