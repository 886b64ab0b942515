"""Partitions: one a dump date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import dagster as dg


def dump_partitions(first_dump_date: date) -> dg.DailyPartitionsDefinition:
    """One partition a day on which a dump may arrive, today (UTC) included."""
    return dg.DailyPartitionsDefinition(
        start_date=first_dump_date.isoformat(), timezone="UTC", end_offset=1
    )


def contiguous_ranges(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """First and last day of each stretch of days without a gap, in order."""
    first: date | None = None
    last: date | None = None
    for day in sorted(set(days)):
        if first is None or last is None:
            first = day
        elif day - last > timedelta(days=1):
            yield first, last
            first = day
        last = day
    if first is not None and last is not None:
        yield first, last
