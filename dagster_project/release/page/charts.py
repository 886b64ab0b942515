"""Draws the charts of a release's page: SVG text, without scripts and in the page's colours.

Only what the warehouse names itself stands in a chart: dates, numbers and the series given here.
What users name (items, steps, search terms) is shown in the tables of the page, which escape it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import cycle
from typing import Any, Literal

_WIDTH, _HEIGHT = 340, 190
_LABELS = 4

# The library knows fixed colours only. These stand for the page's own, which follow its theme.
_STAND_INS = {
    "#010101": "var(--muted)",
    "#020202": "var(--line)",
    "#030303": "var(--bad)",
    "#040404": "var(--one)",
    "#050505": "var(--two)",
    "#060606": "var(--three)",
}
_MUTED, _LINE, _BAD, *_SERIES = _STAND_INS


@dataclass(frozen=True)
class Chart:
    """Series of numbers by date.

    Attributes:
        name: unique on the page, made of letters.
        title: what it shows.
        dates: the dates, ascending; gaps between them are drawn as gaps.
        series: for each name the numbers, as many as there are dates; None where there is none.
        kind: `bars` stacks the series, `line` draws each.
        unit: `count`, or `share` for numbers from 0 to 1.
        limit: a level that is marked.
        step: days between two dates: 1, or 7 where a date stands for its week.
        terms: series and what they mean, for those that need it.
    """

    name: str
    title: str
    dates: Sequence[date]
    series: Mapping[str, Sequence[float | None]]
    kind: Literal["bars", "line"]
    unit: Literal["count", "share"] = "count"
    limit: float | None = None
    step: int = 1
    terms: Sequence[tuple[str, str]] = ()

    @property
    def summary(self) -> str:
        """What the chart says, for those who do not see it."""
        if not self._has_data:
            return f"{self.title}: no data"
        parts = []
        for name, numbers in self.series.items():
            known = [number for number in numbers if number is not None]
            if known:
                parts.append(f"{name} from {self.text(min(known))} to {self.text(max(known))}")
        return f"{self.title}, {self.dates[0]} to {self.dates[-1]}: {', '.join(parts)}"

    def text(self, number: float | None) -> str:
        """A number as the page writes it."""
        if number is None:
            return "-"
        return f"{number:.2%}" if self.unit == "share" else f"{number:,.0f}"

    @property
    def heading(self) -> str:
        """What the dates are."""
        return "Date" if self.step == 1 else "Week from"

    @property
    def legend(self) -> list[tuple[str, int]]:
        """Series and the number of its colour, where there is more than one."""
        names = list(self.series)
        return [] if len(names) < 2 else [(name, i + 1) for i, name in enumerate(names)]

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The numbers, the latest date first."""
        columns = zip(self.dates, *self.series.values(), strict=True)
        return [(str(day), *map(self.text, numbers)) for day, *numbers in reversed(list(columns))]

    @cached_property
    def svg(self) -> str:
        """The drawing; empty without data."""
        return _drawn(self) if self._has_data else ""

    @property
    def _has_data(self) -> bool:
        return any(number is not None for each in self.series.values() for number in each)


def _drawn(chart: Chart) -> str:
    # A run that publishes nothing does not pay for the library.
    import lets_plot as lp

    first, last = chart.dates[0], chart.dates[-1]
    days = [(day - first).days for day in chart.dates]
    plot = lp.ggplot() + lp.ggsize(_WIDTH, _HEIGHT) + _theme(lp)
    draw = _with_bars if chart.kind == "bars" else _with_lines
    plot = draw(lp, plot, chart, days)
    if chart.limit is not None:
        plot += lp.geom_hline(yintercept=chart.limit, color=_BAD, linetype="dashed", size=0.7)
    marks = sorted({round(i * days[-1] / (_LABELS - 1)) for i in range(_LABELS)})
    plot += lp.scale_x_continuous(
        breaks=marks,
        labels=[_label(date.fromordinal(first.toordinal() + mark), first, last) for mark in marks],
        limits=[-0.7 * chart.step, days[-1] + 0.7 * chart.step],
    )
    form = ".1~%" if chart.unit == "share" else ",.0~f"
    plot += lp.scale_y_continuous(format=form, limits=[0, _top(chart)], expand=[0.05, 0])
    return _themed(plot.to_svg(), chart.name)


def _top(chart: Chart) -> float | None:
    """Where the axis ends: no share is above 1."""
    numbers = [number for each in chart.series.values() for number in each if number is not None]
    return 1 if chart.unit == "share" and max(numbers, default=0) > 0.5 else None


def _with_bars(lp: Any, plot: Any, chart: Chart, days: Sequence[int]) -> Any:
    mapping = lp.aes(xmin="left", xmax="right", ymin="bottom", ymax="top")
    for colour, layer in zip(cycle(_SERIES), _bars(chart, days), strict=False):
        plot += lp.geom_rect(mapping, data=layer, fill=colour, color=colour, size=0)
    return plot


