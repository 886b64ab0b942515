"""What gained and what lost most use since the period before."""

from __future__ import annotations

from typing import Any

from dagster_project.release.metrics import ITEMS
from dagster_project.release.page.section import Column, Section, Table
from dagster_project.release.page.source import Source

_ROWS = 6


def changes_section(source: Source) -> Section:
    """Items by how many more, or fewer, sessions used them."""
    title = "Gained and lost"
    period = source.period
    if period is None or period.before is None:
        return Section(title, "There is no full period before the latest one to compare with.")
    rows = source.rows(
        f"""
        with uses as (
            select
                item_key,
                any_value(system_id) as system_id,
                any_value(item_type) as item_type,
                any_value(item_id) as item_id,
                arg_max(item_name, report_date) as item_name,
                coalesce(sum(sessions_interacted) filter ({period.now.holds("report_date")}), 0)
                    ::bigint as now,
                coalesce(sum(sessions_interacted) filter ({period.before.holds("report_date")}), 0)
                    ::bigint as before
            from {ITEMS.name}
            group by item_key
        )
        select *, now - before as change
        from uses
        where now <> before
        order by change desc, item_type, item_id, system_id, item_key
        """
    )
    gained = [row for row in rows if row["change"] > 0][:_ROWS]
    lost = [row for row in reversed(rows) if row["change"] < 0][:_ROWS]
    return Section(
        title,
        f"Sessions in which people used an item, in {period.now.text} and in {period.before.text}.",
        tables=[
            _table(source, "Gained most", gained),
            _table(source, "Lost most", lost),
        ],
    )


def _table(source: Source, title: str, rows: list[dict[str, Any]]) -> Table:
    used = f"{source.term(ITEMS, 'sessions_interacted').meaning} Each day counts its own."
    return Table(
        title,
        [
            Column("Item", "name"),
            Column("Before", "count", used),
            Column("Now", "count", used),
            Column("Change", "change", "Now less before.", is_main=True),
        ],
        [
            (
                (
                    row["item_name"],
                    source.place(row["item_type"], row["item_id"], row["system_id"]),
                ),
                row["before"],
                row["now"],
                row["change"],
            )
            for row in rows
        ],
    )
