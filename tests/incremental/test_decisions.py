"""What a build decides to rebuild: each decision by itself, from notes that are written here."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from dbt_common.exceptions import CompilationError
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.incremental.macros import Macros

FIRST, SECOND, THIRD = "2026-03-01", "2026-03-02", "2026-03-03"


@pytest.fixture(scope="module")
def shared() -> Macros:
    return Macros()


@pytest.fixture
def macros(shared: Macros) -> Macros:
    """The macros, with nothing noted."""
    shared.context["graph"] = {"nodes": {}, "sources": {}, "walkhouse_notes": shared.new_notes()}
    return shared


def noted(macros: Macros, table: str, column: str, versions: dict[str, str]) -> None:
    """Have it noted in an earlier build."""
    new = {day: {"version": version, "inputs": []} for day, version in versions.items()}
    macros.keep_notes(table, {column: {"gone": [], "new": new}})


# ---------- which dates are stale


def test_a_date_is_stale_where_its_version_differs_and_the_reason_names_the_inputs(
    macros: Macros,
) -> None:
    now = {
        FIRST: {"version": "a", "inputs": ["raw.lines 1", "seeds.names 1"]},
        SECOND: {"version": "b2", "inputs": ["raw.lines 2", "seeds.names 1"]},
        THIRD: {"version": "c", "inputs": ["raw.lines 3", "seeds.names 1"]},
    }
    built_from = {FIRST: "a", SECOND: "b1", "2026-02-28": "z"}
    inputs = {SECOND: ["raw.lines 1", "seeds.names 1"]}
    assert macros.stale_dates(now, built_from, inputs) == {
        "2026-02-28": "nothing left of the date",
        SECOND: "raw.lines changed",
        THIRD: "new date",
    }


def test_an_input_that_came_or_went_is_named_too(macros: Macros) -> None:
    assert macros.changed_inputs(["b 1", "a 1"], ["a 1", "c 7"]) == "b, c"


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"existing": None}, "first build"),
        ({"is_same_code": False}, "the model changed"),
        ({"existing": "view"}, "the model changed"),
        ({}, None),
        ({"stale": {SECOND: "raw.lines changed"}}, None),
        ({"stale": {SECOND: "x changed", FIRST: "x changed"}}, "x changed"),
        ({"stale": {"": "x changed"}, "built_from": {"": "a"}, "is_dated": False}, "x changed"),
        ({"stale": {THIRD: "new date"}}, None),
        ({"stale": {FIRST: "new date"}, "built_from": {}}, "new date"),
    ],
)
def test_all_of_a_table_is_built_where_nothing_of_it_can_stay(
    macros: Macros, state: dict[str, Any], reason: str | None
) -> None:
    usual = {
        "existing": "table",
        "wanted": "table",
        "is_same_code": True,
        "stale": {},
        "built_from": {FIRST: "a", SECOND: "b"},
        "is_dated": True,
    }
    assert macros.why_whole(**usual | state) == reason


# ---------- what a table would be built from


def test_a_date_is_built_from_the_inputs_of_that_date_and_from_all_of_the_others(
    macros: Macros,
) -> None:
    noted(macros, "facts.events", "home_date", {FIRST: "v1", SECOND: "v2"})
    noted(macros, "facts.plays", "home_date", {SECOND: "w2"})
    noted(macros, "seeds.names", "", {"": "s"})
    inputs = {"facts.events": "home_date", "facts.plays": "home_date", "seeds.names": None}
    expected = macros.expected_versions("code", inputs, "home_date")
    (names,) = macros.inputs_as_a_whole({"seeds.names": None})
    assert {day: each["inputs"] for day, each in expected.items()} == {
        FIRST: [names, "facts.events v1"],
        SECOND: [names, "facts.events v2", "facts.plays w2"],
    }
    assert expected != macros.expected_versions("other code", inputs, "home_date")
    noted(macros, "seeds.names", "", {"": "another"})
    again = macros.expected_versions("code", inputs, "home_date")
    assert all(again[day]["version"] != expected[day]["version"] for day in expected)


def test_a_description_is_not_what_a_table_is_built_from(macros: Macros) -> None:
    noted(macros, "dim", "", {"": "s"})
    before = macros.inputs_as_a_whole({"dim": None})
    noted(macros, "dim", "description", {"": "new words"})
    assert macros.inputs_as_a_whole({"dim": None}) == before


def test_a_whole_table_has_one_version_even_where_it_reads_nothing(macros: Macros) -> None:
    assert list(macros.expected_versions("code", {}, None)) == [""]


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("UTC", {FIRST}),
        ("America/New_York", {"2026-02-28", FIRST}),
        ("Asia/Tokyo", {FIRST, SECOND}),
    ],
)
def test_a_report_date_is_built_from_the_utc_dates_that_it_is_part_of(
    zone: str, days: set[str]
) -> None:
    macros = Macros(var={"reporting_timezone": zone}.get)
    macros.context["graph"]["walkhouse_notes"] = macros.new_notes()
    noted(macros, "facts.events", "event_date", {FIRST: "v1"})
    assert set(macros.inputs_by_date({"facts.events": "event_date"}, "report_date")) == days


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("UTC", [FIRST]),
        ("America/New_York", [FIRST, SECOND]),
        ("Asia/Tokyo", ["2026-02-28", FIRST]),
    ],
)
def test_of_the_events_only_the_utc_dates_of_a_stale_report_date_are_read(
    zone: str, days: list[str]
) -> None:
    macros = Macros(var={"reporting_timezone": zone}.get)
    macros.context["graph"]["walkhouse_notes"] = macros.new_notes()
    read = "/* stale event_date */ true and /* stale report_date */ true"
    dates = ", ".join(f"date '{day}'" for day in days)
    assert macros._for_dates(read, "reports.report", "report_date", [FIRST]) == (
        f"event_date in ({dates}) and report_date in (date '{FIRST}')"
    )


def node(name: str, *parents: str, **config: Any) -> SimpleNamespace:
    settings_of = {"materialized": "incremental", "meta": {}, "unique_key": None, **config}
    return SimpleNamespace(
        name=name,
        alias=name,
        schema="s",
        config=SimpleNamespace(**settings_of),
        depends_on=SimpleNamespace(nodes=list(parents)),
    )


def test_views_count_with_what_they_read_and_ephemeral_models_by_it_alone(macros: Macros) -> None:
    by_home = {"dated_by": ["home_date", "event_date"]}
    nodes = {
        "events": node("events", meta={"dated_by": ["event_date", "home_date"]}),
        "visits": node("visits", meta={"dated_by": ["event_date"]}, unique_key="key"),
        "plays": node("plays", meta=by_home),
        "rule": node("rule", "plays", "names", materialized="ephemeral"),
        "view": node("view", "events", "rule", materialized="view"),
        "names": node("names"),
        "items": node("items"),
    }
    macros.context["graph"] |= {"nodes": nodes}
    reader = node("reader", "view", "visits", "items", meta={"refreshes": ["items"]})
    assert macros.inputs_of(reader, "home_date") == {
        "s.view": None,
        "s.events": "home_date",
        "s.plays": "home_date",
        "s.names": None,
        "s.visits": None,
    }
    assert macros.inputs_of(reader, "event_date")["s.visits"] == "event_date rows"
    assert macros.inputs_of(reader, "report_date")["s.plays"] == "event_date"
    assert set(macros.inputs_of(reader, None).values()) == {None}


def test_of_a_table_that_is_digested_only_the_dates_with_other_rows_count(macros: Macros) -> None:
    macros.context["graph"] |= {
        "nodes": {
            "plays": node("plays", meta={"dated_by": ["home_date", "event_date"]}),
            "people": node("people", meta={"digested_by": ["report_date"]}),
        }
    }
    reader = node("reader", "plays", "people", meta={"dated_by": ["report_date"]})
    assert macros.inputs_of(reader, "report_date")["s.people"] == "report_date"
    # Whoever has other dates, or none, looks at all of it.
    assert macros.inputs_of(reader, "home_date")["s.people"] is None
    assert macros.inputs_of(reader, None)["s.people"] is None


def test_equal_rows_have_equal_digests_and_others_do_not(macros: Macros) -> None:
    def digests(*rows: str) -> dict[str, str]:
        macros.database.execute(
            "create or replace table t as select * from (values"
            f" {', '.join(rows)}) as rows (day, id, person)"
        )
        noted = macros.digests_of_rows(["day"], "t")["day"]
        assert sorted(noted["come"]) == sorted(noted["versions"])
        return dict(noted["versions"])

    one, two = "(date '2026-03-01', 'a', 'u')", "(date '2026-03-01', 'b', 'u')"
    other = "(date '2026-03-02', 'a', null)"
    before = digests(one, two, other)
    assert digests(other, two, one) == before
    assert digests(one, two, two, other)[FIRST] != before[FIRST]
    after = digests("(date '2026-03-01', 'a', 'v')", two, "(date '2026-03-02', 'a', 'null')")
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())
    assert digests("(cast(null as date), 'a', 'u')") == {}


def test_a_digest_is_noted_as_the_version_of_its_date(macros: Macros) -> None:
    plan = SimpleNamespace(
        **{"why_whole": "a changed", "stale": {"": "a changed"}, "key": None, "code": "c"},
        **{"dated_by": [], "expected": {"": {"version": "v", "inputs": []}}},
        **{"is_described_anew": False},
    )
    touched = {"report_date": {"come": [FIRST], "gone": [], "versions": {FIRST: "digest"}}}
    changes = macros.changes_of_notes(plan, touched)
    assert changes["report_date"]["new"] == {FIRST: {"version": "digest", "inputs": []}}
    touched = macros.come_and_gone({"event_date": [FIRST]})
    changes = macros.changes_of_notes(plan, touched)
    assert changes["event_date"]["new"][FIRST]["version"] == "this invocation"


# ---------- some dates at a time


@pytest.mark.parametrize(
    ("dates", "most", "batches"),
    [
        ([FIRST, SECOND, THIRD], 100, [[]]),
        ([FIRST, SECOND, THIRD], 10, [[FIRST, SECOND], [THIRD]]),
        ([THIRD, FIRST, SECOND], 1, [[FIRST], [SECOND], [THIRD]]),
        (["2026-03-01", "2026-04-01"], 10, [["2026-03-01"], ["2026-04-01"]]),
        ([SECOND], 10, [[SECOND]]),
        ([""], 10, [[]]),
        ([], 10, [[]]),
    ],
)
def test_a_long_history_is_built_in_batches_of_so_many_events(
    macros: Macros, dates: list[str], most: int, batches: list[list[str]]
) -> None:
    events = {FIRST: 4, SECOND: 6, THIRD: 9, "2026-04-02": 8}
    assert macros.batches_of_dates(dates, events, most) == batches


# ---------- what is kept of a build

DAYS = st.integers(1, 5).map(lambda day: f"2026-03-0{day}")
STATES = st.dictionaries(DAYS, st.sampled_from(["v", "w", "it's"]), max_size=4)


@settings(max_examples=25, deadline=None)
@given(builds=st.lists(st.tuples(STATES, st.booleans()), min_size=1, max_size=4))
def test_what_is_kept_in_a_build_is_what_the_next_one_reads(
    shared: Macros, builds: list[tuple[dict[str, str], bool]]
) -> None:
    """Otherwise tables would be rebuilt for nothing, or left as they are in spite of a change."""
    macros = shared
    target = SimpleNamespace(schema="s", identifier="t", type="view")
    macros.database.execute("drop schema if exists audit cascade; create schema audit")
    macros.database.execute(macros.create_notes())
    macros.database.execute(
        "create table audit.inputs as"
        " select 1 as build, map {date '2026-03-01': 5::bigint} as event_dates"
    )
    macros.read_notes()
    for state, is_forced in builds:
        expected = {
            day: {"version": version, "inputs": [f"raw.lines {version}"]}
            for day, version in state.items()
        }
        built_from = macros.notes()["versions"].get("s.t", {}).get("home_date", {})
        stale = macros.stale_dates(expected, built_from, {})
        plan = {
            "key": "home_date",
            "dated_by": ["home_date", "event_date"],
            "code": "c",
            "description": "",
            "expected": expected,
            "stale": stale,
            "why_whole": "full refresh" if is_forced else None,
            "is_noted": "s.t" in macros.notes()["versions"],
            "is_described_anew": False,
        }
        touched = macros.come_and_gone({"event_date": list(state)}, {"event_date": list(stale)})
        changes = macros.changes_of_notes(SimpleNamespace(**plan), touched)
        macros.write_notes(target, SimpleNamespace(**plan), changes)
        macros.keep_notes("s.t", changes, is_whole=is_forced)
        kept = macros.notes()
        macros.read_notes()
        assert macros.notes()["versions"].get("s.t", {}) == kept["versions"]["s.t"]
        assert macros.notes()["versions"].get("s.t", {}).get("home_date", {}) == state
        inputs = macros.notes()["inputs"].get("s.t", {}).get("home_date", {})
        assert inputs == {day: each["inputs"] for day, each in expected.items()}


def test_the_events_of_each_date_are_read_from_what_the_dumps_say(macros: Macros) -> None:
    assert (date(2026, 3, 1) + timedelta(days=2)).isoformat() == THIRD
    macros.database.execute("drop schema if exists audit cascade; create schema audit")
    macros.database.execute(macros.create_notes())
    macros.database.execute(
        "create table audit.inputs as select 3 as build, event_dates from (values"
        " (map {date '2026-03-01': 5::bigint, date '2026-03-02': 1}),"
        " (map {date '2026-03-02': 2::bigint})) as dumps (event_dates)"
    )
    macros.read_notes()
    assert macros.notes()["events"] == {FIRST: 5, SECOND: 3}
    assert macros.notes()["build"] == 3


def test_without_notes_nothing_is_built(macros: Macros) -> None:
    del macros.context["graph"]["walkhouse_notes"]
    with pytest.raises(CompilationError, match="the notes of earlier builds were not read"):
        macros.notes()
