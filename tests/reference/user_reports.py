"""The reports on users: who came back, who did not use what they saw (data-dictionary.md)."""

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

DAY = dt.timedelta(days=1)
WEEK = 7 * DAY

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
    sessions = reported(fct_sessions, zone, at="started_at")
    engaged = [session for session in sessions if session["is_engaged"]]
    users, people = _weeks_of(sessions, "end_user_id"), _weeks_of(sessions, "person_id")
    engaged_users = _weeks_of(engaged, "end_user_id")
    engaged_people = _weeks_of(engaged, "person_id")
    last_week = max((max(weeks) for weeks in users.values()), default=dt.date.min)
    rows = []
    for first_week in {min(weeks) for weeks in [*users.values(), *engaged_users.values()]}:
        for number in range((last_week - first_week) // WEEK + 1):
            week = first_week + number * WEEK
            rows.append(
                {"first_week": first_week, "week": week, "weeks_since_first": number}
                | _cohort(users, first_week, week, ("users", "returned", "share"))
                | _cohort(people, first_week, week, ("people", "people_returned", "people_share"))
                | _cohort(
                    engaged_users,
                    first_week,
                    week,
                    ("engaged_users", "engaged_returned", "engaged_share"),
                )
                | _cohort(
                    engaged_people,
                    first_week,
                    week,
                    ("engaged_people", "engaged_people_returned", "engaged_people_share"),
                )
            )
    return rows


def _weeks_of(sessions: list[Row], who: str) -> dict[str, set[dt.date]]:
    """The weeks of each user or person."""
    weeks: dict[str, set[dt.date]] = {}
    for session in sessions:
        weeks.setdefault(session[who], set()).add(monday_of(session["report_date"]))
    return weeks


def _cohort(
    weeks_of: dict[str, set[dt.date]], first_week: dt.date, week: dt.date, names: tuple[str, ...]
) -> Row:
    """How many began in the first week, how many of them are there in the week, and their share."""
    began = [weeks for weeks in weeks_of.values() if min(weeks) == first_week]
    returned = sum(week in weeks for weeks in began)
    return dict(zip(names, (len(began), returned, rate(returned, len(began))), strict=True))


def monday_of(day: dt.date) -> dt.date:
    """The Monday of the week of a day."""
    return day - dt.timedelta(days=day.weekday())


def active_people(
    events: list[Row], fct_sessions: list[Row], dim_systems: list[Row], zone: ZoneInfo
) -> list[Row]:
    """One row per day and system, and per day over all systems (None), without gaps."""
    names: dict[str | None, str] = {row["system_id"]: row["system_name"] for row in dim_systems}
    names[None] = "All systems"
    sessions = reported(fct_sessions, zone, at="started_at")
    days = {event["report_date"] for event in reported(events, zone)}
    first, last = min(days, default=dt.date.max), max(days, default=dt.date.min)
    spine = [first + number * DAY for number in range((last - first).days + 1)]
    rows = []
    for system in {None, *(session["system_id"] for session in sessions)}:
        own = [session for session in sessions if system in (None, session["system_id"])]
        any_use = {(row["report_date"], row["person_id"]) for row in own}
        engaged_use = {(row["report_date"], row["person_id"]) for row in own if row["is_engaged"]}
        for day in spine:
            today, engaged_today = _active(any_use, day, 1), _active(engaged_use, day, 1)
            month, engaged_month = _active(any_use, day, 28), _active(engaged_use, day, 28)
            before = {person for date, person in any_use if date < day}
            lately = _active(any_use, day - DAY, 28)
            rows.append(
                {
                    "report_date": day,
                    "system_id": system,
                    "system_name": names[system],
                    "people": len(today),
                    "people_7_days": len(_active(any_use, day, 7)),
                    "people_28_days": len(month),
                    "stickiness": rate(len(today), len(month)),
                    "engaged_people": len(engaged_today),
                    "engaged_people_7_days": len(_active(engaged_use, day, 7)),
                    "engaged_people_28_days": len(engaged_month),
                    "engaged_stickiness": rate(len(engaged_today), len(engaged_month)),
                    "new_people": len(today - before),
                    "returning_people": len(today & lately),
                    "resurrected_people": len((today & before) - lately),
                }
            )
    return rows


def _active(use: set[tuple[dt.date, str]], day: dt.date, days: int) -> set[str]:
    """Who was active in the last `days` days, the day included."""
    return {person for date, person in use if day - days * DAY < date <= day}


ATTRIBUTES = {
    "department": "department",
    "role": "user_role",
    "type": "user_type",
    "status": "user_status",
    "language": "language",
}


def adoption_by_attribute(
    events: list[Row], fct_sessions: list[Row], dim_people: list[Row], zone: ZoneInfo
) -> list[Row]:
    """One row per week, system, attribute, value and item type, None for all types together."""
    said = {row["person_id"]: row for row in dim_people}
    met: dict[tuple[str, str], list[Row]] = {}
    for event in events:
        if event["environment"] == "production" and event["engagement"] != "outcome":
            met.setdefault((event["system_id"], event["session_id"]), []).append(event)
    uses: dict[tuple[object, ...], list[tuple[str, int]]] = {}
    for session in reported(fct_sessions, zone, at="started_at"):
        person, system = session["person_id"], session["system_id"]
        of_session = met.get((system, session["session_id"]), [])
        interactions = {None: session["interactions"]} | {
            item_type: sum(
                event["item_type"] == item_type and event["engagement"] == "interaction"
                for event in of_session
            )
            for item_type in {event["item_type"] for event in of_session}
        }
        attributes = {name: said[person][column] for name, column in ATTRIBUTES.items()}
        week = monday_of(session["report_date"])
        for attribute, value in attributes.items():
            for item_type, count in interactions.items():
                key = week, system, attribute, value or "unknown", item_type
                uses.setdefault(key, []).append((person, count))
    rows = []
    for place, of_place in uses.items():
        people = {person for person, _ in of_place}
        engaged = {person for person, count in of_place if count}
        columns = ("week", "system_id", "attribute", "attribute_value", "item_type")
        rows.append(
            dict(zip(columns, place, strict=True))
            | {
                "people": len(people),
                "engaged_people": len(engaged),
                "adoption_rate": rate(len(engaged), len(people)),
                "sessions": len(of_place),
                "interactions": sum(count for _, count in of_place),
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
