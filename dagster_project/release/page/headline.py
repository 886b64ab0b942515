"""The numbers that come first: now, against the period before, and over time."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import duckdb

from dagster_project.release.metrics import FLOWS_DAILY, PEOPLE, SEARCHES, SESSIONS, SURVEYS, Report
from dagster_project.release.page.charts import spark
from dagster_project.release.page.section import Section, Tile
from dagster_project.release.page.source import Source
from dagster_project.release.page.text import change, count, written

logger = logging.getLogger("walkhouse")

TILES: Sequence[tuple[Report, str]] = (
    (PEOPLE, "people_7_days"),
    (PEOPLE, "stickiness"),
    (SESSIONS, "sessions"),
    (SESSIONS, "engagement_rate"),
    (SESSIONS, "interactions_per_session"),
    (FLOWS_DAILY, "completion_rate"),
    (SEARCHES, "click_rate"),
    (SURVEYS, "nps"),
)


def headline_section(source: Source) -> Section:
    """Each number with its change and a small line."""
    period = source.period
    if period is None:
        return Section("At a glance", problem=_why_nothing_is_shown(source))
    lead = f"{period.now.text}, {period.words} of the data"
    lead += (
        f"; changes are against {period.before.text}."
        if period.before
        else "; there is no full period before them to compare with."
    )
    tiles = []
    for report, name in TILES:
        try:
            tiles.append(_tile(source, report, name))
        except duckdb.Error as error:
            logger.warning("the release's page is without %r: %s", name, error)
    return Section("At a glance", lead, tiles)


def _why_nothing_is_shown(source: Source) -> str:
    try:
        sessions = source.rows("select 1 from facts.fct_sessions limit 1")
    except duckdb.Error:
        sessions = []
    if sessions:
        return "There are too few people: all numbers about their sessions are hidden."
    return "No session has come in yet."


def _tile(source: Source, report: Report, name: str) -> Tile:
    assert source.period
    assert report.date
    metric = report.metric(name)
    now = source.figures(report, [name], source.period.now.holds(report.date))
    before = source.period.before
    then = {name: None}
    if before and source.period.knows(before.first, metric.looks_back):
        then = source.figures(report, [name], before.holds(report.date))
    remark = ""
    if metric.parts:
        part, whole = metric.parts
        of = "of" if metric.unit in ("share", "small_share") else "in"
        remark = f"{count(now[part])} {of} {count(now[whole])} {metric.of}"
    elif metric.basis:
        remark = f"{count(now[metric.basis])} {metric.of}"
    elif not source.period.knows(source.period.now.first, metric.looks_back):
        remark = f"fewer than {metric.looks_back + 1} days are known"
    return Tile(
        source.term(report, name),
        written(metric.unit, now[name]),
        remark,
        change(metric.unit, now[name], then[name]),
        spark(source.over_time(report, [name]).numbers[name]),
    )
