"""The dbt models: all of them are built in one step by one process.

A release holds tables of one build only, so the models are one asset definition. Dagster records
what people ask about: facts, reports and meta. What these are made from (seeds, staging,
intermediate tables, results of the audit) is built by the same step and shown in the graph. It is
not recorded, because each record takes longer than a small table.
"""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtProject,
    build_dbt_asset_specs,
    dbt_assets,
)

from dagster_project.defs.assets.column_metadata import column_metadata
from dagster_project.defs.assets.landing import OWNERS
from dagster_project.defs.failures import failed
from dagster_project.defs.pools import WAREHOUSE
from dagster_project.defs.resources import Installation
from dagster_project.forgotten import RequestsError
from dagster_project.ingest.lake import Lake, LakeVersionError
from dagster_project.ingest.shared_lake import lake_of
from dagster_project.locks import warehouse_writer
from dagster_project.models.columns import Columns
from dagster_project.models.dbt import BuiltNode, DbtError, build
from dagster_project.models.iceberg import Catalog, IcebergError, collect
from dagster_project.models.prepared import load_columns, parsed_digest
from dagster_project.models.rebuilds import Rebuild, rebuild_summary, rebuilds_of_last_build
from dagster_project.models.treated import begin_anew, treated_otherwise
from dagster_project.operations.leftovers import remove_leftovers
from dagster_project.registry import definitions_of
from dagster_project.release.layout import (
    WarehouseError,
    check_is_free,
    check_layout,
    expected_layout,
)
from dagster_project.release.state import project_digest
from dagster_project.settings import Settings

logger = logging.getLogger("walkhouse")

_RECORDED = ("facts", "reports", "meta")
_SELECT_RECORDED = " ".join(f"fqn:walkhouse.{folder}" for folder in _RECORDED)


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

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """With the sources behind what is not recorded, so that a run waits for them, too."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        known = {dep.asset_key for dep in spec.deps}
        sources = [
            super(Translator, self).get_asset_spec(manifest, source, project).key
            for source in _unrecorded_ancestors(manifest, unique_id)
            if source in manifest["sources"]
        ]
        more = [dg.AssetDep(key) for key in sorted(sources) if key not in known]
        return spec.replace_attributes(deps=[*spec.deps, *more]) if more else spec

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """What the table is for, then its grain, with which dbt's description begins."""
        purpose = dbt_resource_props["config"].get("meta", {}).get("purpose")
        description = str(dbt_resource_props.get("description", ""))
        return f"{purpose}\n\n{description}" if purpose else description

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The folder of what people ask about; what that is made from is one group of its own."""
        folder = _folder(dbt_resource_props)
        return folder if folder in _RECORDED else "intermediate"

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """All models have the same owners."""
        del dbt_resource_props
        return OWNERS


def models_assets(project: DbtProject) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The models that a run records, which one step builds, and those that are only shown."""
    manifest = json.loads(Path(project.manifest_path).read_text(encoding="utf-8"))
    digest = parsed_digest(Path(project.manifest_path).parent)
    translator = Translator(load_columns(Path(project.project_dir), digest))
    shown = build_dbt_asset_specs(
        manifest=manifest,
        dagster_dbt_translator=translator,
        exclude=_SELECT_RECORDED,
        project=project,
    )
    return [_recorded_models(project, manifest, translator), *shown]


