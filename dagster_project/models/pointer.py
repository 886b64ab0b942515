"""The release as readers of Iceberg's tables follow it: a tag on each table, and `meta.release`.

The tag has the name of the release, so that one name says what to read of every table. The table
`meta.release` names it, and the snapshots for readers that know no tags; it is replaced last. What
has a tag does not expire.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from dagster_project.models.dbt import DbtError, dbt_project, load_manifest, run_on_spark
from dagster_project.models.spark import CatalogError, iceberg_table, session_of_spark
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
    project = dbt_project(settings)
    run_on_spark(
        project,
        "spark_release",
        {
            "release": release.release_id,
            "columns": [
                {"name": column.name, "type": column.data_type, "text": _text(said[column.name])}
                for column in RELEASE_COLUMNS
            ],
            "snapshots": dict(snapshots),
            "keep": list(keep),
            "forgets": forgets,
        },
    )
    expire(
        {
            node["schema"]
            for node in load_manifest(project)["nodes"].values()
            if node["config"]["materialized"] in ("incremental", "seed")
        },
        # What is kept for a time only must not stay in a snapshot.
        most=0 if forgets or settings.keep_days else _MOST_SNAPSHOTS,
        older_than=datetime.now(UTC) - (timedelta(0) if forgets else _GRACE),
    )


def expire(schemas: Collection[str], *, most: int, older_than: datetime) -> None:
    """Let go of the old snapshots of crowded tables, with their files.

    The Spark of this process has Iceberg do it: as a statement of Spark, it takes jobs of a second
    for each table, however small.

    Args:
        schemas: the project's, whose tables of models that are gone count as well. Others in the
            catalog are somebody else's.
        most: a table is crowded if it has more snapshots that no tag names, and that are not what
            it is now.
        older_than: these go.

    Raises:
        DbtError: Spark cannot do it.
    """
    milliseconds = int(older_than.timestamp() * 1000)
    try:
        with session_of_spark() as session:
            there = {schema for (schema,) in session.sql("show schemas").collect()}
            for schema in sorted(there & set(schemas)):
                for row in session.sql(f"show tables in {schema}").collect():
                    table = iceberg_table(session, schema, row.tableName)
                    held = {snapshot.snapshotId() for snapshot in table.snapshots()}
                    named = {reference.snapshotId() for reference in table.refs().values()}
                    if len(held - named) > most:
                        table.expireSnapshots().expireOlderThan(milliseconds).commit()
    except CatalogError as error:
        raise DbtError(f"engine=spark: {error}") from None


def _text(value: Any) -> str | None:
    """A value as Spark casts it."""
    if value is None:
        return None
    return json.dumps(value) if isinstance(value, bool) else str(value)
