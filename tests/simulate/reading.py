"""A plain reading of a simulated landing, and the event rules written down once more, literally.

Slow, obvious, and independent of the simulator and of the warehouse.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import zstandard

Event = dict[str, Any]
SECOND = 1000
HOUR = 3600 * SECOND


def text_of(path: Path) -> str:
    """The text of a file, however it is compressed."""
    raw = path.read_bytes()
    if path.suffix == ".gz":
        raw = gzip.decompress(raw)
    elif path.suffix == ".zst":
        with zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True) as stream:
            raw = stream.read()
    return raw.decode(errors="surrogateescape")


def event_files(landing: Path) -> list[Path]:
    """All event files, in order of dump and path."""
    paths = (path for path in (landing / "events").rglob("*") if path.is_file())
    return sorted(path for path in paths if path.name != "_manifest.json")


def lines_of(path: Path) -> list[str]:
    """The lines of a text file as the ledger counts them."""
    text = text_of(path)
    if ".csv" in path.name:
        return ["\x1f".join(row) for row in csv.reader(io.StringIO(text))][1:]
    return [line for line in text.split("\n") if line]


def player_events(path: Path) -> Iterator[Event]:
    """The item events of a player file in the words of the warehouse; raw names stay raw."""
    for line in lines_of(path):
        record = json.loads(line)
        if "_static" in record or "data" not in record:
            continue
        data, wm = record["data"], record["wm"]
        initiator = data.get("pInit") or {}
        yield {
            "at": record["time"],
            "system": wm["uId"],
            "environment": wm.get("env"),
            "session": record["sId"],
            "user": wm["euId"],
            "type": data["type"],
            "event": record["type"],
            "item": str(data.get("oId", "")),
            "parent": str(data.get("owId", "")),
            "play": data.get("pId"),
            "initiator": initiator.get("type"),
            "value": data.get("value"),
            "guid": wm["interactionGuid"],
        }


def tabular_rows(path: Path) -> list[Event]:
    """The rows of a CSV, Parquet or keyed JSON file."""
    if path.suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    if ".csv" in path.name:
        return list(csv.DictReader(io.StringIO(text_of(path))))
    return [json.loads(line) for line in lines_of(path)]


def epoch_ms(text: str) -> int:
    """The time of an ISO 8601 text."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def sessions_of(events: list[Event]) -> list[list[Event]]:
    """Events by session, each in order of time; equal times keep the order of the files."""
    sessions: dict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in events:
        sessions[event["system"], event["session"]].append(event)
    return [sorted(session, key=lambda event: event["at"]) for session in sessions.values()]


def _is(event: Event, item_type: str, *verbs: str) -> bool:
    return event["type"] == item_type and event["event"] in verbs


def _played_twice(item_type: str) -> Callable[[list[Event]], int]:
    def violations(session: list[Event]) -> int:
        plays = [event["item"] for event in session if _is(event, item_type, "play")]
        return len(plays) - len(set(plays))

    return violations


def _unpreceded(
    is_later: Callable[[Event], bool], is_earlier: Callable[[Event, Event], bool]
) -> Callable[[list[Event]], int]:
    def violations(session: list[Event]) -> int:
        return sum(
            not any(one["at"] <= event["at"] and is_earlier(one, event) for one in session)
            for event in session
            if is_later(event)
        )

    return violations


def _hovers_missing(session: list[Event]) -> int:
    hovered = {event["item"] for event in session if _is(event, "smartTip", "visible")}
    return sum(
        _is(event, "smartTip", "click") and event["item"] not in hovered for event in session
    )


def _ambiguous_attempts(session: list[Event]) -> int:
    outcomes: dict[str, set[str]] = {}
    count = 0
    for event in session:
        if _is(event, "quiz", "play", "submitted"):
            outcomes[event["item"]] = set()
        elif _is(event, "quiz", "passed", "failed"):
            seen = outcomes.setdefault(event["item"], set())
            seen.add(event["event"])
            count += len(seen) == 2
    return count


def _failed_plays_that_played(session: list[Event]) -> int:
    failed = {event["play"] for event in session if event["event"] == "playFailed"} - {None}
    return len({e["play"] for e in session if e["type"] in ("bizFlowStep", "step")} & failed)


def _steps_without_flow(session: list[Event]) -> int:
    flows = {(e["item"], e["play"]) for e in session if e["type"] in ("bizFlow", "wt")}
    steps = [e for e in session if e["type"] in ("bizFlowStep", "step")]
    return sum((step["parent"], step["play"]) not in flows for step in steps)


def _hasty_searches(session: list[Event]) -> int:
    times = [event["at"] for event in session if _is(event, "widgetSearch", "search")]
    return sum(later - earlier < 2 * SECOND for earlier, later in pairwise(times))


def _outside_chats(session: list[Event]) -> int:
    is_open, count = False, 0
    for event in session:
        if event["event"] in ("chatOpened", "chatClosed"):
            is_open = event["event"] == "chatOpened"
        elif event["type"].startswith("actionBot"):
            count += not is_open
    return count


