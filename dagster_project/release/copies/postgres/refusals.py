"""What a copy is refused for, said by name before anything is changed.

Walkhouse shares the database with other people. It never writes what it did not create, it is the
only one that sends there, it takes nothing away that somebody's view needs, and it says which
rights it lacks, all of them at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dagster_project.release.copies.postgres.columns import Change
from dagster_project.release.copies.postgres.ledger import SCHEMA, Ledger
from dagster_project.release.copies.postgres.readers import readers_of
from dagster_project.release.copies.postgres.session import Connection
from dagster_project.release.copies.postgres.tables import Table
from dagster_project.release.copies.target import CopyError, refuse_other_owner


def refuse(
    connection: Connection,
    changes: Sequence[Change],
    gone: Mapping[str, int],
    ledger: Ledger,
    installation: str,
) -> None:
    """Check everything that a copy may be refused for.

    Args:
        connection: in a transaction that has changed nothing.
        changes: of the tables of the release.
        gone: oid by full name of the tables that the release does not have any more.
        ledger: of the copy.
        installation: who sends.

    Raises:
        CopyError: names what stands in the way, and what to do about it.
    """
    refuse_other_owner(
        ledger.installation, installation, release_it="run `delete from walkhouse.held` there"
    )
    _refuse_foreign_objects(connection, [change.table for change in changes if change.is_new])
    owned = [*(change.oid for change in changes if change.oid is not None), *gone.values()]
    _refuse_entangled_tables(connection, owned)
    _refuse_what_is_needed(connection, changes, gone)
    schemas = sorted({change.table.schema for change in changes})
    _refuse_missing_rights(connection, schemas, owned)


def _refuse_foreign_objects(connection: Connection, new: Sequence[Table]) -> None:
    """Tables that are to be created, but something of their name is there."""
    found = connection.execute(
        """
        with objects as (
            select
                relnamespace as schema_oid,
                relname as name,
                case relkind
                    when 'r' then 'table' when 'p' then 'table' when 'f' then 'foreign table'
                    when 'v' then 'view' when 'm' then 'materialized view'
                    when 'S' then 'sequence' when 'c' then 'type' else 'index'
                end as kind
            from pg_class
            union all
            select typnamespace, typname, 'type' from pg_type where typrelid = 0
            union all
            select pronamespace, proname, 'function' from pg_proc
        )

        select distinct format('%%s %%s.%%s', kind, nspname, name)
        from objects
        inner join pg_namespace on pg_namespace.oid = schema_oid
        inner join unnest(%s::text[], %s::text[]) as published (table_schema, table_name)
            on nspname = table_schema and name = table_name
        order by 1
        """,
        [[table.schema for table in new], [table.name for table in new]],
    ).fetchall()
    if found:
        raise CopyError(
            "these are there already, and Walkhouse did not create them: "
            f"{', '.join(name for (name,) in found)}; give the copy a database of its own, or move "
            "or drop them"
        )


def _refuse_entangled_tables(connection: Connection, owned: Sequence[int]) -> None:
    """Other people's tables that would change with ours."""
    found = connection.execute(
        """
        select format(
            'table %%s refers to %%s by its foreign key %%I; drop that',
            conrelid::regclass, confrelid::regclass, conname
        )
        from pg_constraint
        where contype = 'f' and confrelid = any(%(owned)s::oid[])
        union all
        select format(
            'table %%s inherits from %%s; run `alter table %%s no inherit %%s`',
            inhrelid::regclass, inhparent::regclass, inhrelid::regclass, inhparent::regclass
        )
        from pg_inherits
        where inhparent = any(%(owned)s::oid[])
        order by 1
        """,
        {"owned": list(owned)},
    ).fetchall()
    if found:
        raise CopyError("; ".join(sentence for (sentence,) in found))


