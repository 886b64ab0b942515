"""The facts at the grain of a session and item, and those with a row for each event.

Rules from data-dictionary.md. Tasks, ShoutOuts, launchers, SmartTips, TeachMe by session; others,
such as resources and menu opens, by event. What names neither id nor name is one item of its type.
"""

from tests.reference.events import Row
from tests.reference.rows import (
    SESSION,
    count,
    first_time,
    grouped,
    held,
    known_as,
    latest,
    with_items,
)


def tasks(events: list[Row]) -> list[Row]:
    """One row per session and task. A task may be completed and never clicked."""
    rows = []
    for key, group in _by_item(_of(events, "Task")):
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
    own = [
        event | {"item_id": event["shoutout_id"], "item_name": event["shoutout_name"]}
        for event in shoutout_events(events)
    ]
    for key, group in _by_item(own):
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
        name = latest(group, "item_name")
        rows.append(key | held(group) | counts | {"item_name": name, "result": result})
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
        for key, group in _by_item(_of(events, "Launcher"))
    ]


def smarttips(events: list[Row]) -> list[Row]:
    """One row per session and SmartTip."""
    rows = []
    for key, group in _by_item(_of(events, "SmartTip")):
        results = [
            event["event"].lower() for event in group if event["event"] in ("Passed", "Failed")
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
                    known_as(event["item_id"], event["item_name"])
                    for event in group
                    if event["event"] == "TeachMe Step Started"
                }
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


def _by_item(events: list[Row]) -> list[tuple[Row, list[Row]]]:
    """The events by session and item: (the session with the item's id, its events in order)."""
    return [
        ({column: key[column] for column in SESSION} | {"item_id": key["item"][0]}, group)
        for key, group in grouped(with_items(events), *SESSION, "item")
    ]
