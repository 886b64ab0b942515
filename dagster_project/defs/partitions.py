"""Partitions: one a dump date."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

import dagster as dg


def dump_partitions(dump_dates: Iterable[date]) -> dg.DailyPartitionsDefinition:
    """One partition a day, from the first dump to today (UTC).

    Args:
        dump_dates: dumps that there are; each of them has a partition, whatever the clock says.
    """
    today = datetime.now(UTC).date()
    days = set(dump_dates) or {today}
    beyond_today = max(days) - today
    return dg.DailyPartitionsDefinition(
        start_date=min(days).isoformat(),
        timezone="UTC",
        end_offset=max(1, beyond_today.days + 1),
    )
