"""Definitions are data: pairs and caps that seeds alone add are simulated, taken in and checked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.installation import DBT_PROJECT, Installation, said

pytestmark = pytest.mark.long

PRESS, PULSE, CHAT = ("Launcher", "Long Press"), ("Beacon", "Pulse"), ("Live Chat", "Click")


def extend(seeds: Path) -> None:
    """Add a pair of a known item type, one of a type that no code names, and two caps."""
    definitions = seeds / "event_definitions.csv"
    text = definitions.read_text(encoding="utf-8")
    chat = ",Live Chat,Click,interaction,,"
    assert f"{chat},,," in text
    text = text.replace(f"{chat},,,", f"{chat}24h,,,")
    text += "49,Launcher,Long Press,interaction,,,follows,Launcher: Play,The user held it down.,\n"
    text += "50,Beacon,Pulse,exposure,,session,,,The Beacon pulsed.,\n"
    definitions.write_text(text, encoding="utf-8")
    with (seeds / "raw_names.csv").open("a", encoding="utf-8") as file:
        file.write("Launcher,Long Press,launcher,longPress,assumed\n")


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with definitions of its own, which has published a simulated landing."""
    folder = tmp_path_factory.mktemp("seeds")
    project = folder / "dbt_project"
    shutil.copytree(DBT_PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    extend(project / "seeds")
    installation = Installation(folder / "landing", folder / "home", project)
    simulated = installation.walkhouse("simulate", "--days", "3", "--events-per-day", "2000")
    assert simulated.returncode == 0, said(simulated)
    run = installation.walkhouse("run")
    assert run.returncode == 0, said(run)
    return installation


@pytest.mark.parametrize(
    ("pair", "engagement"),
    [(PRESS, "interaction"), (PULSE, "exposure"), (CHAT, "interaction")],
)
def test_the_events_are_accepted_and_classified(
    extended: Installation, pair: tuple[str, str], engagement: str
) -> None:
    ((events, classes),) = extended.ask(
        "select count(*), list(distinct engagement) from facts.fct_item_events"
        f" where (item_type, event) = {pair}"
    )
    assert events > 0
    assert classes == [engagement]
    ((covered,),) = extended.ask(
        f"select never_seen from reports.rpt_event_coverage where (item_type, event) = {pair}"
    )
    assert covered is False


def test_the_definitions_are_published(extended: Installation) -> None:
    for table in ("facts.dim_event_definitions", "reports.rpt_event_coverage"):
        assert extended.ask(f"select count(*) from {table}") == [(50,)]
    assert extended.ask(
        "select item_type, raw_names, capped_per, definition from facts.dim_event_definitions"
        " where position in (31, 49, 50) order by position"
    ) == [
        ("Live Chat", "liveChat/click", "24h", "The user clicked the Live Chat entry."),
        ("Launcher", "launcher/longPress", None, "The user held it down."),
        ("Beacon", None, "session", "The Beacon pulsed."),
    ]


def test_nothing_is_quarantined_or_lost_for_them(extended: Installation) -> None:
    wrong = "detail like '%Long Press%' or detail like '%longPress%' or detail like '%Beacon%'"
    assert extended.ask(f"select * from meta.quarantine where {wrong}") == []
    ((held, sent),) = extended.ask(
        "select (select sum(events) from facts.fct_launchers),"
        " (select count(*) from facts.fct_item_events where item_type = 'Launcher')"
    )
    assert held == sent


@pytest.mark.parametrize(
    "invariant", ["every_pair_is_defined", "sessions_hold_every_event", "other_caps_hold"]
)
def test_what_holds_of_all_pairs_is_checked_of_them(extended: Installation, invariant: str) -> None:
    ((checked, violations),) = extended.ask(
        f"select checked, violations from meta.invariants where invariant = '{invariant}'"
    )
    assert checked > 0
    assert violations == 0


def test_a_violation_of_their_caps_is_planted_and_refused(extended: Installation) -> None:
    arguments = ("simulate", "--days", "3", "--events-per-day", "2000")
    planted = extended.walkhouse(*arguments, "--plant", "other_caps_hold=8", "--replace")
    assert planted.returncode == 0, said(planted)
    run = extended.walkhouse("run")
    assert run.returncode == 1
    assert "refused: other_caps_hold: 8 violations" in said(run)


def test_without_such_a_cap_there_is_nothing_to_plant(installation: Installation) -> None:
    planted = installation.walkhouse("simulate", "--days", "1", "--plant", "other_caps_hold=1")
    assert planted.returncode == 2
    assert "no way to violate other_caps_hold" in said(planted)
