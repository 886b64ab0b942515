"""The invariants that the reference can tell: the structural ones and six event definitions.

Rules from invariants.md. Each function gives (checked, violations); what is counted stands in its
docstring.
"""

import datetime as dt
from collections import Counter
from itertools import pairwise

from tests.reference.events import Row, identity
from tests.reference.tables import grouped

Counts = tuple[int, int]

SESSION = ("system_id", "environment", "session_id")
TEACHME_PAUSE = dt.timedelta(hours=24)


def invariants(
    *,
    events: list[Row],
    sessions: list[Row],
    ledger: list[Row],
    items_daily: list[Row],
    events_daily: list[Row],
    pairs: set[tuple[str, str]],
) -> dict[str, Counts]:
    """Every invariant that the reference tells, by its id."""
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
        "launcher_play_once_per_session": once_per_session(events, "Launcher"),
        "smarttip_play_once_per_session": once_per_session(events, "SmartTip"),
        "smarttip_click_comes_with_visible": smarttip_click_comes_with_visible(events),
        "teachme_visible_once_per_24h": teachme_visible_once_per_24h(events),
        "quiz_outcome_follows_submission": quiz_outcome_follows_submission(events),
        "quiz_outcome_is_unambiguous": quiz_outcome_is_unambiguous(events),
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


def once_per_session(events: list[Row], item_type: str) -> Counts:
    """Plays of items of this type; each but the first of an item and session."""
    plays = [
        event
        for event in events
        if (event["item_type"], event["event"]) == (item_type, "Play") and event["item_id"]
    ]
    return len(plays), len(plays) - len(grouped(plays, *SESSION, "item_id"))


def smarttip_click_comes_with_visible(events: list[Row]) -> Counts:
    """SmartTip Clicks; those without a Visible of the SmartTip in the session, at any time."""
    tips = [event for event in events if event["item_type"] == "SmartTip"]
    checked = violations = 0
    for _, group in grouped(tips, *SESSION, "item_id"):
        names = Counter(event["event"] for event in group)
        checked += names["Click"]
        violations += 0 if names["Visible"] else names["Click"]
    return checked, violations


def teachme_visible_once_per_24h(events: list[Row]) -> Counts:
    """TeachMe Visibles; those less than 24 h after the one before of the user and system."""
    visible = [
        event for event in events if (event["item_type"], event["event"]) == ("TeachMe", "Visible")
    ]
    violations = 0
    for _, group in grouped(visible, "system_id", "environment", "end_user_id"):
        times = [event["occurred_at"] for event in group]
        violations += sum(after - before < TEACHME_PAUSE for before, after in pairwise(times))
    return len(visible), violations


def quiz_outcome_follows_submission(events: list[Row]) -> Counts:
    """Passed and Failed; those with no Submitted of the quiz in the session before or with it."""
    checked = violations = 0
    for group in _quizzes(events):
        submitted = [e["occurred_at"] for e in group if e["event"] == "Submitted"]
        outcomes = [e["occurred_at"] for e in group if e["event"] in ("Passed", "Failed")]
        checked += len(outcomes)
        violations += sum(not submitted or submitted[0] > outcome for outcome in outcomes)
    return checked, violations


def quiz_outcome_is_unambiguous(events: list[Row]) -> Counts:
    """Submitted quizzes; those followed by both outcomes before the next Play or Submitted."""
    checked = violations = 0
    for group in _quizzes(events):
        outcomes: list[set[str]] = []
        is_submitted = False
        for event in group:
            if event["event"] in ("Play", "Submitted"):
                is_submitted = event["event"] == "Submitted"
                outcomes += [set()] if is_submitted else []
            elif is_submitted:
                outcomes[-1].add(event["event"])
        checked += len(outcomes)
        violations += sum(len(each) > 1 for each in outcomes)
    return checked, violations


def _quizzes(events: list[Row]) -> list[list[Row]]:
    """The events of each quiz and session in time; of equal times the outcomes come last."""
    quizzes = [event for event in events if event["item_type"] == "TeachMe Quiz"]
    order = ["Play", "Submitted", "Passed", "Failed"]
    return [
        sorted(group, key=lambda event: (event["occurred_at"], order.index(event["event"])))
        for _, group in grouped(quizzes, *SESSION, "item_id")
    ]
