"""Daily reports stay longer than the dumps that they were built from."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.personal_data import Column, Table
from dagster_project.release.publish import Kept, publish, releases
from tests.release.test_publish import release_of

NONE = "none"
TABLES = (
    Table(
        "reports",
        "rpt_daily",
        ("report_date",),
        (Column("report_date", NONE), Column("sessions", NONE, people="all")),
    ),
    Table(
        "reports",
        "rpt_persons",
        ("report_date", "end_user_id"),
        (Column("report_date", NONE), Column("end_user_id", "direct")),
    ),
    Table("reports", "rpt_all", ("item",), (Column("item", NONE),)),
)


def day(number: int) -> date:
    return date(2026, 3, number)


def release_with(
    folder: Path,
    number: int,
    sessions: dict[int, int],
    *,
    kept: Kept | None = None,
    more: str = "",
) -> Path:
    """Publish a release whose daily report says some sessions a day."""
    warehouse = folder / "warehouse.duckdb"
    warehouse.unlink(missing_ok=True)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("create schema reports; create schema meta")
        connection.execute(
            "create table reports.rpt_daily (report_date date not null, sessions bigint not null)"
        )
        connection.execute(
            "create table reports.rpt_persons (report_date date, end_user_id varchar)"
        )
        connection.execute("create table reports.rpt_all as select 'i' as item")
        for each, count in sessions.items():
            connection.execute("insert into reports.rpt_daily values (?, ?)", [day(each), count])
            connection.execute("insert into reports.rpt_persons values (?, 'u')", [day(each)])
        if more:
            connection.execute(more)
    published = folder / "published"
    publish(
        warehouse,
        published,
        replace(release_of(number), first_dump_date=day(min(sessions)).isoformat()),
        [(table.schema, table.name) for table in TABLES],
        keep=3,
        threads=1,
        memory_limit="1GB",
        of_people=TABLES,
        kept=kept,
    )
    return published


def daily(published: Path, file: str = "walkhouse.duckdb") -> dict[int, int]:
    with duckdb.connect(str((published / file).resolve()), read_only=True) as release:
        rows = release.execute(
            "select day(report_date), sessions from reports.rpt_daily"
        ).fetchall()
        return dict(rows)


def test_days_whose_dumps_left_stay_as_they_were_published_as_long_as_reports_are_kept(
    tmp_path: Path,
) -> None:
    release_with(tmp_path, 1, {1: 10, 2: 20, 3: 30})
    kept = Kept(first_dump=day(3), first_report=day(2))
    # A late event of the second came with a dump that is kept: one session is left of twenty.
    published = release_with(tmp_path, 2, {2: 1, 3: 31, 4: 40}, kept=kept)
    expected = {2: 20, 3: 31, 4: 40}
    assert daily(published) == daily(published, "walkhouse-reports.duckdb") == expected
    parquet = published / "parquet" / "reports" / "rpt_daily" / "*.parquet"
    assert duckdb.sql(f"select sum(sessions) from '{parquet}'").fetchall() == [(91,)]
    with duckdb.connect(str((published / "walkhouse.duckdb").resolve()), read_only=True) as release:
        persons = release.execute("select day(report_date) from reports.rpt_persons order by 1")
        assert persons.fetchall() == [(2,), (3,), (4,)]  # what the warehouse has: no person stays
    published = release_with(tmp_path, 3, {4: 40, 5: 50}, kept=Kept(day(4), day(3)))
    assert daily(published) == {3: 31, 4: 40, 5: 50}


def test_without_longer_reports_they_are_those_of_the_dumps(tmp_path: Path) -> None:
    release_with(tmp_path, 1, {1: 10, 2: 20})
    published = release_with(tmp_path, 2, {2: 20, 3: 30}, kept=Kept(day(2), day(2)))
    assert daily(published) == {2: 20, 3: 30}


def test_releases_that_hold_dumps_that_left_are_removed(tmp_path: Path) -> None:
    for number in (1, 2):
        published = release_with(tmp_path, number, {number: 1, 3: 1})
    published = release_with(tmp_path, 3, {2: 1, 3: 1}, kept=Kept(day(2), day(2)))
    assert [each.first_dump_date for each in releases(published)] == ["2026-03-02", "2026-03-02"]


@pytest.mark.parametrize("may_be_null", [True, False])
def test_a_report_with_another_column_takes_over_what_it_can(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, may_be_null: bool
) -> None:
    release_with(tmp_path, 1, {1: 10, 2: 20})
    more = (
        "alter table reports.rpt_daily add column users bigint default 1;"
        "alter table reports.rpt_daily alter column users drop default;"
    )
    if not may_be_null:
        more += "alter table reports.rpt_daily alter column users set not null"
    published = release_with(tmp_path, 2, {2: 20}, kept=Kept(day(2), day(1)), more=more)
    assert daily(published) == ({1: 10, 2: 20} if may_be_null else {2: 20})
    assert ("reports of days before 2026-03-02 are not kept" in caplog.text) is not may_be_null
