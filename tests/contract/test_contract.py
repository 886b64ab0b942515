"""What is published is what the dbt project promises: columns, types, nulls, descriptions."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.registry import load_published_tables, load_variables
from tests.installation import CHECKOUT, Installation, said

TABLES = load_published_tables()
PROJECT = CHECKOUT / "dbt_project"


@dataclass(frozen=True)
class Published:
    """A small release, and what dbt knew of the project when it built it."""

    installation: Installation
    manifest: dict[str, Any]
    nodes: dict[tuple[str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def published(installation_of_releases: Installation) -> Published:
    installation = installation_of_releases
    manifest = json.loads((installation.prepared / "manifest.json").read_text("utf-8"))
    nodes = {
        (node["schema"], node["alias"]): node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }
    return Published(installation, manifest, nodes)


def duckdb_type(data_type: str) -> str:
    """DuckDB's own name of a type."""
    rows = duckdb.sql(f"select typeof(cast(null as {data_type}))").fetchall()
    return str(rows[0][0])


@pytest.mark.parametrize(("schema", "table"), TABLES)
def test_a_published_table_is_built_as_its_contract_says(
    published: Published, schema: str, table: str
) -> None:
    node = published.nodes[schema, table]
    assert node["config"]["contract"]["enforced"]
    promised = [
        (
            column["name"],
            duckdb_type(column["data_type"]),
            "not_null" not in {constraint["type"] for constraint in column["constraints"]},
        )
        for column in node["columns"].values()
    ]
    with duckdb.connect(
        str(published.installation.home / "warehouse.duckdb"), read_only=True
    ) as warehouse:
        built = warehouse.execute(
            "select column_name, data_type, is_nullable from duckdb_columns()"
            " where schema_name = ? and table_name = ? order by column_index",
            [schema, table],
        ).fetchall()
    assert built == promised
    released = published.installation.ask(
        "select column_name, data_type from duckdb_columns()"
        f" where schema_name = '{schema}' and table_name = '{table}' order by column_index"
    )
    assert released == [(name, data_type) for name, data_type, _ in promised]


@pytest.mark.parametrize(("schema", "table"), TABLES)
def test_readers_see_the_descriptions_as_comments(
    published: Published, schema: str, table: str
) -> None:
    node = published.nodes[schema, table]
    columns = node["columns"].values()
    assert all(column["description"] for column in columns)
    described = {
        column["name"]: f"{column['description']} Personal data: "
        f"{column['config']['meta']['personal_data']}."
        for column in columns
    }
    found = published.installation.ask(
        "select column_name, comment from duckdb_columns()"
        f" where schema_name = '{schema}' and table_name = '{table}'"
    )
    assert dict(found) == described
    comment = published.installation.ask(
        "select comment from duckdb_tables()"
        f" where schema_name = '{schema}' and table_name = '{table}'"
    )
    assert comment == [(node["description"],)]
    assert node["description"].startswith("One row per ")


def test_nothing_is_published_without_a_comment(published: Published) -> None:
    assert not published.installation.ask(
        "select table_name, null from duckdb_tables() where comment is null"
        " union all select table_name, column_name from duckdb_columns()"
        " where comment is null and not internal"
    )


def test_every_column_of_a_key_is_in_the_contract(published: Published) -> None:
    for schema, tables in load_variables()["published"].items():
        for table, key in tables.items():
            assert set(key) <= published.nodes[schema, table]["columns"].keys(), table


def test_every_report_serves_a_dashboard(published: Published) -> None:
    exposures = published.manifest["exposures"].values()
    assert all(exposure["description"] and exposure["maturity"] for exposure in exposures)
    served = {node for exposure in exposures for node in exposure["depends_on"]["nodes"]}
    reports = {
        node["unique_id"]
        for (schema, _), node in published.nodes.items()
        if schema in ("reports", "meta")
    }
    assert served == reports


def test_the_data_dictionary_is_current(published: Published) -> None:
    checked = published.installation.walkhouse("dictionary", "--check")
    assert checked.returncode == 0, said(checked)


@pytest.mark.long
def test_a_data_dictionary_that_is_out_of_date_is_not_current(
    published: Published, tmp_path: Path
) -> None:
    for part in ("dagster_project", "dbt_project", "docs"):
        shutil.copytree(
            CHECKOUT / part, tmp_path / part, ignore=shutil.ignore_patterns("target", "logs")
        )
    dictionary = tmp_path / "docs" / "data-dictionary.md"
    current = dictionary.read_text(encoding="utf-8")
    change(dictionary, "One row per", "Two rows per")

    def walkhouse(*arguments: str) -> subprocess.CompletedProcess[str]:
        return published.installation.execute(
            sys.executable, "-m", "dagster_project.cli", *arguments, cwd=tmp_path
        )

    checked = walkhouse("dictionary", "--check")
    assert checked.returncode == 1
    assert "is out of date: run `make dictionary`" in said(checked)
    assert walkhouse("dictionary").returncode == 0
    assert dictionary.read_text(encoding="utf-8") == current


@pytest.mark.long
def test_a_table_that_breaks_its_contract_is_not_built(
    published: Published, tmp_path: Path
) -> None:
    project = tmp_path / "dbt_project"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    change(
        project / "models" / "facts" / "dim_event_definitions.yml",
        "data_type: integer",
        "data_type: date",
    )
    change(
        project / "models" / "facts" / "dim_end_users.sql",
        "min(first_seen_at)",
        "nullif(min(first_seen_at), min(first_seen_at))",
    )
    home = tmp_path / "home"
    home.mkdir()
    (home / "lake").symlink_to(published.installation.home / "lake")
    changed = Installation(published.installation.landing, home, project)
    built = changed.dbt(
        *("build", "--select", "+dim_event_definitions", "+dim_end_users"),
        *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
    )
    assert built.returncode == 1
    text = said(built)
    assert "This model has an enforced contract that failed." in text
    assert "NOT NULL constraint failed" in text
    with duckdb.connect(str(home / "dev.duckdb"), read_only=True) as dev:
        tables = dev.execute(
            "select table_name from duckdb_tables() where schema_name = 'facts'"
        ).fetchall()
    assert tables == [("fct_item_events",)]


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
