"""The reports on flows (data-dictionary.md), production only."""

from zoneinfo import ZoneInfo

from tests.reference.events import Row
from tests.reference.rows import (
    Names,
    between,
    grouped,
    known_as,
    local_date,
    name_at,
    people_of,
    quantile_of,
    rate,
    reported,
    users_of,
    with_items,
)

KINDS_OF_START = {"user": True, "system": False, "unknown": None}


def flows_report(plays: list[Row], names: Names) -> list[Row]:
    """One row per system and flow, over all days."""
    return _rows_of_flows(_production(plays), names, by=())


def flows_daily(plays: list[Row], names: Names, zone: ZoneInfo) -> list[Row]:
    """One row per day, system and flow, of the plays that began on the day."""
    return _rows_of_flows(reported(plays, zone, at="started_at"), names, by=("report_date",))


def _rows_of_flows(plays: list[Row], names: Names, *, by: tuple[str, ...]) -> list[Row]:
    rows = []
    for key, group in grouped(
        with_items(plays), *by, "system_id", "item_type", "item", by="started_at"
    ):
        results = [play["result"] for play in group]
        completable = sum(play["has_known_end"] for play in group)
        went = [play for play in group if play["result"] != "failed"]
        completed = [
            play | {"seconds": between(play["started_at"], play["completed_at"])}
            for play in group
            if play["result"] == "completed"
        ]
        item = key.pop("item")
        row = key | {
            "item_id": item[0],
            "item_name": names.get((key["system_id"], key["item_type"], item))
            or name_at(group, "item_name", "started_at"),
            "flow_kind": group[0]["flow_kind"],
            "plays": len(group),
            "end_users": len(users_of(group)),
            "people": len(people_of(group)),
            "failed": results.count("failed"),
            "failure_rate": rate(results.count("failed"), len(group)),
            "completable_plays": completable,
            "completed": len(completed),
            "completion_rate": rate(len(completed), completable),
            "stopped_by_launcher": results.count("stopped_by_launcher"),
            "left_plays": results.count("left"),
            "median_seconds": quantile_of(went, "duration_seconds", 0.5),
            "p90_seconds": quantile_of(went, "duration_seconds", 0.9),
            "median_seconds_to_complete": quantile_of(completed, "seconds", 0.5),
            "p90_seconds_to_complete": quantile_of(completed, "seconds", 0.9),
        }
        for name, is_user_initiated in KINDS_OF_START.items():
            started = [p["result"] for p in group if p["is_user_initiated"] is is_user_initiated]
            row |= {
                f"{name}_initiated_plays": len(started),
                f"{name}_initiated_failed": started.count("failed"),
                f"{name}_initiated_completed": started.count("completed"),
            }
        rows.append(row)
    return rows


def flow_funnel(plays: list[Row], steps: list[Row], names: Names) -> list[Row]:
    """One row per system, flow and step of the plays that did not fail, over all days."""
    went = {play["play"]: play for play in _production(plays) if play["result"] != "failed"}
    totals = grouped(with_items(went.values()), "system_id", "item_type", "item", by="started_at")
    plays_of = {tuple(key.values()): group for key, group in totals}
    reached = [
        step | {"flow": known_as(step["flow_item_id"], step["flow_item_name"])}
        for step in steps
        if step["play"] in went
    ]
    rows = []
    for flow, of_flow in grouped(reached, "system_id", "flow_item_type", "flow", by="started_at"):
        all_plays = plays_of[tuple(flow.values())]
        name = names.get((flow["system_id"], flow["flow_item_type"], flow["flow"]))
        flow["flow_item_id"], _ = flow.pop("flow")
        places = []
        for step, group in grouped(of_flow, "step", by="started_at"):
            item_type, *item = step["step"]
            ends = [went[s["play"]]["result"] for s in group if s["next_step_at"] is None]
            dropped = sum(end != "completed" for end in ends)
            places.append(
                flow
                | {
                    "flow_item_name": name or name_at(all_plays, "item_name", "started_at"),
                    "flow_kind": group[0]["flow_kind"],
                    "item_id": item[0],
                    "item_name": names.get((flow["system_id"], item_type, tuple(item))),
                    "step_kind": group[0]["step_kind"],
                    "step_position": group[0]["step_position"],
                    "typical_position": quantile_of(group, "position_in_play", 0.5),
                    "plays": len(all_plays),
                    "plays_reached": len(group),
                    "reach_rate": rate(len(group), len(all_plays)),
                    "plays_went_on": len(group) - len(ends),
                    "plays_completed_here": len(ends) - dropped,
                    "plays_dropped_off": dropped,
                    "drop_off_rate": rate(dropped, len(group)),
                    "median_seconds": quantile_of(group, "seconds_to_next_step", 0.5),
                }
            )
        places.sort(key=_place)
        rows += [row | {"step_number": number} for number, row in enumerate(places, start=1)]
    return rows


