"""Run requests: the runs that bring the installation to the state of the landing.

The command line executes them in its own process; the schedule and the sensors hand them to
Dagster's daemon. Both take them from here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, date, datetime

import dagster as dg

from dagster_project.partitions import contiguous_ranges
from dagster_project.pending import look
from dagster_project.settings import Settings

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def range_tags(first: date, last: date) -> dict[str, str]:
    """The tags by which Dagster knows the partitions of a run."""
    return {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}


def ingest_requests(settings: Settings) -> Iterator[dg.RunRequest]:
    """One request for each stretch of days with pending dumps; its key is what lies there.

    A dump that is still being written is left for another time.
    """
    situation = look(settings, now=datetime.now(UTC))
    for first, last in contiguous_ranges(situation.pending.dates):
        signatures = [
            f"{day} {dump.signature}"
            for day, dump in situation.landed.dumps.items()
            if first <= day <= last
        ]
        key = hashlib.sha256("\n".join([f"{first} {last}", *signatures]).encode()).hexdigest()
        yield dg.RunRequest(run_key=key, tags=range_tags(first, last))


def build_request(settings: Settings) -> dg.RunRequest | None:
    """The request for a build, unless what is in the lake is published."""
    situation = look(settings, now=datetime.now(UTC))
    if situation.is_built_from_lake and not situation.is_catalogue_pending:
        return None
    catalogue = situation.landed.catalogue
    return dg.RunRequest(run_key=f"{situation.state} {catalogue.stamp if catalogue else ''}")
