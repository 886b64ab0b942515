"""Releases of what Spark built, and builds that are killed on the way to one.

The tests follow each other on one installation, from the landing that the tests of parity left (or
that they write). Readers in another engine see one release, old or new, whatever is killed.
"""

from __future__ import annotations

import shutil
import threading
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from dagster_project.models.dbt import DbtError, dbt_project, run_on_spark
from dagster_project.models.iceberg import iceberg_connection
from dagster_project.models.pointer import expire
from dagster_project.registry import load_published_tables
from dagster_project.release.publish import (
    current_release,
    release_folder,
    roll_back,
    snapshots_of,
)
from tests.histories.workbench import environment
from tests.spark.lakehouse import Lakehouse, killed_at

pytestmark = pytest.mark.spark

SESSIONS, VISITS = "facts.fct_sessions", "intermediate.int_visits"
WATCHED = (SESSIONS, "reports.rpt_sessions_daily", "meta.dump_ledger")
"""Tables that a reader asks over and over."""


def pointer(connection: Any, lakehouse: Lakehouse) -> tuple[str, dict[str, int]]:
    """The release that `meta.release` of the catalog names, and the snapshots of its tables."""
    ((name, snapshots),) = connection.execute(
        f"select release_id, snapshots from {lakehouse.at('meta.release')}"
    ).fetchall()
    return name, snapshots


def digest(connection: Any, relation: str) -> tuple[int, int]:
    """Changes with the rows of a table."""
    ((rows, digest),) = connection.execute(
        f"select count(*), coalesce(sum(hash(read)), 0) from {relation} as read"
    ).fetchall()
    return rows, digest


def differences_from_release(lakehouse: Lakehouse, name: str) -> list[str]:
    """What readers of Iceberg's tables see otherwise than a release says."""
    published = lakehouse.settings.published
    with iceberg_connection() as connection:
        pointed, snapshots = pointer(connection, lakehouse)
        found = [] if pointed == name else [f"meta.release names {pointed}"]
        file = release_folder(published, name) / "walkhouse.duckdb"
        connection.execute(f"attach '{file}' as expected (read_only)")
        for schema, table in load_published_tables(lakehouse.project):
            name = f"{schema}.{table}"
            rows = lakehouse.at(name, snapshots[name])
            if digest(connection, rows) != digest(connection, f"expected.{name}"):
                found.append(f"{name} has other rows")
    return found


def tags(lakehouse: Lakehouse, table: str) -> set[str]:
    """Of a table."""
    references = lakehouse.said_of(table)["refs"].items()
    return {name for name, reference in references if reference["type"] == "tag"}


@pytest.mark.usefixtures("built")
def test_a_release_has_a_tag_on_each_table(lakehouse: Lakehouse) -> None:
    lakehouse.release("1")
    assert differences_from_release(lakehouse, "1") == []
    assert all(
        tags(lakehouse, f"{schema}.{table}") == {"1"}
        for schema, table in load_published_tables(lakehouse.project)
    )


def test_builds_that_are_killed_are_made_good_and_no_reader_sees_them(lakehouse: Lakehouse) -> None:
    """The dump of one day leaves, which replaces the rows of its dates; a table is lost as well."""
    shutil.rmtree(sorted((lakehouse.landing / "events").iterdir())[-2])
    lakehouse.take_in()
    shutil.rmtree(lakehouse.kept / "iceberg" / "intermediate" / "int_flow_fates")
    for table in (VISITS, SESSIONS):
        for is_after_the_rows in (False, True):
            with (
                killed_at(f"insert into {table} replace where", is_after=is_after_the_rows),
                pytest.raises(AssertionError, match="killed"),
            ):
                lakehouse.build("--select", "int_visits+1", "fct_sessions")
    with iceberg_connection() as connection:
        _, snapshots = pointer(connection, lakehouse)
        with_the_dump = digest(connection, lakehouse.at(SESSIONS, snapshots[SESSIONS]))
    lakehouse.build()
    lakehouse.rebuild()
    assert lakehouse.differences_between_engines() == []
    with iceberg_connection() as connection:
        name, snapshots = pointer(connection, lakehouse)
        assert name == "1"
        pinned = lakehouse.at(SESSIONS, snapshots[SESSIONS])
        assert digest(connection, pinned) == with_the_dump
        assert digest(connection, lakehouse.at(SESSIONS)) != with_the_dump
        # What the third of the killed builds rebuilt before its end.
        ((told,),) = connection.execute(
            "select list(distinct last - build) from (select *, max(build) over () as last"
            f" from {lakehouse.at('meta.rebuilds')}) where table_name = 'int_visits'"
        ).fetchall()
    assert set(told) >= {0, 2}
    assert not {1, 3, 4} & set(told)


