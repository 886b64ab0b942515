"""The invariants on the events of single items (data-dictionary.md): (checked, violations) each.

An item without an id is known by its name. Of events that name no item at all, nobody can say that
they are of the same one, so they are never one too many.
"""

import datetime as dt
import re
from collections import Counter
from itertools import pairwise
from typing import Any

from tests.reference.events import Row
from tests.reference.rows import SESSION, first_time, grouped, known_as, ms, named

Counts = tuple[int, int]

TEACHME_PAUSE = dt.timedelta(hours=24)
SEARCH_PAUSE = dt.timedelta(seconds=2)
UNNAMED = (None, None)


def once_per_session(events: list[Row], item_type: str) -> Counts:
    """Plays of items of this type; each but the first of an item and session."""
    plays = [event for event in _of(events, item_type) if event["event"] == "Play"]
    extra = sum(
        len(group) - 1 for key, group in grouped(plays, *SESSION, "item") if key["item"] != UNNAMED
    )
    return len(plays), extra


def smarttip_click_comes_with_visible(events: list[Row]) -> Counts:
    """SmartTip Clicks; those without a Visible of the SmartTip in the session, at any time."""
    checked = violations = 0
    for _, group in grouped(_of(events, "SmartTip"), *SESSION, "item"):
        names = Counter(event["event"] for event in group)
        checked += names["Click"]
        violations += 0 if names["Visible"] else names["Click"]
    return checked, violations


def teachme_visible_once_per_24h(events: list[Row]) -> Counts:
    """TeachMe Visibles; those less than 24 h after the one before of the user and system."""
    visible = [event for event in events if named(event, ["TeachMe: Visible"])]
    violations = 0
    for _, group in grouped(visible, "system_id", "environment", "end_user_id"):
        times = [event["occurred_at"] for event in group]
        violations += sum(after - before < TEACHME_PAUSE for before, after in pairwise(times))
    return len(visible), violations


def quiz_outcome_follows_submission(events: list[Row]) -> Counts:
    """Passed and Failed; those with no Submitted of the quiz in the session before or with it."""
    return _not_before(
        _of(events, "TeachMe Quiz"),
        later=("TeachMe Quiz: Passed", "TeachMe Quiz: Failed"),
        first="TeachMe Quiz: Submitted",
    )


def survey_submitted_was_viewed(events: list[Row]) -> Counts:
    """Survey Submitted and Close; those with no Play of it in the session before or with it."""
    return _not_before(
        _of(events, "Survey"), later=("Survey: Submitted", "Survey: Close"), first="Survey: Play"
    )


def launcher_click_was_drawn(events: list[Row]) -> Counts:
    """Launcher Clicks; those with no Play of it in the session before or with it."""
    return _not_before(_of(events, "Launcher"), later=("Launcher: Click",), first="Launcher: Play")


def shoutout_action_was_shown(shoutout_events: list[Row]) -> Counts:
    """Clicks and Closes of ShoutOuts and their actions; those with no Play of it before or with it.

    Takes the events with the ShoutOut that each belongs to.
    """
    own = [
        event | {"item": known_as(event["shoutout_id"], event["shoutout_name"])}
        for event in shoutout_events
    ]
    acts = [
        f"{item}: {act}" for item in ("ShoutOut", "ShoutOut Action") for act in ("Click", "Close")
    ]
    return _not_before(own, later=tuple(acts), first="ShoutOut: Play")


def quiz_outcome_is_unambiguous(events: list[Row]) -> Counts:
    """Submitted quizzes; those followed by both outcomes before the next Play or Submitted."""
    checked = violations = 0
    for _, group in grouped(_of(events, "TeachMe Quiz"), *SESSION, "item"):
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


def search_is_debounced(events: list[Row]) -> Counts:
    """Searches; those less than two seconds after the one before in the session."""
    searches = [event for event in events if named(event, ["WidgetSearch: Search"])]
    violations = 0
    for _, group in grouped(searches, *SESSION):
        times = [event["occurred_at"] for event in group]
        violations += sum(after - before < SEARCH_PAUSE for before, after in pairwise(times))
    return len(searches), violations


def actionbot_chat_is_open(actionbot_events: list[Row]) -> Counts:
    """What happens in the ActionBot, its conversations and nodes; what happens outside a chat."""
    inner = [e for e in actionbot_events if e["event"] not in ("Chat Opened", "Chat Closed")]
    return len(inner), sum(not event["is_in_chat"] for event in inner)


def conversation_ended_was_started(actionbot_events: list[Row]) -> Counts:
    """Ends of conversations; those of a conversation that was not started, or ended before."""
    ends = [event for event in actionbot_events if event["event"] == "Conversation Ended"]
    return len(ends), sum(not event["is_in_conversation"] for event in ends)


def session_within_limits(fct_sessions: list[Row]) -> Counts:
    """Sessions; those that pause or last for too long."""
    return len(fct_sessions), sum(
        row["exceeds_idle_limit"] or row["exceeds_duration_limit"] for row in fct_sessions
    )


def play_id_is_not_from_the_future(events: list[Row]) -> Counts:
    """Events whose play id begins with digits; those before the epoch ms that these are."""
    checked = violations = 0
    for event in events:
        if digits := re.match(r"[0-9]+", event["play_id"] or ""):
            checked += 1
            violations += int(digits[0]) > ms(event["occurred_at"])
    return checked, violations


def _of(events: list[Row], item_type: str) -> list[Row]:
    """The events of a type, each with `item`: what it is known by."""
    return [
        event | {"item": known_as(event["item_id"], event["item_name"])}
        for event in events
        if event["item_type"] == item_type
    ]


def _not_before(events: list[Row], *, later: tuple[str, ...], first: str) -> Counts:
    """The events `later`; those without a `first` of their item in the session, not after them."""
    checked = violations = 0
    for _, group in grouped(events, *SESSION, "item"):
        at: Any = first_time(group, first)
        own = [event for event in group if named(event, later)]
        checked += len(own)
        violations += sum(at is None or at > event["occurred_at"] for event in own)
    return checked, violations
