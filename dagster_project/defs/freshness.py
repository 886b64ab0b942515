"""Freshness: how old the newest published event is.

Dagster's own freshness policies look at the last materialization, which a run renews whatever it
found. So this is a check on the release: each build evaluates it, and so does the sensor `alerts`
as time goes by.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb

from dagster_project.defs.assets.release import RELEASE
from dagster_project.defs.resources import Installation
from dagster_project.release.publish import current_release
from dagster_project.settings import Settings

DATA_IS_FRESH = "data_is_fresh"

# A dump a day is expected, and may come some hours late.
_OLDEST = timedelta(hours=30)


@dg.asset_check(
    asset=RELEASE,
    name=DATA_IS_FRESH,
    description=f"The newest published event is at most {_OLDEST.total_seconds() / 3600:.0f} hours "
    "old. A failure warns; it does not block the release.",
)
def data_is_fresh(installation: Installation) -> dg.AssetCheckResult:
    """Look at what readers see now."""
    newest = newest_event(installation.settings)
    return dg.AssetCheckResult(
        passed=is_fresh(newest, now=datetime.now(UTC)),
        severity=dg.AssetCheckSeverity.WARN,
        description=_in_words(newest),
    )


def newest_event(settings: Settings) -> datetime | None:
    """When the newest published event happened (UTC); None where there is none."""
    if current_release(settings.published) is None:
        return None
    return _newest_event(settings.published / "walkhouse.duckdb")


def is_fresh(newest: datetime | None, *, now: datetime) -> bool:
    """Whether the newest event is recent enough."""
    return newest is not None and now - newest <= _OLDEST


def evaluation(newest: datetime | None, *, now: datetime) -> dg.AssetCheckEvaluation:
    """The check as somebody reports it who executes no run."""
    return dg.AssetCheckEvaluation(
        asset_key=RELEASE,
        check_name=DATA_IS_FRESH,
        passed=is_fresh(newest, now=now),
        severity=dg.AssetCheckSeverity.WARN,
        description=_in_words(newest),
    )


def _newest_event(release: Path) -> datetime | None:
    with duckdb.connect(str(release), read_only=True) as connection:
        found = connection.execute("select max(occurred_at) from facts.fct_item_events").fetchall()
    newest: datetime | None = found[0][0]
    return newest.replace(tzinfo=UTC) if newest else None


def _in_words(newest: datetime | None) -> str:
    return f"the newest event is of {newest:%Y-%m-%d %H:%M} UTC" if newest else "no event yet"
