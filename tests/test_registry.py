"""The lists in the dbt project are complete: families of facts, counts of reports, invariants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.registry import load_invariants, load_published_tables, load_variables
from dagster_project.simulate.definitions import CAPS_BY_NAME, Pair, read_definitions
from tests.incremental.macros import Macros
from tests.installation import DBT_PROJECT, SEEDS

PAIRS = tuple(read_definitions(SEEDS).events)
# Who has not used an item is no total of a fact, nor is what came next, or who reached a goal. What
# counts people, `people_add_up` looks at.
REPORTS_WITHOUT_TOTALS = {
    "rpt_non_interactors",
    "rpt_paths",
    "rpt_flow_impact",
    "rpt_active_people",
    "rpt_adoption_by_attribute",
}


def is_of(pair: Pair, member: str) -> bool:
    return member in (pair[0], ": ".join(pair))


MACROS = Macros()
FAMILIES: dict[str, list[str] | None] = MACROS.fact_families()
RECONCILED: dict[str, Any] = MACROS.reconciled_reports()


@pytest.mark.parametrize("pair", PAIRS, ids=": ".join)
def test_each_pair_is_held_by_an_item_level_fact(pair: Pair) -> None:
    members = [member for family in FAMILIES.values() for member in family or ()]
    assert [member for member in members if is_of(pair, member)]


def test_no_family_names_what_is_not_defined() -> None:
    members = {member for family in FAMILIES.values() for member in family or ()}
    assert {one for one in members if not any(is_of(pair, one) for pair in PAIRS)} == set()


def test_the_counts_of_each_report_are_held_against_a_fact() -> None:
    tables = load_published_tables()
    reports = {table for schema, table in tables if schema == "reports"}
    assert reports - RECONCILED.keys() == REPORTS_WITHOUT_TOTALS
    assert RECONCILED.keys() <= reports
    assert {("facts", rule["fact"]) for rule in RECONCILED.values()} <= set(tables)


@pytest.mark.parametrize("invariant", [each.id for each in load_invariants()])
def test_each_invariant_is_seen_to_tell_a_violation_from_a_near_miss(invariant: str) -> None:
    path = Path(DBT_PROJECT / "models" / "audit" / f"{invariant}.yml")
    properties = yaml.safe_load(path.read_text(encoding="utf-8"))
    results = [row for test in properties["unit_tests"] for row in test["expect"]["rows"]]
    assert any(row["checked"] > row["violations"] > 0 for row in results)


def test_the_simulator_knows_which_caps_have_an_invariant_of_their_own() -> None:
    rules = load_variables()["invariants"].values()
    assert {each["cap_of"] for each in rules if "cap_of" in each} == set(
        map(": ".join, CAPS_BY_NAME)
    )
