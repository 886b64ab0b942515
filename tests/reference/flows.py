"""Flows: plays of Smart Walk-Thrus and Walk-Thrus, their steps, and when they ran.

Rules from data-dictionary.md. `play` in a row is what tells the play from others; it is no column.
"""

import datetime as dt
from collections import defaultdict
from typing import Any

from tests.reference.catalogue import Flow, Flows, Step
from tests.reference.events import Row
from tests.reference.rows import (
    SESSION,
    between,
    grouped,
    happened,
    known_as,
    latest,
    named,
)

FLOW_OF_STEP = {"Smart Walk-Thru Step": "Smart Walk-Thru", "Walk-Thru Step": "Walk-Thru"}
FLOWS = frozenset(FLOW_OF_STEP.values())
FLOW_PLAYS = frozenset(f"{flow}: Play" for flow in FLOWS)


def flow_events(events: list[Row]) -> list[Row]:
    """The events of flows and their steps, each in exactly one play, in order.

    Adds `is_step`, `flow_item_type`, `flow_item_id`, `flow_item_name`, `step`, `run` and `play`.
    """
    own = []
    for event in events:
        if event["item_type"] in FLOWS or event["item_type"] in FLOW_OF_STEP:
            is_step = event["item_type"] in FLOW_OF_STEP
            prefix = "parent_item_" if is_step else "item_"
            flow_id, name = event[f"{prefix}id"], event[f"{prefix}name"]
            own.append(
                event
                | {
                    "is_step": is_step,
                    "flow_item_type": FLOW_OF_STEP.get(event["item_type"], event["item_type"]),
                    "flow_item_id": flow_id,
                    "flow_item_name": name,
                    "flow": known_as(flow_id, name),
                    "step": (event["item_type"], *known_as(event["item_id"], event["item_name"])),
                    "run": None,
                }
            )
    without_id = [event for event in own if event["play_id"] is None]
    for _, group in grouped(without_id, *SESSION, "flow_item_type", "flow"):
        _number_runs(group)
    for event in own:
        event["play"] = _play(event)
    return sorted(own, key=happened)


def flow_plays(own: list[Row], flows: Flows) -> list[Row]:
    """One row per play, of the rows of `flow_events`; also across midnight and sessions."""
    launchers: dict[tuple[str, ...], list[dt.datetime]] = defaultdict(list)
    for event in own:
        if is_launcher_start(event):
            launchers[_session(event)].append(event["occurred_at"])
    rows = []
    for key, group in grouped(own, "play"):
        first, last = group[0], group[-1]
        flow_event = _flow_event(group)
        flow = flows.get(_flow_key(flow_event))
        start = next((event for event in group if event["initiator"] is not None), first)
        steps = _steps(group)
        last_step = max(steps, key=lambda each: happened(each[-1]), default=None)
        terminal = [
            each[0]["occurred_at"]
            for each in steps
            if (step := _listed(each, flow_event, flows)) and step.is_terminal
        ]
        stops = [at for at in launchers[_session(last)] if at > last["occurred_at"]]
        failed = sum(event["event"] == "Play Failed" for event in group)
        if failed:
            result = "failed"
        elif terminal:
            result = "completed"
        elif stops:
            result = "stopped_by_launcher"
        else:
            result = "left"
        rows.append(
            key
            | {
                "play_id": first["play_id"],
                "run": first["run"],
                "system_id": first["system_id"],
                "environment": first["environment"],
                "session_id": first["session_id"],
                "end_user_id": last["end_user_id"],
                "sessions": len({event["session_id"] for event in group}),
                "item_type": flow_event["flow_item_type"],
                "item_id": flow_event["flow_item_id"],
                "item_name": flow_event["flow"][1] or latest(group, "flow_item_name"),
                "flow_kind": _kind(flow),
                "has_known_end": flow is not None and flow.has_known_end,
                "initiator": start["initiator"],
                "initiator_item_id": start["initiator_item_id"] if start["initiator"] else None,
                "is_user_initiated": start["is_user_initiated"],
                "event_date": first["occurred_at"].date(),
                "started_at": first["occurred_at"],
                "last_event_at": last["occurred_at"],
                "duration_seconds": between(first["occurred_at"], last["occurred_at"]),
                "steps_played": len(steps),
                "first_step_id": steps[0][0]["item_id"] if steps else None,
                "first_step_name": latest(steps[0], "item_name") if steps else None,
                "last_step_id": last_step[0]["item_id"] if last_step else None,
                "last_step_name": latest(last_step, "item_name") if last_step else None,
                "result": result,
                "completed_at": min(terminal, default=None),
                "stopped_at": min(stops) if result == "stopped_by_launcher" else None,
                "play_events": sum(is_flow_play(event) for event in group),
                "play_failed_events": failed,
                "step_plays": sum(event["is_step"] for event in group),
                "events": len(group),
            }
        )
    return rows


