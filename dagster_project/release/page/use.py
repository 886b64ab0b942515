"""How much WalkMe is used over time, and who comes back."""

from __future__ import annotations

from datetime import date

from dagster_project.release.metrics import ITEMS, PEOPLE, SESSIONS
from dagster_project.release.page.charts import Chart
from dagster_project.release.page.section import Column, Section, Table, Term
from dagster_project.release.page.source import Source

_WEEKS = 8
_RETENTION = "reports.rpt_retention_weekly"


def use_section(source: Source) -> Section:
    """Sessions, engagement, events and retention."""
    weekly = source.period is not None and source.period.step > 1
    people = ["people_7_days", "engaged_people_7_days"] if weekly else ["people", "engaged_people"]
    charts = [
        source.chart(PEOPLE, people, key="people", title="People", kind="line"),
        _sessions(source),
        source.chart(
            SESSIONS, ["engagement_rate"], key="engagement", title="Engaged sessions", kind="line"
        ),
        source.chart(
            ITEMS, ["exposures", "interactions", "outcomes"], key="events", title="Events"
        ),
    ]
    return Section("Use over time", charts=charts, tables=[_retention(source)])


def _sessions(source: Source) -> Chart:
    whole = source.chart(
        SESSIONS, ["engaged_sessions", "sessions"], key="sessions", title="Sessions"
    )
    engaged, sessions = whole.series.values()
    rest = [(n or 0) - (part or 0) for n, part in zip(sessions, engaged, strict=True)]
    return Chart(
        whole.name,
        whole.title,
        whole.dates,
        {"engaged": engaged, "not engaged": rest},
        "bars",
        step=whole.step,
        terms=whole.terms,
    )


def _retention(source: Source) -> Table:
    cells = source.rows(
        f"select first_week, weeks_since_first, people, people_share from {_RETENTION}"
    )
    by_week: dict[date, dict[int, float | None]] = {}
    people: dict[date, int] = {}
    for cell in cells:
        by_week.setdefault(cell["first_week"], {})[cell["weeks_since_first"]] = cell["people_share"]
        people[cell["first_week"]] = cell["people"]
    weeks = sorted(by_week)[-_WEEKS:]
    shown_weeks = range(1 + max((max(by_week[week]) for week in weeks), default=0))[:_WEEKS]
    told = source.said(_RETENTION, "people_share")
    return Table(
        "People who came back",
        [
            Column("First week", "text"),
            Column("People", "count", source.said(_RETENTION, "people")),
            *(Column(f"+{week}", "heat") for week in shown_weeks),
        ],
        [
            (str(week), people[week], *(by_week[week].get(number) for number in shown_weeks))
            for week in weeks
        ],
        note="By the week of their first session; the share that had one so many weeks later.",
        more=[Term("Share", told)],
    )
