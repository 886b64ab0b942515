"""Fixtures of what Dagster shows."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from dagster_project.cli import cli
from dagster_project.columns import Columns
from dagster_project.prepared import load_columns, parts_digest
from tests.installation import DBT_PROJECT


@pytest.fixture(scope="session")
def columns() -> Columns:
    """The columns of the dbt project as `make setup` finds them; after a change to it, too."""
    parsed = CliRunner().invoke(cli, ["parse"], env={"WALKHOUSE_DBT_PROJECT": str(DBT_PROJECT)})
    assert parsed.exit_code == 0, parsed.output
    return load_columns(DBT_PROJECT, parts_digest(DBT_PROJECT))
