"""The reports on end users: who came back, and who did not use what they saw (warehouse.md)."""

import datetime as dt
from zoneinfo import ZoneInfo

from tests.reference.events import Row
from tests.reference.rows import grouped, latest, rate, reported, sessions_of

WEEK = dt.timedelta(days=7)


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


def non_interactors(events: list[Row], dim_items: list[Row]) -> list[Row]:
    """One row per system, item and user who was exposed to it and never interacted.

    An item is known by its id; without one, all of a type are one, with the latest name that its
    events give. Who uses a part uses the whole.
    """
    items = {(item["system_id"], item["item_id"]): item for item in dim_items}
    production = [event for event in events if event["environment"] == "production"]
    used = set()
    for event in production:
        if event["engagement"] == "interaction":
            who = event["system_id"], event["end_user_id"]
            used.add((*who, _item(event["item_id"], event["item_type"])))
            if event["parent_item_id"] is not None:
                used.add((*who, _item(event["parent_item_id"], None)))
    exposures = [
        event | {"item": _item(event["item_id"], event["item_type"])}
        for event in production
        if event["engagement"] == "exposure"
    ]
    without_id = [event for event in production if event["item_id"] is None]
    names = {
        (key["system_id"], key["item_type"]): latest(group, "item_name")
        for key, group in grouped(without_id, "system_id", "item_type")
    }
    rows = []
    for key, group in grouped(exposures, "system_id", "end_user_id", "item"):
        if (key["system_id"], key["end_user_id"], key["item"]) not in used:
            item_id = group[-1]["item_id"]
            if item_id is not None:
                item = items[key["system_id"], item_id]
            else:
                item_type = group[-1]["item_type"]
                item_name = names[key["system_id"], item_type]
                item = {"item_type": item_type, "item_name": item_name}
            rows.append(
                {
                    "system_id": key["system_id"],
                    "item_type": item["item_type"],
                    "item_id": item_id,
                    "end_user_id": key["end_user_id"],
                    "item_name": item["item_name"],
                    "exposures": len(group),
                    "sessions_exposed": len(sessions_of(group)),
                    "first_exposed_at": group[0]["occurred_at"],
                    "last_exposed_at": group[-1]["occurred_at"],
                }
            )
    return rows


def _item(item_id: str | None, item_type: str | None) -> tuple[str | None, str | None]:
    return item_id, item_type if item_id is None else None
