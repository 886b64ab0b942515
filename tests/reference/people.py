"""Who is who: the ids of one person, told from the events alone (the models' YAML files).

Nobody else in the reference knows the rules; the others take what `person_of` says.
"""

import csv
import re
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from statistics import median

from tests.reference.events import Row
from tests.reference.rows import grouped, rate, seconds, sessions_of, users_of

DAY_SECONDS = 24 * 60 * 60
SAID_OF_PEOPLE = ("user_role", "user_type", "user_status", "user_info", "language", "browser")


def anonymous_ids(events: list[Row], seeds: Path) -> set[str]:
    """The ids that an event takes for anonymous ones, and no event for known ones."""
    with (seeds / "anonymous_ids.csv").open(encoding="utf-8", newline="") as file:
        rules = list(csv.DictReader(file))
    anonymous, known = set(), set()
    for event in events:
        user, source = event["end_user_id"], event["end_user_id_source"]
        if any(_holds(rule, user, source) for rule in rules):
            anonymous.add(user)
        elif source is not None:
            known.add(user)
    return anonymous - known


def _holds(rule: dict[str, str], user: str, source: str | None) -> bool:
    if rule["end_user_id_source"] and rule["end_user_id_source"] != source:
        return False
    if not rule["end_user_id_pattern"]:
        return True
    pattern = re.escape(rule["end_user_id_pattern"]).replace("%", ".*").replace("_", ".")
    return re.fullmatch(pattern, user, re.DOTALL) is not None


def person_of(events: list[Row], seeds: Path) -> dict[str, str]:
    """The person of each id: the only known one that an anonymous id was seen before, or itself."""
    anonymous = anonymous_ids(events, seeds)
    log_ins: dict[str, set[str]] = defaultdict(set)
    for _, group in grouped(events, "system_id", "environment", "session_id"):
        for user in users_of(group) & anonymous:
            began = min(e["occurred_at"] for e in group if e["end_user_id"] == user)
            later = users_of([e for e in group if e["occurred_at"] >= began])
            log_ins[user] |= later - anonymous
    return {
        user: next(iter(log_ins[user])) if len(log_ins[user]) == 1 else user
        for user in users_of(events)
    }


def end_users(events: list[Row], persons: dict[str, str], seeds: Path) -> list[Row]:
    """One row per end user id, over all systems and environments."""
    anonymous = anonymous_ids(events, seeds)
    return [
        key
        | {
            "person_id": persons[key["end_user_id"]],
            "is_anonymous": key["end_user_id"] in anonymous,
            "first_seen_at": group[0]["occurred_at"],
            "last_seen_at": group[-1]["occurred_at"],
            "events": len(group),
            "sessions": len(sessions_of(group)),
            "production_sessions": len(
                sessions_of([event for event in group if event["environment"] == "production"])
            ),
            "systems": len({event["system_id"] for event in group}),
        }
        for key, group in grouped(events, "end_user_id")
    ]


def people(
    events: list[Row], fct_sessions: list[Row], persons: dict[str, str], seeds: Path
) -> list[Row]:
    """One row per person; sessions are those in production that the person ended."""
    anonymous = anonymous_ids(events, seeds)
    own_sessions = defaultdict(list)
    for session in sorted(fct_sessions, key=lambda row: row["started_at"]):
        if session["environment"] == "production":
            own_sessions[persons[session["end_user_id"]]].append(session)
    rows = []
    with_persons = [event | {"person_id": persons[event["end_user_id"]]} for event in events]
    for key, group in grouped(with_persons, "person_id"):
        sessions = own_sessions[key["person_id"]]
        durations = [session["duration_seconds"] for session in sessions]
        starts = [session["started_at"] for session in sessions]
        pauses = [seconds(b - a) for a, b in pairwise(starts)]
        engaged = sum(session["is_engaged"] for session in sessions)
        rows.append(
            key
            | {
                "is_anonymous": users_of(group) <= anonymous,
                "end_users": len(users_of(group)),
                "systems": len({event["system_id"] for event in group}),
                "first_seen_at": group[0]["occurred_at"],
                "last_seen_at": group[-1]["occurred_at"],
                "sessions": len(sessions),
                "engaged_sessions": engaged,
                "engagement_rate": rate(engaged, len(sessions)),
                "session_seconds": sum(durations),
                "avg_session_seconds": rate(sum(durations), len(sessions)),
                "median_session_seconds": median(durations) if durations else None,
                "median_days_between_sessions": median(pauses) / DAY_SECONDS if pauses else None,
            }
            | {column: _last_said(group, column) for column in SAID_OF_PEOPLE}
        )
        rows[-1]["department"] = department_of(rows[-1])
    return rows


def department_of(person: Row) -> str:
    """What stands before the first semicolon of what their company says of a person."""
    return (person["user_info"] or "").split(";")[0].strip(" ") or "unknown"


def _last_said(events: list[Row], column: str) -> str | None:
    """What the session tells in which the person was last seen, among those that tell anything."""
    told = []
    parts = ("system_id", "environment", "session_id", "end_user_id")
    for key, group in grouped(events, *parts):
        values = [(e["occurred_at"], e[column]) for e in group if e[column] is not None]
        if values:
            told.append((max(e["occurred_at"] for e in group), *key.values(), max(values)[1]))
    return str(max(told)[-1]) if told else None


def systems(
    events: list[Row],
    fct_sessions: list[Row],
    dim_items: list[Row],
    persons: dict[str, str],
    seeds: Path,
) -> list[Row]:
    """One row per system of the events, of the catalogue and of the seed."""
    with (seeds / "systems.csv").open(encoding="utf-8", newline="") as file:
        named = {row["system_id"]: row["system_name"] for row in csv.DictReader(file)}
    of_system = {key["system_id"]: group for key, group in grouped(events, "system_id")}
    rows = []
    for system in of_system.keys() | named.keys() | {item["system_id"] for item in dim_items}:
        group = of_system.get(system, [])
        hosts = Counter(e["page_host"] for e in group if e["page_host"] is not None)
        most = max(hosts.values(), default=0)
        host = min((name for name, count in hosts.items() if count == most), default=None)
        rows.append(
            {
                "system_id": system,
                "system_name": named.get(system) or host or system,
                "main_host": host,
                "first_seen_at": min((e["occurred_at"] for e in group), default=None),
                "last_seen_at": max((e["occurred_at"] for e in group), default=None),
                "events": len(group),
                "sessions": sum(row["system_id"] == system for row in fct_sessions),
                "end_users": len(users_of(group)),
                "people": len({persons[user] for user in users_of(group)}),
            }
        )
    return rows
