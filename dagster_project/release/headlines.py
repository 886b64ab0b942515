"""The numbers that a release is introduced with: on the command line and on its page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

_HEADLINES = """
select
    (select count(*) from facts.fct_item_events where environment = 'production') as events,
    (select sum(sessions) from reports.rpt_sessions_daily) as sessions,
    (select sum(engaged_sessions) from reports.rpt_sessions_daily) as engaged_sessions,
    (select count(distinct end_user_id) from facts.fct_sessions
        where environment = 'production') as end_users,
    (select count(distinct item_key) from reports.rpt_items_daily) as items,
    (select sum(events) from meta.left_out) as left_out,
    (select sum(quarantined) from meta.dump_ledger) as quarantined,
    (select sum(lines) from meta.dump_ledger) as lines,
    (select sum(duplicate) from meta.dump_ledger) as duplicates,
    (select count(*) from meta.invariants) as invariants,
    (select count(*) from meta.invariants where passed) as invariants_passed
"""


def headlines(release: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """The headline numbers of an open release, by name; 0 where there is no data.

    Raises:
        duckdb.Error: a table that they are read from is missing or another.
    """
    cursor = release.execute(_HEADLINES)
    names = [column[0] for column in cursor.description or ()]
    return {name: int(value or 0) for name, value in zip(names, cursor.fetchall()[0], strict=True)}


@dataclass(frozen=True)
class LeftOut:
    """What no report counts of an environment: a row of `meta.left_out`."""

    environment: str
    events: int
    sessions: int
    end_users: int
    reason: str


def in_no_report(release: Path) -> list[LeftOut]:
    """What no report of a release counts, the most events first; empty where all is counted.

    Args:
        release: its DuckDB file; one that an earlier version published does not say.

    Raises:
        duckdb.Error: the file is no database.
    """
    with duckdb.connect(str(release), read_only=True) as connection:
        try:
            rows = connection.execute(
                "select environment, events, sessions, end_users, reason from meta.left_out"
                " order by events desc, environment"
            ).fetchall()
        except duckdb.CatalogException:
            return []
    return [LeftOut(*row) for row in rows]
