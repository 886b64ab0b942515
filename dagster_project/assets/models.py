"""The dbt models: staging, facts, reports and audit, built in one step by one process.

A release holds tables of one build only, so all models are one asset definition.
"""

import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliInvocation,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)

from dagster_project.assets.landing import OWNERS
from dagster_project.locks import warehouse_writer
from dagster_project.release.state import project_digest
from dagster_project.resources import Installation
from dagster_project.settings import DBT_PROJECT

logger = logging.getLogger("walkhouse")

# The invariants are the checks of a run; dbt's own tests are for those who change models.
_BUILD = ["build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]
_GROUPS = {"seeds": "staging", "intermediate": "facts", "meta": "audit"}


class Translator(DagsterDbtTranslator):
    """Shows a dbt node in Dagster; its group is its layer on the whiteboard."""

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

    @dbt_assets(
        name="models",
        manifest=project.manifest_path,
        project=project,
        dagster_dbt_translator=Translator(
            settings=DagsterDbtTranslatorSettings(enable_asset_checks=False)
        ),
    )
    def models(
        context: dg.AssetExecutionContext, dbt: DbtCliResource, installation: Installation
    ) -> Iterator[Any]:
        """Run `dbt build` over the lake into the warehouse."""
        settings = installation.settings
        # dbt takes its settings from the environment only.
        os.environ.update(settings.environment())
        os.environ["WALKHOUSE_PROJECT_DIGEST"] = project_digest(DBT_PROJECT)
        os.environ["WALKHOUSE_DBT_THREADS"] = str(settings.threads)
        target = settings.scratch / "dbt" / context.run_id
        with warehouse_writer(settings.home):
            logger.info("dbt build")
            invocation = dbt.cli(_BUILD, context=context, target_path=target)
            try:
                events = list(_events(invocation))
            finally:
                shutil.rmtree(target, ignore_errors=True)
            rows = _row_counts(settings.warehouse)
        for event in events:
            if isinstance(event, dg.Output) and "dagster/relation_identifier" in event.metadata:
                relation = str(event.metadata["dagster/relation_identifier"].value)
                count = rows.get(relation.split(".", 1)[1])
                if count is not None:
                    yield event.with_metadata({**event.metadata, "dagster/row_count": count})
                    continue
            yield event

    return models


def _events(invocation: DbtCliInvocation) -> Iterator[Any]:
    """Dagster's events for what dbt does, logged as they come."""
    for event in invocation.stream():
        if isinstance(event, dg.Output):
            seconds = event.metadata.get("Execution Duration")
            took = f" ({seconds.value:.1f} s)" if isinstance(seconds, dg.FloatMetadataValue) else ""
            logger.info("built %s%s", event.output_name.replace("__", ".", 1), took)
        yield event


def _row_counts(warehouse: os.PathLike[str]) -> dict[str, int]:
    """Rows by schema and table."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return dict(
            connection.execute(
                "select schema_name || '.' || table_name, estimated_size from duckdb_tables()"
            ).fetchall()
        )
