"""The days that a page compares: the latest ones with as many before them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from dagster_project.words import counted

_LENGTHS = (28, 7)
_MOST_DAYS = 62
"""Charts of more days show weeks."""


@dataclass(frozen=True)
class Span:
    """Days in a row, both ends included."""

    first: date
    last: date

    @property
    def text(self) -> str:
        """The days in words, as in "8 to 14 March 2026"."""
        if self.first == self.last:
            return _day(self.last)
        if self.first.year != self.last.year:
            return f"{_day(self.first)} to {_day(self.last)}"
        if self.first.month != self.last.month:
            return f"{self.first.day} {self.first:%B} to {_day(self.last)}"
        return f"{self.first.day} to {_day(self.last)}"

    def holds(self, column: str) -> str:
        """The condition that a column of days is in the span."""
        after = self.last + timedelta(days=1)
        return f"({column} >= date '{self.first}' and {column} < date '{after}')"


@dataclass(frozen=True)
class Period:
    """The latest days of the data, and what they are compared with.

    Attributes:
        all: every day of the reports that counts.
        now: the latest days: 28 where twice as many are there, else 7 or what there is.
        before: as many days before them; None where the data does not reach back so far.
    """

    all: Span
    now: Span
    before: Span | None

    @property
    def days(self) -> int:
        """How many days are compared with as many."""
        return (self.now.last - self.now.first).days + 1

    @property
    def words(self) -> str:
        """What "now" is called, as in "the last 7 days"."""
        return "the last day" if self.days == 1 else f"the last {counted(self.days, 'day')}"

    def knows(self, day: date, days_before: int) -> bool:
        """Whether the data reaches back so many days before a day."""
        return day - timedelta(days=days_before) >= self.all.first

    @property
    def step(self) -> int:
        """How many days a point of a chart stands for: one, or a week where there are months."""
        return 7 if (self.all.last - self.all.first).days >= _MOST_DAYS else 1

    @property
    def grain(self) -> str:
        """What a point of a chart stands for."""
        return "week" if self.step > 1 else "day"

    def point(self, column: str) -> str:
        """The first day of the point of a chart that a column of days belongs to.

        Weeks end with the latest day, so the latest one is whole; the first one may not be.
        """
        if self.step == 1:
            return column
        behind = f"(date '{self.all.last}' - {column}) // {self.step}"
        return f"(date '{self.all.last}' - {self.step - 1} - {self.step} * cast({behind} as int))"

    @property
    def points(self) -> list[date]:
        """The first days of all points."""
        count = (self.all.last - self.all.first).days // self.step + 1
        last = self.all.last - timedelta(days=self.step - 1)
        return [last - timedelta(days=self.step * back) for back in reversed(range(count))]


def period_of(first: date, last: date, *, last_dump: date | None) -> Period:
    """The period that a page compares.

    Args:
        first: the first day of the reports.
        last: their last day.
        last_dump: day of the latest dump; days after it are there only because clocks differ.
    """
    last = max(first, min(last, last_dump)) if last_dump else last
    known = (last - first).days + 1
    days = next((length for length in _LENGTHS if known >= 2 * length), min(known, _LENGTHS[-1]))
    start = last - timedelta(days=days - 1)
    before = Span(start - timedelta(days=days), start - timedelta(days=1))
    return Period(Span(first, last), Span(start, last), before if before.first >= first else None)


def period_in(release: duckdb.DuckDBPyConnection) -> Period | None:
    """The period that the page of an open release compares; None where it has no sessions.

    Raises:
        duckdb.Error: it has no `meta.release`, or no daily report of its sessions.
    """
    first, last = release.execute(_DAYS).fetchall()[0]
    dumps = release.execute("select last_dump_date from meta.release").fetchall()
    return period_of(first, last, last_dump=dumps[0][0] if dumps else None) if first else None


# The few sessions that came years late would make every chart as long.
_DAYS = """
with days as (
    select
        report_date,
        sum(sum(sessions)) over (order by report_date) / sum(sum(sessions)) over () as share_so_far
    from reports.rpt_sessions_daily
    group by report_date
)
select min(report_date) filter (share_so_far > 0.002), max(report_date)
from days
"""


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
