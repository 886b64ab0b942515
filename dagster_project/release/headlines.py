"""The numbers that a release is introduced with: on the command line and on its page."""

from __future__ import annotations

import duckdb

_HEADLINES = """
select
    (select count(*) from facts.fct_item_events where environment = 'production') as events,
    (select sum(sessions) from reports.rpt_sessions_daily) as sessions,
    (select sum(engaged_sessions) from reports.rpt_sessions_daily) as engaged_sessions,
    (select count(distinct end_user_id) from facts.fct_sessions
        where environment = 'production') as end_users,
    (select count(distinct item_id) from reports.rpt_items_daily) as items,
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
