"""Surveys, SmartTips and searches."""

from __future__ import annotations

import duckdb

from dagster_project.release.page.charts import Chart
from dagster_project.release.page.section import (
    DAYS,
    ROWS,
    Column,
    Section,
    Table,
    dicts,
    place_of,
    ratio,
)


def surveys_section(release: duckdb.DuckDBPyConnection) -> Section:
    """Response rates and NPS."""
    days = dicts(
        release,
        """
        select
            report_date,
            sum(plays_submitted)::bigint as submitted,
            sum(plays_closed)::bigint as closed,
            sum(plays_ignored)::bigint as ignored
        from reports.rpt_surveys
        group by report_date
        order by report_date
        """,
    )[-DAYS:]
    surveys = dicts(
        release,
        f"""
        select
            arg_max(item_name, report_date) as item_name,
            item_id,
            sum(plays)::bigint as plays,
            sum(plays_submitted)::bigint as submitted,
            sum(nps_answers)::bigint as answers,
            sum(promoters)::bigint as promoters,
            sum(detractors)::bigint as detractors
        from reports.rpt_surveys
        group by system_id, item_key, item_id
        order by plays desc, item_id, system_id, item_key
        limit {ROWS}
        """,
    )
    chart = Chart(
        "surveys",
        "Survey plays by day",
        [row["report_date"] for row in days],
        {name: [row[name] for row in days] for name in ("submitted", "closed", "ignored")},
        "bars",
    )
    table = Table(
        "Response and NPS",
        [
            Column("Survey", "name"),
            *map(Column, ("Plays", "Submitted")),
            Column("Response", "share"),
            Column("Scores"),
            Column("NPS", "decimal"),
        ],
        [
            (
                (row["item_name"], place_of("Survey", row["item_id"])),
                row["plays"],
                row["submitted"],
                ratio(row["submitted"], row["plays"]),
                row["answers"],
                _nps(row["promoters"], row["detractors"], row["answers"]),
            )
            for row in surveys
        ],
        note="The net promoter score goes from -100 to 100 and is over all days.",
    )
    return Section("Surveys", [chart], [table])


def smarttips_section(release: duckdb.DuckDBPyConnection) -> Section:
    """SmartTips by how their validation ends."""
    rows = dicts(
        release,
        f"""
        select
            arg_max(item_name, report_date) as item_name,
            item_id,
            sum(validations)::bigint as validations,
            sum(failed)::bigint as failed,
            sum(sessions_validated)::bigint as sessions,
            sum(sessions_passed_at_first)::bigint as at_first,
            sum(sessions_passed_at_last)::bigint as at_last
        from reports.rpt_smarttips
        group by system_id, item_key, item_id
        having validations > 0
        order by validations desc, item_id, system_id, item_key
        limit {ROWS}
        """,
    )
    table = Table(
        "Validation",
        [
            Column("SmartTip", "name"),
            *map(Column, ("Validations", "Failed", "Sessions")),
            Column("Right at first", "share"),
            Column("Right at last", "share"),
        ],
        [
            (
                (row["item_name"], place_of("SmartTip", row["item_id"])),
                row["validations"],
                row["failed"],
                row["sessions"],
                ratio(row["at_first"], row["sessions"]),
                ratio(row["at_last"], row["sessions"]),
            )
            for row in rows
        ],
    )
    return Section("SmartTips", tables=[table])


def searches_section(release: duckdb.DuckDBPyConnection) -> Section:
    """Search terms, and those that led to no click."""
    rows = dicts(
        release,
        f"""
        select
            search_term,
            sum(searches)::bigint as searches,
            sum(searches_not_clicked)::bigint as not_clicked
        from reports.rpt_searches
        group by search_term
        having not_clicked > 0
        order by not_clicked desc, searches desc, search_term
        limit {ROWS}
        """,
    )
    table = Table(
        "Searches that led to no click",
        [
            Column("Term", "name"),
            *map(Column, ("Searches", "Without a click")),
            Column("Share", "share"),
        ],
        [
            (
                (row["search_term"], ""),
                row["searches"],
                row["not_clicked"],
                ratio(row["not_clicked"], row["searches"]),
            )
            for row in rows
        ],
    )
    return Section("Searches", tables=[table])


def _nps(promoters: int, detractors: int, answers: int) -> float | None:
    return 100 * (promoters - detractors) / answers if answers else None
