"""Where the reference puts a line, and what it makes of an event."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from tests.reference.definitions import read_definitions
from tests.reference.events import Judged, Row, epoch_ms, identity, judge, unknown_keys
from tests.reference.reading import read_file
from tests.whole.landings import SYSTEM, at, flat, player, tabular

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
DEFINITIONS = read_definitions(SEEDS)
DAY = dt.date(2026, 3, 1)
NOON = at("2026-03-01T12:00:00")


def judged(record: Row, *, path: str = "a.ndjson", first: Row | None = None) -> Judged:
    """The place of one record; `first` is a line before it, which decides the file's form."""
    content = "\n".join(json.dumps(each) for each in (first, record) if each is not None)
    file = read_file(content.encode(), dump_date=DAY, path=path)
    return judge(file, file.lines[-1], definitions=DEFINITIONS, max_late_days=400)


def event(record: Row, **options: Any) -> Row:
    row = judged(record, **options).event
    assert row is not None
    return row


def test_there_are_48_definitions_and_each_is_found_by_its_documented_names() -> None:
    assert len(DEFINITIONS.documented) == 48
    for each in DEFINITIONS.documented:
        spelt = tabular(NOON, f"{each.item_type.upper()}/{each.event.lower()}", session=1)
        row = event(spelt)
        assert (row["item_type"], row["event"]) == (each.item_type, each.event)


def test_a_player_event_has_the_columns_of_its_paths() -> None:
    row = event(
        player(
            NOON + 1,
            "bizFlowStep/play",
            session=12,
            data__oId=81234,
            data__owType="bizFlow",
            data__pInit={"type": 3, "objectId": 99},
            env__timezone=-330,
            ctx__isIframe=False,
            wm__userVars={"name": "", "role": "buyer"},
        )
    )
    assert row["occurred_at"] == dt.datetime.fromisoformat("2026-03-01T12:00:00.001")
    assert row["event_date"] == DAY
    told = ("session_id", "item_id", "parent_item_type", "initiator", "initiator_item_id")
    assert [row[column] for column in told] == ["12", "81234", "Smart Walk-Thru", "launcher", "99"]
    assert (row["user_name"], row["user_role"], row["utc_offset_minutes"]) == (None, "buyer", 330)
    assert (row["is_iframe"], row["is_mobile"], row["is_user_initiated"]) == (False, None, True)
    assert (row["system_id"], row["environment"]) == (SYSTEM, "production")


def test_a_flat_event_takes_what_it_lacks_from_its_folder_and_nothing_else() -> None:
    folder = "item_type=Smart%20Walk-Thru/event=Play/a.json"
    bare = event(flat(NOON, session=1, oId=5), path=folder)
    assert (bare["item_type"], bare["event"], bare["item_id"]) == ("Smart Walk-Thru", "Play", "5")
    full = event(flat(NOON, session=1, type="click", data__type="launcher"), path=folder)
    assert (full["item_type"], full["event"]) == ("Launcher", "Click")


def test_a_tabular_event_has_names_or_codes_and_the_offset_as_it_is() -> None:
    row = event(
        tabular(
            NOON, "Menu/Open", session=1, initiator="6", environment="qa", utc_offset_minutes="330"
        )
    )
    assert (row["initiator"], row["environment"]) == ("autostart", "qa")
    assert (row["utc_offset_minutes"], row["engagement"]) == (330, "exposure")


@pytest.mark.parametrize(
    ("code", "name", "user", "engagement"),
    [
        (1, "menu", True, "interaction"),
        (2, "api", False, "exposure"),
        (0, "none", None, "interaction"),
        (99, "initiator_99", None, "interaction"),
        (None, None, None, "interaction"),
    ],
)
def test_the_initiator_decides_the_class_of_what_anyone_can_start(
    code: int | None, name: str | None, user: bool | None, engagement: str
) -> None:
    row = event(player(NOON, "bizFlow/play", session=1, data__pInit={"type": code}))
    assert (row["initiator"], row["is_user_initiated"]) == (name, user)
    assert row["engagement"] == engagement