def _with_lines(lp: Any, plot: Any, chart: Chart, days: Sequence[int]) -> Any:
    for colour, values in zip(cycle(_SERIES), chart.series.values(), strict=False):
        lines, lone = _lines(days, values, step=chart.step)
        points = lone if len(days) > 45 else _points(_known(days, values))
        if lines["day"]:
            mapping = lp.aes("day", "value", group="line")
            plot += lp.geom_line(mapping, data=lines, color=colour, size=1.2)
        if points["day"]:
            plot += lp.geom_point(lp.aes("day", "value"), data=points, color=colour, size=2.4)
    return plot


def _bars(chart: Chart, days: Sequence[int]) -> list[dict[str, list[float]]]:
    """The bars of each series, which stand on those of the series before."""
    bottoms = [0.0] * len(days)
    layers = []
    for values in chart.series.values():
        tops = [bottom + (value or 0) for bottom, value in zip(bottoms, values, strict=True)]
        layers.append(
            {
                "left": [day - 0.4 * chart.step for day in days],
                "right": [day + 0.4 * chart.step for day in days],
                "bottom": bottoms,
                "top": tops,
            }
        )
        bottoms = tops
    return layers


def _known(days: Sequence[int], values: Sequence[float | None]) -> list[tuple[int, float]]:
    """The days that have a number; the library warns of others on the terminal."""
    return [(day, value) for day, value in zip(days, values, strict=True) if value is not None]


def _points(known: Sequence[tuple[int, float]]) -> dict[str, list[float]]:
    """The same as the library takes it."""
    return {"day": [day for day, _ in known], "value": [value for _, value in known]}


def _lines(
    days: Sequence[int], values: Sequence[float | None], *, step: int
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """The lines of a series, which end where a day is missing, and the days that stand alone."""
    runs: list[list[tuple[int, float]]] = []
    for day, value in _known(days, values):
        if not runs or day - runs[-1][-1][0] > step:
            runs.append([])
        runs[-1].append((day, value))
    lines = [run for run in runs if len(run) > 1]
    return (
        {
            "line": [number for number, line in enumerate(lines) for _ in line],
            **_points([point for line in lines for point in line]),
        },
        _points([run[0] for run in runs if len(run) == 1]),
    )


_SPARK_WIDTH, _SPARK_HEIGHT = 120, 28


def spark(numbers: Sequence[float | None]) -> str:
    """A small line without axes, from the least to the greatest; empty where there is none."""
    known = [number for number in numbers if number is not None]
    if len(known) < 2:
        return ""
    least, span = min(known), (max(known) - min(known)) or 1
    points = [
        (
            round(2 + (_SPARK_WIDTH - 4) * place / (len(numbers) - 1), 1),
            round(_SPARK_HEIGHT - 3 - (_SPARK_HEIGHT - 6) * (number - least) / span, 1),
        )
        for place, number in enumerate(numbers)
        if number is not None
    ]
    path = " ".join(f"{x:g},{y:g}" for x, y in points)
    x, y = points[-1]
    return (
        f'<svg viewBox="0 0 {_SPARK_WIDTH} {_SPARK_HEIGHT}" class="spark" aria-hidden="true"'
        ' preserveAspectRatio="xMinYMid">'
        f'<polyline points="{path}"/><circle cx="{x:g}" cy="{y:g}" r="2.5"/></svg>'
    )


def _label(day: date, first: date, last: date) -> str:
    if (last - first).days > 300:
        return f"{day:%b %Y}"
    return f"{day.day} {day:%b}"


def _theme(lp: Any) -> Any:
    text = lp.element_text(color=_MUTED, size=11)
    return lp.theme(
        line=lp.element_blank(),
        rect=lp.element_blank(),
        title=lp.element_blank(),
        axis_text=text,
        axis_title=lp.element_blank(),
        axis_ticks=lp.element_blank(),
        axis_line=lp.element_blank(),
        panel_grid_major_x=lp.element_blank(),
        panel_grid_major_y=lp.element_line(color=_LINE, size=0.7),
        panel_grid_minor=lp.element_blank(),
        legend_position="none",
        plot_margin=[4, 8, 0, 0],
    )


def _themed(svg: str, name: str) -> str:
    """The drawing in the page's colours and type, with ids of its own and nothing superfluous."""
    body = svg[svg.index("</style>") + len("</style>") :].strip()
    for stand_in, colour in _STAND_INS.items():
        channel = int(stand_in[1:3], 16)
        body = body.replace(f"rgb({channel},{channel},{channel})", colour)
        body = body.replace(stand_in, colour)
    ids: dict[str, str] = {}
    for found in re.findall(r'\bid="([^"]+)"', body):
        ids.setdefault(found, f"{name}-{len(ids)}")
    for old, new in ids.items():
        body = body.replace(f'id="{old}"', f'id="{new}"').replace(f"url(#{old})", f"url(#{new})")
    body = re.sub(r' (clip-bounds-jfx|buffered-rendering|style)="[^"]*"', "", body)
    body = re.sub(r"(\d+\.\d\d)\d+", r"\1", body)
    body = re.sub(r"\s*\n\s*", "\n", body)
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" class="chart" aria-hidden="true">{body}'
