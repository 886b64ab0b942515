"""How items do, each by a rate that items of its type can have."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from dagster_project.release.item_rates import ITEM_RATES, MEASURES
from dagster_project.release.page.section import ROWS, Column, Rate, Section, Table, Term
from dagster_project.release.page.source import Source
from dagster_project.release.page.text import change


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
        rate: float = item["rate"]
        of_type: float = types[item["position"]]["rate"]
        return rate - of_type

    below = [item for item in items if item["whole"] >= enough and behind(item) < 0]
    return Section(
        "Items",
        f"{period.now.text}. Items of each type have a rate of their own.",
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
    now = f"filter ({source.period.now.holds('report_date')})"
    before = source.period.before
    then = f"filter ({before.holds('report_date') if before else 'false'})"
    return f"""
    with counted as (
        select
            position,
            item_key,
            any_value(system_id) as system_id,
            any_value(item_id) as item_id,
            arg_max(item_name, report_date) as item_name,
            coalesce(sum(did_it) {now}, 0)::bigint as part,
            coalesce(sum(met_it) {now}, 0)::bigint as whole,
            coalesce(sum(did_it) {then}, 0)::bigint as part_before,
            coalesce(sum(met_it) {then}, 0)::bigint as whole_before
        from {ITEM_RATES.relation}
        group by position, item_key
    ), rated as (
        select *, part / nullif(whole, 0) as rate
        from counted
    )
    """


def _types(source: Source, rows: Sequence[dict[str, Any]], *, is_compared: bool) -> Table:
    cells = []
    for row in rows:
        measure = MEASURES[row["position"]]
        rate = Rate(row["part"], row["whole"], measure.of)
        before = Rate(row["part_before"], row["whole_before"])
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
            source.column(ITEM_RATES, "items"),
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
                Rate(item["part"], item["whole"], measure.of),
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