@pytest.mark.parametrize(
    ("code", "name"),
    [
        (0, "production"),
        ("1", "test"),
        (2, "editor"),
        (3, "stage"),
        (7, "environment_7"),
        (None, "production"),
        ("", "production"),
    ],
)
def test_environments_have_the_names_of_the_seed(code: object, name: str) -> None:
    assert event(player(NOON, "player/open", session=1, wm__env=code))["environment"] == name


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"time": None, "sId": ""}, "missing_occurred_at"),
        ({"sId": "", "wm": {}}, "missing_session_id"),
        ({"wm": {}, "data": {}}, "missing_end_user_id"),
        ({"data": {}, "type": None}, "missing_item_type"),
        ({"type": None, "time": "soon"}, "missing_event"),
        ({"time": "soon", "type": "explode"}, "bad_timestamp"),
        ({"time": at("2026-03-03") + 1, "type": "explode"}, "future_timestamp"),
        ({"time": at("2025-01-25") - 1, "type": "explode"}, "too_old"),
        ({"type": "explode"}, "undefined_event"),
    ],
)
def test_the_first_reason_that_applies_counts(changes: Row, reason: str) -> None:
    line = judged(player(NOON, "player/open", session=1) | changes)
    assert (line.outcome, line.reason) == ("quarantined", reason)


@pytest.mark.parametrize("time", [at("2026-03-03"), at("2025-01-25")])
def test_an_event_on_a_limit_is_within_it(time: int) -> None:
    assert judged(player(time, "player/open", session=1)).outcome == "event"


def test_control_and_ignored_lines_are_recognised_before_any_reason() -> None:
    first = player(NOON, "player/open", session=1)
    assert judged({"_static": True}, first=first).outcome == "control"
    assert judged({"_static": False}, first=first).reason == "missing_occurred_at"
    assert judged({"type": "pageChange"}, first=first).outcome == "ignored"


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (NOON, "2026-03-01T12:00:00"),
        (str(NOON), "2026-03-01T12:00:00"),
        ("2026-03-01", "2026-03-01"),
        ("2026-03-01 12:00", "2026-03-01T12:00:00"),
        ("2026-03-01T12:00:01.5", "2026-03-01T12:00:01.500"),
        ("2026-03-01T12:00:01.123999Z", "2026-03-01T12:00:01.123"),
        ("2026-03-01T12:00:00+05:30", "2026-03-01T06:30:00"),
        ("2026-03-01T12:00:00-0800", "2026-03-01T20:00:00"),
        ("2026-03-01T12:00:00+01", "2026-03-01T11:00:00"),
        ("2026-03-01t12:00:00z", "2026-03-01T12:00:00"),
        ("2026-03-01 12:00:00 utc", "2026-03-01T12:00:00"),
        (NOON // 1000, "2026-03-01T12:00:00"),
        (f"{NOON}456", "2026-03-01T12:00:00"),
        (f"{NOON}456789", "2026-03-01T12:00:00"),
        (f"{NOON}.0", "2026-03-01T12:00:00"),
    ],
)
def test_times_are_epoch_ms_or_iso_8601(value: object, moment: str) -> None:
    assert epoch_ms(value) == at(moment)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "soon",
        "2026-02-30",
        "2026-3-1",
        "2026-03-01T24:00",
        "2026-03-01T12",
        True,
        {},
        "2026-03-01T12:00:00 +01:00",
        "12:00",
        "1.5e3",
        "1.77306E+12",
        f"{NOON}.5",
        "2026-03-01Z",
        "20260301T120000Z",
    ],
)
def test_anything_else_is_no_time(value: object) -> None:
    assert epoch_ms(value) is None


def test_identity_takes_numbers_for_text_and_leaves_names_out() -> None:
    as_number = event(player(NOON, "launcher/click", session=1, data__oId=5, data__oName="a"))
    as_text = event(player(str(NOON), "launcher/click", session="1", data__oId="5"))
    other = event(player(NOON, "launcher/click", session=1, data__oId=5, data__value=1))
    assert identity(as_number) == identity(as_text) != identity(other)


def test_unknown_keys_are_named_by_the_topmost_unknown_name() -> None:
    line = player(NOON, "player/open", session=1, data__novel=1, env__device={"model": 1}, x=None)
    content = "\n".join(json.dumps(each) for each in (line, line, {"time": 1, "x": 1}))
    file = read_file(content.encode(), dump_date=DAY, path="a.json")
    assert unknown_keys(file) == {"data.novel": 2, "env.device": 2, "x": 3}
