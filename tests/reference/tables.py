"""From judged lines to the tables of data-dictionary.md: a function each, which gives plain rows.

Every function takes rows and gives rows; the key of a table and its columns are those of the
contract. Timestamps are naive UTC datetimes, durations seconds.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from zoneinfo import ZoneInfo

from tests.reference.definitions import Definitions, normalised
from tests.reference.events import Judged, Row, identity, text, unknown_keys
from tests.reference.reading import Dump
from tests.reference.rows import (
    Item,
    Names,
    grouped,
    known_as,
    latest,
    local_date,
    people_of,
    quantile,
    reported,
    seconds,
    sessions_of,
    users_of,
    with_items,
)

LONGEST_TEXT = 16_384
STEP_TYPES = {"Smart Walk-Thru": "Smart Walk-Thru Step", "Walk-Thru": "Walk-Thru Step"}
QUESTION_TYPES = {"Survey": "Survey Question", "TeachMe Quiz": "TeachMe Quiz Question"}


def split_duplicates(judged: Iterable[Judged]) -> tuple[list[Row], list[Row]]:
    """Accepted events and duplicates: of equal ones the earliest delivered is accepted."""
    events = [each.event for each in judged if each.event is not None]
    events.sort(key=delivery)
    seen = set()
    accepted: list[Row] = []
    duplicates: list[Row] = []
    for event in events:
        key = identity(event)
        (duplicates if key in seen else accepted).append(bounded(event))
        seen.add(key)
    return accepted, duplicates


def bounded(event: Row) -> Row:
    """The event with its very long texts cut; what it is equal to was told by the whole ones."""
    return {
        column: value[:LONGEST_TEXT] if isinstance(value, str) else value
        for column, value in event.items()
    }


def delivery(event: Row) -> tuple[dt.date, bytes, int]:
    """When an event was delivered: dump date, path in byte order, position."""
    return event["dump_date"], event["source_file"].encode(), event["source_row"]


def dump_ledger(dumps: list[Dump], judged: list[Judged], duplicates: list[Row]) -> list[Row]:
    """One row per dump and file."""
    outcomes = Counter((each.file.dump_date, each.file.path, each.outcome) for each in judged)
    repeated = Counter((event["dump_date"], event["source_file"]) for event in duplicates)
    rows = []
    for file in (file for dump in dumps for file in dump.files):
        place = (file.dump_date, file.path)
        rows.append(
            {
                "dump_date": file.dump_date,
                "source_file": file.path,
                "form": file.form,
                "bytes": file.size,
                "sha256": file.sha256,
                "lines": len(file.lines),
                "control": outcomes[*place, "control"],
                "ignored": outcomes[*place, "ignored"],
                "quarantined": outcomes[*place, "quarantined"],
                "duplicate": repeated[place],
                "accepted": outcomes[*place, "event"] - repeated[place],
                "unknown_keys": dict(unknown_keys(file)),
            }
        )
    return rows


def quarantine(judged: list[Judged]) -> list[Row]:
    """One row per quarantined line; `line` is None where the file has no text for it."""
    return [
        {
            "dump_date": each.file.dump_date,
            "source_file": each.file.path,
            "source_row": each.line.number,
            "reason": each.reason,
            "line": each.line.text,
        }
        for each in judged
        if each.outcome == "quarantined"
    ]


def late_events(events: list[Row]) -> list[Row]:
    """One row per event date and later dump date: the accepted events with that delay."""
    late = Counter(
        (event["event_date"], event["dump_date"])
        for event in events
        if event["event_date"] < event["dump_date"]
    )
    return [
        {
            "event_date": event_date,
            "dump_date": dump_date,
            "events": count,
            "days_late": (dump_date - event_date).days,
        }
        for (event_date, dump_date), count in late.items()
    ]


def sessions(events: list[Row]) -> list[Row]:
    """One row per system, environment and session, with all its events."""
    rows = []
    for key, group in grouped(events, "system_id", "environment", "session_id"):
        times = [event["occurred_at"] for event in group]
        gaps = [seconds(after - before) for before, after in pairwise(times)]
        duration = seconds(times[-1] - times[0])
        classes = Counter(event["engagement"] for event in group)
        pairs = Counter((event["item_type"], event["event"]) for event in group)
        rows.append(
            key
            | {
                "session_date": times[0].date(),
                "started_at": times[0],
                "ended_at": times[-1],
                "duration_seconds": duration,
                "end_user_id": group[-1]["end_user_id"],
                "end_users": len({event["end_user_id"] for event in group}),
                "events": len(group),
                "exposures": classes["exposure"],
                "interactions": classes["interaction"],
                "outcomes": classes["outcome"],
                "items_exposed": len(_items(group, "exposure")),
                "items_interacted": len(_items(group, "interaction")),
                "is_engaged": classes["interaction"] > 0,
                "flows_played": pairs["Smart Walk-Thru", "Play"] + pairs["Walk-Thru", "Play"],
                "flows_failed": pairs["Smart Walk-Thru", "Play Failed"]
                + pairs["Walk-Thru", "Play Failed"],
                "tasks_completed": pairs["Task", "Complete"],
                "surveys_submitted": pairs["Survey", "Submitted"],
                "searches": pairs["WidgetSearch", "Search"],
                "longest_idle_seconds": max(gaps, default=0.0),
                "exceeds_idle_limit": max(gaps, default=0.0) > 30 * 60,
                "exceeds_duration_limit": duration > 12 * 60 * 60,
            }
        )
    return rows


def items(events: list[Row], catalogue: list[Row], definitions: Definitions) -> list[Row]:
    """One row per system, item type and item, of the events and of the catalogue with its parts."""
    listed = {
        (entry["system_id"], entry["item_type"], known_as(entry["item_id"], None)): entry
        for entry in _listed(catalogue, definitions)
    }
    played = {
        tuple(key.values()): group
        for key, group in grouped(with_items(events), "system_id", "item_type", "item")
    }
    rows = []
    for place in listed.keys() | played.keys():
        system_id, item_type, (item_id, _) = place
        item, group = listed.get(place, {}), played.get(place, [])
        rows.append(
            {
                "system_id": system_id,
                "item_type": item_type,
                "item_id": item_id,
                "item_name": item.get("name") or latest(group, "item_name"),
                "parent_item_id": item.get("parent_item_id") or latest(group, "parent_item_id"),
                "first_seen_at": group[0]["occurred_at"] if group else None,
                "last_seen_at": group[-1]["occurred_at"] if group else None,
                "is_in_catalogue": place in listed,
                "publish_status": item.get("publish_status"),
                "run_as_automation_process": item.get("run_as_automation_process"),
                "has_autoplay_rule": item.get("has_autoplay_rule"),
                "pass_mark": item.get("pass_mark"),
                "last_event_name": latest(group, "item_name"),
                "flow_kind": _flow_kind(item, item_type),
                "step_kind": item.get("step_kind"),
                "step_type": item.get("step_type"),
                "step_position": item.get("step_position"),
                "is_terminal_step": item.get("is_terminal_step"),
            }
        )
    return rows


def event_definitions(definitions: Definitions) -> list[Row]:
    """The 48 documented pairs with their class, cap and pairing rules."""
    return [
        {
            "position": each.position,
            "item_type": each.item_type,
            "event": each.event,
            "engagement": each.engagement,
            "engagement_when_system_initiated": each.engagement_when_system_initiated,
            "capped_per": each.capped_per,
            "pairing": each.pairing,
            "paired_with": each.paired_with,
            "definition": each.definition,
            "order_in_ms": each.order_in_ms,
        }
        for each in definitions.documented
    ]


def sessions_daily(fct_sessions: list[Row], zone: ZoneInfo) -> list[Row]:
    """One row per day on which production sessions started, and system."""
    production = [
        row | {"report_date": local_date(row["started_at"], zone)}
        for row in fct_sessions
        if row["environment"] == "production"
    ]
    first_days: dict[tuple[str, str], dt.date] = {}
    first_days_of_people: dict[tuple[str, str], dt.date] = {}
    for row in sorted(production, key=lambda row: row["started_at"]):
        first_days.setdefault((row["system_id"], row["end_user_id"]), row["report_date"])
        person = row["system_id"], row["person_id"]
        first_days_of_people.setdefault(person, row["report_date"])
    rows = []
    for key, group in grouped(production, "report_date", "system_id", by="started_at"):
        count = len(group)
        users = {row["end_user_id"] for row in group}
        engaged = sum(row["is_engaged"] for row in group)
        durations = [row["duration_seconds"] for row in group]
        rows.append(
            key
            | {
                "sessions": count,
                "end_users": len(users),
                "engaged_sessions": engaged,
                "engagement_rate": engaged / count,
                "events": sum(row["events"] for row in group),
                "interactions": sum(row["interactions"] for row in group),
                "duration_seconds": sum(durations),
                "avg_duration_seconds": sum(durations) / count,
                "median_duration_seconds": quantile(durations, 0.5),
                "p90_duration_seconds": quantile(durations, 0.9),
                "sessions_per_user": count / len(users),
                "events_per_session": sum(row["events"] for row in group) / count,
                "interactions_per_session": sum(row["interactions"] for row in group) / count,
                "new_end_users": sum(
                    first_days[key["system_id"], user] == key["report_date"] for user in users
                ),
                "people": len(people_of(group)),
                "new_people": sum(
                    first_days_of_people[key["system_id"], person] == key["report_date"]
                    for person in people_of(group)
                ),
                "sessions_per_person": count / len(people_of(group)),
            }
        )
    return rows


def items_daily(events: list[Row], names: Names, zone: ZoneInfo) -> list[Row]:
    """One row per day, system, item type and item."""
    rows = []
    keys = ("report_date", "system_id", "item_type", "item")
    met_before: set[tuple[str, str, Item, str]] = set()
    days = grouped(with_items(reported(events, zone)), *keys)
    for key, group in sorted(days, key=lambda day: day[0]["report_date"]):
        item = key.pop("item")
        by_class = {
            name: [event for event in group if event["engagement"] == name]
            for name in ("exposure", "interaction", "outcome")
        }
        exposed, interacted = by_class["exposure"], by_class["interaction"]
        either = len(sessions_of(exposed + interacted))
        people = people_of(exposed + interacted)
        met = {(key["system_id"], key["item_type"], item, person) for person in people}
        first_time = len(met - met_before)
        met_before |= met
        rows.append(
            key
            | {
                "item_id": item[0],
                "item_name": names[key["system_id"], key["item_type"], item],
                "exposures": len(exposed),
                "interactions": len(interacted),
                "outcomes": len(by_class["outcome"]),
                "end_users_exposed": len(users_of(exposed)),
                "end_users_interacted": len(users_of(interacted)),
                "sessions_exposed": len(sessions_of(exposed)),
                "sessions_interacted": len(sessions_of(interacted)),
                "sessions_exposed_or_interacted": either,
                "interaction_rate": len(sessions_of(interacted)) / either if either else None,
                "people": len(people),
                "people_exposed": len(people_of(exposed)),
                "people_interacted": len(people_of(interacted)),
                "first_time_people": first_time,
                "returning_people": len(people) - first_time,
            }
        )
    return rows


def events_daily(events: list[Row], zone: ZoneInfo) -> list[Row]:
    """One row per day, system, item type and event."""
    keys = ("report_date", "system_id", "item_type", "event")
    return [
        key
        | {
            "events": len(group),
            "sessions": len(sessions_of(group)),
            "end_users": len(users_of(group)),
            "people": len(people_of(group)),
        }
        for key, group in grouped(reported(events, zone), *keys)
    ]


def event_coverage(events: list[Row], definitions: Definitions, zone: ZoneInfo) -> list[Row]:
    """One row per documented pair; the last days are counted back from the last one reported."""
    production = reported(events, zone)
    last_day = max((event["report_date"] for event in production), default=dt.date.min)
    rows = []
    for each in definitions.documented:
        group = sorted(
            (
                event
                for event in production
                if (event["item_type"], event["event"]) == (each.item_type, each.event)
            ),
            key=lambda event: event["occurred_at"],
        )
        ages = [(last_day - event["report_date"]).days for event in group]
        rows.append(
            {
                "position": each.position,
                "item_type": each.item_type,
                "event": each.event,
                "engagement": each.engagement,
                "first_seen_at": group[0]["occurred_at"] if group else None,
                "last_seen_at": group[-1]["occurred_at"] if group else None,
                "last_report_date": last_day if production else None,
                "events": len(group),
                "events_last_7_days": sum(age < 7 for age in ages),
                "events_last_28_days": sum(age < 28 for age in ages),
                "never_seen": not group,
            }
        )
    return rows


def left_out(events: list[Row], definitions: Definitions) -> list[Row]:
    """One row per environment that no report counts."""
    return [
        key
        | {
            "events": len(group),
            "sessions": len(sessions_of(group)),
            "end_users": len(users_of(group)),
            "is_known": key["environment"] in definitions.environments.values(),
        }
        for key, group in grouped(events, "environment")
        if key["environment"] != "production"
    ]


def _items(events: list[Row], engagement: str) -> set[tuple[str, object]]:
    return {
        (event["item_type"], event["item"])
        for event in with_items(events)
        if event["engagement"] == engagement
    }


def _flow_kind(item: Row, item_type: str | None) -> str | None:
    """What a Smart Walk-Thru runs as; `unknown` without a catalogue, None for other items."""
    if item_type != "Smart Walk-Thru":
        return None
    if not item:
        return "unknown"
    return "automation" if item["run_as_automation_process"] else "visual"


def _listed(catalogue: list[Row], definitions: Definitions) -> list[Row]:
    """The items of the catalogue and, as items of their own, its steps and questions."""
    listed = []
    for entry in catalogue:
        named = text(entry.get("item_type")) or ""
        item_type = definitions.item_types.get(normalised(named), named or None)
        item = {
            "system_id": text(entry.get("system_id")) or "unknown",
            "item_id": text(entry["item_id"]),
            "item_type": item_type,
            "name": text(entry.get("name")),
            "parent_item_id": text(entry.get("parent_item_id")),
            "publish_status": text(entry.get("publish_status")),
            "run_as_automation_process": entry.get("run_as_automation_process"),
            "has_autoplay_rule": entry.get("has_autoplay_rule"),
            "pass_mark": entry.get("pass_mark"),
        }
        listed.append(item)
        listed += [
            {
                "system_id": item["system_id"],
                "item_id": text(step["step_id"]),
                "item_type": STEP_TYPES.get(item_type or ""),
                "name": text(step.get("name")),
                "parent_item_id": item["item_id"],
                "step_kind": text(step.get("kind")),
                "step_type": text(step.get("step_type")),
                "step_position": step.get("position"),
                "is_terminal_step": step.get("is_terminal"),
            }
            for step in entry.get("steps") or []
        ]
        listed += [
            {
                "system_id": item["system_id"],
                "item_id": text(question["question_id"]),
                "item_type": QUESTION_TYPES.get(item_type or ""),
                "name": text(question.get("name")),
                "parent_item_id": item["item_id"],
            }
            for question in entry.get("questions") or []
            if text(question.get("question_id")) is not None
        ]
    return listed
