"""Surveys, SmartTips and searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dagster_project.release.metrics import SEARCHES, SMARTTIPS, SURVEYS, Report
from dagster_project.release.page.section import ROWS, Column, Rate, Section, Table
from dagster_project.release.page.source import Source, selected


def surveys_section(source: Source) -> Section:
    """Response rates and NPS."""
    chart = source.chart(
        SURVEYS,
        ["plays_submitted", "plays_closed", "plays_ignored"],
        key="surveys",
        title="Surveys opened",
    )
    names = ["response_rate", "nps", "nps_answers"]
    table = Table(
        "Response and NPS",
        [
            Column("Survey", "name"),
            source.column(SURVEYS, "response_rate", is_main=True),
            source.column(SURVEYS, "nps", "NPS"),
            source.column(SURVEYS, "nps_answers"),
        ],
        [
            (
                (row["item_name"], source.place("Survey", row["item_id"], row["system_id"])),
                Rate(row["plays_submitted"], row["plays"], "plays"),
                row["nps"],
                row["nps_answers"],
            )
            for row in _items(source, SURVEYS, names, most="plays")
        ],
        note="Over all days.",
    )
    return Section("Surveys", charts=[chart], tables=[table])


def smarttips_section(source: Source) -> Section:
    """SmartTips by how their validation ends."""
    names = ["passed_at_first_rate", "passed_at_last_rate", "failure_rate"]
    table = Table(
        "SmartTips that validate",
        [
            Column("SmartTip", "name"),
            source.column(SMARTTIPS, "passed_at_first_rate", is_main=True),
            source.column(SMARTTIPS, "passed_at_last_rate"),
            source.column(SMARTTIPS, "failure_rate"),
        ],
        [
            (
                (row["item_name"], source.place("SmartTip", row["item_id"], row["system_id"])),
                Rate(row["sessions_passed_at_first"], row["sessions_validated"], "sessions"),
                Rate(row["sessions_passed_at_last"], row["sessions_validated"], "sessions"),
                Rate(row["failed"], row["validations"]),
            )
            for row in _items(
                source, SMARTTIPS, names, most="validations", having="sum(validations) > 0"
            )
        ],
        note="Over all days.",
        grows=True,
    )
    return Section("SmartTips", tables=[table])


def searches_section(source: Source) -> Section:
    """Search terms, and those that led to no click."""
    chart = source.chart(
        SEARCHES,
        ["searches_clicked", "searches_not_clicked"],
        key="searches",
        title="Searches",
    )
    table = Table(
        "Searches that led to no click",
        [
            Column("Term", "name"),
            source.column(SEARCHES, "no_click_rate", is_main=True),
        ],
        [
            (
                (row["search_term"], ""),
                Rate(row["searches_not_clicked"], row["searches"], "searches"),
            )
            for row in source.rows(
                f"""
                select search_term, {selected(SEARCHES, ["no_click_rate"])}
                from {SEARCHES.name}
                group by search_term
                having sum(searches_not_clicked) > 0
                order by searches_not_clicked desc, searches desc, search_term
                limit {ROWS}
                """
            )
        ],
        note="Over all days.",
    )
    return Section("Searches", charts=[chart], tables=[table])


def _items(
    source: Source, report: Report, names: Sequence[str], *, most: str, having: str = "true"
) -> list[dict[str, Any]]:
    """The items of a report that have most of something, with figures over all days."""
    return source.rows(
        f"""
        select
            arg_max(item_name, report_date) as item_name,
            any_value(item_id) as item_id,
            system_id,
            {selected(report, names)}
        from {report.name}
        group by system_id, item_key
        having {having}
        order by {most} desc, item_id, system_id, item_key
        limit {ROWS}
        """
    )
