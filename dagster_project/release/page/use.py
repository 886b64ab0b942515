"""How much WalkMe is used, and who comes back."""

from __future__ import annotations

from datetime import date

import duckdb

from dagster_project.release.page.charts import Chart
from dagster_project.release.page.section import DAYS, WEEKS, Column, Section, Table, dicts, ratio


def use_section(release: duckdb.DuckDBPyConnection) -> Section:
    """Sessions, end users and retention."""
    sessions = dicts(
        release,
        """
        select
            report_date,
            sum(sessions)::bigint as sessions,
            sum(engaged_sessions)::bigint as engaged_sessions
        from reports.rpt_sessions_daily
        group by report_date
        order by report_date
        """,
    )[-DAYS:]
    events = dicts(
        release,
        """
        select
            report_date,
            sum(exposures)::bigint as exposures,
            sum(interactions)::bigint as interactions,
            sum(outcomes)::bigint as outcomes
        from reports.rpt_items_daily
        group by report_date
        order by report_date
        """,
    )[-DAYS:]
    days = [row["report_date"] for row in sessions]
    charts = [
        Chart(
            "sessions",
            "Sessions by day",
            days,
            {
                "engaged": [row["engaged_sessions"] for row in sessions],
                "not engaged": [row["sessions"] - row["engaged_sessions"] for row in sessions],
            },
            "bars",
        ),
        Chart(
            "engagement",
            "Engaged sessions by day",
            days,
            {"engaged": [ratio(row["engaged_sessions"], row["sessions"]) for row in sessions]},
            "line",
            unit="share",
        ),
        Chart(
            "events",
            "Events by day",
            [row["report_date"] for row in events],
            {
                name: [row[name] for row in events]
                for name in ("exposures", "interactions", "outcomes")
            },
            "bars",
        ),
    ]
    return Section("Use", charts, [_retention(release)])


def _retention(release: duckdb.DuckDBPyConnection) -> Table:
    cells = dicts(
        release,
        "select first_week, weeks_since_first, users, share from reports.rpt_retention_weekly",
    )
    by_week: dict[date, dict[int, float | None]] = {}
    users: dict[date, int] = {}
    for cell in cells:
        by_week.setdefault(cell["first_week"], {})[cell["weeks_since_first"]] = cell["share"]
        users[cell["first_week"]] = cell["users"]
    weeks = sorted(by_week)[-WEEKS:]
    shown_weeks = range(1 + max((max(by_week[week]) for week in weeks), default=0))[:WEEKS]
    return Table(
        "Users who came back",
        [
            Column("First week", "text"),
            Column("Users"),
            *(Column(f"+{week}", "heat") for week in shown_weeks),
        ],
        [
            (str(week), users[week], *(by_week[week].get(number) for number in shown_weeks))
            for week in weeks
        ],
        note="By the week of their first session; the share that had one so many weeks later.",
    )
