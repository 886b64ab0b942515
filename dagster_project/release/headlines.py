"""The numbers that a release is introduced with: on the command line and on its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.release.metrics import (
    INVARIANTS,
    ITEMS,
    LEDGER,
    LEFT_OUT,
    PEOPLE,
    SESSIONS,
    Report,
)

_FIGURES: Mapping[str, tuple[Report, str]] = {
    "sessions": (SESSIONS, "sessions"),
    "engaged_sessions": (SESSIONS, "engaged_sessions"),
    "people": (PEOPLE, "new_people"),
    "items": (ITEMS, "items"),
    "left_out": (LEFT_OUT, "events"),
    "quarantined": (LEDGER, "quarantined"),
    "lines": (LEDGER, "lines"),
    "duplicates": (LEDGER, "duplicate"),
    "invariants": (INVARIANTS, "invariants"),
    "not_passed": (INVARIANTS, "not_passed"),
}
_EVENTS = "(select sum(events) from reports.rpt_events_daily) as events"


def headlines(release: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """The headline numbers of an open release, by name; 0 where there is no data.

    Raises:
        duckdb.Error: a table that they are read from is missing or another.
    """
    asked = [
        f"(select {report.metric(figure).sql} from {report.name}) as {name}"
        for name, (report, figure) in _FIGURES.items()
    ]
    cursor = release.execute(f"select {', '.join(asked)}, {_EVENTS}")
    names = [column[0] for column in cursor.description or ()]
    row = dict(zip(names, cursor.fetchall()[0], strict=True))
    numbers = {name: int(value or 0) for name, value in row.items()}
    return numbers | {"invariants_passed": numbers["invariants"] - numbers["not_passed"]}


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
