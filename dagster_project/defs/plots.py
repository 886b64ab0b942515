"""Small plots for run metadata, as pictures inside Markdown: no file, no server, no library.

The UI shows Markdown of less than 1,000 characters in place, the picture in it included, and
anything longer behind a click; raw HTML it leaves out.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from dagster_project.ingest.lake import LakeDump

_DAYS_SHOWN = 28
_WIDTH = 405
_HEIGHT = 60  # of a row
_ROW = _HEIGHT + 24  # with its title above and a gap below


@dataclass(frozen=True)
class Row:
    """One line, a point a day.

    Attributes:
        title: what it shows.
        values: one for each day, 0 or more.
        limit: drawn in red where there is one.
        shown: how a value is written, as in `format`.
    """

    title: str
    values: Sequence[float]
    limit: float | None = None
    shown: str = ",.0f"


def by_day(days: Sequence[date], rows: Sequence[Row]) -> str:
    """Markdown with a picture of the rows, one below the other; empty without days.

    Titles go into the picture as they are: they are ours, not from files.
    """
    if not days:
        return ""
    height = len(rows) * _ROW + 12
    drawn = "".join(_row(row, top=number * _ROW) for number, row in enumerate(rows))
    picture = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
        f'font-size="11" fill="none">{drawn}'
        f'<text y="{height - 2}" fill="#555">{days[0]} to {days[-1]}</text></svg>'
    )
    return f"![by day](data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()})"


def dumps_by_day(dumps: Mapping[date, LakeDump], tolerance: float) -> str:
    """Events and quarantine rate of the last dumps, and what rate is tolerated."""
    shown = sorted(dumps)[-_DAYS_SHOWN:]
    rates = [dumps[day].quarantined_share for day in shown]
    return by_day(
        shown,
        [
            Row("events", [dumps[day].outcomes.get("events", 0) for day in shown]),
            Row("quarantined", rates, limit=tolerance, shown=".2%"),
        ],
    )


def _row(row: Row, *, top: int) -> str:
    highest = max([*row.values, row.limit or 0]) or 1
    levels = [top + 16 + _HEIGHT - round(_HEIGHT * value / highest) for value in row.values]
    step = _WIDTH // max(len(levels) - 1, 1)
    # Each point as the way from the one before, which takes the fewest characters.
    ways = "".join(f" {step} {level - before}" for before, level in itertools.pairwise(levels))
    line = f"M0 {levels[0]}" + (f"l{ways[1:]}" if ways else f"H{_WIDTH}")
    parts = [
        f'<text y="{top + 11}" fill="#555">{row.title}, highest {max(row.values):{row.shown}}'
        "</text>",
        f'<path d="{line}" stroke="#54d"/>',
    ]
    if row.limit is not None:
        level = top + 16 + _HEIGHT - round(_HEIGHT * row.limit / highest)
        parts.append(f'<path d="M0 {level}H{_WIDTH}" stroke="red"/>')
    return "".join(parts)
