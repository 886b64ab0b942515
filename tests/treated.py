"""A dbt project with policies of personal data, as somebody would write them into the seed."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from dagster_project.treatment import KEEP, SEED
from tests.installation import DBT_PROJECT

A_KEY = "the key of one installation, 0123456789abcdef"
ANOTHER_KEY = "the key of another one, 0123456789abcdef"


def project_with(policies: Mapping[str, str], folder: Path) -> Path:
    """A copy of the dbt project in a folder that does not exist, with these policies."""
    shutil.copytree(DBT_PROJECT, folder, ignore=shutil.ignore_patterns("target", "logs"))
    set_policies(folder, policies)
    return folder


def set_policies(project: Path, policies: Mapping[str, str]) -> None:
    """Write policies into the seed; all that they do not name is kept."""
    seed = project / "seeds" / f"{SEED}.csv"
    header, *lines = seed.read_text(encoding="utf-8").splitlines()
    kinds = [line.split(",")[0] for line in lines]
    assert policies.keys() <= {*kinds}
    lines = [f"{kind},{policies.get(kind, KEEP)}" for kind in kinds]
    seed.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
