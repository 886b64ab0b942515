"""What `walkhouse diff` prints."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from dagster_project.release.diff import Difference, Example, TableDiff
from dagster_project.words import counted

_WIDEST_VALUE = 60


def differences(console: Console, found: Difference) -> None:
    """The tables that differ, how, and examples; then how many are equal."""
    for side, file, sample in (
        ("A", found.file_a, found.sample_a),
        ("B", found.file_b, found.sample_b),
    ):
        held = f", which holds a sample only ({sample})" if sample else ""
        console.print(f"{side}: {file}{held}", markup=False)
    differing = [each for each in found.tables if not each.is_equal]
    if differing:
        table = Table()
        table.add_column("table", no_wrap=True)
        for label in ("rows in A", "rows in B", "only in A", "only in B", "changed"):
            table.add_column(label, justify="right")
        for each in differing:
            table.add_row(
                each.table,
                *("no table" if rows is None else f"{rows:,}" for rows in each.rows),
                *(f"{n:,}" for n in (each.only_in_a, each.only_in_b, each.changed)),
            )
        console.print(table)
    for each in differing:
        for line in _details(each):
            console.print(f"{each.table}: {line}", markup=False)
    equal = len(found.tables) - len(differing)
    console.print(
        f"{counted(len(found.tables), 'table')} compared: {equal} equal, {len(differing)} differ"
    )


def _details(diff: TableDiff) -> list[str]:
    lines = [f"column {column} is in A only" for column in diff.columns_only_in_a]
    lines += [f"column {column} is in B only" for column in diff.columns_only_in_b]
    lines += [f"column {column} is {a} in A and {b} in B" for column, a, b in diff.retyped]
    if not diff.is_keyed:
        lines.append("the key is not unique, or not in both: whole rows were compared")
    lines += [
        f"column {column}: {count:,} {'value differs' if count == 1 else 'values differ'}"
        for column, count in diff.columns
    ]
    return lines + [_sentence(example) for example in diff.examples]


def _sentence(example: Example) -> str:
    key = ", ".join(f"{column}={_shown(value)}" for column, value in example.key)
    changes = ", ".join(f"{c} {_shown(a)} → {_shown(b)}" for c, a, b in example.changes)
    return f"{example.kind}: {key}{': ' if changes else ''}{changes}"


def _shown(value: Any) -> str:
    text = "null" if value is None else str(value)
    return text if len(text) <= _WIDEST_VALUE else f"{text[: _WIDEST_VALUE - 1]}…"
