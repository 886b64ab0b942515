"""The columns of the dbt project's tables: their types, and what each is computed from.

Both follow from the compiled SQL alone. DuckDB says the types, of tables that it creates without
rows; sqlglot says the origins. This module imports neither Dagster nor dbt.

An origin names what a value is computed from, not what only filters, joins or groups the rows.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
from sqlglot import MappingSchema, exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer import Scope, build_scope, find_all_in_scope
from sqlglot.optimizer.qualify import qualify

logger = logging.getLogger("walkhouse")

_DIALECT = "duckdb"
_OF_WHOLE_ROWS = (exp.TableColumn, exp.Exists)  # a table as a value, whether there is a row
_ANY_ROW = (exp.Star, exp.Literal)
_OF_THE_RECURSION = "recurring"  # DuckDB's schema for all rows that a recursive query has so far


@dataclass(frozen=True)
class Relation:
    """A table as the project defines it.

    Attributes:
        name: schema and table, such as ``facts.fct_sessions``.
        types: type by column, where it is declared and enforced; otherwise none.
        sql: the query that the table holds; None for what is no model.
    """

    name: str
    types: Mapping[str, str]
    sql: str | None = None


@dataclass(frozen=True)
class Origin:
    """What a column is computed from; nothing at all for a constant.

    Attributes:
        columns: table and column, in order.
        rows: tables whose rows are counted, whatever is in them.
    """

    columns: tuple[tuple[str, str], ...] = ()
    rows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """A column.

    Attributes:
        name: of the column.
        data_type: in the portable names of the dbt project.
        origin: None where it is not known.
    """

    name: str
    data_type: str
    origin: Origin | None


Columns = Mapping[str, tuple[Column, ...]]
"""The columns of each table, by its name (`schema.table`)."""


def columns_of(relations: Sequence[Relation], *, database: str) -> Columns:
    """The columns of all relations that can be told; of the others the log says why not.

    Args:
        relations: each after those that it reads.
        database: by which the queries call the database.
    """
    types = _types(relations, database=database)
    schema = MappingSchema(dialect=_DIALECT)
    for name, columns in types.items():
        schema.add_table(_table(name, database), dict(columns), dialect=_DIALECT)
    origins = {
        relation.name: _origins(relation, schema, types)
        for relation in relations
        if relation.name in types
    }
    return {
        name: tuple(
            Column(column, portable_type(data_type), origins[name].get(column))
            for column, data_type in columns.items()
        )
        for name, columns in types.items()
    }


def portable_type(data_type: str) -> str:
    """A type of DuckDB's, as the contracts of the dbt project write it."""
    return data_type.lower().replace("varchar", "string")


def as_json(columns: Columns) -> dict[str, Any]:
    """What `from_json` reads."""
    return {
        name: [
            [each.name, each.data_type, each.origin and [each.origin.columns, each.origin.rows]]
            for each in table
        ]
        for name, table in columns.items()
    }


def from_json(content: Mapping[str, Any]) -> Columns:
    """What `as_json` wrote."""
    return {
        name: tuple(
            Column(column, data_type, _origin_from_json(origin))
            for column, data_type, origin in table
        )
        for name, table in content.items()
    }


def _origin_from_json(content: Sequence[Any] | None) -> Origin | None:
    if content is None:
        return None
    columns, rows = content
    return Origin(tuple((table, column) for table, column in columns), tuple(rows))


def _types(relations: Sequence[Relation], *, database: str) -> dict[str, dict[str, str]]:
    """DuckDB's type by column of each relation; without those that it cannot bind."""
    found: dict[str, dict[str, str]] = {}
    with duckdb.connect() as connection:
        connection.execute(f'attach \':memory:\' as "{database}"; use "{database}"')
        for schema in sorted({relation.name.partition(".")[0] for relation in relations}):
            connection.execute(f'create schema if not exists "{schema}"')
        for relation in relations:
            declared = ", ".join(f'"{name}" {kind}' for name, kind in relation.types.items())
            table = _table(relation.name, database).sql(_DIALECT)
            if not declared and relation.sql is None:
                logger.warning("the columns of %s are not known: nobody declares them", table)
                continue
            try:
                if declared:
                    connection.execute(f"create table {table} ({declared})")
                else:
                    connection.execute(f"create table {table} as\n{relation.sql}\nwith no data")
            except duckdb.Error as error:
                reason = str(error).partition("\n")[0]
                logger.warning("the columns of %s are not known: %s", relation.name, reason)
                continue
            described = connection.execute(f"describe {table}").fetchall()
            found[relation.name] = {name: kind for name, kind, *_ in described}
    return found


def _table(name: str, database: str) -> exp.Table:
    schema, _, table = name.partition(".")
    return exp.table_(table, schema, database, quoted=True)


def _origins(
    relation: Relation, schema: MappingSchema, known: Mapping[str, Mapping[str, str]]
) -> dict[str, Origin]:
    """The origin of each column of a relation, of those that are known."""
    if relation.sql is None:
        return {}
    try:
        query = _Query(relation.sql, schema, known)
        found = {name: query.origin(node) for name, node in query.columns().items()}
    except (SqlglotError, KeyError, ValueError) as error:  # what sqlglot has not met raises any
        reason = str(error).partition("\n")[0]
        logger.warning("where the columns of %s come from is not known: %s", relation.name, reason)
        return {}
    return {name: origin for name, origin in found.items() if origin is not None}


