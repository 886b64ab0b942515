"""What a page reads where numbers about small groups are hidden: the reports of the second file.

A page draws sums. What is hidden is in none of them, and the page says so in a sentence. So do the
dashboards, which read the second file alone.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from dagster_project.quoting import literal

_HIDES = "reports"


@contextmanager
def without_small_groups(release: Path, reports: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A release as a page reads it, with the reports of its second file in place of its own.

    A report that the second file does not have is empty, and so is a column that it lacks. Rows of
    which a number is hidden are left out, so that a page finds numbers wherever it found them.

    Args:
        release: the DuckDB file of the release.
        reports: its second one.

    Raises:
        duckdb.Error: a file is no release.
    """
    with duckdb.connect() as connection:
        for path, name in ((release, "whole"), (reports, "hidden")):
            connection.execute(f"attach {literal(path)} as {name} (read_only)")
        columns = {name: columns_in(connection, name) for name in ("whole", "hidden")}
        for (schema, table), names in columns["whole"].items():
            connection.execute(f'create schema if not exists "{schema}"')
            place = f'"{schema}"."{table}"'
            shown = columns["hidden"].get((schema, table))
            if schema != _HIDES:
                query = f"from whole.{place}"
            elif not shown:
                query = f"from whole.{place} limit 0"
            else:
                selected = ", ".join(
                    f'"{name}"' if name in shown else f'null as "{name}"' for name in names
                )
                query = f"select {selected} from hidden.{place}{whole_rows(names, shown)}"
            connection.execute(f"create view {place} as {query}")
        yield connection


def hidden_sentence(smallest_group: int) -> str:
    """What such a page does not show; empty where it shows all."""
    if smallest_group <= 1:
        return ""
    return (
        f"Numbers about fewer than {smallest_group} people, and what is about single persons, are"
        " not on this page, and not in its sums."
    )


def whole_rows(columns: Mapping[str, bool], shown: Container[str]) -> str:
    """SQL that leaves out the rows of which a number is hidden; empty where none can be.

    Args:
        columns: of a table as it is, and whether they may be null.
        shown: those that are read.
    """
    never_null = [
        f'"{name}" is not null'
        for name, is_nullable in columns.items()
        if name in shown and not is_nullable
    ]
    return f" where {' and '.join(never_null)}" if never_null else ""


def columns_in(
    connection: duckdb.DuckDBPyConnection, database: str
) -> dict[tuple[str, str], dict[str, bool]]:
    """The columns of each table, in their order, and whether they may be null."""
    found: dict[tuple[str, str], dict[str, bool]] = {}
    for schema, table, column, is_nullable in connection.execute(
        "select schema_name, table_name, column_name, is_nullable from duckdb_columns()"
        " where database_name = ? and not internal order by column_index",
        [database],
    ).fetchall():
        found.setdefault((schema, table), {})[column] = is_nullable
    return found
