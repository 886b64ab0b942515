"""Partitions: one a dump date."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

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
