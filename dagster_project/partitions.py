"""Partitions: one a dump date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta

import dagster as dg


def dump_partitions(
    first_day: date, dump_dates: Iterable[date] = ()
) -> dg.DailyPartitionsDefinition:
    """One partition a day, from the first day to today (UTC), or further where dumps lie further.

    Args:
        first_day: the first partition, unless a dump is older.
        dump_dates: dumps that there are; each of them has a partition, whatever the clock says.
    """
    days = {first_day, *dump_dates}
    beyond_today = max(days) - datetime.now(UTC).date()
    return dg.DailyPartitionsDefinition(
        start_date=min(days).isoformat(),
        timezone="UTC",
        end_offset=max(1, beyond_today.days + 1),
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