def flow_steps(own: list[Row], plays: list[Row], flows: Flows) -> list[Row]:
    """One row per play and step, at the step's first Play in it."""
    plays_by_key = {row["play"]: row for row in plays}
    rows = []
    for key, group in grouped(own, "play"):
        play = plays_by_key[key["play"]]
        steps = _steps(group)
        starts = [each[0]["occurred_at"] for each in steps]
        for position, each in enumerate(steps):
            first = each[0]
            listed = _listed(each, _flow_event(group), flows)
            next_at = starts[position + 1] if position + 1 < len(steps) else None
            rows.append(
                {column: first[column] for column in (*SESSION, "end_user_id", "item_type")}
                | {
                    "play": key["play"],
                    "happened": happened(first),
                    "play_id": play["play_id"],
                    "item_id": first["item_id"],
                    "item_name": latest(each, "item_name"),
                    "step": first["step"],
                    "step_position": listed and listed.position,
                    "step_kind": listed and listed.kind,
                    "step_type": listed and listed.step_type,
                    "is_terminal_step": listed and listed.is_terminal,
                    "flow_item_type": play["item_type"],
                    "flow_item_id": play["item_id"],
                    "flow_item_name": play["item_name"],
                    "flow_kind": play["flow_kind"],
                    "event_date": starts[position].date(),
                    "started_at": starts[position],
                    "last_event_at": each[-1]["occurred_at"],
                    "next_step_at": next_at,
                    "position_in_play": position + 1,
                    "seconds_since_start": between(play["started_at"], starts[position]),
                    "seconds_to_next_step": between(starts[position], next_at),
                    "events": len(each),
                }
            )
    for _, of_session in grouped(rows, *SESSION, by="happened"):
        for position, row in enumerate(of_session, start=1):
            row["position_in_session"] = position
    return rows


def running(own: list[Row], plays: list[Row]) -> list[Row]:
    """One row per play and session in which it ran: its first and last event there.

    A Play Failed is no running, so a play that only failed has no row.
    """
    plays_by_key = {row["play"]: row for row in plays}
    rows = []
    for key, group in grouped(
        (event for event in own if event["event"] != "Play Failed"), *SESSION, "play"
    ):
        play = plays_by_key[key["play"]]
        rows.append(
            key
            | {column: play[column] for column in ("item_type", "item_id", "item_name")}
            | {
                "flow_kind": play["flow_kind"],
                "happened": happened(group[0]),
                "started_at": group[0]["occurred_at"],
                "last_event_at": group[-1]["occurred_at"],
            }
        )
    return rows


def is_flow_play(event: Row) -> bool:
    """Whether it is the Play of a flow itself."""
    return named(event, FLOW_PLAYS)


def is_launcher_start(event: Row) -> bool:
    """Whether a launcher started a Smart Walk-Thru, which stops every flow that runs."""
    return named(event, ["Smart Walk-Thru: Play"]) and event["initiator"] == "launcher"


def _number_runs(group: list[Row]) -> None:
    """Runs of a flow in a session, from 1; 0 is what no Play came before.

    One begins at each Play, and goes on to the next. A Play Failed right after a Play belongs to
    it; any other is a start that was refused: a run of its own, after which the one before goes on.
    """
    begun = current = 0
    before: Row | None = None
    for event in group:
        if is_flow_play(event):
            begun += 1
            current = begun
            event["run"] = current
        elif event["event"] == "Play Failed" and not (before and is_flow_play(before)):
            begun += 1
            event["run"] = begun
        else:
            event["run"] = current
        before = event


def _play(event: Row) -> tuple[Any, ...]:
    if event["play_id"] is not None:
        return event["system_id"], event["environment"], event["play_id"]
    return (*_session(event), event["flow_item_type"], event["flow"], event["run"])


def _session(event: Row) -> tuple[str, ...]:
    return tuple(event[column] for column in SESSION)


def _flow_event(group: list[Row]) -> Row:
    """The event that says which flow it is: one with an id, or else a name, and not a step."""

    def says_less(event: Row) -> tuple[bool, bool, bool]:
        item_id, name = event["flow_item_id"], event["flow_item_name"]
        return item_id is None, name is None, event["is_step"]

    return min(group, key=says_less)


def _steps(group: list[Row]) -> list[list[Row]]:
    """The events of each step, in the order in which the play reached them."""
    steps = (event for event in group if event["is_step"])
    return [each for _, each in grouped(steps, "step")]


def _listed(step_events: list[Row], flow_event: Row, flows: Flows) -> Step | None:
    """The step in the catalogue, under its own flow or else that of the play."""
    named = next((step for step in step_events if step["flow_item_id"] is not None), flow_event)
    flow = flows.get(_flow_key(named))
    return flow.steps.get(step_events[0]["item_id"]) if flow else None


def _flow_key(event: Row) -> tuple[str, str, str]:
    return event["system_id"], event["flow_item_type"], event["flow_item_id"]


def _kind(flow: Flow | None) -> str:
    if flow is None:
        return "unknown"
    return "automation" if flow.is_automation else "visual"
