"""The dbt models: staging, facts, reports and audit, built in one step by one process.

A release holds tables of one build only, so all models are one asset definition.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtProject,
    dbt_assets,
)

from dagster_project.defs.assets.column_metadata import column_metadata
from dagster_project.defs.assets.landing import OWNERS
from dagster_project.defs.pools import WAREHOUSE
from dagster_project.defs.resources import Installation
from dagster_project.ingest.lake import Lake
from dagster_project.locks import warehouse_writer
from dagster_project.models.columns import Columns
from dagster_project.models.dbt import BuiltNode, DbtError, build
from dagster_project.models.prepared import load_columns, parsed_digest
from dagster_project.models.rebuilds import Rebuild, rebuild_summary, rebuilds_of_last_build
from dagster_project.release.layout import (
    WarehouseError,
    check_is_free,
    check_layout,
    expected_layout,
)
from dagster_project.release.state import project_digest
from dagster_project.settings import Settings

logger = logging.getLogger("walkhouse")

_GROUPS = {"seeds": "staging", "intermediate": "facts", "meta": "audit"}


class Translator(DagsterDbtTranslator):
    """Shows a dbt node in Dagster; its group is its layer on the whiteboard."""

    def __init__(self, columns: Columns) -> None:
        # The invariants are the checks of a run; dbt's own tests are for those who change models.
        super().__init__(settings=DagsterDbtTranslatorSettings(enable_asset_checks=False))
        self._columns = columns

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """With the columns of the table and what they are computed from, where that is known."""
        metadata = super().get_metadata(dbt_resource_props)
        name = ".".join(self.get_asset_key(dbt_resource_props).path)
        if name not in self._columns:
            return metadata
        return {**metadata, **column_metadata(self._columns[name], dbt_resource_props["columns"])}

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The folder of a model; seeds belong to staging."""
        is_seed = dbt_resource_props["resource_type"] == "seed"
        folder = "seeds" if is_seed else str(dbt_resource_props["fqn"][1])
        return _GROUPS.get(folder, folder)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """All models have the same owners."""
        del dbt_resource_props
        return OWNERS


def models_asset(project: DbtProject) -> dg.AssetsDefinition:
    """All seeds and models of the dbt project."""
    digest = parsed_digest(Path(project.manifest_path).parent)
    translator = Translator(load_columns(Path(project.project_dir), digest))

    @dbt_assets(
        name="models",
        manifest=project.manifest_path,
        project=project,
        dagster_dbt_translator=translator,
        pool=WAREHOUSE,
    )
    def models(
        context: dg.AssetExecutionContext, installation: Installation
    ) -> Iterator[dg.MaterializeResult[None]]:
        """Run `dbt build` over the lake into the warehouse."""
        settings = installation.settings
        manifest = json.loads(Path(project.manifest_path).read_text(encoding="utf-8"))
        # The build notes what it was made from; the environment is dbt's only way to hear of it.
        os.environ["WALKHOUSE_PROJECT_DIGEST"] = project_digest(settings.dbt_project)
        with warehouse_writer(settings.home):
            _remove_leftovers(settings)
            _say_if_built_anew(settings)
            built: list[BuiltNode] = []
            failure: DbtError | None = None
            try:
                for node in build(project, _selected_nodes(context, manifest, translator)):
                    built.append(node)
            except DbtError as error:
                failure = error
            if failure is not None and not built:  # what the warehouse tells is of an earlier build
                raise dg.Failure(description=str(failure), allow_retries=False) from failure
            rows = _row_counts(settings.warehouse)
            rebuilds = rebuilds_of_last_build(settings.warehouse)
        for sentence in rebuild_summary(rebuilds, tables=len(rows)):
            logger.info("%s", sentence)
        for node in built:
            props = manifest["nodes"][node.unique_id]
            table = (props["schema"], props["alias"])
            metadata: dict[str, Any] = {"seconds": node.seconds}
            if table in rows:
                metadata["dagster/row_count"] = rows[table]
                metadata |= _rebuild_metadata(rebuilds.get(".".join(table)))
            yield dg.MaterializeResult(asset_key=translator.get_asset_key(props), metadata=metadata)
        if failure is not None:
            raise dg.Failure(description=str(failure), allow_retries=False) from failure

    return models


def _selected_nodes(
    context: dg.AssetExecutionContext, manifest: Mapping[str, Any], translator: Translator
) -> list[str]:
    """Names of the nodes of a partial run; none for a whole one."""
    if not context.is_subset:
        return []
    return [
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "seed")
        and translator.get_asset_key(node) in context.selected_asset_keys
    ]


def _remove_leftovers(settings: Settings) -> None:
    """What killed runs left on the disk; nobody else is at work while the warehouse is built."""
    Lake(settings.lake).remove_leftovers()
    shutil.rmtree(settings.scratch, ignore_errors=True)
    shutil.rmtree(settings.warehouse.with_name("warehouse.duckdb.tmp"), ignore_errors=True)


def _say_if_built_anew(settings: Settings) -> None:
    """Log that an older warehouse is built anew.

    Raises:
        Failure: a newer Walkhouse built it, it is damaged, or another process has it open.
    """
    try:
        check_is_free(settings.warehouse)
        if check_layout(settings.warehouse, expected_layout(settings.dbt_project)):
            logger.info("an older Walkhouse built the warehouse: everything is built anew")
    except WarehouseError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error


def _rebuild_metadata(rebuild: Rebuild | None) -> dict[str, Any]:
    if rebuild is None:
        return {"rebuilt": "nothing: it was up to date"}
    return {
        "rebuilt": rebuild.sentence,
        "reason": ", ".join(rebuild.reasons),
        "rows_rebuilt": rebuild.rows,
    }


def _row_counts(warehouse: Path) -> dict[tuple[str, str], int]:
    """Rows by schema and table."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables()"
        ).fetchall()
        # DuckDB's own estimate counts rows that were replaced, too.
        return {
            (schema, table): connection.execute(
                f'select count(*) from "{schema}"."{table}"'
            ).fetchall()[0][0]
            for schema, table in tables
        }