def _recorded_models(
    project: DbtProject, manifest: Mapping[str, Any], translator: Translator
) -> dg.AssetsDefinition:
    @dbt_assets(
        name="models",
        manifest=manifest,
        select=_SELECT_RECORDED,
        project=project,
        dagster_dbt_translator=translator,
        pool=WAREHOUSE,
    )
    def models(
        context: dg.AssetExecutionContext, installation: Installation
    ) -> Iterator[dg.MaterializeResult[None]]:
        """Run `dbt build` over the lake into the warehouse."""
        settings = installation.settings
        # The build notes what it was made from; the environment is dbt's only way to hear of it.
        os.environ["WALKHOUSE_PROJECT_DIGEST"] = project_digest(settings.dbt_project)
        with warehouse_writer(settings.home):
            try:
                lake_of(settings).bring_here()
                remove_leftovers(settings)
            except (OSError, LakeVersionError, RequestsError) as error:
                raise failed(str(error)) from None
            treatment = definitions_of(settings).treatment.digest
            if reason := treated_otherwise(Lake(settings.lake).dumps(), treatment):
                raise failed(reason)
            _begin_anew_if_due(settings, treatment)
            built: list[BuiltNode] = []
            failure: DbtError | IcebergError | None = None
            try:
                selected = _selected_nodes(context, manifest, translator)
                for node in build(project, selected, engine=settings.engine):
                    built.append(node)
                if settings.engine == "spark":
                    catalog = Catalog(settings.iceberg, settings.spark_catalog)
                    collect(catalog, settings.warehouse, settings.dbt_project)
            except (DbtError, IcebergError) as error:
                failure = error
            # What the warehouse tells is then of an earlier build; Spark's is collected at the end.
            if failure is not None and (not built or settings.engine == "spark"):
                raise failed(str(failure))
            rows = _row_counts(settings.warehouse)
            rebuilds = rebuilds_of_last_build(settings.warehouse)
            tables = rebuilds.keys() | {".".join(table) for table in rows}
        for sentence in rebuild_summary(rebuilds, tables=len(tables)):
            logger.info("%s", sentence)
        for node in built:
            props = manifest["nodes"][node.unique_id]
            if _folder(props) not in _RECORDED:
                continue
            table = (props["schema"], props["alias"])
            metadata: dict[str, Any] = {"seconds": round(node.seconds, 1)}
            if table in rows:
                metadata["dagster/row_count"] = rows[table]
                metadata |= _rebuild_metadata(rebuilds.get(".".join(table)))
            yield dg.MaterializeResult(asset_key=translator.get_asset_key(props), metadata=metadata)
        if failure is not None:
            raise failed(str(failure))

    return models


def _selected_nodes(
    context: dg.AssetExecutionContext, manifest: Mapping[str, Any], translator: Translator
) -> list[str]:
    """Names of the nodes of a partial run, with what they are made from; none for a whole one."""
    if not context.is_subset:
        return []
    selected = {
        unique_id
        for unique_id, node in manifest["nodes"].items()
        if _folder(node) in _RECORDED
        and node["resource_type"] == "model"
        and translator.get_asset_key(node) in context.selected_asset_keys
    }
    behind = {each for one in selected for each in _unrecorded_ancestors(manifest, one)}
    return [
        manifest["nodes"][each]["name"]
        for each in sorted(selected | behind - set(manifest["sources"]))
    ]


def _unrecorded_ancestors(manifest: Mapping[str, Any], unique_id: str) -> list[str]:
    """What a recorded model is made from and Dagster does not record, sources included."""
    if unique_id not in manifest["nodes"] or _folder(manifest["nodes"][unique_id]) not in _RECORDED:
        return []
    found: list[str] = []
    left = [unique_id]
    while left:
        node = manifest["nodes"].get(left.pop())
        for parent in (
            node["depends_on"].get("nodes", ()) if node else ()
        ):  # seeds and sources: none
            if parent not in found and _folder(manifest["nodes"].get(parent)) not in _RECORDED:
                found.append(parent)
                left.append(parent)
    return found


def _folder(node: Mapping[str, Any] | None) -> str:
    """The folder of a model; `seeds` for a seed, and nothing for a source."""
    if node is None:
        return ""
    return "seeds" if node["resource_type"] == "seed" else str(node["fqn"][1])


def _begin_anew_if_due(settings: Settings, treatment: str) -> None:
    """Remove a warehouse that was built with another treatment, and log that all is built anew.

    Raises:
        Failure: a newer Walkhouse built it, it is damaged, or another process has it open.
    """
    try:
        check_is_free(settings.warehouse)
        if begin_anew(settings.warehouse, treatment):
            logger.info("the policies of personal data changed: everything is built anew")
        if check_layout(settings.warehouse, expected_layout(settings.dbt_project)):
            logger.info("an older Walkhouse built the warehouse: everything is built anew")
    except WarehouseError as error:
        raise failed(str(error)) from None


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
