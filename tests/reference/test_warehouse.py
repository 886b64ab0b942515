"""The tables and invariants that the reference makes of small landings."""

import datetime as dt
from collections import Counter
from pathlib import Path

import pytest

from tests.reference import Warehouse, reference
from tests.reference.events import Row
from tests.reference.rows import quantile
from tests.whole import landings
from tests.whole.landings import at, player

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"


def only(rows: list[Row], **values: object) -> Row:
    """The one row with these values."""
    (row,) = [row for row in rows if all(row[column] == v for column, v in values.items())]
    return row


def of(landing: Path) -> Warehouse:
    return reference(landing, SEEDS)


def test_every_line_of_every_theme_ends_in_one_place(tmp_path: Path) -> None:
    for theme in landings.MANY_THEMES:
        if theme is not landings.one_huge_line:
            theme(tmp_path)
    warehouse = of(tmp_path)
    places = ("control", "ignored", "quarantined", "duplicate", "accepted")
    for row in warehouse.tables["meta.dump_ledger"]:
        assert row["lines"] == sum(row[place] for place in places)
    assert all(row["accepted"] >= 0 for row in warehouse.tables["meta.dump_ledger"])
    reasons = {row["reason"] for row in warehouse.tables["meta.quarantine"]}
    assert len(reasons) == 10


def test_of_equal_events_the_earliest_delivered_is_kept(tmp_path: Path) -> None:
    landings.duplicates_across_files(tmp_path)
    landings.duplicates_across_dumps(tmp_path)
    warehouse = of(tmp_path)
    facts = warehouse.tables["facts.fct_item_events"]
    assert [row["source_file"] for row in facts[:3]] == ["B.ndjson", "c-1.ndjson", "d10.ndjson"]
    kept = Counter(row["dump_date"].day for row in facts[3:])
    assert kept == {19: 2, 20: 1, 21: 1}


def test_identities_tell_apart_what_they_should(tmp_path: Path) -> None:
    landings.identities(tmp_path)
    ledger = of(tmp_path).tables["meta.dump_ledger"]
    told = [(row["source_file"], row["duplicate"], row["accepted"]) for row in ledger]
    assert told == [("player.ndjson", 2, 13), ("rows.csv", 1, 3), ("rows.ndjson", 2, 0)]


def test_sessions_hold_all_their_events_whatever_the_day(tmp_path: Path) -> None:
    landings.long_sessions(tmp_path)
    landings.log_in_within_a_session(tmp_path)
    sessions = of(tmp_path).tables["facts.fct_sessions"]
    days = only(sessions, session_id="days")
    assert days["session_date"] == dt.date(2026, 3, 24)
    assert (days["events"], days["duration_seconds"]) == (3, 39 * 3600.0)
    limits = {
        row["session_id"]: (row["exceeds_idle_limit"], row["exceeds_duration_limit"])
        for row in sessions
    }
    assert limits["idle-at-limit"] == (False, False)
    assert limits["idle-over-limit"] == (True, False)
    assert limits["long-at-limit"] == (True, False)
    assert limits["long-over-limit"] == (True, True)
    log_in = only(sessions, session_id="log-in")
    assert (log_in["end_user_id"], log_in["end_users"]) == ("anna", 2)
    assert (log_in["exposures"], log_in["interactions"], log_in["items_exposed"]) == (1, 2, 1)


def test_an_anonymous_id_belongs_to_the_one_person_who_logs_in_behind_it(tmp_path: Path) -> None:
    landings.people(tmp_path)
    tables = of(tmp_path).tables
    persons = {row["end_user_id"]: row["person_id"] for row in tables["facts.dim_end_users"]}
    assert {user: person for user, person in persons.items() if user != person} == {
        "browser-bea": "bea",
        "browser-late": "fred",
        "browser-erik": "erik",
    }
    bea = only(tables["facts.dim_people"], person_id="bea")
    assert (bea["end_users"], bea["sessions"], bea["engaged_sessions"]) == (2, 5, 2)
    assert (bea["user_role"], bea["user_info"], bea["language"]) == ("Finance", "North", "French")
    names = {row["system_id"]: row["system_name"] for row in tables["facts.dim_systems"]}
    assert names[landings.SYSTEM] == "home.example"


