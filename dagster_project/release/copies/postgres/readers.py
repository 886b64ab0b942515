"""What readers of the copy get beside rows: a role that may read, and the comments."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from dagster_project.release.copies.postgres.session import Connection, run
from dagster_project.release.copies.postgres.tables import Table

READER = "walkhouse_reader"


def create_reader(connection: Connection) -> None:
    """Make the role, where it is missing."""
    if not connection.execute("select 1 from pg_roles where rolname = %s", [READER]).fetchone():
        run(connection, "create role {} nologin", sql.Identifier(READER))


def create_schemas(
    connection: Connection, schemas: Sequence[str], *, are_read: bool = True
) -> None:
    """Make schemas where they are missing, and let the reader look into those that are read."""
    for schema in schemas:
        name = sql.Identifier(schema)
        # `if not exists` asks for the right to create even where there is nothing to do.
        if connection.execute("select to_regnamespace(%s)", [schema]).fetchone() == (None,):
            run(connection, "create schema {}", name)
        allowed = connection.execute(
            "select has_schema_privilege(%s, %s, 'usage')", [READER, schema]
        ).fetchone()
        if are_read and allowed != (True,):
            run(connection, "grant usage on schema {} to {}", name, sql.Identifier(READER))


def grant_and_describe(connection: Connection, table: Table) -> None:
    """Let the reader read a table; and its comments, where they differ."""
    relation = table.identifier.as_string(connection)
    allowed = connection.execute(
        "select has_table_privilege(%s, %s, 'select')", [READER, relation]
    ).fetchone()
    if allowed != (True,):
        run(connection, "grant select on {} to {}", table.identifier, sql.Identifier(READER))
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
