"""Every invariant that data can break is seen to fail, and to hold where nothing is planted.

The landing has all else that may be wrong with one, too, and is built as the reference has it.
"""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from dagster_project.registry import load_invariants
from dagster_project.simulate import Scenario, simulate
from tests.installation import SEEDS, Installation, said
from tests.reference import reference
from tests.whole import landings
from tests.whole.compare import differences
from tests.whole.plants import BY_SEEDS, SIMULATED, TAMPERING

PLANTED = {name: 1 if name == "quarantine_rate" else 3 for name in sorted(SIMULATED)}
DAY = "2026-03-04"  # after those that are simulated, whose manifests name all their files


def legal_curiosities() -> list[dict[str, Any]]:
    """What `data-dictionary.md` says is legal, each in a session of its own."""
    start = landings.at(f"{DAY}T09:00:00Z")
    flow = {"data__oId": 1, "data__pId": f"{start}-1-a"}
    step = flow | {"data__oId": 12, "data__owId": 1, "data__owType": "bizFlow"}
    by_item = {"data__pInit": {"type": 10, "objectId": 9}}
    sessions: dict[str, list[tuple[str, dict[str, Any]]]] = {
        "task completed without a play": [("task/complete", {"data__oId": 2})],
        "flow started at its second step": [
            ("bizFlow/play", flow),
            (
                "bizFlowStep/play",
                step | {"data__owType": "bizFlow", "data__pId": flow["data__pId"]},
            ),
        ],
        "opened by another item": [
            ("resource/play", {"data__oId": 3} | by_item),
            ("shuttle/play", {"data__oId": 4} | by_item),
            ("survey/play", {"data__oId": 5} | by_item),
        ],
        "menu opened by API": [("player/open", {"data__pInit": {"type": 2}})],
        "launcher clicked again and again": [
            ("launcher/play", {"data__oId": 6}),
            *[("launcher/click", {"data__oId": 6})] * 3,
        ],
        "SmartTip seen but not clicked": [
            ("smartTip/play", {"data__oId": 7}),
            ("smartTip/visible", {"data__oId": 7}),
        ],
    }
    events = [
        landings.player(start + 5000 * number, pair, session=f"legal: {name}", user=name, **paths)
        for name, sent in sessions.items()
        for number, (pair, paths) in enumerate(sent)
    ]
    for days in (0, 1):
        moment = start + days * 24 * 3600 * 1000
        session = f"legal: TeachMe seen, day {days}"
        events.append(landings.player(moment, "teachMe/visible", session=session, user="learner"))
    return events


@pytest.fixture(scope="module")
def run(installation_of_module: Installation) -> tuple[Installation, str]:
    """An installation in which everything is planted that can go wrong, and what its run said."""
    installation = installation_of_module
    scenario = Scenario.everyday(
        days=3,
        events_per_day=600,
        form="mixed",
        files_per_dump=2,
        manifest=True,
        late=0.05,
        duplicate=0.02,
        novel_keys=0.1,
        plant=PLANTED,
    )
    simulate(scenario, installation.landing, processes=1)
    landings.put(installation.landing, DAY, "legal.ndjson", legal_curiosities())
    refused = installation.walkhouse("run")
    assert refused.returncode == 1
    return installation, said(refused)


def ask(installation: Installation, query: str) -> list[tuple[Any, ...]]:
    """Query what was built and not published."""
    with duckdb.connect(str(installation.home / "warehouse.duckdb"), read_only=True) as warehouse:
        return warehouse.execute(query).fetchall()


@pytest.fixture(scope="module")
def found(run: tuple[Installation, str]) -> dict[str, int]:
    """Violations by invariant."""
    return dict(ask(run[0], "select invariant, violations from meta.invariants"))


def test_every_invariant_has_something_that_breaks_it() -> None:
    assert SIMULATED | BY_SEEDS | TAMPERING.keys() == {each.id for each in load_invariants()}


@pytest.mark.parametrize("invariant", PLANTED)
def test_a_planted_violation_is_found(found: dict[str, int], invariant: str) -> None:
    # Not always all of them: one that reaches over midnight may end after the last dump.
    assert found[invariant] > 0


@pytest.mark.parametrize("invariant", sorted(TAMPERING.keys() | BY_SEEDS))
def test_what_was_not_planted_is_not_found(found: dict[str, int], invariant: str) -> None:
    assert found[invariant] == 0


def test_what_was_built_is_what_the_reference_has(run: tuple[Installation, str]) -> None:
    installation, _ = run
    built = installation.home / "warehouse.duckdb"
    found = differences(built, reference(installation.landing, SEEDS))
    assert "\n".join(found[:50]) == ""


def test_what_is_legal_is_left_alone(run: tuple[Installation, str]) -> None:
    legal = "starts_with(session_id, 'legal: ')"
    ((sessions,),) = ask(run[0], f"select count(*) from facts.fct_sessions where {legal}")
    assert sessions == 8
    query = f"select invariant, session_id from meta.invariant_violations where {legal}"
    assert ask(run[0], query) == []


def test_the_refusal_names_what_was_planted(
    run: tuple[Installation, str], found: dict[str, int]
) -> None:
    _, text = run
    assert "refused: " in text
    assert any(f"refused: {name}: {found[name]}" in text for name in PLANTED)