def flow_tracker(steps: list[Row], spans: list[Row], zone: ZoneInfo) -> list[Row]:
    """One row per session and step, with the plays that ran at the time of its first Play."""
    rows = []
    sessions = {
        tuple(key.values()): group
        for key, group in grouped(_production(spans), "system_id", "session_id", by="happened")
    }
    for key, group in grouped(_production(steps), "system_id", "session_id", by="happened"):
        for position, step in enumerate(group, start=1):
            beside = [
                span
                for span in sessions[tuple(key.values())]
                if span["play"] != step["play"]
                and span["started_at"] <= step["started_at"] <= span["last_event_at"]
            ]
            kinds = [span["flow_kind"] for span in beside]
            names = [span["item_name"] or span["item_id"] or "?" for span in beside]
            columns = (
                "started_at end_user_id item_type item_id item_name step_kind step_type events"
            )
            of_play = "play_id flow_item_id flow_item_name flow_kind position_in_play"
            rows.append(
                key
                | {column: step[column] for column in f"{columns} {of_play}".split()}
                | {
                    "position_in_session": position,
                    "report_date": local_date(step["started_at"], zone),
                    "seconds_since_first_step": between(group[0]["started_at"], step["started_at"]),
                    "plays_at_the_same_time": len(beside),
                    "visual_plays_at_the_same_time": kinds.count("visual"),
                    "automation_plays_at_the_same_time": kinds.count("automation"),
                    "flows_at_the_same_time": ", ".join(names) or None,
                }
            )
    return rows


def automation_processes(
    plays: list[Row], spans: list[Row], names: Names, zone: ZoneInfo
) -> list[Row]:
    """One row per day, system and automation process."""
    visual = [span for span in spans if span["flow_kind"] == "visual"]
    beside = {
        span["play"]
        for span in spans
        for other in visual
        if span["flow_kind"] == "automation" and _overlap(span, other)
    }
    automations = [play for play in plays if play["flow_kind"] == "automation"]
    runs_by_day = reported(automations, zone, at="started_at")
    rows = []
    keys = ("report_date", "system_id", "item_type", "item")
    for key, group in grouped(with_items(runs_by_day), *keys, by="started_at"):
        item, item_type = key.pop("item"), key.pop("item_type")
        results = [play["result"] for play in group]
        steps = sum(play["steps_played"] for play in group)
        rows.append(
            key
            | {
                "item_id": item[0],
                "item_name": names.get((key["system_id"], item_type, item))
                or name_at(group, "item_name", "started_at"),
                "runs": len(group),
                "failures": results.count("failed"),
                "failure_rate": rate(results.count("failed"), len(group)),
                "steps": steps,
                "steps_per_run": rate(steps, len(group)),
                "runs_beside_visual_flow": sum(play["play"] in beside for play in group),
                "completed": results.count("completed"),
                "stopped_by_launcher": results.count("stopped_by_launcher"),
            }
        )
    return rows


def _overlap(one: Row, other: Row) -> bool:
    """Whether two plays ran in the same session, and neither ended before the other began."""
    is_same = all(one[c] == other[c] for c in ("system_id", "environment", "session_id"))
    return (
        is_same
        and one["started_at"] <= other["last_event_at"]
        and one["last_event_at"] >= other["started_at"]
    )


def _place(row: Row) -> tuple[object, ...]:
    """The catalogue's order, then the typical position, then the id or, without one, the name."""
    return (
        *_nulls_last(row["step_position"]),
        row["typical_position"],
        *_nulls_last(row["item_id"]),
        *_nulls_last(row["item_name"]),
    )


def _nulls_last(value: object) -> tuple[bool, object]:
    return value is None, 0 if value is None else value


def _production(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row["environment"] == "production"]
