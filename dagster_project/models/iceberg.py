"""The tables of a build on Spark, collected into the warehouse file for the gate and the release.

Spark builds tables of Iceberg. What is published is read from a DuckDB file and from Parquet, so
the published tables, the results of the audit and what the build notes of itself are copied into
`warehouse.duckdb`, at the snapshots that the build noted (`audit.builds`). The file replaces the
one before in one step.
"""

from __future__ import annotations

import importlib
import os
import shutil
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import duckdb

from dagster_project.quoting import literal
from dagster_project.registry import load_invariants, load_published_tables
from dagster_project.release.layout import expected_layout

SPARK_VERSION = "3.5"
"""The Spark that the project is tested with; Iceberg has a runtime for each."""

_EXTENSIONS = ("avro", "iceberg")
_BOOKKEEPING = (("audit", "builds"), ("audit", "inputs"), ("audit", "rebuilds"))


class IcebergError(RuntimeError):
    """Tables of Iceberg cannot be read; the message says which, why and what to do."""


def missing_for_spark() -> str:
    """What a build on Spark needs and is not here, and what to do; empty if all is there."""
    try:
        found = version("pyspark")
        version("dbt-spark")
    except PackageNotFoundError as error:
        return f"{error.name} is not installed: pip install 'walkhouse[spark]'"
    if not found.startswith(f"{SPARK_VERSION}."):
        return (
            f"PySpark {found} is installed, and Iceberg's tables are written by Spark "
            f"{SPARK_VERSION}: pip install 'walkhouse[spark]'"
        )
    home = os.environ.get("JAVA_HOME")
    if not (Path(home, "bin", "java").exists() if home else shutil.which("java")):
        where = f" in JAVA_HOME={home}" if home else ""
        return f"there is no Java{where}: install Java 17 (openjdk-17-jre-headless), or 11"
    for name in _EXTENSIONS:
        if find_spec(_package(name)) is None:
            return f"DuckDB's extension {name} is not installed: pip install 'walkhouse[spark]'"
    return ""


def iceberg_connection(path: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A connection that reads tables of Iceberg, with the extensions from the package index."""
    connection = duckdb.connect(str(path) if path else ":memory:")
    for name in _EXTENSIONS:
        connection.execute(f"load '{_extension(name)}'")
    return connection


def scan(warehouse: str, schema: str, table: str, snapshot: int | None = None) -> str:
    """The expression by which DuckDB reads a table, at a snapshot or as it is now.

    A catalog in a folder names the current metadata of each table in `version-hint.text`.
    """
    at = f", snapshot_from_id={snapshot}" if snapshot is not None else ""
    return f"iceberg_scan({literal(f'{warehouse}/{schema}/{table}')}{at})"


def collect(warehouse: str, file: Path, dbt_project: Path) -> None:
    """Copy what a release is made from into a new DuckDB file, which replaces `file`.

    Args:
        warehouse: the folder of the catalog, which has a folder for each schema and table.
        file: the DuckDB file.
        dbt_project: says which tables are published.

    Raises:
        IcebergError: a table cannot be read.
    """
    building = file.with_name(f"{file.name}.collecting")
    building.unlink(missing_ok=True)
    wanted = dict.fromkeys(
        [
            *load_published_tables(dbt_project),
            *sorted({invariant.results for invariant in load_invariants(dbt_project)}),
        ]
    )
    with iceberg_connection(building) as connection:
        for schema, table in _BOOKKEEPING:
            _copy(connection, warehouse, schema, table, None)
        snapshots = {
            (schema, table): snapshot
            for schema, table, snapshot in connection.execute(
                "select schema_name, table_name, snapshot_id from audit.builds"
            ).fetchall()
        }
        for schema, table in wanted:
            if (schema, table) in snapshots:
                _copy(connection, warehouse, schema, table, snapshots[schema, table])
        layout = expected_layout(dbt_project)
        connection.execute(f"create table audit.layout as select {layout} as version")
    building.replace(file)


def _copy(
    connection: duckdb.DuckDBPyConnection,
    warehouse: str,
    schema: str,
    table: str,
    snapshot: int | None,
) -> None:
    connection.execute(f'create schema if not exists "{schema}"')
    try:
        connection.execute(
            f'create table "{schema}"."{table}" as from {scan(warehouse, schema, table, snapshot)}'
        )
    except duckdb.Error as error:
        raise IcebergError(
            f"{warehouse}: {schema}.{table} cannot be read: {str(error).splitlines()[0]}; build it "
            "again with `walkhouse run`"
        ) from error


def _extension(name: str) -> Path:
    folder = Path(str(importlib.import_module(_package(name)).__file__)).parent
    return folder / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"


def _package(extension: str) -> str:
    return f"duckdb_extension_{extension}"