@pytest.mark.parametrize(
    "statement",
    [
        "alter table meta.release set tblproperties",
        f"alter table {SESSIONS} create or replace tag",
        "create or replace table meta.release",
    ],
)
def test_a_release_that_is_killed_leaves_readers_the_one_before(
    lakehouse: Lakehouse, statement: str
) -> None:
    with killed_at(statement), pytest.raises(DbtError, match="killed"):
        lakehouse.release("2-killed")
    current = current_release(lakehouse.settings.published)
    assert current is not None
    assert current.release_id == "1"
    with iceberg_connection() as connection:
        assert pointer(connection, lakehouse)[0] == "1"


def test_readers_see_the_old_release_or_the_new_one(lakehouse: Lakehouse) -> None:
    """A reader asks while the release is made: whatever it sees is all of one."""
    seen: set[tuple[str, tuple[Any, ...]]] = set()
    is_done = threading.Event()

    def whole_of(connection: Any) -> tuple[str, tuple[Any, ...]]:
        name, snapshots = pointer(connection, lakehouse)
        return name, tuple(
            digest(connection, lakehouse.at(table, snapshots[table])) for table in WATCHED
        )

    def read() -> None:
        with iceberg_connection() as connection:
            while True:
                is_last = is_done.is_set()
                try:
                    seen.add(whole_of(connection))
                except duckdb.Error as error:
                    # A catalog in a folder replaces the hint that names the metadata of a table by
                    # removing it first. Who asks just then asks again.
                    if "version-hint" not in str(error):
                        raise
                    continue
                if is_last:
                    return

    reader = threading.Thread(target=read)
    reader.start()
    try:
        lakehouse.release("2")
    finally:
        is_done.set()
        reader.join()
    assert differences_from_release(lakehouse, "2") == []
    assert tags(lakehouse, SESSIONS) == {"1", "2"}  # and of none that was killed
    published = lakehouse.settings.published
    with iceberg_connection() as connection:
        expected = set()
        for name in ("1", "2"):
            file = release_folder(published, name) / "walkhouse.duckdb"
            connection.execute(f"attach '{file}' as release_{name} (read_only)")
            rows = tuple(digest(connection, f"release_{name}.{table}") for table in WATCHED)
            expected.add((name, rows))
    assert seen <= expected
    assert len(seen) == len(expected), "it has to begin before, and end after"


def test_a_rollback_leads_readers_back(lakehouse: Lakehouse) -> None:
    published = lakehouse.settings.published
    release = roll_back(published, "1")
    lakehouse.point_to(release, snapshots_of(published), ["1", "2"])
    assert differences_from_release(lakehouse, "1") == []


def test_what_is_kept_stays_when_old_snapshots_expire(lakehouse: Lakehouse) -> None:
    """The tag of another release goes, and of the most crowded tables what nobody reads then."""
    published = lakehouse.settings.published
    release = roll_back(published, "2")
    tables = [f"{schema}.{table}" for schema, table in load_published_tables(lakehouse.project)]

    def unread() -> dict[str, int]:
        """Snapshots of each table that are neither what it is now nor in the release."""
        found = {}
        for table in tables:
            said = lakehouse.said_of(table)
            read = {said["refs"][name]["snapshot-id"] for name in ("main", "2")}
            found[table] = len({each["snapshot-id"] for each in said["snapshots"]} - read)
        return found

    before = unread()
    most = max(before.values()) - 1
    with environment(**lakehouse.variables()):
        run_on_spark(
            dbt_project(lakehouse.settings),
            "spark_release",
            {
                "release": release.release_id,
                "columns": [{"name": "release_id", "type": "string", "text": "2"}],
                "snapshots": snapshots_of(published),
                "keep": ["2"],
                "forgets": True,
            },
        )
        expire(
            {schema for schema, _ in load_published_tables(lakehouse.project)},
            most=most,
            older_than=datetime.now(UTC),
        )
    assert differences_from_release(lakehouse, "2") == []
    assert {tag for table in tables for tag in tags(lakehouse, table)} == {"2"}
    assert unread() == {table: 0 if held > most else held for table, held in before.items()}
    assert set(unread().values()) > {0}
    assert not list(lakehouse.iceberg.glob("audit/between_*"))
