"""Plays, steps and reports of flows that the reference makes of the hard cases."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tests.reference import Warehouse, reference
from tests.reference.events import Row
from tests.whole import landings

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    landing = tmp_path_factory.mktemp("landing")
    landings.flows(landing)
    landings.catalogue(landing)
    return reference(landing, SEEDS)


def rows(warehouse: Warehouse, table: str, **values: object) -> list[Row]:
    """The rows of a table with these values."""
    return [
        row
        for row in warehouse.tables[table]
        if all(row[column] == value for column, value in values.items())
    ]


def play(warehouse: Warehouse, play_id: str, *columns: str) -> list[Any]:
    (row,) = rows(warehouse, "facts.fct_flow_plays", play_id=play_id)
    return [row[column] for column in columns]


def test_a_flow_may_begin_at_its_fourth_step_and_completes_with_its_last(
    warehouse: Warehouse,
) -> None:
    told = play(warehouse, "p1", "result", "first_step_id", "last_step_id", "steps_played")
    assert told == ["completed", "f-visual-4", "f-visual-5", 2]
    assert play(warehouse, "p1", "flow_kind", "duration_seconds") == ["visual", 9.0]


def test_a_restarted_flow_is_two_plays_and_a_repeated_step_is_one(warehouse: Warehouse) -> None:
    assert play(warehouse, "p2", "result", "steps_played") == ["left", 2]
    assert play(warehouse, "p3", "result", "steps_played", "step_plays") == ["left", 3, 4]
    assert play(warehouse, "p3", "last_step_id", "initiator") == ["f-visual-3", "restart"]
    steps = rows(warehouse, "facts.fct_flow_steps", play_id="p3")
    assert [step["seconds_to_next_step"] for step in steps] == [3.0, 19.0, None]


def test_plays_that_run_side_by_side_keep_their_own_steps(warehouse: Warehouse) -> None:
    assert play(warehouse, "p4", "steps_played", "flow_kind") == [3, "visual"]
    assert play(warehouse, "p5", "steps_played", "flow_kind") == [2, "automation"]
    tracker = rows(warehouse, "reports.rpt_flow_tracker", session_id="flows-beside")
    assert [step["item_id"][2:] for step in tracker] == [
        "visual-1",
        "auto-1",
        "visual-2",
        "auto-2",
        "visual-3",
        "auto-1",
    ]
    beside = [step["flows_at_the_same_time"] for step in tracker]
    assert beside == [None, "Flow f-visual", "Flow f-auto", "Flow f-visual", None, None]


def test_a_launcher_stops_what_runs_in_its_session_and_nothing_else(warehouse: Warehouse) -> None:
    stopped = [play(warehouse, each, "result")[0] for each in ("p8", "p9", "p10", "p11", "p12")]
    assert stopped == [*["stopped_by_launcher"] * 3, "left", "left"]
    (at,) = play(warehouse, "p9", "stopped_at")
    assert at == dt.datetime.fromisoformat("2026-04-05T08:30:10")
    assert play(warehouse, "p13", "result") == ["left"]
    # Four ran before a launcher in their session, and after midnight one; p13 alone went on.
    assert warehouse.invariants["launcher_stops_running_flows"] == (5, 1)


def test_a_flow_resumed_after_midnight_is_one_play_of_two_sessions(warehouse: Warehouse) -> None:
    told = play(warehouse, "p16", "session_id", "sessions", "end_user_id", "result", "event_date")
    assert told == ["flows-night", 2, "u-morning", "completed", dt.date(2026, 4, 5)]
    days = rows(warehouse, "reports.rpt_flow_tracker", session_id="flows-night")
    assert [step["report_date"].day for step in days] == [5, 6]


def test_runs_without_a_play_id_are_cut_at_each_play_and_at_refused_starts(
    warehouse: Warehouse,
) -> None:
    runs = rows(warehouse, "facts.fct_flow_plays", session_id="flows-runs", item_id="f-visual")
    told = {row["run"]: (row["result"], row["events"]) for row in runs}
    assert told == {
        0: ("left", 1),
        1: ("left", 3),
        2: ("failed", 1),
        3: ("failed", 2),
        4: ("failed", 1),
    }
    assert rows(warehouse, "facts.fct_flow_plays", session_id="flows-runs", steps_played=2)


def test_rules_on_plays_are_broken_where_planted(warehouse: Warehouse) -> None:
    assert warehouse.invariants["play_failed_did_not_play"] == (6, 1)
    assert warehouse.invariants["automation_started_by_autoplay"] == (4, 1)
    assert warehouse.invariants["play_id_is_not_from_the_future"][1] == 1
    assert warehouse.invariants["one_visual_flow_at_a_time"][1] == 1


@pytest.mark.parametrize(
    ("rule", "counts"),
    [
        ("automation_has_only_flow_steps", (10, 1)),
        ("automation_has_autoplay_rule", (10, 1)),
        ("automation_connects_to_no_visual_flow", (10, 3)),
        ("automation_passes_no_ownership", (10, 1)),
        ("visual_flow_has_a_ui_step", (8, 2)),
    ],
)
def test_rules_on_the_catalogue_are_broken_where_planted(
    warehouse: Warehouse, rule: str, counts: tuple[int, int]
) -> None:
    assert warehouse.invariants[rule] == counts


def test_a_funnel_counts_who_reached_a_step_and_who_went_on(warehouse: Warehouse) -> None:
    funnel = rows(warehouse, "reports.rpt_flow_funnel", flow_item_id="f-visual")
    assert [step["step_position"] for step in funnel] == [1, 2, 3, 4, 5]
    assert [step["plays_reached"] for step in funnel] == [8, 8, 3, 1, 2]
    assert [step["plays_completed_here"] for step in funnel] == [0, 0, 0, 0, 2]
    assert {step["flow_item_name"] for step in funnel} == {"The flow f-visual"}


def test_automation_processes_are_counted_with_what_ran_beside_them(warehouse: Warehouse) -> None:
    (day,) = warehouse.tables["reports.rpt_automation_processes"]
    assert (day["runs"], day["failures"], day["stopped_by_launcher"]) == (5, 1, 1)
    assert (day["steps"], day["runs_beside_visual_flow"]) == (5, 2)
