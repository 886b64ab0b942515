"""The layout of the warehouse's bookkeeping (schema `audit`), which builds rely on.

It stands in the file (`audit.layout`) and, for the code, under `vars` in `dbt_project.yml`. A build
empties a file of an older layout first (`macros/layout.sql`), since all that is in it follows from
the lake; a file of a newer one is left alone.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from dagster_project.registry import load_variables


class WarehouseError(RuntimeError):
    """The warehouse is not one that this Walkhouse can use; the message says what to do."""


def expected_layout(dbt_project: Path) -> int:
    """The layout that this Walkhouse builds."""
    return int(load_variables(dbt_project)["warehouse_layout"])


def warehouse_layout(warehouse: Path) -> int | None:
    """The layout of a warehouse; None where nothing was built, 0 from before layouts were noted.

    Raises:
        WarehouseError: it is no file of this or an older DuckDB.
    """
    if not warehouse.exists():
        return None
    try:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            tables = connection.execute(
                "select table_name from duckdb_tables() where schema_name = 'audit'"
            ).fetchall()
            if ("layout",) in tables:
                return int(connection.execute("select version from audit.layout").fetchall()[0][0])
            return 0 if tables else None
    except duckdb.IOException as error:
        if "lock" in str(error):
            raise
        raise WarehouseError(f"{warehouse}: {str(error).splitlines()[0]}; {_WHAT_TO_DO}") from error


def check_is_free(warehouse: Path) -> None:
    """A warehouse can be written to.

    Raises:
        WarehouseError: another process has it open.
    """
    if not warehouse.exists():
        return
    try:
        duckdb.connect(str(warehouse)).close()
    except duckdb.IOException as error:
        if "lock" not in str(error):
            raise
        holder = re.search(r"PID (\d+)", str(error))
        process = f"process {holder[1]}" if holder else "another process"
        raise WarehouseError(
            f"{warehouse}: {process} has it open; end that and run again: what is to be read is in "
            "published/"
        ) from error


def check_layout(warehouse: Path, expected: int) -> bool:
    """Whether the warehouse is of an older layout, and so will be built anew.

    Raises:
        WarehouseError: a newer Walkhouse, or a newer DuckDB, wrote it, or it is damaged.
    """
    layout = warehouse_layout(warehouse)
    if layout is not None and layout > expected:
        raise WarehouseError(
            f"{warehouse}: built by a newer Walkhouse in layout {layout}, this one builds layout "
            f"{expected}; {_WHAT_TO_DO}"
        )
    return layout is not None and layout < expected


_WHAT_TO_DO = (
    "install what built it again, or remove the file and run `walkhouse run`, which builds it anew "
    "from the lake"
)
