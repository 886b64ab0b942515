"""The facts at the grain of a session and item, and those with a row for each event.

Rules from warehouse.md: tasks, ShoutOuts, launchers, SmartTips and TeachMe by session; resources,
menu opens and support contacts by event. Events of a type that name no item share a row.
"""

from tests.reference.events import Row
from tests.reference.rows import SESSION, count, first_time, grouped, held, latest


def tasks(events: list[Row]) -> list[Row]:
    """One row per session and task. A task may be completed and never clicked."""
    rows = []
    for key, group in grouped(_of(events, "Task"), *SESSION, "item_id"):
        played, completed = first_time(group, "Task: Play"), first_time(group, "Task: Complete")
        rows.append(
            key
            | held(group)
            | {
                "item_name": latest(group, "item_name"),
                "first_played_at": played,
                "first_completed_at": completed,
                "plays": count(group, "Task: Play"),
                "completions": count(group, "Task: Complete"),
                "completed_without_play": completed is not None
                and (played is None or played > completed),
            }
        )
    return rows


def shoutouts(events: list[Row]) -> list[Row]:
    """One row per session and ShoutOut; its actions belong to it by their parent."""
    rows = []
    for key, group in grouped(shoutout_events(events), *SESSION, "shoutout_id"):
        counts = {
            "shown": count(group, "ShoutOut: Play"),
            "clicks": count(group, "ShoutOut: Click"),
            "closes": count(group, "ShoutOut: Close"),
            "action_clicks": count(group, "ShoutOut Action: Click"),
            "action_closes": count(group, "ShoutOut Action: Close"),
        }
        if counts["clicks"] or counts["action_clicks"]:
            result = "clicked"
        elif counts["action_closes"]:
            result = "snoozed"
        elif counts["closes"]:
            result = "dismissed"
        else:
            result = "ignored"
        name = latest(group, "shoutout_name")
        rows.append(_renamed(key) | held(group) | counts | {"item_name": name, "result": result})
    return rows


def shoutout_events(events: list[Row]) -> list[Row]:
    """The events of ShoutOuts and their actions, each with the ShoutOut that it belongs to."""
    return [
        event | {"shoutout_id": event["item_id"], "shoutout_name": event["item_name"]}
        for event in _of(events, "ShoutOut")
    ] + [
        event | {"shoutout_id": event["parent_item_id"], "shoutout_name": event["parent_item_name"]}
        for event in _of(events, "ShoutOut Action")
    ]


def launchers(events: list[Row]) -> list[Row]:
    """One row per session and launcher."""
    return [
        key
        | held(group)
        | {
            "item_name": latest(group, "item_name"),
            "shown": count(group, "Launcher: Play"),
            "clicks": count(group, "Launcher: Click"),
        }
        for key, group in grouped(_of(events, "Launcher"), *SESSION, "item_id")
    ]


def smarttips(events: list[Row]) -> list[Row]:
    """One row per session and SmartTip; within a millisecond a field fails before it passes."""
    rows = []
    for key, group in grouped(_of(events, "SmartTip"), *SESSION, "item_id"):
        results = [
            event["event"].lower()
            for event in sorted(group, key=lambda e: (e["occurred_at"], e["event"] == "Passed"))
            if event["event"] in ("Passed", "Failed")
        ]
        rows.append(
            key
            | held(group)
            | {
                "item_name": latest(group, "item_name"),
                "shown": count(group, "SmartTip: Play"),
                "hovers": count(group, "SmartTip: Visible"),
                "clicks": count(group, "SmartTip: Click"),
                "passed": results.count("passed"),
                "failed": results.count("failed"),
                "first_validation_result": results[0] if results else None,
                "last_validation_result": results[-1] if results else None,
            }
        )
    return rows


def teachme(events: list[Row]) -> list[Row]:
    """One row per session with TeachMe events."""
    return [
        key
        | held(group)
        | {
            "visible": count(group, "TeachMe: Visible"),
            "opened": count(group, "TeachMe: Open"),
            "steps_started": count(group, "TeachMe: TeachMe Step Started"),
            "items_started": len(
                {
                    event["item_id"] or event["item_name"]
                    for event in group
                    if event["event"] == "TeachMe Step Started"
                }
                - {None}
            ),
        }
        for key, group in grouped(_of(events, "TeachMe"), *SESSION)
    ]


def resources(events: list[Row]) -> list[Row]:
    """One row per play of a Resource or Shuttle."""
    return [
        _single(event) | _start(event) | {"play_id": event["play_id"]}
        for event in _of(events, "Resource", "Shuttle")
    ]


def menu_opens(events: list[Row]) -> list[Row]:
    """One row per opening of the menu."""
    return [_single(event) | _start(event) for event in _of(events, "Menu")]


def support_contacts(events: list[Row]) -> list[Row]:
    """One row per click on the help desk or the live chat."""
    channels = {"Help Desk": "help_desk", "Live Chat": "live_chat"}
    return [
        _single(event) | {"channel": channels[event["item_type"]]}
        for event in _of(events, *channels)
    ]


def _single(event: Row) -> Row:
    columns = (*SESSION, "end_user_id", "item_type", "item_id", "item_name", "event_date")
    row = {column: event[column] for column in columns}
    return row | {"started_at": event["occurred_at"], "events": 1}


def _start(event: Row) -> Row:
    return {
        column: event[column] for column in ("initiator", "initiator_item_id", "is_user_initiated")
    }


def _of(events: list[Row], *item_types: str) -> list[Row]:
    return [event for event in events if event["item_type"] in item_types]


def _renamed(key: Row) -> Row:
    return {("item_id" if c == "shoutout_id" else c): value for c, value in key.items()}
