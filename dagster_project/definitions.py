"""Everything that exists in Dagster, on one screen."""

from __future__ import annotations

import os

import dagster as dg

from dagster_project.defs.assets.copies import copies_assets
from dagster_project.defs.assets.landing import landing_assets
from dagster_project.defs.assets.models import models_assets
from dagster_project.defs.assets.raw import content_items, dumps_asset, forgotten_asset
from dagster_project.defs.assets.release import release_asset
from dagster_project.defs.checks import invariant_checks
from dagster_project.defs.freshness import data_is_fresh
from dagster_project.defs.jobs import build_job, copy_job, ingest_job
from dagster_project.defs.partitions import dump_partitions
from dagster_project.defs.resources import Installation, Waivers
from dagster_project.defs.schedules import daily_schedule
from dagster_project.defs.sensors import (
    alerts_sensor,
    copies_sensors,
    lake_sensor,
    landing_sensor,
)
from dagster_project.models.dbt import dbt_project, ensure_manifest
from dagster_project.operations.deploy import ensure_deployed
from dagster_project.operations.pending import known_dump_dates
from dagster_project.registry import load_invariants, load_published_tables
from dagster_project.rights import withhold_from_others
from dagster_project.settings import Settings


def build_definitions(settings: Settings) -> dg.Definitions:
    """All definitions, for one installation."""
    withhold_from_others(settings)
    checkout, settings = settings.dbt_project, ensure_deployed(settings)
    # dbt, in this process and in those below it, knows the installation by its environment only.
    # Runs are below it: each has the dbt project that the definitions were loaded from.
    os.environ.update(settings.environment())
    project = dbt_project(settings)
    ensure_manifest(project)
    partitions = dump_partitions(known_dump_dates(settings))
    published = load_published_tables(settings.dbt_project)
    tables = {table: dg.AssetKey([schema, table]) for schema, table in published}
    return dg.Definitions(
        assets=[
            *landing_assets(),
            dumps_asset(partitions, days_per_run=settings.days_per_run),
            content_items,
            forgotten_asset(),
            *models_assets(project),
            release_asset(sorted(tables.values()), is_copied=bool(settings.copies)),
            *copies_assets(settings.copies),
        ],
        asset_checks=[
            invariant_checks(load_invariants(settings.dbt_project), tables),
            data_is_fresh,
        ],
        # Steps share the run's process: starting another takes longer than most of them.
        executor=dg.in_process_executor,
        jobs=[ingest_job, build_job, *([copy_job] if settings.copies else [])],
        schedules=[daily_schedule(settings.schedule, settings.schedule_timezone)],
        sensors=[landing_sensor, lake_sensor, alerts_sensor, *copies_sensors(settings.copies)],
        resources={
            "installation": Installation.of(settings, checkout=checkout),
            "waivers": Waivers(),
        },
    )


defs = build_definitions(Settings.from_environment())