def test_reports_count_production_in_the_reporting_time_zone(tmp_path: Path) -> None:
    late = at("2026-03-01T23:30:00")
    landings.put(
        tmp_path,
        "2026-03-01",
        "a.json",
        [
            player(late, "launcher/play", session=1, user="a", data__oId=5, data__oName="L"),
            player(late + 1000, "launcher/click", session=1, user="a", data__oId=5),
            player(late, "launcher/play", session=2, user="a", data__oId=5),
            player(late, "launcher/play", session=3, user="b", data__oId=5, wm__env=1),
        ],
    )
    warehouse = reference(tmp_path, SEEDS, reporting_timezone="Europe/Paris")
    (day,) = warehouse.tables["reports.rpt_sessions_daily"]
    assert day["report_date"] == dt.date(2026, 3, 2)
    assert (day["sessions"], day["end_users"], day["new_end_users"]) == (2, 1, 1)
    assert (day["engagement_rate"], day["sessions_per_user"]) == (0.5, 2.0)
    assert (day["avg_duration_seconds"], day["p90_duration_seconds"]) == (0.5, 0.9)
    (item,) = warehouse.tables["reports.rpt_items_daily"]
    assert (item["exposures"], item["interactions"], item["interaction_rate"]) == (2, 1, 0.5)
    assert item["item_name"] == "L"
    play = only(warehouse.tables["reports.rpt_events_daily"], event="Play")
    assert (play["events"], play["sessions"], play["end_users"]) == (2, 2, 1)


def test_coverage_counts_back_from_the_last_day_reported(tmp_path: Path) -> None:
    days = ("2026-03-28", "2026-03-22", "2026-03-21", "2026-03-01", "2026-02-28")
    events = [player(at(day), "player/open", session=day) for day in days]
    landings.put(tmp_path, "2026-03-28", "a.json", events)
    coverage = of(tmp_path).tables["reports.rpt_event_coverage"]
    menu = only(coverage, item_type="Menu")
    assert (menu["events_last_7_days"], menu["events_last_28_days"]) == (2, 4)
    assert sum(row["never_seen"] for row in coverage) == 47


def test_items_come_from_the_events_and_from_the_catalogue_with_its_steps(tmp_path: Path) -> None:
    landings.catalogue(tmp_path)
    landings.renamed_items(tmp_path)
    items = of(tmp_path).tables["facts.dim_items"]
    flow = only(items, item_id="c-4711", system_id=landings.SYSTEM)
    assert (flow["item_name"], flow["is_in_catalogue"]) == ("Book a trip (latest)", True)
    elsewhere = only(items, item_id="c-4711", system_id=landings.OTHER_SYSTEM)
    assert elsewhere["is_in_catalogue"] is False
    step = only(items, item_id="c-1")
    assert (step["item_type"], step["parent_item_id"]) == ("Smart Walk-Thru Step", "c-4711")
    assert step["first_seen_at"] is None
    assert only(items, item_id="c-quiz")["item_type"] == "TeachMe Quiz"
    renamed = only(items, item_id="renamed")
    assert (renamed["item_name"], renamed["parent_item_id"]) == ("new", "parent-2026-04-04")


def test_late_events_are_those_of_days_before_their_dump(tmp_path: Path) -> None:
    landings.late_events(tmp_path)
    late = of(tmp_path).tables["meta.late_events"]
    delays = sorted((row["dump_date"] - row["event_date"]).days for row in late)
    assert delays == [1, 3, 387]


def test_a_refused_dump_has_no_rows(tmp_path: Path) -> None:
    landings.manifest_with_a_wrong_hash(tmp_path)
    warehouse = of(tmp_path)
    assert warehouse.tables["meta.dump_ledger"] == []
    assert "sha256" in warehouse.refused[dt.date(2026, 3, 7)][0]


def test_planted_violations_are_counted_and_near_misses_are_not(tmp_path: Path) -> None:
    landings.broken_rules(tmp_path)
    counts = of(tmp_path).invariants
    assert counts["launcher_play_once_per_session"] == (5, 2)
    assert counts["smarttip_play_once_per_session"] == (3, 1)
    assert counts["smarttip_click_comes_with_visible"] == (2, 1)
    assert counts["teachme_visible_once_per_24h"] == (5, 1)
    assert counts["quiz_outcome_follows_submission"] == (5, 1)
    assert counts["quiz_outcome_is_unambiguous"] == (3, 1)


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 2.5), (0.9, 3.7), (1.0, 4.0)])
def test_quantiles_lie_between_their_neighbours(share: float, value: float) -> None:
    assert quantile([4.0, 1.0, 3.0, 2.0], share) == pytest.approx(value)