def _beyond_limits(session: list[Event]) -> int:
    times = [event["at"] for event in session]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return int(max(gaps, default=0) > HOUR // 2 or times[-1] - times[0] > 12 * HOUR)


def _plays_from_the_future(session: list[Event]) -> int:
    return sum(event["at"] < int(event["play"].split("-")[0]) for event in session if event["play"])


def _survives_launcher(session: list[Event]) -> int:
    plays: dict[str, list[int]] = defaultdict(list)
    for event in session:
        if event["play"] and event["type"] in ("bizFlow", "bizFlowStep", "wt", "step"):
            plays[event["play"]].append(event["at"])
    starts = [
        event["at"]
        for event in session
        if _is(event, "bizFlow", "play") and event["initiator"] == 3
    ]
    return sum(any(min(times) < start < max(times) for start in starts) for times in plays.values())


def _wrongly_started(automations: set[tuple[str, str]], session: list[Event]) -> int:
    return len(
        {
            event["play"]
            for event in session
            if (event["system"], event["item"]) in automations
            and event["initiator"] not in (None, 0, 6)
        }
    )


def _overlapping_flows(automations: set[tuple[str, str]], session: list[Event]) -> int:
    spans: dict[str, list[int]] = defaultdict(list)
    for event in session:
        flow = event["item"] if event["type"] == "bizFlow" else event["parent"]
        is_flow = event["type"] in ("bizFlow", "bizFlowStep")
        if is_flow and (event["system"], flow) not in automations:
            spans[event["play"]].append(event["at"])
    ordered = sorted((min(times), max(times)) for times in spans.values())
    return sum(later[0] <= earlier[1] for earlier, later in pairwise(ordered))


RULES: dict[str, Callable[[list[Event]], int]] = {
    "launcher_play_once_per_session": _played_twice("launcher"),
    "smarttip_play_once_per_session": _played_twice("smartTip"),
    "smarttip_click_comes_with_visible": _hovers_missing,
    "quiz_outcome_follows_submission": _unpreceded(
        lambda event: _is(event, "quiz", "passed", "failed"),
        lambda one, event: _is(one, "quiz", "submitted") and one["item"] == event["item"],
    ),
    "quiz_outcome_is_unambiguous": _ambiguous_attempts,
    "play_failed_did_not_play": _failed_plays_that_played,
    "step_belongs_to_a_flow": _steps_without_flow,
    "survey_submitted_was_viewed": _unpreceded(
        lambda event: _is(event, "survey", "submitted", "close"),
        lambda one, event: _is(one, "survey", "play") and one["item"] == event["item"],
    ),
    "shoutout_action_was_shown": _unpreceded(
        lambda event: (
            event["type"] in ("shoutout", "action", "uiAction")
            and event["event"] in ("click", "close")
        ),
        lambda one, event: (
            _is(one, "shoutout", "play") and one["item"] in (event["item"], event["parent"])
        ),
    ),
    "launcher_click_was_drawn": _unpreceded(
        lambda event: _is(event, "launcher", "click"),
        lambda one, event: _is(one, "launcher", "play") and one["item"] == event["item"],
    ),
    "search_is_debounced": _hasty_searches,
    "actionbot_chat_is_open": _outside_chats,
    "conversation_ended_was_started": _unpreceded(
        lambda event: event["event"] == "conversationEnded",
        lambda one, event: one["event"] == "conversationStarted" and one["item"] == event["item"],
    ),
    "session_within_limits": _beyond_limits,
    "play_id_is_not_from_the_future": _plays_from_the_future,
    "launcher_stops_running_flows": _survives_launcher,
}


def violations(events: list[Event], items: list[Event]) -> dict[str, int]:
    """Violations of every event rule, by invariant."""
    automations = {
        (item["system_id"], item["item_id"]) for item in items if item["run_as_automation_process"]
    }
    sessions = sessions_of(events)
    counts = {name: sum(map(rule, sessions)) for name, rule in RULES.items()}
    counts["environment_is_known"] = sum(
        event["environment"] not in (None, 0, 1, 2, 3) for event in events
    )
    counts["automation_started_by_autoplay"] = sum(
        _wrongly_started(automations, session) for session in sessions
    )
    counts["one_visual_flow_at_a_time"] = sum(
        _overlapping_flows(automations, session) for session in sessions
    )
    appearances: dict[tuple[str, str], list[int]] = defaultdict(list)
    for event in events:
        if _is(event, "teachMe", "visible"):
            appearances[event["system"], event["user"]].append(event["at"])
    counts["teachme_visible_once_per_24h"] = sum(
        later - earlier < 24 * HOUR
        for times in map(sorted, appearances.values())
        for earlier, later in pairwise(times)
    )
    return counts


def catalogue_violations(items: list[Event]) -> dict[str, int]:
    """Violations of every catalogue rule over published items, by invariant."""
    flows = {
        (item["system_id"], item["item_id"]): item
        for item in items
        if item["item_type"] == "Smart Walk-Thru" and item["publish_status"] == "published"
    }

    def has_ui_step(flow: Event) -> bool:
        return any(step["kind"] == "ui" for step in flow["steps"])

    def reaches_visual(flow: Event, seen: frozenset[str]) -> bool:
        for item_id in flow["connects_to"]:
            other = flows.get((flow["system_id"], item_id))
            if other is None or item_id in seen:
                continue
            if has_ui_step(other) or reaches_visual(other, seen | {item_id}):
                return True
        return False

    automations = [flow for flow in flows.values() if flow["run_as_automation_process"]]
    visual = [flow for flow in flows.values() if not flow["run_as_automation_process"]]
    return {
        "automation_has_only_flow_steps": sum(map(has_ui_step, automations)),
        "automation_has_autoplay_rule": sum(not flow["has_autoplay_rule"] for flow in automations),
        "automation_connects_to_no_visual_flow": sum(
            reaches_visual(flow, frozenset()) for flow in automations
        ),
        "automation_passes_no_ownership": sum(
            any(step["step_type"] == "PassOwnership" for step in flow["steps"])
            for flow in automations
        ),
        "visual_flow_has_a_ui_step": sum(not has_ui_step(flow) for flow in visual),
    }
