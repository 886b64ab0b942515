"""How the parts of a page read a release: figures by their names, over days, items and systems."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import duckdb

from dagster_project.release.metrics import Metric, Report
from dagster_project.release.page.charts import Chart
from dagster_project.release.page.period import Period
from dagster_project.release.page.section import Column, Term


@dataclass(frozen=True)
class Source:
    """An open release, and the days that its page is about."""

    connection: duckdb.DuckDBPyConnection
    period: Period | None

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows of a query, by the names of their columns."""
        cursor = self.connection.execute(query, values)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def figures(self, report: Report, names: Sequence[str], where: str = "true") -> dict[str, Any]:
        """Figures over all rows of a report that meet a condition, with the parts of rates."""
        (row,) = self.rows(
            f"select {selected(report, names)} from {report.relation}"
            f" where {where} and {report.whole or 'true'}"
        )
        return row

    def over_time(self, report: Report, names: Sequence[str], where: str = "true") -> Series:
        """Figures by day, or by week; None where a report has no rows."""
        if self.period is None:
            return Series([], {name: [] for name in names})
        day = report.date
        rows = self.rows(
            f"select {self.period.point(str(day))} as point, {selected(report, names)}"
            f" from {report.relation} where {self.period.all.holds(str(day))}"
            f" and {where} and {report.whole or 'true'}"
            " group by point order by point"
        )
        found = {row["point"]: row for row in rows}
        points = [point for point in self.period.points if point in found]
        return Series(points, {name: [found[day][name] for day in points] for name in names})

    @cached_property
    def comments(self) -> Mapping[tuple[str, str], str]:
        """What the release says of its columns, by table and column."""
        found = self.connection.execute(
            # What a column holds of people is no part of what a number means.
            "select schema_name || '.' || table_name, column_name,"
            " regexp_replace(comment, ' Personal data: \\w+\\.$', '')"
            " from duckdb_columns() where comment is not null"
        ).fetchall()
        return {(table, column): comment for table, column, comment in found}

    @cached_property
    def systems(self) -> Mapping[str, str]:
        """Names of systems by their ids; where two have the same, the id tells them apart."""
        rows = self.connection.execute(
            "select system_id, system_name from facts.dim_systems order by system_id"
        ).fetchall()
        names = [name for _, name in rows]
        return {
            system: f"{name} ({system[:8]})" if names.count(name) > 1 else name
            for system, name in rows
        }

    def system(self, system_id: str | None) -> str | None:
        """What people call a system; its id where nobody named it."""
        return self.systems.get(system_id, system_id) if system_id else None

    def said(self, table: str, column: str) -> str:
        """What the release says of a column; empty where it says nothing."""
        return self.comments.get((table, column), "")

    def term(self, report: Report, name: str) -> Term:
        """A figure and what it means."""
        return Term(report.metric(name).label, report.meaning(name, self.comments))

    def column(
        self, report: Report, name: str, label: str = "", *, is_main: bool = False
    ) -> Column:
        """The column of a figure, or of a column of counts of the report."""
        metrics = {metric.name: metric for metric in report.metrics}
        if name not in metrics:
            return Column(label, "count", self.said(report.name, name), is_main)
        metric = metrics[name]
        meaning = report.meaning(name, self.comments)
        return Column(label or metric.label, metric.unit, meaning, is_main)

    def place(self, item_type: str, item_id: str | None, system_id: str | None) -> str:
        """What tells items of one name apart: type, id and system."""
        system = self.system(system_id)
        return ", ".join(part for part in (item_type, item_id and f"id {item_id}", system) if part)

    def chart(
        self,
        report: Report,
        names: Sequence[str],
        *,
        key: str,
        title: str,
        kind: str = "bars",
        limit: float | None = None,
    ) -> Chart:
        """A chart of figures over time."""
        series = self.over_time(report, names)
        step, grain = (self.period.step, self.period.grain) if self.period else (1, "day")
        metrics = [report.metric(name) for name in names]
        return Chart(
            key,
            f"{title} by {grain}",
            series.points,
            {each.label.lower(): series.numbers[each.name] for each in metrics},
            "line" if kind == "line" else "bars",
            unit="share" if metrics[0].unit in ("share", "small_share") else "count",
            limit=limit,
            step=step,
            terms=[self.term(report, name) for name in names],
        )


@dataclass(frozen=True)
class Series:
    """Figures over time, as many each as there are points."""

    points: Sequence[Any]
    numbers: Mapping[str, Sequence[Any]]


def selected(report: Report, names: Sequence[str]) -> str:
    """Figures as columns of a query; a rate brings its parts, which are named as theirs."""
    columns = {}
    for name in names:
        metric = report.metric(name)
        columns[name] = as_number(metric)
        for part in (*(metric.parts or ()), *([metric.basis] if metric.basis else ())):
            columns.setdefault(part, f"sum({part})::bigint")
    return ", ".join(f"{sql} as {name}" for name, sql in columns.items())


def as_number(metric: Metric) -> str:
    """A figure as a number of Python's: DuckDB's sums are wider than any of them needs."""
    return f"({metric.sql})::bigint" if metric.unit == "count" else f"({metric.sql})::double"
