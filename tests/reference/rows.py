"""What every table of the reference is made with: grouping, counting, days, durations, quantiles.

Rows are plain dictionaries; nothing here knows an item type.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from tests.reference.events import EPOCH, Row

# What tells an item from others of its system and type: its id or, where it has none, its name.
Item = tuple[str | None, str | None]
# The name of each item by system, item type and item.
Names = dict[tuple[str, str | None, Item], str | None]

SESSION = ("system_id", "environment", "session_id")


def seconds(duration: dt.timedelta) -> float:
    """A duration in seconds, to the millisecond."""
    return duration // dt.timedelta(milliseconds=1) / 1000


def local_date(moment: dt.datetime, zone: ZoneInfo) -> dt.date:
    """The day, in `zone`, of a moment given as naive UTC."""
    return moment.replace(tzinfo=dt.UTC).astimezone(zone).date()


def ms(moment: dt.datetime) -> int:
    """Milliseconds since 1970 of a moment given as naive UTC."""
    return (moment - EPOCH) // dt.timedelta(milliseconds=1)


def between(start: dt.datetime | None, end: dt.datetime | None) -> float | None:
    """Seconds from start to end, to the millisecond; None where one of them is missing."""
    return None if start is None or end is None else seconds(end - start)


def rate(numerator: float, denominator: int) -> float | None:
    """Numerator by denominator; None where the denominator is 0."""
    return numerator / denominator if denominator else None


def quantile(values: list[float], share: float) -> float:
    """The quantile with linear interpolation between the two nearest values."""
    ordered = sorted(values)
    position = (len(ordered) - 1) * share
    below = int(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def quantile_of(rows: list[Row], column: str, share: float) -> float | None:
    """The quantile of a column where it is not None; None if it is nowhere."""
    values = [row[column] for row in rows if row[column] is not None]
    return quantile(values, share) if values else None


def happened(event: Row) -> tuple[Any, ...]:
    """The order of events: time, what the definitions say comes first, the line's place."""
    place = event["dump_date"], event["source_file"].encode(), event["source_row"]
    return event["occurred_at"], event["order_in_ms"], *place


def grouped(
    rows: Iterable[Row], *columns: str, by: str | None = None
) -> list[tuple[Row, list[Row]]]:
    """The rows by equal values of `columns`: (the key as a row, its rows in order of `by`).

    Without `by` they are events, in the order of events.
    """
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[tuple(row[column] for column in columns)].append(row)
    return [
        (
            dict(zip(columns, key, strict=True)),
            sorted(group, key=happened if by is None else lambda row: row[by]),
        )
        for key, group in groups.items()
    ]


def reported(rows: list[Row], zone: ZoneInfo, *, at: str = "occurred_at") -> list[Row]:
    """The production rows with `report_date`, the day of `at` in `zone`."""
    return [
        row | {"report_date": local_date(row[at], zone)}
        for row in rows
        if row["environment"] == "production"
    ]


def sessions_of(rows: list[Row]) -> set[tuple[str, str, str]]:
    """The sessions of the rows."""
    return {(row["system_id"], row["environment"], row["session_id"]) for row in rows}


def users_of(rows: list[Row]) -> set[str]:
    """The end users of the rows."""
    return {row["end_user_id"] for row in rows}


def people_of(rows: list[Row]) -> set[str]:
    """The people of the rows."""
    return {row["person_id"] for row in rows}


def latest(rows: list[Row], column: str) -> Any:
    """The last value of a column that is not None, in rows that are in order."""
    return next((row[column] for row in reversed(rows) if row[column] is not None), None)


def earliest(rows: list[Row], column: str) -> Any:
    """The first value of a column that is not None, in rows that are in order."""
    return next((row[column] for row in rows if row[column] is not None), None)


def named(event: Row, events: Iterable[str]) -> bool:
    """Whether the event is one of these pairs, each `item type: event`."""
    return f"{event['item_type']}: {event['event']}" in events


def count(events: list[Row], *pairs: str) -> int:
    """How many of the events are one of these pairs, each `item type: event`."""
    return sum(named(event, pairs) for event in events)


def first_time(events: list[Row], *pairs: str) -> dt.datetime | None:
    """When the first of the events that is one of these pairs happened; None without one."""
    return min((event["occurred_at"] for event in events if named(event, pairs)), default=None)


def known_as(item_id: str | None, name: str | None) -> Item:
    """What tells an item from others of its type: its id or, where it has none, its name."""
    return item_id, name if item_id is None else None


def with_items(rows: Iterable[Row]) -> list[Row]:
    """The rows with `item`: what the item of each is known as."""
    return [row | {"item": known_as(row["item_id"], row["item_name"])} for row in rows]


def name_at(rows: list[Row], column: str, at: str) -> str | None:
    """The name in the last row that has one, by the time `at`; of equal times the larger name."""
    named_rows = [(row[at], row[column]) for row in rows if row[column] is not None]
    return max(named_rows)[1] if named_rows else None


def held(events: list[Row]) -> Row:
    """What every fact says of the events that a row holds, given in order."""
    return {
        "end_user_id": events[-1]["end_user_id"],
        "event_date": events[0]["occurred_at"].date(),
        "first_event_at": events[0]["occurred_at"],
        "last_event_at": events[-1]["occurred_at"],
        "events": len(events),
    }


def item_names(dim_items: list[Row]) -> Names:
    """The name of each item of `dim_items` by system, item type and item."""
    return {
        (item["system_id"], item["item_type"], item["item"]): item["item_name"]
        for item in with_items(dim_items)
    }
