"""Paths: what people used before and after an item, from the interactions of a session."""

from collections import Counter
from itertools import groupby
from typing import Any

from tests.reference.events import Row
from tests.reference.rows import Item, Names, grouped, rate, with_items

POSITIONS = 5

Step = tuple[str, Item]


def paths_report(events: list[Row], names: Names) -> list[Row]:
    """One row per system, item, direction, position and next item, in production."""
    interactions = [
        event
        for event in events
        if event["environment"] == "production" and event["engagement"] == "interaction"
    ]
    visited: Counter[tuple[str, Step]] = Counter()
    found: Counter[tuple[str, Step, str, int, Step]] = Counter()
    for session, group in grouped(with_items(interactions), "system_id", "session_id"):
        path = [step for step, _ in groupby((e["item_type"], e["item"]) for e in group)]
        system = session["system_id"]
        for step in set(path):
            visited[system, step] += 1
            first = path.index(step)
            after = path[first + 1 : first + 1 + POSITIONS]
            before = list(reversed(path[:first]))[:POSITIONS]
            for direction, others in (("after", after), ("before", before)):
                for position, other in enumerate(others, start=1):
                    found[system, step, direction, position, other] += 1
    return [
        {
            "system_id": system,
            "direction": direction,
            "position": position,
            **_named("", system, step, names),
            **_named("next_", system, other, names),
            "sessions": sessions,
            "sessions_of_item": visited[system, step],
            "share": rate(sessions, visited[system, step]),
        }
        for (system, step, direction, position, other), sessions in found.items()
    ]


def _named(prefix: str, system: str, step: Step, names: Names) -> dict[str, Any]:
    item_type, item = step
    return {
        f"{prefix}item_type": item_type,
        f"{prefix}item_id": item[0],
        f"{prefix}item_name": names[system, item_type, item],
    }
