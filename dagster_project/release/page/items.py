"""Which items people meet, and which of them they act on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb

from dagster_project.release.page.section import (
    ROWS,
    Column,
    Section,
    Table,
    dicts,
    place_of,
    ratio,
)


def items_section(release: duckdb.DuckDBPyConnection) -> Section:
    """The items that people meet, by how they act on them."""
    release.execute(
        """
        create or replace temp table page_items as
        select
            arg_max(item_name, report_date) as item_name,
            item_key,
            item_type,
            item_id,
            system_id,
            sum(exposures)::bigint as exposures,
            sum(interactions)::bigint as interactions,
            sum(sessions_interacted)::bigint as sessions_interacted,
            sum(sessions_exposed_or_interacted)::bigint as sessions
        from reports.rpt_items_daily
        where item_type in (
            select item_type from facts.dim_event_definitions where engagement = 'interaction'
        )
        group by item_key, system_id, item_type, item_id
        """
    )
    key = "item_type, item_id, system_id, item_key"
    most = dicts(
        release,
        f"from page_items order by exposures desc, interactions desc, {key} limit {ROWS}",
    )
    least = dicts(
        release,
        f"""
        from page_items
        where exposures >= (select quantile_cont(exposures, 0.5) from page_items)
        order by sessions_interacted / nullif(sessions, 0), exposures desc, {key}
        limit {ROWS}
        """,
    )
    tables = [
        _item_table("Most shown", most, "Sessions are counted once a day."),
        _item_table("Shown and left alone", least, "Among the half that is shown most."),
    ]
    return Section("Items", tables=tables)


def _item_table(title: str, items: Sequence[dict[str, Any]], note: str) -> Table:
    return Table(
        title,
        [
            Column("Item", "name"),
            *map(Column, ("Exposures", "Interactions", "Sessions")),
            Column("Interacted", "share"),
        ],
        [
            (
                (item["item_name"], place_of(item["item_type"], item["item_id"])),
                item["exposures"],
                item["interactions"],
                item["sessions"],
                ratio(item["sessions_interacted"], item["sessions"]),
            )
            for item in items
        ],
        note=note,
    )
