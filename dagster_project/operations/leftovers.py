"""What killed runs left on the disk, and what nobody needs any more."""

from __future__ import annotations

import shutil

from dagster_project.ingest.shared_lake import lake_of
from dagster_project.settings import Settings


def remove_leftovers(settings: Settings) -> None:
    """Remove it; nobody else may be taking in dumps or building."""
    lake_of(settings).remove_leftovers()
    shutil.rmtree(settings.scratch, ignore_errors=True)
    shutil.rmtree(settings.warehouse.with_name("warehouse.duckdb.tmp"), ignore_errors=True)
