"""The second file of a release, `walkhouse-reports.duckdb`: what names no person.

It follows from what the columns say of people (`personal_data`). A table whose key leads to a
person is left out, because each of its rows is about one. The others lose the columns that name or
lead to one.

With a smallest group of k, numbers about fewer than k people are empty, too. A row shows all its
numbers, or those about all of its people only, or none:

    none     its people are fewer than k
    totals   a part of them is, or what is left when that part is taken away

Where rows add up to a total that is shown elsewhere, one that is hidden could be found by taking
the others away. So a second one is hidden, the smallest, and with it at least k people. Reports
that are about the same rows hide the same of them. A number is empty, too, whose people nobody
counts, and one that does not say whether it is about people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.personal_data import Column, Table
from dagster_project.quoting import literal

REPORTS = "walkhouse-reports.duckdb"

_NOTHING, _TOTALS, _ALL = 2, 1, 0
"""How much of a row is hidden: all of it, what is about parts of its people, nothing."""
_COUNTS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_NUMBERS = (*_COUNTS, "FLOAT", "DOUBLE", "DECIMAL")


def write_report_file(
    release: Path,
    target: Path,
    tables: Sequence[Table],
    *,
    smallest_group: int,
    config: Mapping[str, Any],
) -> None:
    """Write the second file of a release.

    Args:
        release: its first file, with all tables.
        target: where to write; it must not exist.
        tables: what the tables of the release say of people.
        smallest_group: numbers about fewer people are empty.
        config: of DuckDB.

    Raises:
        duckdb.Error: a table is not as it says.
    """
    shared = [table for table in tables if not table.is_about_persons]
    with duckdb.connect(config=dict(config)) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"attach {literal(release)} as release (read_only)")
        connection.execute(f"attach {literal(target)} as reports")
        hidden = _Hidden(connection, shared, smallest_group) if smallest_group > 1 else None
        for table in shared:
            connection.execute(f'create schema if not exists reports."{table.schema}"')
            connection.execute(
                f"create table {_in('reports', table)} as {_rows(table, hidden)}"
                + (f" order by {_list(table.key)}" if table.key else "")
            )
            for statement in _comments(connection, table):
                connection.execute(statement)
        connection.execute("checkpoint reports")
        connection.execute("detach reports")


def never_shown(
    tables: Sequence[Table], types: Mapping[tuple[str, str, str], str]
) -> set[tuple[str, str, str]]:
    """The columns that are empty in every row where small groups are hidden.

    Args:
        tables: what the tables of the release say of people.
        types: DuckDB's, by schema, table and column.

    Returns:
        schema, table and name of each.
    """
    shared = {table.name: table for table in tables if not table.is_about_persons}
    return {
        (table.schema, table.name, column.name)
        for table in shared.values()
        for column in table.impersonal
        if _is_hidden_somewhere(table, column, types)
        and _most_hidden(table, column, shared) is None
    }


def _rows(table: Table, hidden: _Hidden | None) -> str:
    columns = table.impersonal
    if hidden is None:
        return f"select {_list(each.name for each in columns)} from {_in('release', table)}"
    shown = [hidden.shown(table, column) for column in columns]
    return f"select {', '.join(shown)} from {_in('release', table)} as row_of {hidden.join(table)}"


def _comments(connection: duckdb.DuckDBPyConnection, table: Table) -> Iterator[str]:
    """The comments of the first file."""
    at = "where database_name = 'release' and schema_name = ? and table_name = ?"
    place = [table.schema, table.name]
    for (comment,) in connection.execute(
        f"select comment from duckdb_tables() {at} and comment is not null", place
    ).fetchall():
        yield f"comment on table {_in('reports', table)} is {literal(comment)}"
    kept = {column.name for column in table.impersonal}
    for column, comment in connection.execute(
        f"select column_name, comment from duckdb_columns() {at} and comment is not null", place
    ).fetchall():
        if column in kept:
            yield f'comment on column {_in("reports", table)}."{column}" is {literal(comment)}'


class _Hidden:
    """How much of each row is hidden, in a temporary table beside each report that counts people.

    It has the columns of the key and of the totals, `people` and `hidden`.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, tables: Sequence[Table], smallest_group: int
    ) -> None:
        self._connection = connection
        self._smallest = smallest_group
        self._by_name = {table.name: table for table in tables}
        self._types: dict[tuple[str, str, str], str] = {
            (schema, table, column): data_type
            for schema, table, column, data_type in connection.execute(
                "select schema_name, table_name, column_name, data_type from duckdb_columns()"
                " where database_name = 'release'"
            ).fetchall()
        }
        self._counted = [table for table in tables if _counts_people(table, self._by_name)]
        for table in self._counted:
            self._begin(table)
        while sum(self._step()):
            pass

    def shown(self, table: Table, column: Column) -> str:
        """SQL of a column, empty where it is hidden."""
        name = f'row_of."{column.name}"'
        if not _is_hidden_somewhere(table, column, self._types):
            return name
        most = _most_hidden(table, column, self._by_name)
        is_shown = "false" if most is None else f"{_beside(table)}.hidden <= {most}"
        return f'case when {is_shown} then {name} end as "{column.name}"'

    def join(self, table: Table) -> str:
        """SQL that joins what is hidden to the rows."""
        if table not in self._counted:
            return ""
        same = _same({name: name for name in table.key}, "row_of", _beside(table))
        return f"left join {_beside(table)} on {same}"

    def _begin(self, table: Table) -> None:
        """What is hidden of each row by itself."""
        over = [name for names in table.totals_over for name in names]
        details = table.details_in.by if table.details_in else ()
        elsewhere = table.counted_in.by.values() if table.counted_in else ()
        columns = dict.fromkeys([*table.key, *over, *details, *elsewhere])
        selected = ", ".join(f'row_of."{name}"' for name in columns)
        joined = ""
        if table.counted_in:
            source = self._by_name[table.counted_in.table]
            people = _greatest(source, "counted")
            joined = f"left join {_in('release', source)} as counted on " + _same(
                table.counted_in.by, "counted", "row_of"
            )
        else:
            people = _greatest(table, "row_of")
        self._connection.execute(
            f"create table {_beside(table)} as"
            f" select {selected}, {people} as people, {self._by_itself(table, people)} as hidden"
            f" from {_in('release', table)} as row_of {joined}"
        )

    def _by_itself(self, table: Table, people: str) -> str:
        counts = [column for column in table.columns if self._is_count(table, column)]
        is_small = [self._is_small(people)] + [
            self._is_small(f'row_of."{column.name}"') for column in counts if column.people == "all"
        ]
        # What somebody did is counted here, and nobody among the people.
        did = [f'coalesce(row_of."{column.name}", 0) > 0' for column in counts]
        is_small.append(f"{people} = 0 and ({' or '.join(['false', *did])})")
        parts = [column for column in counts if column.people == "part"]
        has_small_part = [self._is_small(f'row_of."{column.name}"') for column in parts] + [
            self._is_small(f'row_of."{column.part_of}" - row_of."{column.name}"')
            for column in parts
            if column.part_of
        ]
        return (
            f"case when {' or '.join(is_small)} then {_NOTHING}"
            f" when {' or '.join(['false', *has_small_part])} then {_TOTALS} else {_ALL} end"
        )

    def _is_count(self, table: Table, column: Column) -> bool:
        is_about_people = column.people in ("all", "part") and column.name not in table.key
        return is_about_people and _type(table, column, self._types) in _COUNTS

    def _is_small(self, number: str) -> str:
        return f"coalesce({number} between 1 and {self._smallest - 1}, false)"

    def _step(self) -> Iterator[int]:
        """Hide what would reveal something else; how many rows that were."""
        for table in self._counted:
            for over in table.totals_over:
                for level in (_NOTHING, _TOTALS):
                    yield self._hide_a_second(table, over, level)
            if table.counted_in:
                source = self._by_name[table.counted_in.table]
                by = {ours: theirs for theirs, ours in table.counted_in.by.items()}
                yield self._raise(table, source, by, where=_NOTHING, to=_NOTHING)
            if table.details_in and table.details_in.table in self._by_name:
                other = self._by_name[table.details_in.table]
                yield self._raise(other, table, table.details_in.by, where=_NOTHING, to=_TOTALS)
            for other in self._counted:
                if other is not table and other.key == table.key:
                    same = {name: name for name in table.key}
                    for level in (_NOTHING, _TOTALS):
                        yield self._raise(table, other, same, where=level, to=level)

    def _hide_a_second(self, table: Table, over: Sequence[str], level: int) -> int:
        """In groups where too little is hidden, the visible row of the fewest people as well."""
        hides = f"count(*) filter (hidden >= {level})"
        too_few = f"{hides} = 1"
        if level == _NOTHING:
            too_few += f" or max(people) filter (hidden >= {level}) < {self._smallest}"
        return self._changed(
            f"""
            with groups as (
                select {_list(over)} from {_beside(table)}
                group by all
                having {hides} > 0 and ({too_few})
            ),

            candidates as (
                select
                    {_list(table.key)},
                    row_number() over (
                        partition by {_list(over)} order by people, {_list(table.key)}
                    ) as place
                from {_beside(table)} as beside
                where hidden < {level} and people > 0 and exists (
                    select 1 from groups
                    where {_same({name: name for name in over}, "groups", "beside")}
                )
            )

            update {_beside(table)} as beside set hidden = {level}
            from candidates
            where place = 1 and {_same({name: name for name in table.key}, "candidates", "beside")}
            """
        )

    def _raise(
        self, table: Table, source: Table, by: Mapping[str, str], *, where: int, to: int
    ) -> int:
        """Hide as much of rows as of those of another table; `by` has its own columns first."""
        return self._changed(
            f"""
            update {_beside(table)} as beside set hidden = {to}
            from (
                select distinct {_list(by.values())} from {_beside(source)}
                where hidden >= {where}
            ) as source
            where hidden < {to} and {_same(by, "beside", "source")}
            """
        )

    def _changed(self, statement: str) -> int:
        return int(self._connection.execute(statement).fetchall()[0][0])


