"""Kinds of charts. One line here becomes the page-long form that Superset needs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bi.superset.datasets import DISPLAY, Dataset

COLORS = "supersetColors"
_SEVERAL = ("metrics", "groupby", "all_columns")
_ONE = ("metric", "x_axis", "timeseries_limit_metric")
"""Where a form names figures and columns."""


@dataclass(frozen=True)
class Chart:
    """One chart of a dashboard.

    Attributes:
        title: the heading above it; unique within its dashboard.
        dataset: the table that it shows.
        kind: Superset's name of the kind of chart (`viz_type`).
        form: the content of Superset's form for that kind.
        description: a sentence or two on what it shows; empty if the title is enough.
    """

    title: str
    dataset: Dataset
    kind: str
    form: Mapping[str, Any]
    description: str = ""

    @property
    def names(self) -> set[str]:
        """The figures and columns that it shows."""
        several = [name for key in _SEVERAL for name in self.form.get(key, ())]
        return {*several, *(self.form[key] for key in _ONE if self.form.get(key))}


def number(title: str, dataset: Dataset, metric: str, description: str = "") -> Chart:
    """One figure in large type; below it, that of the period before, where there are days."""
    found = dataset.metric(metric)
    form: dict[str, Any] = {
        "metric": metric,
        "y_axis_format": DISPLAY[found.unit],
        "header_font_size": 0.5,
        "subheader_font_size": 0.125,
        "adhoc_filters": _filters(dataset),
    }
    if dataset.date is None:
        return Chart(title, dataset, "big_number_total", form, description)
    return Chart(title, dataset, "pop_kpi", form | _comparison(found.unit), description)


def _comparison(unit: str) -> dict[str, Any]:
    # A rate changes by points, and nobody wants to read the per cent of a per cent.
    hidden = "Delta" if unit in ("count", "decimal") else "Percent change"
    return {
        "time_compare": "inherit",
        "percentDifferenceFormat": "+.1%",
        "comparison_color_enabled": False,
        "column_config": {hidden: {"visible": False}},
    }


def without_comparison(chart: Chart) -> Chart:
    """A figure by itself: beside another one, a number that is hidden would be drawn as 0."""
    if chart.kind != "pop_kpi":
        return chart
    form = {key: value for key, value in chart.form.items() if key not in _comparison("")}
    return replace(chart, kind="big_number_total", form=form)


def by_day(
    title: str,
    dataset: Dataset,
    metrics: Sequence[str],
    *,
    split_by: str | None = None,
    lines: bool = False,
    top: int = 0,
    description: str = "",
) -> Chart:
    """Figures by day: bars on top of each other, or lines; for all groups, or the top ones."""
    assert dataset.date, f"{dataset.table} has no date"
    form = _axes(dataset, metrics) | {
        "x_axis": dataset.date,
        "time_grain_sqla": "P1D",
        "x_axis_time_format": "%d %b",
        "groupby": [split_by] if split_by else [],
        "show_legend": bool(split_by) or len(metrics) > 1,
        "order_desc": True,
        "row_limit": 10000,
    }
    if top:
        form |= {
            "limit": top,
            "timeseries_limit_metric": metrics[0],
            "group_others_when_limit_reached": True,
        }
    if lines:
        form |= {"markerEnabled": True, "markerSize": 5}
        return Chart(title, dataset, "echarts_timeseries_line", form, description)
    form |= {"stack": "Stack", "orientation": "vertical"}
    return Chart(title, dataset, "echarts_timeseries_bar", form, description)


def bars(
    title: str,
    dataset: Dataset,
    metrics: Sequence[str],
    *,
    of: str,
    top: int = 15,
    in_order: bool = False,
    least: bool = False,
    where: str = "",
    description: str = "",
) -> Chart:
    """Horizontal bars: the largest first, or the least, or in the order of the names."""
    form = _axes(dataset, metrics) | {
        "x_axis": of,
        "groupby": [],
        "orientation": "horizontal",
        "stack": "Stack" if len(metrics) > 1 else None,
        "show_value": True,
        "row_limit": top,
        "timeseries_limit_metric": metrics[0],
        "order_desc": not least,
        # A horizontal axis begins at the bottom.
        "x_axis_sort": of if in_order else metrics[0],
        "x_axis_sort_asc": not (in_order or least),
        "adhoc_filters": _filters(dataset, where),
    }
    return Chart(title, dataset, "echarts_timeseries_bar", form, description)


def ranking(
    title: str,
    dataset: Dataset,
    columns: Sequence[str],
    metrics: Sequence[str],
    *,
    sort_by: str | None = None,
    in_order: bool = False,
    where: str = "",
    description: str = "",
) -> Chart:
    """A table of groups and their figures: the largest first, or in the order of a figure."""
    form = {
        "query_mode": "aggregate",
        "groupby": list(columns),
        "metrics": list(metrics),
        "timeseries_limit_metric": sort_by or metrics[0],
        "order_desc": not in_order,
        "row_limit": 1000,
        "show_cell_bars": False,
        "adhoc_filters": _filters(dataset, where),
    }
    return Chart(title, dataset, "table", form, description)


def rows(
    title: str,
    dataset: Dataset,
    columns: Sequence[str],
    *,
    order_by: str | None = None,
    description: str = "",
    formats: Mapping[str, str] | None = None,
) -> Chart:
    """Rows of the table as they are."""
    form = {
        "query_mode": "raw",
        "all_columns": list(columns),
        "order_by_cols": [json.dumps([order_by, True])] if order_by else [],
        "row_limit": 1000,
        "show_cell_bars": False,
        "table_timestamp_format": "%Y-%m-%d",
        "column_config": {
            column: {"d3NumberFormat": display} for column, display in (formats or {}).items()
        },
        "adhoc_filters": _filters(dataset),
    }
    return Chart(title, dataset, "table", form, description)


def _axes(dataset: Dataset, metrics: Sequence[str]) -> dict[str, Any]:
    unit = dataset.metric(metrics[0]).unit
    form: dict[str, Any] = {
        "metrics": list(metrics),
        "y_axis_format": DISPLAY[unit],
        "adhoc_filters": _filters(dataset),
        "color_scheme": COLORS,
        "show_legend": len(metrics) > 1,
        "legendType": "scroll",
        "legendOrientation": "top",
        "rich_tooltip": True,
        "truncate_metric": True,
        "truncateYAxis": False,
    }
    if unit == "share":
        # No share is above 1, and an axis that says 120 % would say so.
        form |= {"truncateYAxis": True, "y_axis_bounds": [0, 1]}
    return form


def _filters(dataset: Dataset, where: str = "") -> list[dict[str, Any]]:
    """Two filters: the range of the dashboard's date filter, and a condition in SQL."""
    filters: list[dict[str, Any]] = []
    if dataset.date is not None:
        filters.append(
            {
                "clause": "WHERE",
                "expressionType": "SIMPLE",
                "operator": "TEMPORAL_RANGE",
                "subject": dataset.date,
                "comparator": "No filter",
            }
        )
    return filters + condition(where)


def condition(where: str) -> list[dict[str, Any]]:
    """A filter in SQL; none where it is empty."""
    found = {"clause": "WHERE", "expressionType": "SQL", "sqlExpression": where}
    return [found] if where else []
