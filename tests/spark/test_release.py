"""Releases of what Spark built: readers of the Iceberg tables see one release, old or new."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dagster_project.models.iceberg import collect, iceberg_connection, scan
from dagster_project.registry import load_published_tables
from dagster_project.release.publish import (
    Release,
    publish,
    release_folder,
    roll_back,
    snapshots_of,
)
from tests.spark.lakehouse import Lakehouse, land, simulated

pytestmark = pytest.mark.spark


def release(lakehouse: Lakehouse, published: Path, name: str) -> None:
    """Publish what Spark built last."""
    warehouse = lakehouse.kept / "warehouse.duckdb"
    collect(lakehouse.iceberg, warehouse, lakehouse.project)
    publish(
        warehouse,
        published,
        Release(name, "2026-03-05T00:00:00.000+00:00", "1", "", None, None, 0, 0, {}),
        load_published_tables(lakehouse.project),
        keep=3,
        threads=1,
        memory_limit="1GB",
    )


def differences_from_release(lakehouse: Lakehouse, published: Path, name: str) -> list[str]:
    """Tables of Iceberg, at the snapshots that readers follow, that are not those of a release."""
    snapshots = snapshots_of(published)
    with iceberg_connection() as connection:
        file = release_folder(published, name) / "walkhouse.duckdb"
        connection.execute(f"attach '{file}' as expected (read_only)")
        found = []
        for schema, table in load_published_tables(lakehouse.project):
            snapshot = snapshots[f"{schema}.{table}"]
            rows = scan(lakehouse.iceberg, schema, table, snapshot)
            pairs = (
                (f"expected.{schema}.{table}", rows),
                (rows, f"expected.{schema}.{table}"),
            )
            for one, other in pairs:
                ((count,),) = connection.execute(
                    f"select count(*) from (from {one} except all from {other})"
                ).fetchall()
                if count:
                    found.append(f"{schema}.{table}: {count} rows only in {one}")
    return found


def test_readers_of_iceberg_follow_the_release_and_its_rollback(
    lakehouse: Lakehouse, tmp_path: Path
) -> None:
    published = tmp_path / "published"
    land(lakehouse, simulated)
    lakehouse.build()
    release(lakehouse, published, "1")
    assert differences_from_release(lakehouse, published, "1") == []

    shutil.rmtree(sorted((lakehouse.landing / "events").iterdir())[0])
    lakehouse.take_in()
    lakehouse.build()
    assert differences_from_release(lakehouse, published, "1") == []

    release(lakehouse, published, "2")
    assert differences_from_release(lakehouse, published, "2") == []
    assert differences_from_release(lakehouse, published, "1") != []

    roll_back(published, "1")
    assert differences_from_release(lakehouse, published, "1") == []
    shutil.rmtree(published)
