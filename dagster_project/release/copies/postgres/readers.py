"""What readers of the copy get beside rows: roles that may read, and the comments."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from dagster_project.release.copies.postgres.ledger import SCHEMA
from dagster_project.release.copies.postgres.session import Connection, run
from dagster_project.release.copies.postgres.tables import SHARED, Table

READER = "walkhouse_reader"
REPORT_READER = "walkhouse_report_reader"


def readers_of(schema: str) -> tuple[str, ...]:
    """The roles that may read what is in a schema: one reads all, the other what names nobody."""
    if schema == SCHEMA:
        return ()
    return (READER, REPORT_READER) if schema == SHARED else (READER,)


def create_readers(connection: Connection, schemas: Sequence[str]) -> None:
    """Make the roles that read schemas, where they are missing."""
    for reader in sorted({reader for schema in schemas for reader in readers_of(schema)}):
        known = connection.execute("select 1 from pg_roles where rolname = %s", [reader])
        if not known.fetchone():
            run(connection, "create role {} nologin", sql.Identifier(reader))


def create_schemas(connection: Connection, schemas: Sequence[str]) -> None:
    """Make schemas where they are missing, and let their readers look into them."""
    for schema in schemas:
        name = sql.Identifier(schema)
        # `if not exists` asks for the right to create even where there is nothing to do.
        if connection.execute("select to_regnamespace(%s)", [schema]).fetchone() == (None,):
            run(connection, "create schema {}", name)
        for reader in readers_of(schema):
            allowed = connection.execute(
                "select has_schema_privilege(%s, %s, 'usage')", [reader, schema]
            ).fetchone()
            if allowed != (True,):
                run(connection, "grant usage on schema {} to {}", name, sql.Identifier(reader))


def grant_and_describe(connection: Connection, table: Table) -> None:
    """Let its readers read a table; and its comments, where they differ."""
    relation = table.identifier.as_string(connection)
    for reader in readers_of(table.schema):
        allowed = connection.execute(
            "select has_table_privilege(%s, %s, 'select')", [reader, relation]
        ).fetchone()
        if allowed != (True,):
            run(connection, "grant select on {} to {}", table.identifier, sql.Identifier(reader))
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
        run(connection, "comment on table {} is {}", table.identifier, sql.Literal(table.comment))
    for column in table.columns:
        if described.get(column.name) != column.comment:
            run(
                connection,
                "comment on column {} is {}",
                sql.Identifier(table.schema, table.name, column.name),
                sql.Literal(column.comment),
            )
