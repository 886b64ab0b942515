"""How items do, each by a rate that items of its type can have."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.release.metrics import (
    ACTIONBOT,
    LAUNCHERS,
    QUIZZES,
    SHOUTOUTS,
    SMARTTIPS,
    SURVEYS,
    TASKS,
    Report,
)
from dagster_project.release.page.section import ROWS, Column, Rate, Section, Table, Term
from dagster_project.release.page.source import Source
from dagster_project.release.page.text import change


@dataclass(frozen=True)
class Measure:
    """The rate by which items of a type are judged.

    Attributes:
        item_type: the type.
        report: where the rate is.
        name: of the rate.
        did: what its numerator did.
        of: what its denominator counts.
        having: which items it is for, as a condition on all their rows.
    """

    item_type: str
    report: Report
    name: str
    did: str
    of: str
    having: str = "true"

    def rate(self, part: int, whole: int) -> Rate:
        """The rate of an item, or of many."""
        return Rate(part, whole, self.of)


# A SmartTip that validates is not there to be looked at, and one that only guides has no result.
MEASURES: Sequence[Measure] = (
    Measure("Launcher", LAUNCHERS, "click_rate", "clicked", "sessions"),
    Measure("SmartTip", SMARTTIPS, "hover_rate", "looked at", "sessions", "sum(validations) = 0"),
    Measure(
        "SmartTip",
        SMARTTIPS,
        "passed_at_first_rate",
        "right at first",
        "sessions",
        "sum(validations) > 0",
    ),
    Measure("ShoutOut", SHOUTOUTS, "click_rate", "clicked", "sessions"),
    Measure("Task", TASKS, "completion_rate", "completed", "sessions"),
    Measure("Survey", SURVEYS, "response_rate", "submitted", "plays"),
    Measure("TeachMe Quiz", QUIZZES, "pass_rate", "passed", "attempts"),
    Measure("ActionBot", ACTIONBOT, "engagement_rate", "engaged in", "chats"),
)


def items_section(source: Source) -> Section:
    """Types of items by their rates, the items met most, and those far below their type."""
    period = source.period
    if period is None:
        return Section("Items")
    types = {row["position"]: row for row in source.rows(f"{_rated(source)} {_BY_TYPE}")}
    items = source.rows(f"{_rated(source)} from rated where whole > 0 order by {_ORDER}")
    usual = sorted(item["whole"] for item in items)
    enough = usual[len(usual) // 2] if usual else 0

    def behind(item: dict[str, Any]) -> float:
        of_type: float = types[item["position"]]["rate"]
        return item["rate"] - of_type

    below = [item for item in items if item["whole"] >= enough and behind(item) < 0]
    return Section(
        "Items",
        f"{period.now.text}. Each type has a rate of its own; flows follow below.",
        tables=[
            _types(source, list(types.values()), is_compared=bool(period.before)),
            _items(source, "Met most", items[:ROWS], types, ""),
            _items(
                source,
                "Furthest below their type",
                sorted(below, key=behind)[:ROWS],
                types,
                "Among the half of all items that is met most.",
            ),
        ],
    )


_ORDER = "whole desc, position, item_id, system_id, item_key"
_BY_TYPE = """
select
    position,
    count(*) filter (whole > 0) as items,
    sum(part)::bigint as part,
    sum(whole)::bigint as whole,
    sum(part_before)::bigint as part_before,
    sum(whole_before)::bigint as whole_before,
    (sum(part) / sum(whole))::double as rate
from rated
group by position
having sum(whole) > 0
order by position
"""


def _rated(source: Source) -> str:
    """The beginning of a query of items with the numerator and denominator of their rate."""
    assert source.period
    selects = []
    for position, measure in enumerate(MEASURES):
        part, whole = measure.report.metric(measure.name).parts or ("", "")
        day = str(measure.report.date)
        now = f"filter ({source.period.now.holds(day)})"
        before = source.period.before
        then = f"filter ({before.holds(day) if before else 'false'})"
        selects.append(
            f"""
            select
                {position} as position, item_key, any_value(system_id) as system_id,
                any_value(item_id) as item_id, arg_max(item_name, {day}) as item_name,
                coalesce(sum({part}) {now}, 0)::bigint as part,
                coalesce(sum({whole}) {now}, 0)::bigint as whole,
                coalesce(sum({part}) {then}, 0)::bigint as part_before,
                coalesce(sum({whole}) {then}, 0)::bigint as whole_before
            from {measure.report.name}
            group by item_key
            having {measure.having}
            """
        )
    union = " union all ".join(selects)
    return f"with rated as (select *, part / nullif(whole, 0) as rate from ({union})) "


def _types(source: Source, rows: Sequence[dict[str, Any]], *, is_compared: bool) -> Table:
    cells = []
    for row in rows:
        measure = MEASURES[row["position"]]
        rate = measure.rate(row["part"], row["whole"])
        before = measure.rate(row["part_before"], row["whole_before"])
        cells.append(
            (
                (measure.item_type, measure.did),
                row["items"],
                rate,
                change("share", rate.value, before.value) if is_compared else "-",
            )
        )
    return Table(
        "By type",
        [
            Column("Type", "name"),
            Column("Items"),
            Column("Rate", "share", is_main=True),
            Column("Change", "text"),
        ],
        cells,
        grows=True,
        more=_terms(source, [row["position"] for row in rows]),
    )


def _items(
    source: Source,
    title: str,
    items: Sequence[dict[str, Any]],
    types: dict[int, dict[str, Any]],
    note: str,
) -> Table:
    rows = []
    for item in items:
        measure = MEASURES[item["position"]]
        rows.append(
            (
                (
                    item["item_name"],
                    source.place(measure.item_type, item["item_id"], item["system_id"]),
                ),
                measure.did,
                measure.rate(item["part"], item["whole"]),
                types[item["position"]]["rate"],
            )
        )
    return Table(
        title,
        [
            Column("Item", "name"),
            Column("Counts", "text"),
            Column("Rate", "share", is_main=True),
            Column("Its type", "share", "The rate of all items of the type together."),
        ],
        rows,
        note=note,
        more=_terms(source, {item["position"] for item in items}),
    )


def _terms(source: Source, positions: Collection[int]) -> list[Term]:
    return [
        Term(
            f"{measure.item_type}, {measure.did}",
            measure.report.meaning(measure.name, source.comments),
        )
        for position, measure in enumerate(MEASURES)
        if position in positions
    ]