class _Query:
    """One query, parsed and resolved once for all of its columns."""

    def __init__(
        self, sql: str, schema: MappingSchema, known: Mapping[str, Mapping[str, str]]
    ) -> None:
        tree = qualify(
            parse_one(sql, dialect=_DIALECT),
            dialect=_DIALECT,
            schema=schema,
            validate_qualify_columns=False,
            identify=False,
        )
        root = build_scope(tree)
        if root is None:
            raise SqlglotError("it is no query")
        if any(union.args.get("by_name") for union in tree.find_all(exp.SetOperation)):
            raise SqlglotError("a union by name, which sqlglot takes for one by position")
        self._tree = tree
        self._schema = schema
        self._known = known
        self._root = root
        self._scopes = {id(scope.expression): scope for scope in root.traverse()}
        # What a recursive part takes from itself, sqlglot takes from its first part, of which it
        # then has a copy without sources.
        for scope in self._scopes.values():
            for name, source in scope.sources.items():
                if isinstance(source, Scope):
                    scope.sources[name] = self._scopes.get(id(source.expression), source)
        self._recursive = {
            name: source
            for scope in self._scopes.values()
            for name, source in scope.cte_sources.items()
            if isinstance(source, Scope) and _reads(source.expression, name)
        }
        self._itself = {
            table.alias_or_name: table.name
            for source in self._recursive.values()
            for table in source.expression.find_all(exp.Table)
            if table.name in self._recursive
        }

    def columns(self, scope: Scope | None = None) -> dict[str, Node]:
        """How each column of the query, or of a part of it, comes about."""
        return lineage(
            None,
            self._tree,
            self._schema,
            dialect=_DIALECT,
            scope=scope or self._root,
            trim_selects=False,
            copy=False,
        )

    def origin(self, node: Node) -> Origin | None:
        """What a column is computed from, if all of it is known."""
        columns: set[tuple[str, str]] = set()
        rows: set[str] = set()
        seen: set[tuple[str, str]] = set()
        counted: set[int] = set()
        nodes = [*node.walk()]
        while nodes:
            each = nodes.pop()
            if isinstance(each.expression, exp.Star | exp.Placeholder) or each.expression.find(
                *_OF_WHOLE_ROWS
            ):
                return None
            scope = self._scopes.get(id(each.source))
            if scope is not None and _counts_rows(each.expression) and id(scope) not in counted:
                counted.add(id(scope))
                for read in self._read_by(scope):
                    if read is None:
                        return None
                    if isinstance(read, exp.Table):
                        rows.add(_name(read))
                    else:
                        nodes += read.walk()
            source, _, column = each.name.rpartition(".")
            if source in self._itself:
                # It comes from wherever this column of the whole recursive part comes from.
                part = self._itself[source]
                if (part, column) not in seen:
                    seen.add((part, column))
                    nodes += self.columns(self._recursive[part])[column].walk()
            elif isinstance(each.expression, exp.Table):
                columns.add((_name(each.expression), column.strip('"')))
        are_known = all(column in self._known.get(table, ()) for table, column in columns)
        if not are_known or not rows <= self._known.keys():
            return None
        return Origin(tuple(sorted(columns)), tuple(sorted(rows)))

    def _read_by(self, scope: Scope) -> Iterator[exp.Table | Node | None]:
        """What the rows that a part of the query reads stand for, but for its joins.

        They are those of tables, or what made them distinct; None where that is not known.
        """
        first = scope.expression.args.get("from_")
        source = scope.sources.get(first.this.alias_or_name) if first else None
        if isinstance(source, exp.Table):
            yield source
        elif isinstance(source, Scope):
            yield from self._made_by(source)

    def _made_by(self, scope: Scope) -> Iterator[exp.Table | Node | None]:
        query = scope.expression
        group = query.args.get("group")
        if query.args.get("distinct"):  # of a union, too
            yield from self.columns(scope).values()
        elif isinstance(query, exp.SetOperation):
            for part in scope.set_operation_scopes:
                yield from self._made_by(part)
        elif group is not None:
            for column in find_all_in_scope(group, exp.Column):
                yield self._node(scope, column)
            if not group.expressions:
                yield None
        elif isinstance(query, exp.Select) and not any(map(_makes_one_row, query.selects)):
            yield from self._read_by(scope)

    def _node(self, scope: Scope, column: exp.Column) -> Node | None:
        source = scope.sources.get(column.table)
        if isinstance(source, exp.Table):
            return Node(name=column.sql(_DIALECT), source=source, expression=source)
        return self.columns(source).get(column.name) if source is not None else None


def _makes_one_row(select: exp.Expr) -> bool:
    aggregates = find_all_in_scope(select, exp.AggFunc)
    return any(aggregate.find_ancestor(exp.Window) is None for aggregate in aggregates)


def _reads(query: exp.Expr, name: str) -> bool:
    return any(
        table.name == name and table.db in ("", _OF_THE_RECURSION)
        for table in query.find_all(exp.Table)
    )


def _counts_rows(expression: exp.Expr) -> bool:
    counts = find_all_in_scope(expression, exp.Count)
    return any(count.this is None or isinstance(count.this, _ANY_ROW) for count in counts)


def _name(table: exp.Table) -> str:
    return f"{table.db}.{table.name}"
