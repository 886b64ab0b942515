"""What a run in Dagster knows of the installation."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from dagster_project.defs.resources import Installation
from dagster_project.settings import Settings

OF_THE_DEFINITIONS = {"schedule", "schedule_timezone", "days_per_run", "copies", "umask"}
"""Settings that are read once, where the definitions are loaded, and by no run."""
OF_DBT = {"spark_remote", "spark_iceberg"}
"""Settings that dbt reads from the environment of the run."""
SECRETS = {"alert_url", "spark_catalog", "personal_key"}


def another(value: Any) -> Any:
    """A value of the same type that is no default."""
    if isinstance(value, Path):
        return Path("/somewhere/else")
    return value + 7 if isinstance(value, int) else f"{value}x"


def test_every_setting_reaches_the_runs() -> None:
    default = Settings()
    names = {each.name for each in dataclasses.fields(Settings)}
    names -= OF_THE_DEFINITIONS | OF_DBT | SECRETS
    changed = dataclasses.replace(
        default, **{name: another(getattr(default, name)) for name in names}
    )
    found = Installation.of(changed).settings
    assert {name: getattr(found, name) for name in names} == {
        name: getattr(changed, name) for name in names
    }
