"""Which flows go with their goals: what people do after them more often than without them."""

from __future__ import annotations

from typing import Any

from dagster_project.release.metrics import FLOW_IMPACT
from dagster_project.release.page.section import ROWS, Column, Named, Rate, Section, Table
from dagster_project.release.page.source import Source
from dagster_project.release.page.text import change


def goals_section(source: Source) -> Section:
    """Goals that who completed a flow reached clearly more or less often than who never saw it."""
    # Clearly: the interval of the difference leaves out 0.
    rows = source.rows(
        f"""
        select
            system_id, flow_item_type, flow_item_id, flow_item_name, goal_item_name, caveat,
            people_completed, people_completed_reached, completed_rate,
            people_never_shown, people_never_shown_reached, never_shown_rate,
            difference_to_never_shown_low as low, difference_to_never_shown_high as high
        from {FLOW_IMPACT.name}
        where people_completed > 0 and people_never_shown > 0 and (low > 0 or high < 0)
        order by
            least(abs(low), abs(high)) desc, flow_item_type, flow_item_id, system_id, goal_item_key
        limit {ROWS}
        """
    )
    title = "Goals"
    difference = source.said(FLOW_IMPACT.name, "difference_to_never_shown")
    if not rows:
        return Section(title, "Of no flow is it clear that its goal goes with completing it.")
    table = Table(
        "Flows whose goal goes with completing them",
        [
            Column("Flow", "name"),
            source.column(FLOW_IMPACT, "completed_rate", is_main=True),
            source.column(FLOW_IMPACT, "never_shown_rate"),
            Column("Difference", "text", difference),
        ],
        [
            (
                (
                    row["flow_item_name"],
                    source.place(row["flow_item_type"], row["flow_item_id"], row["system_id"]),
                ),
                Rate(row["people_completed_reached"], row["people_completed"], "people"),
                Rate(row["people_never_shown_reached"], row["people_never_shown"], "people"),
                change("share", row["completed_rate"], row["never_shown_rate"]),
            )
            for row in rows
        ],
        grows=True,
        sentences=[_sentence(row) for row in rows],
        note=rows[0]["caveat"],
    )
    return Section(title, "The goal of a flow is a task that it leads to.", tables=[table])


def _sentence(row: dict[str, Any]) -> list[str | Named]:
    """What the goal is, and how sure the difference."""
    low, high = (f"{100 * row[end]:+,.1f}" for end in ("low", "high"))
    return ["The goal is ", Named(row["goal_item_name"]), f". At 95 %, {low} to {high} points."]
