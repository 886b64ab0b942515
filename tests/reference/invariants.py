"""The structural invariants that the reference can tell (data-dictionary.md).

Each function gives (checked, violations); what is counted stands in its docstring. The rules on
events stand in `event_rules.py`, those on flows in `flow_rules.py`.
"""

import datetime as dt
from collections import Counter

from tests.reference.events import Row, identity

Counts = tuple[int, int]


def structural(
    *,
    events: list[Row],
    sessions: list[Row],
    ledger: list[Row],
    items_daily: list[Row],
    events_daily: list[Row],
    pairs: set[tuple[str, str]],
    environments: set[str],
) -> dict[str, Counts]:
    """Every structural invariant that the reference tells, by its id."""
    return {
        "lines_are_all_accounted_for": lines_are_all_accounted_for(ledger),
        "facts_hold_every_accepted_line": facts_hold_every_accepted_line(events, ledger),
        "sessions_hold_every_event": sessions_hold_every_event(events, sessions),
        "event_key_is_unique": (len(events), len(events) - len({identity(e) for e in events})),
        "every_pair_is_defined": (
            len(events),
            sum((event["item_type"], event["event"]) not in pairs for event in events),
        ),
        "reports_add_up": reports_add_up(events, items_daily, events_daily),
        "quarantine_rate": quarantine_rate(ledger),
        "environment_is_known": (
            len(events),
            sum(event["environment"] not in environments for event in events),
        ),
    }


def lines_are_all_accounted_for(ledger: list[Row]) -> Counts:
    """Files; those whose five places do not add up to their lines."""
    places = ("control", "ignored", "quarantined", "duplicate", "accepted")
    return len(ledger), sum(row["lines"] != sum(row[place] for place in places) for row in ledger)


def facts_hold_every_accepted_line(events: list[Row], ledger: list[Row]) -> Counts:
    """Dumps; those of which the fact holds more or fewer events than the ledger accepted."""
    accepted: Counter[dt.date] = Counter()
    for row in ledger:
        accepted[row["dump_date"]] += row["accepted"]
    held = Counter(event["dump_date"] for event in events)
    days = accepted.keys() | held.keys()
    return len(days), sum(accepted[day] != held[day] for day in days)


def sessions_hold_every_event(events: list[Row], sessions: list[Row]) -> Counts:
    """Events; how many more or fewer the sessions hold."""
    return len(events), abs(len(events) - sum(session["events"] for session in sessions))


def reports_add_up(events: list[Row], items_daily: list[Row], events_daily: list[Row]) -> Counts:
    """Production events; how many more or fewer the two daily reports hold together."""
    production = sum(event["environment"] == "production" for event in events)
    by_item = sum(r["exposures"] + r["interactions"] + r["outcomes"] for r in items_daily)
    by_event = sum(row["events"] for row in events_daily)
    return production, abs(production - by_item) + abs(production - by_event)


def quarantine_rate(ledger: list[Row]) -> Counts:
    """Dumps; those with more than 1 % of their lines quarantined (the default tolerance)."""
    lines: Counter[dt.date] = Counter()
    quarantined: Counter[dt.date] = Counter()
    for row in ledger:
        lines[row["dump_date"]] += row["lines"]
        quarantined[row["dump_date"]] += row["quarantined"]
    return len(lines), sum(100 * quarantined[day] > lines[day] for day in lines)
