"""Fixtures of what Dagster shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.columns import Columns
from dagster_project.dbt import PREPARED, ensure_columns, load_columns
from dagster_project.resources import dbt_project
from dagster_project.settings import Settings
from tests.installation import DBT_PROJECT


@pytest.fixture(scope="session")
def columns() -> Columns:
    """The columns of the dbt project as `make setup` finds them, after a change to it, too."""
    settings = Settings(landing="", home=Path())
    project = dbt_project(settings, target=DBT_PROJECT / PREPARED)
    ensure_columns(project)
    return load_columns(project)
