"""How far people get in the flows that are played most."""

from __future__ import annotations

from typing import Any

import duckdb

from dagster_project.release.page.section import ROWS, Column, Section, Table, dicts, place_of
from dagster_project.release.page.text import shown


def flows_section(release: duckdb.DuckDBPyConnection) -> Section:
    """Flows by their completion, and the funnel of those played most."""
    flows = dicts(
        release,
        f"""
        select
            item_key, item_type, item_id, item_name, flow_kind, plays, failure_rate,
            completion_rate, stopped_by_launcher, median_seconds_to_complete
        from reports.rpt_flows
        order by plays desc, item_type, item_id, system_id, item_key
        limit {ROWS}
        """,
    )
    overview = Table(
        "Most played",
        [
            Column("Flow", "name"),
            Column("Plays"),
            Column("Completed", "share"),
            Column("Failed", "share"),
            Column("Stopped"),
            Column("Seconds", "decimal"),
        ],
        [
            (
                (
                    flow["item_name"],
                    place_of(flow["item_type"], flow["item_id"], flow["flow_kind"]),
                ),
                flow["plays"],
                flow["completion_rate"],
                flow["failure_rate"],
                flow["stopped_by_launcher"],
                flow["median_seconds_to_complete"],
            )
            for flow in flows
        ],
        note=(
            "Completed is known for flows whose last step the catalogue lists; stopped are plays "
            "that a launcher cut off; seconds are the median to the end."
        ),
    )
    main = [flow for flow in flows if flow["flow_kind"] != "automation"][:3]
    funnels = [_funnel(release, flow) for flow in main]
    return Section("Guided flows", tables=[overview, *funnels])


def _funnel(release: duckdb.DuckDBPyConnection, flow: dict[str, Any]) -> Table:
    steps = release.execute(
        """
        select
            item_name, step_number, step_kind, plays_reached, reach_rate, plays_dropped_off,
            drop_off_rate
        from reports.rpt_flow_funnel
        where flow_item_key = ?
        order by step_number
        """,
        [flow["item_key"]],
    ).fetchall()
    return Table(
        f"Steps of {shown(flow['item_name'])}",
        [
            Column("Step", "name"),
            Column("Reached"),
            Column("Of plays", "share"),
            Column("Left here"),
            Column("Drop-off", "share"),
        ],
        [
            ((name, f"step {number}, {kind}"), reached, reach, left, drop_off)
            for name, number, kind, reached, reach, left, drop_off in steps
        ],
    )
