"""A dbt project of two models and a unit test, which parses and builds in seconds."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml

from tests.installation import DBT_PROJECT

MODEL = "models/flows.sql"
PROPERTIES = "models/flows.yml"
UNIT_TEST = "a_half_is_a_half"


def write_tiny_project(folder: Path) -> Path:
    """Write it, with the definitions and variables of the real one."""
    # The properties of seeds ask for macros of the real project.
    no_properties = shutil.ignore_patterns("*.yml")
    shutil.copytree(DBT_PROJECT / "seeds", folder / "seeds", ignore=no_properties)
    shutil.copy(DBT_PROJECT / "profiles.yml", folder)
    real = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text(encoding="utf-8"))
    tiny = {
        "name": "walkhouse",
        "config-version": 2,
        "profile": "walkhouse",
        "vars": real["vars"],
    }
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(tiny), encoding="utf-8")
    (folder / "models").mkdir()
    (folder / "models" / "plays.sql").write_text("select 4 as plays, 2 as completed")
    (folder / MODEL).write_text("select completed / plays as rate from {{ ref('plays') }}")
    properties = {
        "models": [{"name": "flows"}],
        "unit_tests": [
            {
                "name": UNIT_TEST,
                "model": "flows",
                "given": [{"input": "ref('plays')", "rows": [{"plays": 2, "completed": 1}]}],
                "expect": {"rows": [{"rate": 0.5}]},
            }
        ],
    }
    (folder / PROPERTIES).write_text(yaml.safe_dump(properties), encoding="utf-8")
    return folder