def _refuse_what_is_needed(
    connection: Connection, changes: Sequence[Change], gone: Mapping[str, int]
) -> None:
    """Columns and tables that the release does not have, or not as they are, and that are used."""
    sentences = []
    for change in changes:
        for column in change.dropped:
            if users := _users(connection, change.oid, column):
                what = "is not in this release" if column in change.gone else "has another type now"
                sentences.append(
                    f"{change.table.full_name}.{column} {what}, and is used by {users}"
                )
    for name, oid in gone.items():
        if users := _users(connection, oid, None):
            sentences.append(f"{name} is not in this release, and is used by {users}")
    if sentences:
        raise CopyError(
            f"{'; '.join(sentences)}. Drop them or have them do without it, run again, and create "
            "them anew"
        )


def _users(connection: Connection, oid: int | None, column: str | None) -> str:
    """Views and whatever else a column, or a whole table, cannot be dropped for."""
    rows = connection.execute(
        """
        select distinct coalesce(
            case relkind when 'v' then 'view ' when 'm' then 'materialized view ' end
            || ev_class::regclass,
            pg_describe_object(classid, objid, objsubid)
        )
        from pg_depend
        left join pg_rewrite on classid = 'pg_rewrite'::regclass and pg_rewrite.oid = objid
        left join pg_class on pg_class.oid = ev_class
        left join pg_attribute on attrelid = refobjid and attnum = refobjsubid
        where refclassid = 'pg_class'::regclass and refobjid = %(oid)s::oid and deptype = 'n'
        and (%(column)s::text is null or attname = %(column)s)
        order by 1
        """,
        {"oid": oid, "column": column},
    ).fetchall()
    return ", ".join(name for (name,) in rows)


def _refuse_missing_rights(
    connection: Connection, schemas: Sequence[str], owned: Sequence[int]
) -> None:
    """All rights that the account lacks, as the statements that give them."""
    missing = connection.execute(
        """
        with sender as (
            select oid, rolname as name, rolsuper or rolcreaterole as may_create_roles
            from pg_roles
            where rolname = current_user
        ),

        wanted as (
            select wanted.name, pg_namespace.oid, nspowner
            from unnest(%(schemas)s::text[] || array[%(own)s]) as wanted (name)
            left join pg_namespace on nspname = wanted.name
        ),

        readers as (
            select distinct reader from unnest(%(readers)s::text[]) as reader
        ),

        reads as (
            select reader, wanted.*
            from unnest(%(readers)s::text[], %(read)s::text[]) as reads (reader, schema_name)
            inner join wanted on wanted.name = schema_name
        ),

        statements as (
            select 1 as position, 'create role ' || reader || ' nologin' as statement
            from readers, sender
            where not may_create_roles
            and not exists (select from pg_roles where rolname = reader)
            union all
            select 2, format('grant create on database %%I to %%I', current_database(), sender.name)
            from sender
            where not has_database_privilege(current_database(), 'create')
            and exists (select from wanted where oid is null)
            union all
            select 3, format('grant usage, create on schema %%I to %%I', wanted.name, sender.name)
            from wanted, sender
            where wanted.oid is not null
            and not (
                has_schema_privilege(wanted.oid, 'usage')
                and has_schema_privilege(wanted.oid, 'create')
            )
            union all
            select 4, format('grant usage on schema %%I to %%I', reads.name, reader)
            from reads
            where reads.oid is not null
            and not pg_has_role(nspowner, 'usage')
            and not has_schema_privilege(reads.oid, 'usage with grant option')
            and not exists (
                select from pg_roles
                where rolname = reader
                and has_schema_privilege(pg_roles.oid, reads.oid, 'usage')
            )
            union all
            select 5, format('alter table %%s owner to %%I', pg_class.oid::regclass, sender.name)
            from pg_class, sender
            where pg_class.oid = any(%(owned)s::oid[]) and not pg_has_role(relowner, 'usage')
        )

        select statement from statements order by position, statement
        """,
        {
            "schemas": list(schemas),
            "own": SCHEMA,
            "readers": [reader for schema in schemas for reader in readers_of(schema)],
            "read": [schema for schema in schemas for _ in readers_of(schema)],
            "owned": list(owned),
        },
    ).fetchall()
    if missing:
        raise CopyError(
            "this account lacks rights; have somebody who may give them run: "
            + "; ".join(statement for (statement,) in missing)
        )
