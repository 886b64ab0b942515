"""Freshness: how old dumps and release may grow before the UI shows them as late."""

from datetime import timedelta

import dagster as dg

# A dump a day is expected: one that is a few hours late is a warning, one that is a day late is not
# fresh any more.
DAILY = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(hours=30), fail_window=timedelta(hours=48)
)
