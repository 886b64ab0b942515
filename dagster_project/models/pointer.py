"""The release as readers of Iceberg's tables follow it: a tag on each table, and `meta.release`.

The tag has the name of the release, so that one name says what to read of every table. The table
`meta.release` names it, and the snapshots for readers that know no tags; it is replaced last. What
has a tag does not expire.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from dagster_project.models.dbt import dbt_project, run_on_spark
from dagster_project.release.publish import RELEASE_COLUMNS, Release, release_values
from dagster_project.settings import Settings

_MOST_SNAPSHOTS = 20
"""Of a table, beside those that releases read: with more, the old ones expire."""

_GRACE = timedelta(days=1)
"""For who reads a table as it is now, and not a release: a snapshot goes later than this."""


def point_to(
    settings: Settings,
    release: Release,
    snapshots: Mapping[str, int],
    *,
    keep: Sequence[str],
    forgets: bool = False,
) -> None:
    """Let readers of Iceberg's tables see a release.

    Args:
        settings: of the installation.
        release: what they see from now on.
        snapshots: the snapshot of each published table, by `<schema>.<table>`.
        keep: the ids of the releases that are kept; the tags of others go.
        forgets: let all go at once that no kept release reads, since it shows somebody who is to be
            forgotten, or more of somebody than is kept now.

    Raises:
        DbtError: Spark cannot do it; readers see the release before.
    """
    said = release_values(release)
    grace = timedelta(0) if forgets else _GRACE
    run_on_spark(
        dbt_project(settings),
        "spark_release",
        {
            "release": release.release_id,
            "columns": [
                {"name": column.name, "type": column.data_type, "text": _text(said[column.name])}
                for column in RELEASE_COLUMNS
            ],
            "snapshots": dict(snapshots),
            "keep": list(keep),
            # What is kept for a time only must not stay in a snapshot.
            "most": 0 if forgets or settings.keep_days else _MOST_SNAPSHOTS,
            "older_than": f"{datetime.now(UTC) - grace:%Y-%m-%d %H:%M:%S}",
            "forgets": forgets,
        },
    )


def _text(value: Any) -> str | None:
    """A value as Spark casts it."""
    if value is None:
        return None
    return json.dumps(value) if isinstance(value, bool) else str(value)
