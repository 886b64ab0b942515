"""What differs between two warehouses: rows and columns per table, as counts and examples.

Two DuckDB files (releases, the warehouse, a development copy) are compared table by table, by the
keys that the dbt project names. DuckDB does the comparing, both files attached for reading only, so
that their size does not matter. Rows have no order, nulls equal nulls, and what tells of a file
itself and not of the data (`NOT_COMPARED`) is left out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.locks import warehouse_writer
from dagster_project.quoting import identifier as _name
from dagster_project.quoting import literal
from dagster_project.registry import load_variables
from dagster_project.release.publish import current_release, release_folder, releases
from dagster_project.settings import Settings

NOT_COMPARED = frozenset({("meta", "release"), ("meta", "rebuilds")})
PLACES = ("current", "previous", "warehouse", "dev")

_PRESENT = '"walkhouse: the row is there"'


class DiffError(Exception):
    """Two warehouses cannot be compared; the message says which and what to do."""


@dataclass(frozen=True)
class Example:
    """A row that differs.

    Attributes:
        kind: ``only in A``, ``only in B`` or ``changed``.
        key: the values of the key, or of all compared columns in a table compared without one.
        changes: column, value in A and value in B, of each column that differs.
    """

    kind: str
    key: tuple[tuple[str, Any], ...]
    changes: tuple[tuple[str, Any, Any], ...] = ()


@dataclass(frozen=True)
class TableDiff:
    """What differs in one table.

    Attributes:
        table: schema and name.
        rows: rows in A and in B; None where there is no such table.
        only_in_a: rows whose key is in A only.
        only_in_b: rows whose key is in B only.
        changed: rows with the same key and other values.
        columns: column and how many of its values differ in the changed rows, where any do.
        columns_only_in_a: not compared, as B lacks them.
        columns_only_in_b: not compared, as A lacks them.
        retyped: column, type in A and type in B; not compared.
        is_keyed: false where the key is not unique or not in both files. Then whole rows are
            compared, and a changed one counts as one only in A and one only in B.
        examples: some of the rows that differ, by kind and key.
    """

    table: str
    rows: tuple[int | None, int | None]
    only_in_a: int = 0
    only_in_b: int = 0
    changed: int = 0
    columns: tuple[tuple[str, int], ...] = ()
    columns_only_in_a: tuple[str, ...] = ()
    columns_only_in_b: tuple[str, ...] = ()
    retyped: tuple[tuple[str, str, str], ...] = ()
    is_keyed: bool = True
    examples: tuple[Example, ...] = ()

    @property
    def is_equal(self) -> bool:
        """Whether the table is the same in both."""
        return None not in self.rows and not (
            self.only_in_a
            or self.only_in_b
            or self.changed
            or self.columns_only_in_a
            or self.columns_only_in_b
            or self.retyped
        )


@dataclass(frozen=True)
class Difference:
    """What differs between two warehouses.

    Attributes:
        file_a: the file that is A.
        file_b: the file that is B.
        sample_a: the sample that A holds, in words; empty where it holds everything.
        sample_b: the same of B.
        tables: each table that is in at least one of them, and was asked for.
    """

    file_a: Path
    file_b: Path
    sample_a: str
    sample_b: str
    tables: tuple[TableDiff, ...]

    @property
    def is_none(self) -> bool:
        """Whether every table is equal."""
        return all(table.is_equal for table in self.tables)


def difference(
    settings: Settings, a: str, b: str, *, tables: Sequence[str] = (), examples: int = 0
) -> Difference:
    """Compare two warehouses of an installation.

    Args:
        settings: the installation.
        a: a word of `PLACES`, a release id or a path.
        b: another, or the same.
        tables: names of tables, with or without their schema; all of them if empty.
        examples: how many rows to show, at most, of each kind and table.

    Raises:
        DiffError: they cannot be compared.
    """
    file_a, file_b = find(settings, a), find(settings, b)
    published = load_variables(settings.dbt_project)["published"]
    keys = {
        (schema, table): tuple(key)
        for schema, keys_by_table in published.items()
        for table, key in keys_by_table.items()
        if (schema, table) not in NOT_COMPARED
    }
    if tables:
        keys = {table: keys[table] for table in _asked_for(tables, list(keys))}
    # A run could not open its warehouse while it is read here, so one of them waits.
    is_warehouse = settings.warehouse.resolve() in (file_a, file_b)
    with warehouse_writer(settings.home) if is_warehouse else nullcontext():
        found = compare(
            file_a,
            file_b,
            keys,
            examples=examples,
            threads=settings.threads,
            memory_limit=settings.memory_limit,
        )
        result = Difference(file_a, file_b, sample_of(file_a), sample_of(file_b), tuple(found))
    compared = {table.table for table in result.tables}
    absent = [".".join(table) for table in keys if ".".join(table) not in compared]
    if tables and absent:
        raise DiffError(f"{', '.join(absent)}: in neither file; build it first")
    return result


def _asked_for(names: Sequence[str], known: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name in names:
        found = [table for table in known if name in (table[1], ".".join(table))]
        if not found:
            raise DiffError(
                f"there is no table {name!r} to compare; there are: "
                + ", ".join(table for _, table in known)
            )
        yield from found


def find(settings: Settings, name: str) -> Path:
    """The DuckDB file that a word, a release id or a path means.

    Raises:
        DiffError: there is none; the message names those that there are.
    """
    published = settings.published
    if name == "warehouse":
        path = settings.warehouse
    elif name == "dev":
        path = settings.development
    elif name in ("current", "previous"):
        path = _release_file(published, _release_id(published, name))
    else:
        path = _release_file(published, name)
        if not path.exists():
            path = Path(name).expanduser()
    if not path.is_file():
        known = ", ".join([*PLACES, *(release.release_id for release in releases(published))])
        raise DiffError(
            f"{name!r}: there is no file {path}; say a path to a DuckDB file or one of: {known}"
        )
    return path.resolve()  # a release stays the one it is while readers are switched


def compare(
    file_a: Path,
    file_b: Path,
    keys: Mapping[tuple[str, str], Sequence[str]],
    *,
    examples: int = 0,
    threads: int = 2,
    memory_limit: str = "4GB",
) -> Iterator[TableDiff]:
    """Compare two files table by table.

    Args:
        file_a: a DuckDB file.
        file_b: another, or the same.
        keys: the columns of the key, by schema and name of the tables to compare.
        examples: how many rows to show, at most, of each kind.
        threads: for DuckDB.
        memory_limit: for DuckDB; what needs more goes to a temporary folder.

    Yields:
        each table that is in at least one of the files, in the order of `keys`.

    Raises:
        DiffError: a file cannot be read, for one because it is being written.
    """
    with _attached(file_a, file_b, threads=threads, memory_limit=memory_limit) as pair:
        for (schema, table), key in keys.items():
            found = _compare_table(pair, schema, table, key, examples=examples)
            if found is not None:
                yield found


def sample_of(file: Path) -> str:
    """The sample that a development copy holds, in words; empty where it holds everything.

    Raises:
        DiffError: the file cannot be read.
    """
    with _attached(file, file, threads=1, memory_limit="1GB") as pair:
        if "sample" not in _columns(pair, "a", "audit", "inputs"):
            return ""
        ((sample,),) = pair.connection.execute("select max(sample) from a.audit.inputs").fetchall()
    return sample or ""


@dataclass(frozen=True)
class _Pair:
    """Two attached files; one and the same file is attached once."""

    connection: duckdb.DuckDBPyConnection
    is_same: bool

    def table(self, side: str, schema: str, table: str) -> str:
        return f"{'a' if self.is_same else side}.{_name(schema, table)}"


@contextmanager
def _attached(file_a: Path, file_b: Path, *, threads: int, memory_limit: str) -> Iterator[_Pair]:
    is_same = file_a.resolve() == file_b.resolve()
    with tempfile.TemporaryDirectory(prefix="walkhouse-diff-") as scratch:
        config: dict[str, Any] = {
            "threads": threads,
            "memory_limit": memory_limit,
            "temp_directory": scratch,
        }
        with duckdb.connect(config=config) as connection:
            connection.execute("set timezone = 'UTC'")
            connection.execute("set enable_progress_bar = false")
            for side, file in (("a", file_a), ("b", file_b))[: 1 if is_same else 2]:
                try:
                    connection.execute(f"attach {literal(file)} as {side} (read_only)")
                except duckdb.Error as error:
                    raise DiffError(
                        f"{file} cannot be read, or is being written and can be read later: {error}"
                    ) from error
            yield _Pair(connection, is_same)


def _compare_table(
    pair: _Pair, schema: str, table: str, key: Sequence[str], *, examples: int
) -> TableDiff | None:
    types_a, types_b = (_columns(pair, side, schema, table) for side in "ab")
    if not types_a and not types_b:
        return None
    rows = tuple(
        _count(pair, f"from {pair.table(side, schema, table)}") if types else None
        for side, types in (("a", types_a), ("b", types_b))
    )
    name = f"{schema}.{table}"
    if not types_a or not types_b:
        return TableDiff(name, (rows[0], rows[1]))
    common = [column for column, kind in types_a.items() if types_b.get(column) == kind]
    is_keyed = set(key) <= set(common) and all(
        _is_unique(pair, pair.table(side, schema, table), key) for side in "ab"
    )
    compared = _compare_by_key if is_keyed else _compare_as_wholes
    counts, columns, shown = compared(pair, schema, table, key, common, examples)
    return TableDiff(
        table=name,
        rows=(rows[0], rows[1]),
        only_in_a=counts[0],
        only_in_b=counts[1],
        changed=counts[2],
        columns=columns,
        columns_only_in_a=tuple(column for column in types_a if column not in types_b),
        columns_only_in_b=tuple(column for column in types_b if column not in types_a),
        retyped=tuple(
            (column, kind, types_b[column])
            for column, kind in types_a.items()
            if types_b.get(column, kind) != kind
        ),
        is_keyed=is_keyed,
        examples=shown,
    )


_Found = tuple[tuple[int, int, int], tuple[tuple[str, int], ...], tuple[Example, ...]]


def _compare_by_key(
    pair: _Pair,
    schema: str,
    table: str,
    key: Sequence[str],
    common: Sequence[str],
    examples: int,
) -> _Found:
    values = [column for column in common if column not in key]
    a, b = (f"(select *, true as {_PRESENT} from {pair.table(s, schema, table)})" for s in "ab")
    equal_keys = " and ".join(f"a.{_name(c)} is not distinct from b.{_name(c)}" for c in key)
    joined = f"from {a} as a full join {b} as b on {equal_keys}"
    differs = [f"a.{_name(column)} is distinct from b.{_name(column)}" for column in values]
    in_both = f"a.{_PRESENT} and b.{_PRESENT}"
    conditions = {
        "only in A": f"b.{_PRESENT} is null",
        "only in B": f"a.{_PRESENT} is null",
        "changed": f"{in_both} and ({' or '.join(differs) or 'false'})",
    }
    counted = [f"count(*) filter (where {condition})" for condition in conditions.values()]
    counted += [f"count(*) filter (where {in_both} and {each})" for each in differs]
    ((only_in_a, only_in_b, changed, *by_column),) = pair.connection.execute(
        f"select {', '.join(counted)} {joined}"
    ).fetchall()
    columns = tuple((c, count) for c, count in zip(values, by_column, strict=True) if count)

    keys = [f"case when a.{_PRESENT} then a.{_name(c)} else b.{_name(c)} end" for c in key]
    order = ", ".join(str(position + 1) for position in range(len(key)))
    shown: list[Example] = []
    for kind, count in (("only in A", only_in_a), ("only in B", only_in_b), ("changed", changed)):
        if not (count and examples):
            continue
        pairs = [f"a.{_name(c)}, b.{_name(c)}" for c, _ in columns] if kind == "changed" else []
        flags = [f"a.{_name(c)} is distinct from b.{_name(c)}" for c, _ in columns] if pairs else []
        for row in pair.connection.execute(
            f"select {', '.join([*keys, *flags, *pairs])} {joined}"
            f" where {conditions[kind]} order by {order} limit {examples}"
        ).fetchall():
            told, flagged = row[len(key) :], len(flags)
            changes = tuple(
                (column, told[flagged + 2 * n], told[flagged + 2 * n + 1])
                for n, (column, _) in enumerate(columns[:flagged])
                if told[n]
            )
            shown.append(Example(kind, tuple(zip(key, row, strict=False)), changes))
    return (only_in_a, only_in_b, changed), columns, tuple(shown)


def _compare_as_wholes(
    pair: _Pair,
    schema: str,
    table: str,
    _key: Sequence[str],
    common: Sequence[str],
    examples: int,
) -> _Found:
    columns = ", ".join(map(_name, common)) or "1"
    a, b = (f"select {columns} from {pair.table(side, schema, table)}" for side in "ab")
    counts, shown = [], []
    for kind, rows in (("only in A", f"{a} except all {b}"), ("only in B", f"{b} except all {a}")):
        counts.append(_count(pair, f"from ({rows})"))
        if counts[-1] and examples and common:
            found = pair.connection.execute(f"{rows} order by all limit {examples}").fetchall()
            shown += [Example(kind, tuple(zip(common, row, strict=True))) for row in found]
    return (counts[0], counts[1], 0), (), tuple(shown)


def _columns(pair: _Pair, side: str, schema: str, table: str) -> dict[str, str]:
    """Name and type of the columns, in order; none where there is no such table."""
    return dict(
        pair.connection.execute(
            "select column_name, data_type from duckdb_columns()"
            " where database_name = ? and schema_name = ? and table_name = ?"
            " order by column_index",
            ["a" if pair.is_same else side, schema, table],
        ).fetchall()
    )


def _is_unique(pair: _Pair, table: str, key: Sequence[str]) -> bool:
    columns = ", ".join(map(_name, key))
    repeated = f"from (select 1 from {table} group by {columns} having count(*) > 1)"
    return not _count(pair, repeated)


def _count(pair: _Pair, rows: str) -> int:
    ((count,),) = pair.connection.execute(f"select count(*) {rows}").fetchall()
    return int(count)


def _release_id(published: Path, word: str) -> str:
    current = current_release(published)
    if current is None:
        raise DiffError("nothing is published yet: run `walkhouse run` first")
    if word == "current":
        return current.release_id
    for release in releases(published):
        if release.release_id < current.release_id:
            return release.release_id
    raise DiffError(f"there is no release before {current.release_id} on disk")


def _release_file(published: Path, release_id: str) -> Path:
    return release_folder(published, release_id) / "walkhouse.duckdb"
