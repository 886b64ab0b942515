"""What every open-source project has: licence, version, changelog, guides, hooks."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib.metadata import metadata
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from dagster_project import __version__
from dagster_project.cli import cli
from tests.docs.pages import pages
from tests.installation import CHECKOUT

GUIDES = [CHECKOUT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]


def test_the_version_is_said_once() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "version" not in project
    assert project["dynamic"] == ["version"]
    assert __version__ in CliRunner().invoke(cli, ["--version"]).output


def test_the_changelog_has_this_version_and_what_comes_after_it() -> None:
    text = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(.+?)\](?: - \d{4}-\d\d-\d\d)?$", text, re.MULTILINE)
    assert headings[:2] == ["Unreleased", __version__]


def test_the_licence_is_that_of_the_package() -> None:
    assert metadata("walkhouse")["License-Expression"] == "Apache-2.0"
    first = (CHECKOUT / "LICENSE").read_text(encoding="utf-8").split("\n\n")[0]
    assert "Apache License" in first


def test_the_hooks_run_what_lint_runs() -> None:
    recipe = subprocess.run(
        ["make", "--dry-run", "lint"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    ).stdout
    programs = re.findall(r'(?:bin/)?(ruff" check|ruff" format|mypy|sqlfluff" lint)', recipe)
    text = (CHECKOUT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    (local,) = yaml.safe_load(text)["repos"]
    assert local["repo"] == "local"
    entries = " ".join(hook["entry"] for hook in local["hooks"])
    assert len(local["hooks"]) == len(programs) == 4
    for program in programs:
        assert program.replace('"', "") in entries


@pytest.mark.parametrize("folder", [".", "docs"])
def test_every_page_is_listed(folder: str) -> None:
    start = CHECKOUT / folder / ("README.md" if folder == "." else "index.md")
    links = re.findall(r"\]\(([^)#\s]+)", start.read_text(encoding="utf-8"))
    listed = {(start.parent / link).resolve() for link in links}
    assert {*(CHECKOUT / "docs").glob("*.md")} - {CHECKOUT / "docs" / "index.md"} <= listed


@pytest.mark.parametrize("path", [*pages(), *GUIDES], ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    """Links of the pages within `docs/` are checked by `make docs` as well, with their anchors."""
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (path.parent / link).exists(), link


@pytest.mark.parametrize("path", [*pages(), *GUIDES], ids=lambda path: path.name)
def test_files_that_are_named_exist(path: Path) -> None:
    """A path in backticks begins in the checkout, in the package, or in a project in it."""
    roots = [CHECKOUT / name for name in (".", "dagster_project", "dbt_project", "bi/superset")]
    folders = "bi|dagster_project|dbt_project|deploy|docs|models|analyses|seeds|tests"
    named = rf"`((?:{folders})/[\w./-]+)`"
    for name in re.findall(named, path.read_text(encoding="utf-8")):
        if name not in {"deploy/.env", "models/audit/<invariant>.sql"}:
            assert any((root / name).exists() for root in roots), name
