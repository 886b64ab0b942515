"""Searches: intents, each with the keystrokes that led to its final term (data-dictionary.md)."""

import datetime as dt

from tests.reference.events import Row
from tests.reference.rows import SESSION, between, first_time, grouped, held, latest

LONGEST_PAUSE = dt.timedelta(seconds=30)


def searches(events: list[Row]) -> list[Row]:
    """One row per search intent; clicks before the first search of a session share a row."""
    rows = []
    of_widget = [event for event in events if event["item_type"] == "WidgetSearch"]
    for key, group in grouped(of_widget, *SESSION):
        rows += [key | intent for intent in _told_by_their_ends([*map(_intent, _intents(group))])]
    return rows


def term(event: Row) -> str | None:
    """What was searched: the value or else the item's name, without spaces around it."""
    for column in ("value", "item_name"):
        if text := (event[column] or "").strip(" "):
            return str(text)
    return None


def goes_on(before: Row, after: Row) -> bool:
    """Whether one Search is of the same intent as the Search before it."""
    if after["occurred_at"] - before["occurred_at"] > LONGEST_PAUSE:
        return False
    old, new = term(before), term(after)
    if old is None or new is None:
        return old is new
    old, new = old.lower(), new.lower()
    return new.startswith(old) or old.startswith(new)


def _intents(group: list[Row]) -> list[list[Row]]:
    intents: list[list[Row]] = []
    search: Row | None = None  # the last Search; a click between two of them changes nothing
    for event in group:
        is_search = event["event"] == "Search"
        if not intents or (is_search and (search is None or not goes_on(search, event))):
            intents.append([])
        intents[-1].append(event)
        search = event if is_search else search
    return intents


def _told_by_their_ends(intents: list[Row]) -> list[Row]:
    """The intents of a session, each with what it was typed on to: told from the last one back."""
    told: list[Row] = []
    for intent in reversed(intents):
        own = intent["final_term"] and intent["final_term"].lower()
        following = told[-1] if told else None
        is_typed_on = (
            following is not None
            and not intent["clicks"]
            and own is not None
            and following["final_term"] is not None
            and len(following["final_term"]) > len(own)
            and following["final_term"].lower().startswith(own)
        )
        end = following if is_typed_on and following else None
        told.append(
            intent
            | {
                "is_typed_on": is_typed_on,
                "search_term": end["search_term"] if end else own,
                "led_to_click": end["led_to_click"] if end else intent["was_clicked"],
            }
        )
    return list(reversed(told))


def _intent(group: list[Row]) -> Row:
    keystrokes = [event for event in group if event["event"] == "Search"]
    clicks = [event for event in group if event["event"] == "Click"]
    searched = first_time(group, "WidgetSearch: Search")
    clicked = first_time(group, "WidgetSearch: Click")
    terms = [each for event in keystrokes if (each := term(event))]
    return held(group) | {
        "searched_at": searched,
        "clicked_at": clicked,
        "final_term": terms[-1] if terms else None,
        "keystroke_events": len(keystrokes),
        "was_clicked": bool(clicks),
        "clicks": len(clicks),
        "seconds_to_click": between(searched, clicked),
        "clicked_item_id": latest(clicks, "item_id"),
        "clicked_item_name": latest(clicks, "item_name"),
    }
