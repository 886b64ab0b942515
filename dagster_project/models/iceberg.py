"""The tables of a build on Spark, collected into the warehouse file for the gate and the release.

Spark builds tables of Iceberg. What is published is read from a DuckDB file and from Parquet, so
the published tables, the results of the audit and what the build notes of itself are copied into
`warehouse.duckdb`, at the snapshots that the build noted (`audit.builds`). The file replaces the
one before in one step. DuckDB is given the file of metadata that the catalog names for a table.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.models.spark import (
    EXTENSIONS,
    CatalogError,
    extension_package,
    metadata_in_catalog,
)
from dagster_project.quoting import identifier, literal
from dagster_project.registry import load_invariants, load_published_tables
from dagster_project.release.layout import expected_layout

_BOOKKEEPING = (("audit", "builds"), ("audit", "inputs"), ("audit", "rebuilds"))


class IcebergError(RuntimeError):
    """Tables of Iceberg cannot be read; the message says which, why and what to do."""


def iceberg_connection(path: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A connection that reads tables of Iceberg, with the extensions from the package index."""
    connection = duckdb.connect(str(path) if path else ":memory:")
    for name in EXTENSIONS:
        connection.execute(f"load '{_extension(name)}'")
    return connection


@dataclass(frozen=True)
class Catalog:
    """Who says which file has the metadata of a table now.

    Attributes:
        warehouse: the folder or URL of the tables.
        uri: of a REST or JDBC catalog, which is asked by the Spark of this process; empty where the
            warehouse is a folder that has one for each schema and table.
    """

    warehouse: str
    uri: str = ""

    def metadata_file(self, schema: str, table: str) -> Path:
        """What a table says of itself now.

        Raises:
            OSError: there is no such table.
            CatalogError: the catalog does not know it, or does not answer.
        """
        if self.uri:
            return Path(metadata_in_catalog(schema, table).removeprefix("file:"))
        folder = Path(self.warehouse, schema, table, "metadata")
        version = (folder / "version-hint.text").read_text(encoding="ascii").strip()
        return folder / f"v{version}.metadata.json"


def scan(table: Path | str, snapshot: int | None = None) -> str:
    """The expression by which DuckDB reads a table, at a snapshot or as it is now.

    Args:
        table: its file of metadata, or its folder in a catalog that is one.
        snapshot: a snapshot of it.
    """
    at = f", snapshot_from_id={snapshot}" if snapshot is not None else ""
    return f"iceberg_scan({literal(str(table))}{at})"


def collect(catalog: Catalog, file: Path, dbt_project: Path) -> None:
    """Copy what a release is made from into a new DuckDB file, which replaces `file`.

    Args:
        catalog: of the tables.
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
            _copy(connection, catalog, schema, table, None)
        snapshots = {
            (schema, table): snapshot
            for schema, table, snapshot in connection.execute(
                "select schema_name, table_name, snapshot_id from audit.builds"
            ).fetchall()
        }
        for schema, table in wanted:
            if (schema, table) in snapshots:
                _copy(connection, catalog, schema, table, snapshots[schema, table])
        layout = expected_layout(dbt_project)
        connection.execute(f"create table audit.layout as select {layout} as version")
    building.replace(file)


def _copy(
    connection: duckdb.DuckDBPyConnection,
    catalog: Catalog,
    schema: str,
    table: str,
    snapshot: int | None,
) -> None:
    """Copy a table: its rows, what is never null, and what is said of it and of its columns."""
    name = identifier(schema, table)
    connection.execute(f"create schema if not exists {identifier(schema)}")
    try:
        metadata = catalog.metadata_file(schema, table)
        said = json.loads(metadata.read_text(encoding="utf-8"))
        rows = scan(metadata, snapshot)
        types = {
            column: kind
            for column, kind, *_ in connection.execute(f"describe from {rows}").fetchall()
        }
        fields = {field["name"]: field for field in _fields(said)}
        columns = [
            f'"{column}" {kind}{" not null" if fields.get(column, {}).get("required") else ""}'
            for column, kind in types.items()
        ]
        connection.execute(f"create table {name} ({', '.join(columns)})")
        connection.execute(f"insert into {name} from {rows}")
    except (duckdb.Error, OSError, ValueError, CatalogError) as error:
        raise IcebergError(
            f"{catalog.warehouse}: {schema}.{table} cannot be read: {str(error).splitlines()[0]}; "
            "build it again with `walkhouse run`"
        ) from error
    if comment := said.get("properties", {}).get("comment"):
        connection.execute(f"comment on table {name} is {literal(comment)}")
    for column in types:
        if comment := fields.get(column, {}).get("doc"):
            connection.execute(f'comment on column {name}."{column}" is {literal(comment)}')


def _fields(said: dict[str, Any]) -> list[dict[str, Any]]:
    """The columns of a table, by its metadata."""
    (schema,) = (each for each in said["schemas"] if each["schema-id"] == said["current-schema-id"])
    fields: list[dict[str, Any]] = schema["fields"]
    return fields


def _extension(name: str) -> Path:
    folder = Path(str(importlib.import_module(extension_package(name)).__file__)).parent
    return folder / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
