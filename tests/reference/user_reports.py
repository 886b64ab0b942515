"""The reports on end users: who came back, and who did not use what they saw (warehouse.md)."""

import datetime as dt
from zoneinfo import ZoneInfo

from tests.reference.definitions import Definitions
from tests.reference.events import Row
from tests.reference.rows import (
    Item,
    Names,
    grouped,
    known_as,
    rate,
    reported,
    sessions_of,
    with_items,
)

WEEK = dt.timedelta(days=7)

WHOLES = {
    "Smart Walk-Thru Step": "Smart Walk-Thru",
    "Walk-Thru Step": "Walk-Thru",
    "ShoutOut Action": "ShoutOut",
    "Survey Question": "Survey",
    "ActionBot Conversation": "ActionBot",
    "ActionBot Node": "ActionBot Conversation",
    "TeachMe Quiz Question": "TeachMe Quiz",
}


def retention_weekly(fct_sessions: list[Row], zone: ZoneInfo) -> list[Row]:
    """One row per first week and week until the last with a session; weeks begin on Monday."""
    any_use: dict[str, set[dt.date]] = {}
    engaged_use: dict[str, set[dt.date]] = {}
    for session in reported(fct_sessions, zone, at="started_at"):
        day = session["report_date"]
        monday = day - dt.timedelta(days=day.weekday())
        any_use.setdefault(session["end_user_id"], set()).add(monday)
        if session["is_engaged"]:
            engaged_use.setdefault(session["end_user_id"], set()).add(monday)
    last_week = max((max(weeks) for weeks in any_use.values()), default=dt.date.min)
    rows = []
    for first_week in {min(weeks) for weeks in [*any_use.values(), *engaged_use.values()]}:
        users = [weeks for weeks in any_use.values() if min(weeks) == first_week]
        engaged = [weeks for weeks in engaged_use.values() if min(weeks) == first_week]
        for number in range((last_week - first_week) // WEEK + 1):
            week = first_week + number * WEEK
            returned = sum(week in weeks for weeks in users)
            engaged_returned = sum(week in weeks for weeks in engaged)
            rows.append(
                {
                    "first_week": first_week,
                    "week": week,
                    "weeks_since_first": number,
                    "users": len(users),
                    "returned": returned,
                    "share": rate(returned, len(users)),
                    "engaged_users": len(engaged),
                    "engaged_returned": engaged_returned,
                    "engaged_share": rate(engaged_returned, len(engaged)),
                }
            )
    return rows


def non_interactors(events: list[Row], names: Names, definitions: Definitions) -> list[Row]:
    """One row per system, item and person who was exposed to it and never interacted.

    Who uses a part uses the whole, if the part names it. The whole of a part is of the type that
    the part's type tells, that of another item of the type that its events tell. What no event of
    its type can act on is left out.
    """
    usable = {each.item_type for each in definitions.documented if each.engagement == "interaction"}
    production = with_items(event for event in events if event["environment"] == "production")
    used: set[tuple[str, str, str, Item]] = set()
    for event in production:
        if event["engagement"] == "interaction":
            who = event["system_id"], event["person_id"]
            used.add((*who, event["item_type"], event["item"]))
            whole = WHOLES.get(event["item_type"], event["parent_item_type"])
            parent = known_as(event["parent_item_id"], event["parent_item_name"])
            if whole is not None and parent != (None, None):
                used.add((*who, whole, parent))
    exposures = [
        event
        for event in production
        if event["engagement"] == "exposure" and event["item_type"] in usable
    ]
    rows = []
    for key, group in grouped(exposures, "system_id", "person_id", "item_type", "item"):
        if tuple(key.values()) not in used:
            item = key.pop("item")
            rows.append(
                key
                | {
                    "item_id": item[0],
                    "item_name": names[key["system_id"], key["item_type"], item],
                    "exposures": len(group),
                    "sessions_exposed": len(sessions_of(group)),
                    "first_exposed_at": group[0]["occurred_at"],
                    "last_exposed_at": group[-1]["occurred_at"],
                }
            )
    return rows
