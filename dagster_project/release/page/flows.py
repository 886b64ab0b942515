"""How far people get in guided flows: a sentence for each, and the steps of those played most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dagster_project.release.metrics import FLOWS, FLOWS_DAILY, FUNNEL
from dagster_project.release.page.section import ROWS, Column, Named, Rate, Section, Table
from dagster_project.release.page.source import Source, selected
from dagster_project.release.page.text import change, count, decimal, share, shown
from dagster_project.words import counted

_FUNNELS = 6


def flows_section(source: Source) -> Section:
    """Flows by their completion, and the funnel of those played most."""
    flows = source.rows(
        f"""
        select
            system_id, item_key, item_type, item_id, item_name, flow_kind, plays, completable_plays,
            completed, completion_rate, failed, median_seconds_to_complete
        from {FLOWS.name}
        order by plays desc, item_type, item_id, system_id, item_key
        limit {ROWS}
        """
    )
    changes = _changes(source)
    steps = {flow["item_key"]: _steps(source, flow["item_key"]) for flow in flows}
    overview = Table(
        "Most played",
        [
            Column("Flow", "name"),
            source.column(FLOWS, "completion_rate", is_main=True),
            Column("Change", "text", _change_means(source)),
            source.column(FLOWS, "failure_rate"),
            source.column(FLOWS, "median_seconds_to_complete"),
        ],
        [
            (
                (
                    flow["item_name"],
                    source.place(flow["item_type"], flow["item_id"], flow["system_id"]),
                ),
                Rate(flow["completed"], flow["completable_plays"], "plays"),
                changes.get(flow["item_key"], "") or "-",
                Rate(flow["failed"], flow["plays"], "plays"),
                flow["median_seconds_to_complete"],
            )
            for flow in flows
        ],
        grows=True,
        sentences=[_sentence(flow, steps[flow["item_key"]]) for flow in flows],
        note="Over all days. Completion is known of flows whose last step the catalogue lists.",
    )
    main = [flow for flow in flows if flow["flow_kind"] != "automation"][:_FUNNELS]
    funnels = [_funnel(source, flow, steps[flow["item_key"]]) for flow in main]
    return Section("Guided flows", tables=[overview, *funnels])


def _changes(source: Source) -> dict[str, str]:
    """What became of the completion rates since the period before, by flow."""
    period = source.period
    if period is None or period.before is None:
        return {}
    now, before = (
        {
            row["item_key"]: row["completion_rate"]
            for row in source.rows(
                f"select item_key, {selected(FLOWS_DAILY, ['completion_rate'])}"
                f" from {FLOWS_DAILY.name} where {span.holds('report_date')} group by item_key"
            )
        }
        for span in (period.now, period.before)
    )
    return {flow: change("share", now.get(flow), before.get(flow)) for flow in now}


def _change_means(source: Source) -> str:
    period = source.period
    if period is None or period.before is None:
        return "There is no full period to compare with."
    return f"Of the completion rate, from {period.before.text} to {period.now.text}."


def _steps(source: Source, flow: str) -> list[dict[str, Any]]:
    return source.rows(
        f"""
        select
            item_name, step_number, step_kind, plays, plays_reached, plays_dropped_off,
            drop_off_rate, median_seconds
        from {FUNNEL.name}
        where flow_item_key = ?
        order by step_number
        """,
        [flow],
    )


def _sentence(flow: dict[str, Any], steps: Sequence[dict[str, Any]]) -> list[str | Named]:
    """What became of a flow's plays, where most of them end, and the slowest step."""
    parts: list[str | Named] = []
    if flow["flow_kind"] == "automation":
        parts.append("It runs unseen. ")
    if flow["completion_rate"] is None:
        parts.append(f"{counted(flow['plays'] or 0, 'play')}; where it ends is not known. ")
    else:
        parts.append(
            f"{share(flow['completion_rate'])} of "
            f"{counted(flow['completable_plays'] or 0, 'play')} reached the end. "
        )
    lost = max(steps, key=lambda step: step["plays_dropped_off"] or 0, default=None)
    if lost and lost["plays_dropped_off"]:
        parts += [
            "Most are lost at ",
            *_step(lost),
            f": {lost['plays_dropped_off']:,} of {count(lost['plays_reached'])} "
            f"({share(lost['drop_off_rate'])}). ",
        ]
    timed = [step for step in steps if step["median_seconds"] is not None]
    slowest = max(timed, key=lambda step: step["median_seconds"], default=None)
    if slowest:
        parts += [
            "The slowest is ",
            *_step(slowest),
            f": {decimal(slowest['median_seconds'])} seconds.",
        ]
    return parts


def _step(step: dict[str, Any]) -> list[str | Named]:
    return [f"step {step['step_number']}, ", Named(step["item_name"])]


def _funnel(source: Source, flow: dict[str, Any], steps: Sequence[dict[str, Any]]) -> Table:
    return Table(
        f"Steps of {shown(flow['item_name'])}",
        [
            Column("Step", "name"),
            source.column(FUNNEL, "reach_rate", is_main=True),
            source.column(FUNNEL, "drop_off_rate"),
            source.column(FUNNEL, "median_seconds"),
        ],
        [
            (
                (step["item_name"], f"step {step['step_number']}, {step['step_kind']}"),
                Rate(step["plays_reached"], step["plays"]),
                Rate(step["plays_dropped_off"], step["plays_reached"]),
                step["median_seconds"],
            )
            for step in steps
        ],
        note=f"{source.place(flow['item_type'], flow['item_id'], flow['system_id'])}.",
        folded=True,
    )
