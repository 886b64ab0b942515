"""The simulator writes what the contract describes, the same every time, and says what it wrote."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from dagster_project.simulate import (
    DEFAULT_SEEDS,
    PLANTABLE,
    OverwriteError,
    Scenario,
    SimulationSummary,
    simulate,
)
from dagster_project.simulate.definitions import Definitions, read_definitions
from dagster_project.simulate.scenario import Form
from dagster_project.simulate.writer import MARKER
from tests.simulate.reading import (
    HOUR,
    Event,
    catalogue_violations,
    epoch_ms,
    event_files,
    lines_of,
    player_events,
    sessions_of,
    tabular_rows,
    text_of,
    violations,
)

MONDAY = date(2026, 3, 2)
CLEAN = Scenario(start=MONDAY, days=4, events_per_day=7000, late=0.02)
SPOILT = Scenario.everyday(
    start=MONDAY,
    days=3,
    events_per_day=3000,
    malformed=0.004,
    missing=0.01,
    bad_timestamp=0.003,
    future=0.003,
    too_old=0.003,
    undefined=0.003,
    duplicate=0.02,
    novel_keys=0.05,
)


def all_events(landing: Path) -> list[Event]:
    return [event for path in event_files(landing) for event in player_events(path)]


def items_of(landing: Path) -> list[Event]:
    return [json.loads(line) for line in lines_of(landing / "content" / "items.ndjson")]


def contents(landing: Path) -> dict[str, str]:
    """Every visible file of a landing with a hash of its bytes."""
    return {
        path.relative_to(landing).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in ("events", "content")
        for path in (landing / folder).rglob("*")
        if path.is_file()
    }


def dump_of(path: Path) -> date:
    folder = next(part for part in path.parts if part.startswith("dt="))
    return date.fromisoformat(folder.removeprefix("dt="))


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SimulationSummary]:
    landing = tmp_path_factory.mktemp("clean")
    return landing, simulate(CLEAN, landing)


@pytest.fixture(scope="module")
def clean_events(clean: tuple[Path, SimulationSummary]) -> list[Event]:
    return all_events(clean[0])


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SimulationSummary]:
    landing = tmp_path_factory.mktemp("spoilt")
    return landing, simulate(SPOILT, landing)


# --- the same every time --------------------------------------------------------------------------


def test_one_process_and_two_write_the_same_bytes(
    spoilt: tuple[Path, SimulationSummary], tmp_path: Path
) -> None:
    landing, summary = spoilt
    assert simulate(SPOILT, tmp_path, processes=2) == summary
    assert contents(tmp_path) == contents(landing)


def test_another_seed_is_another_company(tmp_path: Path) -> None:
    small = Scenario(days=1, events_per_day=500)
    simulate(small, tmp_path / "one")
    simulate(Scenario(seed=2, days=1, events_per_day=500), tmp_path / "two")
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert one.keys() == two.keys()
    assert all(one[name] != two[name] for name in one)


def test_a_rerun_leaves_every_file_as_it_stands(tmp_path: Path) -> None:
    scenario = Scenario.everyday(days=2, events_per_day=500, manifest=True)
    first = simulate(scenario, tmp_path)
    paths = [path for path in (tmp_path / "events").rglob("*") if path.is_file()]
    paths.append(tmp_path / "content" / "items.ndjson")
    for path in paths:
        os.utime(path, ns=(1, 1))
    # Their times differ from what was remembered: everything is made again and compared.
    again = simulate(scenario, tmp_path)
    # And now everything is as it was remembered.
    quick = simulate(scenario, tmp_path)
    assert first.written == len(paths)
    assert again.written == quick.written == 0
    assert first.files == again.files == quick.files
    assert [path.stat().st_mtime_ns for path in paths] == [1] * len(paths)


def test_a_missing_file_is_written_again_and_no_other(tmp_path: Path) -> None:
    scenario = Scenario(days=2, events_per_day=500, files_per_dump=2)
    simulate(scenario, tmp_path)
    before = contents(tmp_path)
    event_files(tmp_path)[1].unlink()
    assert simulate(scenario, tmp_path).written == 1
    assert contents(tmp_path) == before


def test_more_days_leave_the_earlier_dumps_as_they_were(tmp_path: Path) -> None:
    short = Scenario.everyday(days=2, events_per_day=800)
    long = Scenario.everyday(days=3, events_per_day=800)
    simulate(short, tmp_path)
    before = contents(tmp_path)
    assert simulate(long, tmp_path).written == 1
    assert before.items() < contents(tmp_path).items()


def test_a_day_on_which_nothing_happens_has_no_dump(tmp_path: Path) -> None:
    for written in (1, 0):  # the catalogue, once
        summary = simulate(Scenario(days=1, events_per_day=1), tmp_path)
        assert (summary.files, summary.written) == ((), written)
        assert not (tmp_path / "events").exists()


def test_what_another_scenario_wrote_stays_unless_it_is_to_be_replaced(tmp_path: Path) -> None:
    simulate(Scenario(days=2, events_per_day=300, manifest=True), tmp_path)
    before = contents(tmp_path)
    other = Scenario(days=3, events_per_day=300, form="csv")
    with pytest.raises(OverwriteError, match=r"dt=2026-03-01: holds files .* \(--replace\)"):
        simulate(other, tmp_path)
    assert contents(tmp_path) == before
    simulate(other, tmp_path, replace=True)
    assert {path.name for path in event_files(tmp_path)} == {"report-000.csv.gz"}
    assert not list((tmp_path / "events").glob("*/_manifest.json"))


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize(
    "name", ["events/dt=2026-03-02/mine.ndjson", "content/items.ndjson", "marker lost", "changed"]
)
def test_what_no_simulator_wrote_stays_whatever_is_asked_for(
    tmp_path: Path, name: str, replace: bool
) -> None:
    scenario = Scenario(days=2, events_per_day=300)
    if name in ("marker lost", "changed"):
        simulate(scenario, tmp_path)
        event_files(tmp_path)[1].write_bytes(b"{}\n")
    else:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("{}\n")
    if name == "marker lost":
        (tmp_path / MARKER).unlink()
    before = contents(tmp_path)
    with pytest.raises(OverwriteError, match="and that stay; nothing was written: move it away"):
        simulate(scenario, tmp_path, replace=replace)
    assert contents(tmp_path) == before
    assert not list(tmp_path.glob(".simulation-*"))


def test_without_its_marker_a_landing_is_known_by_its_bytes(tmp_path: Path) -> None:
    scenario = Scenario.everyday(days=2, events_per_day=300, manifest=True)
    simulate(scenario, tmp_path)
    (tmp_path / MARKER).unlink()
    before = contents(tmp_path)
    assert simulate(scenario, tmp_path).written == 0
    assert contents(tmp_path) == before


def test_a_dump_is_corrected_in_place_and_can_be_what_it_was(tmp_path: Path) -> None:
    scenario = Scenario.everyday(start=MONDAY, days=2, events_per_day=600)
    simulate(scenario, tmp_path)
    before = contents(tmp_path)
    simulate(dataclasses.replace(scenario, redelivered=(MONDAY,)), tmp_path)
    assert {name for name in before if contents(tmp_path)[name] != before[name]} == {
        f"events/dt={MONDAY}/part-000.ndjson.gz"
    }
    simulate(scenario, tmp_path)
    assert contents(tmp_path) == before


def test_other_days_of_the_same_company_have_room_beside_the_first(tmp_path: Path) -> None:
    simulate(Scenario(days=1, events_per_day=300), tmp_path)
    before = contents(tmp_path)
    simulate(Scenario(start=date(2026, 4, 1), days=1, events_per_day=300), tmp_path)
    assert before.items() < contents(tmp_path).items()


def test_files_of_a_run_that_broke_off_are_written_again_or_replaced(tmp_path: Path) -> None:
    def break_off(message: str) -> None:
        raise KeyboardInterrupt(message)

    scenario = Scenario(days=2, events_per_day=300)
    with pytest.raises(KeyboardInterrupt, match="dt=2026-03-01"):
        simulate(scenario, tmp_path, progress=break_off)
    assert [path.name for path in event_files(tmp_path)] == ["part-000.ndjson.gz"]
    assert simulate(scenario, tmp_path).written == 2
    with pytest.raises(KeyboardInterrupt, match="dt=2026-03-01"):
        simulate(Scenario(days=1, events_per_day=400), tmp_path, progress=break_off, replace=True)
    simulate(Scenario(days=2, events_per_day=300, form="csv"), tmp_path, replace=True)
    assert {path.name for path in event_files(tmp_path)} == {"report-000.csv.gz"}
    assert not list(tmp_path.glob(".simulation-*"))


def test_nothing_but_the_marker_is_left_beside_the_landing(
    clean: tuple[Path, SimulationSummary],
) -> None:
    assert {path.name for path in clean[0].iterdir()} == {"events", "content", ".simulation.json"}


def test_a_corrected_dump_changes_alone_and_has_its_faults_repaired(
    spoilt: tuple[Path, SimulationSummary], tmp_path: Path
) -> None:
    landing, summary = spoilt
    corrected = Scenario(**{**vars(SPOILT), "redelivered": (MONDAY + timedelta(days=1),)})
    again = simulate(corrected, tmp_path)
    before, after = contents(landing), contents(tmp_path)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"events/dt=2026-03-03/part-000.ndjson.gz"}
    assert sum(summary.files[1].quarantined.values()) > 0
    assert sum(again.files[1].quarantined.values()) == 0
    path = "events/dt=2026-03-03/part-000.ndjson.gz"
    one, other = set(lines_of(landing / path)), set(lines_of(tmp_path / path))
    assert one - other
    assert other - one
    assert len(one & other) > len(one) / 2


# --- what is in it --------------------------------------------------------------------------------


def test_every_defined_pair_happens(clean_events: list[Event]) -> None:
    definitions = read_definitions(DEFAULT_SEEDS)
    raw = {name: event.pair for event in definitions.events.values() for name in event.raw_names}
    happened = {raw[event["type"], event["event"]] for event in clean_events}
    assert happened == set(definitions.events)
    assert len(happened) >= 48


def test_the_volume_is_about_what_was_asked_for(clean: tuple[Path, SimulationSummary]) -> None:
    per_day = Counter[date]()
    for file in clean[1].files:
        per_day[file.dump_date] += file.accepted
    assert all(abs(count - 7000) < 1000 for count in per_day.values())


def test_a_clean_scenario_violates_nothing(
    clean: tuple[Path, SimulationSummary], clean_events: list[Event]
) -> None:
    items = items_of(clean[0])
    found = violations(clean_events, items) | catalogue_violations(items)
    assert found.keys() == PLANTABLE - {"quarantine_rate"}
    assert {name: count for name, count in found.items() if count} == {}


def test_no_dump_lacks_the_beginning_of_what_it_holds_the_end_of(
    clean: tuple[Path, SimulationSummary],
) -> None:
    first_dumps = event_files(clean[0])[:2]
    events = [event for path in first_dumps for event in player_events(path)]
    found = violations(events, items_of(clean[0]))
    assert {name: count for name, count in found.items() if count} == {}


def test_every_rule_is_broken_as_often_as_asked(tmp_path: Path) -> None:
    plant = {name: 2 for name in PLANTABLE if name != "quarantine_rate"}
    simulate(Scenario(start=MONDAY, days=3, events_per_day=600, plant=plant), tmp_path)
    items = items_of(tmp_path)
    found = violations(all_events(tmp_path), items) | catalogue_violations(items)
    assert found == plant


def test_a_planted_quarantine_rate_is_above_one_percent_in_that_many_dumps(tmp_path: Path) -> None:
    plant = {"quarantine_rate": 2}
    summary = simulate(Scenario(start=MONDAY, days=3, events_per_day=600, plant=plant), tmp_path)
    rates = [sum(file.quarantined.values()) / file.lines for file in summary.files]
    assert [rate > 0.01 for rate in rates] == [True, True, False]


def test_an_invariant_that_nobody_can_break_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="reports_add_up"):
        simulate(Scenario(plant={"reports_add_up": 1}), tmp_path)


def test_everything_legal_but_odd_happens(
    clean: tuple[Path, SimulationSummary], clean_events: list[Event]
) -> None:
    sessions = sessions_of(clean_events)
    flows = {
        (item["system_id"], item["item_id"]): [step["step_id"] for step in item["steps"]]
        for item in items_of(clean[0])
        if item["item_type"] == "Smart Walk-Thru"
    }
    first_steps: dict[str, int] = {}
    for event in sorted(clean_events, key=lambda event: event["at"]):
        if event["type"] == "bizFlowStep":
            position = flows[event["system"], event["parent"]].index(event["item"])
            first_steps.setdefault(event["play"], position)
    assert 3 in first_steps.values()

    def happens(item_type: str, verb: str, *initiators: int) -> bool:
        return any(
            event["type"] == item_type
            and event["event"] == verb
            and (not initiators or event["initiator"] in initiators)
            for event in clean_events
        )

    assert happens("player", "open", 2)
    assert happens("resource", "play", 3, 10, 12, 14)
    assert happens("shuttle", "play", 3, 4, 10, 12)
    assert happens("survey", "play", 10, 14)
    assert happens("bizFlow", "play", 17)
    assert happens("bizFlow", "play", 5)

    def verbs(session: list[Event], item_type: str) -> Counter[tuple[str, str]]:
        return Counter((e["item"], e["event"]) for e in session if e["type"] == item_type)

    def lonely(session: list[Event], item_type: str, verb: str, other: str) -> bool:
        seen = verbs(session, item_type)
        return any(event == verb and (item, other) not in seen for item, event in seen)

    assert any(lonely(session, "task", "complete", "play") for session in sessions)
    assert any(lonely(session, "smartTip", "visible", "click") for session in sessions)
    assert any(
        count > 1
        for session in sessions
        for (_, event), count in verbs(session, "launcher").items()
        if event == "click"
    )
    assert any(lonely(session, "actionBot", "chatOpened", "chatClosed") for session in sessions)
    assert any(len({event["user"] for event in session}) == 2 for session in sessions)


def test_teachme_appears_on_the_next_day_but_never_within_24_hours(
    clean_events: list[Event],
) -> None:
    appearances = defaultdict(list)
    for event in clean_events:
        if (event["type"], event["event"]) == ("teachMe", "visible"):
            appearances[event["system"], event["user"]].append(event["at"])
    pauses = [
        later - earlier
        for times in map(sorted, appearances.values())
        for earlier, later in pairwise(times)
    ]
    assert min(pauses) >= 24 * HOUR
    assert min(pauses) < 48 * HOUR


def test_automations_run_beside_visual_flows(
    clean: tuple[Path, SimulationSummary], clean_events: list[Event]
) -> None:
    automations = {
        (item["system_id"], item["item_id"])
        for item in items_of(clean[0])
        if item["run_as_automation_process"]
    }

    def runs_beside(session: list[Event]) -> bool:
        kinds = [
            (event["system"], event["parent"]) in automations
            for event in session
            if event["type"] == "bizFlowStep"
        ]
        text = "".join("a" if is_automation else "v" for is_automation in kinds)
        return "vav" in text or "ava" in text

    assert any(map(runs_beside, sessions_of(clean_events)))


def test_some_sessions_go_on_in_the_next_dump_and_some_arrive_late(
    clean: tuple[Path, SimulationSummary],
) -> None:
    dumps: dict[str, set[date]] = defaultdict(set)
    late = on_time = early = 0
    for path in event_files(clean[0]):
        for event in player_events(path):
            dumps[event["session"]].add(dump_of(path))
            happened = date.fromordinal(719163 + event["at"] // (24 * HOUR))
            late += happened < dump_of(path)
            on_time += happened == dump_of(path)
            early += happened > dump_of(path)
    assert any(len(days) > 1 for days in dumps.values())
    assert early == 0
    assert 0.005 < late / on_time < 0.04


def test_the_catalogue_knows_every_item_and_some_that_nobody_uses(
    clean: tuple[Path, SimulationSummary], clean_events: list[Event]
) -> None:
    items = {(item["system_id"], item["item_id"]): item for item in items_of(clean[0])}
    steps = {
        (system, step["step_id"]) for (system, _), item in items.items() for step in item["steps"]
    }
    used = {(event["system"], event["item"]) for event in clean_events if event["item"]}
    lessons = {(e["system"], e["item"]) for e in clean_events if e["event"] == "teachMeStepStarted"}
    assert used - steps - lessons <= items.keys()
    unused = [items[key] for key in items.keys() - used if items[key]["steps"]]
    assert {item["publish_status"] for item in unused} >= {"published", "draft"}
    assert clean[1].items == len(items)


# --- definitions decide ---------------------------------------------------------------------------


def test_a_pair_added_to_the_seeds_is_simulated(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    shutil.copytree(DEFAULT_SEEDS, seeds)
    with (seeds / "event_definitions.csv").open("a") as file:
        file.write("49,Launcher,Long Press,interaction,,,follows,Launcher: Play,Pressed.\n")
        file.write("50,Beacon,Pulse,exposure,,session,,,Pulsed.\n")
    with (seeds / "raw_names.csv").open("a") as file:
        file.write("Launcher,Long Press,launcher,longPress,assumed\n")
    landing = tmp_path / "landing"
    simulate(Scenario(start=MONDAY, days=2, events_per_day=3000), landing, seeds=seeds)
    pulses = presses = 0
    for session in sessions_of(all_events(landing)):
        beacons = [event["item"] for event in session if event["type"] == "Beacon"]
        assert len(beacons) == len(set(beacons))
        pulses += len(beacons)
        for event in session:
            if event["event"] == "longPress":
                presses += 1
                assert any(
                    one["event"] == "play"
                    and one["item"] == event["item"]
                    and one["at"] <= event["at"]
                    for one in session
                )
    assert pulses > 0
    assert presses > 0


def test_a_pair_taken_out_of_the_seeds_no_longer_happens(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    shutil.copytree(DEFAULT_SEEDS, seeds)
    path = seeds / "event_definitions.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if ",Live Chat,Click," not in line))
    landing = tmp_path / "landing"
    simulate(Scenario(start=MONDAY, days=1, events_per_day=3000), landing, seeds=seeds)
    types = {event["type"] for event in all_events(landing)}
    assert "openTicket" in types
    assert "liveChat" not in types


# --- the summary is exact ----------------------------------------------------------------------


def outcome_of(line: str, dump_date: date, definitions: Definitions) -> str:
    """What must become of a player line, by a plain reading of the contract; duplicates aside."""
    try:
        line.encode()
        record = json.loads(line)
    except (UnicodeEncodeError, json.JSONDecodeError):
        return "malformed"
    if not isinstance(record, dict):
        return "malformed"
    if record.get("_static"):
        return "control"
    if record.get("type") in definitions.ignored:
        return "ignored"
    required = {
        "occurred_at": record.get("time"),
        "session_id": record.get("sId"),
        "end_user_id": record["wm"].get("euId"),
        "item_type": record["data"].get("type"),
        "event": record.get("type"),
    }
    for column, value in required.items():
        if value in (None, ""):
            return f"missing_{column}"
    if not isinstance(record["time"], int):
        return "bad_timestamp"
    day = record["time"] // (24 * HOUR) + 719163 - dump_date.toordinal()
    if day > 1:
        return "future_timestamp"
    if day < -400:
        return "too_old"
    pair = (record["data"]["type"], record["type"])
    if not any(pair in event.raw_names for event in definitions.events.values()):
        return "undefined_event"
    return "event"


def test_the_summary_is_what_a_plain_reading_finds(spoilt: tuple[Path, SimulationSummary]) -> None:
    landing, summary = spoilt
    definitions = read_definitions(DEFAULT_SEEDS)
    seen: set[str] = set()
    for path, file in zip(event_files(landing), summary.files, strict=True):
        counts = Counter[str]()
        for line in lines_of(path):
            outcome = outcome_of(line, file.dump_date, definitions)
            if outcome == "event":
                outcome = "duplicate" if line in seen else "accepted"
                seen.add(line)
            counts[outcome] += 1
        expected = {
            "control": file.control,
            "ignored": file.ignored,
            "duplicate": file.duplicate,
            "accepted": file.accepted,
            **file.quarantined,
        }
        assert counts == {name: count for name, count in expected.items() if count}
        assert file.lines == sum(counts.values())
    reasons = {"malformed", "bad_timestamp", "future_timestamp", "too_old", "undefined_event"}
    assert reasons < summary.quarantined.keys()
    assert any(reason.startswith("missing_") for reason in summary.quarantined)


def test_an_everyday_scenario_stays_below_the_quarantine_tolerance(tmp_path: Path) -> None:
    scenario = Scenario.everyday(start=MONDAY, days=2, events_per_day=4000)
    for file in simulate(scenario, tmp_path).files:
        assert 0 < sum(file.quarantined.values()) < 0.01 * file.lines


# --- forms ----------------------------------------------------------------------------------------


def mixed_files(landing: Path) -> Iterator[tuple[Path, str]]:
    for path in event_files(landing):
        yield path, path.name.partition("-")[0]


def test_mixed_dumps_hold_every_form_and_each_says_the_same(tmp_path: Path) -> None:
    summaries = {}
    forms: tuple[Form, ...] = ("mixed", "player")
    for form in forms:
        scenario = Scenario(
            start=MONDAY,
            days=8,
            events_per_day=700,
            form=form,
            files_per_dump=2,
            manifest=True,
        )
        summaries[form] = simulate(scenario, tmp_path / form)
    mixed = tmp_path / "mixed"
    assert summaries["mixed"].accepted == summaries["player"].accepted
    definitions = read_definitions(DEFAULT_SEEDS)
    stems = set()
    for path, stem in mixed_files(mixed):
        stems.add(stem)
        if stem == "webhook":
            records = [json.loads(line) for line in lines_of(path)]
            is_hooked = path.parent.name.startswith("event=")
            assert all(is_hooked != ("type" in record) for record in records)
        elif stem in ("report", "export", "rows"):
            for row in tabular_rows(path):
                assert (row["item_type"], row["event"]) in definitions.events
                at = row["occurred_at"]
                at = at if isinstance(at, int) else epoch_ms(at)
                assert at // (24 * HOUR) + 719163 == dump_of(path).toordinal()
    assert stems == {"part", "webhook", "report", "export", "rows"}
    assert {path.suffix for path in event_files(mixed)} >= {".gz", ".zst", ".csv", ".parquet"}


def test_a_manifest_lists_every_file_with_its_hash_and_lines(tmp_path: Path) -> None:
    scenario = Scenario.everyday(days=1, events_per_day=900, form="flat", manifest=True)
    summary = simulate(scenario, tmp_path)
    folder = tmp_path / "events" / "dt=2026-03-01"
    listed = json.loads((folder / "_manifest.json").read_text())["files"]
    assert {entry["name"]: entry["rows"] for entry in listed} == {
        file.name: file.lines for file in summary.files
    }
    for entry in listed:
        digest = hashlib.sha256((folder / entry["name"]).read_bytes()).hexdigest()
        assert entry["sha256"] == digest
        assert len(text_of(folder / entry["name"]).splitlines()) == entry["rows"]


@pytest.mark.parametrize(
    "knobs", [{"late": 1.5}, {"days": 0}, {"redelivered": (date(2020, 1, 1),)}]
)
def test_a_scenario_that_makes_no_sense_is_refused(knobs: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(knobs))):
        Scenario(**knobs)  # type: ignore[arg-type]  # wrong on purpose
