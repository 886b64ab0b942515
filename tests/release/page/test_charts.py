"""Charts of the page: what is drawn of series with gaps. Drawing itself prints nothing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.release.page.charts import Chart, _lines

_NUMBERS = st.one_of(st.none(), st.integers(0, 1000))


@given(values=st.lists(_NUMBERS, max_size=30), step=st.sampled_from([1, 7]))
def test_lines_and_lone_days_have_every_number_once_and_cross_no_gap(
    values: list[int | None], step: int
) -> None:
    days = [step * place for place in range(len(values))]
    lines, lone = _lines(days, values, step=step)
    drawn = list(zip(lines["day"], lines["value"], strict=True))
    alone = list(zip(lone["day"], lone["value"], strict=True))
    known = [(day, value) for day, value in zip(days, values, strict=True) if value is not None]
    assert sorted(drawn + alone) == known
    for line in set(lines["line"]):
        of_line = [
            day for day, each in zip(lines["day"], lines["line"], strict=True) if each == line
        ]
        assert len(of_line) > 1
        assert of_line == list(range(int(of_line[0]), int(of_line[-1]) + step, step))


@pytest.mark.parametrize("kind", ["line", "bars"])
@pytest.mark.parametrize(
    "values",
    [
        pytest.param([3], id="one day"),
        pytest.param([None, 3, None, 4, 5, None], id="gaps"),
        pytest.param([0, 0], id="zero"),
        pytest.param([None, *range(60), None, 7], id="long, with a day alone"),
    ],
)
def test_drawing_prints_nothing(
    kind: Literal["line", "bars"], values: list[float | None], capfd: pytest.CaptureFixture[str]
) -> None:
    dates = [date(2026, 3, 1) + timedelta(days=day) for day in range(len(values))]
    chart = Chart("name", "Title", dates, {"a": values, "b": values}, kind)
    assert "<svg" in chart.svg
    assert capfd.readouterr() == ("", "")


def test_without_a_number_nothing_is_drawn() -> None:
    chart = Chart("name", "Title", [date(2026, 3, 1)], {"a": [None]}, "line")
    assert (chart.svg, chart.summary) == ("", "Title: no data")


def test_a_day_alone_is_a_point_in_a_long_series_too() -> None:
    dates = [date(2026, 3, 1) + timedelta(days=day) for day in range(60)]
    values: list[float | None] = [None] * 60
    values[30] = 3
    assert "<circle" in Chart("name", "Title", dates, {"a": values}, "line").svg