def _is_hidden_somewhere(
    table: Table, column: Column, types: Mapping[tuple[str, str, str], str]
) -> bool:
    """Whether a column is about people; of those that say nothing, a number is."""
    if column.name in table.key or column.people == "none":
        return False
    return column.people is not None or _type(table, column, types) in _NUMBERS


def _most_hidden(table: Table, column: Column, tables: Mapping[str, Table]) -> int | None:
    """How much of a row may be hidden where the column is shown; None where it never is."""
    if not _counts_people(table, tables):
        return None
    return {"all": _TOTALS, "part": _ALL}.get(column.people or "")


def _counts_people(table: Table, tables: Mapping[str, Table]) -> bool:
    """Whether the people of a row are counted, in it or where it says."""
    source = table.counted_in and tables.get(table.counted_in.table)
    return bool(table.counted_by or (source and source.counted_by))


def _type(table: Table, column: Column, types: Mapping[tuple[str, str, str], str]) -> str:
    """Of DuckDB's, without the numbers of a decimal."""
    return types.get((table.schema, table.name, column.name), "").partition("(")[0]


def _greatest(table: Table, alias: str) -> str:
    """SQL of the people of a row: as many as the greatest of its counts says, at the least."""
    counts = ", ".join(f'coalesce({alias}."{name}", 0)' for name in table.counted_by)
    return f"greatest({counts}, 0)"


def _same(by: Mapping[str, str], left: str, right: str) -> str:
    return " and ".join(
        f'{left}."{ours}" is not distinct from {right}."{theirs}"' for ours, theirs in by.items()
    )


def _beside(table: Table) -> str:
    return f'memory.main."hidden in {table.name}"'


def _in(database: str, table: Table) -> str:
    return f'{database}."{table.schema}"."{table.name}"'


def _list(names: Any) -> str:
    return ", ".join(f'"{name}"' for name in names)
