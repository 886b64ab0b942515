"""Which days a page compares, and how it cuts months into weeks."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pytest

from dagster_project.release.page.period import Period, Span, period_in, period_of

LAST = date(2026, 3, 14)


def of_days(days: int) -> Period:
    return period_of(LAST - timedelta(days=days - 1), LAST, last_dump=LAST)


@pytest.mark.parametrize(
    ("known", "now", "is_compared"),
    [(1, 1, False), (6, 6, False), (13, 7, False), (14, 7, True), (55, 7, True), (56, 28, True)],
)
def test_a_period_is_compared_with_one_as_long(known: int, now: int, is_compared: bool) -> None:
    period = of_days(known)
    assert period.days == now
    assert period.now.last == LAST
    assert (period.before is not None) == is_compared
    if period.before:
        assert period.before.last == period.now.first - timedelta(days=1)
        assert period.before.last - period.before.first == period.now.last - period.now.first


def test_days_after_the_last_dump_do_not_count() -> None:
    period = period_of(LAST - timedelta(days=20), LAST + timedelta(days=1), last_dump=LAST)
    assert period.now.last == LAST


@pytest.mark.parametrize("days", [63, 64, 69, 70, 400])
def test_weeks_end_with_the_latest_day_and_leave_no_day_out(days: int) -> None:
    period = of_days(days)
    assert (period.step, period.grain) == (7, "week")
    rows = duckdb.sql(
        f"select day::date as day, {period.point('day::date')} as point from"
        f" range(date '{period.all.first}', date '{LAST + timedelta(days=1)}', interval 1 day)"
        " as days (day)"
    ).fetchall()
    assert {point for _, point in rows} == set(period.points)
    assert all(point <= day <= point + timedelta(days=6) for day, point in rows)
    assert period.points[-1] == LAST - timedelta(days=6)


def test_days_are_named_as_people_say_them() -> None:
    assert Span(LAST, LAST).text == "14 March 2026"
    assert Span(date(2026, 3, 8), LAST).text == "8 to 14 March 2026"
    assert Span(date(2026, 2, 15), LAST).text == "15 February to 14 March 2026"
    assert Span(date(2025, 12, 30), LAST).text == "30 December 2025 to 14 March 2026"
    assert of_days(1).words == "the last day"


def test_a_few_sessions_that_came_years_late_do_not_stretch_the_charts() -> None:
    with duckdb.connect() as release:
        release.execute("create schema reports")
        release.execute("create schema meta")
        release.execute("create table meta.release as select date '2026-03-14' as last_dump_date")
        release.execute(
            "create table reports.rpt_sessions_daily as"
            " select date '2025-01-01' as report_date, 1 as sessions union all"
            " select date '2026-03-01' + day::int, 100 from range(14) as days (day)"
        )
        period = period_in(release)
        assert period
        assert period.all == Span(date(2026, 3, 1), LAST)
        release.execute("delete from reports.rpt_sessions_daily")
        assert period_in(release) is None
