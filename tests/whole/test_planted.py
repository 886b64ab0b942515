"""Every invariant that data can break is seen to fail, and to hold where nothing is planted."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.registry import load_invariants
from dagster_project.simulate import PLANTABLE, Scenario, simulate
from tests.installation import Installation, said

RULES = {each.id for each in load_invariants() if each.family != "structural"}
# A cap that has no invariant of its own is planted in the unit tests of its model.
PLANTED = dict.fromkeys(sorted(RULES & set(PLANTABLE)), 3)


def violations(installation: Installation) -> dict[str, int]:
    with duckdb.connect(str(installation.home / "warehouse.duckdb"), read_only=True) as warehouse:
        return dict(
            warehouse.execute("select invariant, violations from meta.invariants").fetchall()
        )


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, int], str]:
    """Violations by invariant where some are planted, and what the run said."""
    folder: Path = tmp_path_factory.mktemp("planted")
    installation = Installation(folder / "landing", folder / "home")
    scenario = Scenario.everyday(days=3, events_per_day=600, plant=PLANTED)
    simulate(scenario, installation.landing, processes=1)
    run = installation.walkhouse("run")
    assert run.returncode == 1
    return violations(installation), said(run)


def test_every_rule_has_something_planted_against_it() -> None:
    assert RULES - PLANTED.keys() == {"other_caps_hold"}


@pytest.mark.parametrize("invariant", PLANTED)
def test_a_planted_violation_is_found(planted: tuple[dict[str, int], str], invariant: str) -> None:
    # Not always all of them: one that reaches over midnight may end after the last dump.
    found, _ = planted
    assert found[invariant] > 0


def test_the_refusal_names_what_was_planted(planted: tuple[dict[str, int], str]) -> None:
    found, text = planted
    assert "refused: " in text
    assert any(f"refused: {name}: {found[name]}" in text for name in PLANTED)
