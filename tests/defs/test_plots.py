"""The plots of run metadata are pictures that the UI shows in place."""

from __future__ import annotations

import base64
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from dagster_project.defs.plots import dumps_by_day
from dagster_project.ingest.lake import LakeDump

SVG = "{http://www.w3.org/2000/svg}"


def dumps(days: int, *, events: int = 1, quarantined: int = 0) -> dict[date, LakeDump]:
    """Dumps of so many days, the last of which has the most events."""
    found = {}
    for number in range(days):
        day = date(2026, 3, 1) + timedelta(days=number)
        outcomes = {"events": events * (number + 1), "quarantined": quarantined}
        found[day] = LakeDump(
            day.isoformat(), "f", "s", "r", (), "f/files.parquet", outcomes, 1, {}, ()
        )
    return found


def picture(markdown: str) -> ElementTree.Element:
    encoded = markdown.removeprefix("![by day](data:image/svg+xml;base64,").removesuffix(")")
    return ElementTree.fromstring(base64.b64decode(encoded, validate=True))


@pytest.mark.parametrize("days", [1, 2, 14, 28, 400])
def test_a_plot_of_any_length_is_short_enough_to_be_shown_in_place(days: int) -> None:
    markdown = dumps_by_day(dumps(days, events=123_456, quarantined=7), tolerance=0.01)
    assert len(markdown) < 1000
    events, quarantined, tolerance = picture(markdown).iter(f"{SVG}path")
    assert len(events.get("d", "").replace("l", " ").split()) == 2 * min(days, 28) or days == 1
    assert quarantined.get("stroke") != "red"
    assert tolerance.get("stroke") == "red"


def test_a_plot_says_what_it_shows() -> None:
    texts = [
        text.text
        for text in picture(
            dumps_by_day(dumps(3, events=1000, quarantined=10), tolerance=0.01)
        ).iter(f"{SVG}text")
    ]
    assert texts == [
        "events, highest 3,000",
        "quarantined, highest 0.99%",
        "2026-03-01 to 2026-03-03",
    ]


def test_without_dumps_there_is_no_plot() -> None:
    assert dumps_by_day({}, tolerance=0.01) == ""
