"""What was measured: one `Measure` a row, shown as a table and kept as Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.conditions import Conditions


@dataclass(frozen=True)
class Measure:
    """One measured value beside what it must reach and what is aimed at.

    Attributes:
        name: what was measured, as a table shows it.
        value: None if it could not be measured; `detail` then says why.
        unit: `x` for a ratio.
        must: None where there is no target. An aim above it means that more is better.
        aim: see `must`.
        detail: what the value was made from.
    """

    name: str
    value: float | None
    unit: str
    must: float | None
    aim: float | None
    detail: str

    @property
    def verdict(self) -> str:
        """`aim`, `must` or `missed`: the best that was reached; empty without a target."""
        if self.must is None or self.aim is None:
            return ""
        if self.value is None:
            return "not measured"
        sign = -1 if self.aim > self.must else 1
        if sign * self.value <= sign * self.aim:
            return "aim"
        return "must" if sign * self.value <= sign * self.must else "missed"

    @property
    def cells(self) -> tuple[str, ...]:
        """The row of a table, in the order of `HEADINGS`."""
        return (
            self.name,
            _shown(self.value, self.unit),
            _shown(self.must, self.unit),
            _shown(self.aim, self.unit),
            self.verdict,
            self.detail,
        )


HEADINGS = ("measure", "value", "must", "aim", "reached", "made from")


def table(measures: Sequence[Measure]) -> Table:
    """The measures for a terminal."""
    shown = Table()
    for heading in HEADINGS:
        shown.add_column(
            heading, justify="right" if heading in ("value", "must", "aim") else "left"
        )
    for measure in measures:
        shown.add_row(*measure.cells)
    return shown


def keep(
    measures: Sequence[Measure],
    under: Conditions,
    folder: Path,
    *,
    name: str,
    order: Sequence[str],
) -> tuple[Path, Path]:
    """Write `<name>.md` and `<name>.json`.

    Measures that stand in that file already stay if they were taken under the same conditions and
    not again now, so that a long benchmark can be taken in parts.

    Args:
        measures: what was measured now.
        under: the conditions.
        folder: made if it is missing.
        name: of the files, without ending.
        order: names of measures, in the order in which they are to stand.
    """
    folder.mkdir(parents=True, exist_ok=True)
    markdown, data = folder / f"{name}.md", folder / f"{name}.json"
    by_name = {measure.name: measure for measure in _kept(data, under)}
    by_name |= {measure.name: measure for measure in measures}
    rows = [by_name[known] for known in order if known in by_name]
    document = {"conditions": asdict(under), "measures": [asdict(row) for row in rows]}
    data.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    markdown.write_text(_markdown(rows, under, title=name), encoding="utf-8")
    return markdown, data


def _kept(data: Path, under: Conditions) -> list[Measure]:
    if not data.exists():
        return []
    document: dict[str, Any] = json.loads(data.read_text(encoding="utf-8"))
    # How full the disk is changes with every run.
    if document["conditions"] | {"disk": under.disk} != asdict(under):
        return []
    return [Measure(**row) for row in document["measures"]]


def _markdown(measures: Sequence[Measure], under: Conditions, *, title: str) -> str:
    rows = [HEADINGS, ("---",) * len(HEADINGS), *(measure.cells for measure in measures)]
    facts = "".join(
        f"- {field.replace('_', ' ')}: {value}\n" for field, value in asdict(under).items()
    )
    lines = "".join(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |\n" for row in rows)
    return f"# Benchmarks, {title}\n\n{facts}\n{lines}"


def _shown(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:,.2f} {unit}"
