"""The example of `docs/incremental.md`: three dumps, the last of which brings a late event.

The events are taken in and the real models built, of which the page follows a few. What the page
shows of each build is what the notes say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pytest

from dagster_project.models.dbt import build, ensure_manifest, project_in
from dagster_project.models.prepared import copy_prepared
from dagster_project.settings import Settings
from tests.histories.events import Event, day_of
from tests.histories.workbench import Workbench
from tests.installation import DBT_PROJECT
from tests.whole.landings import ndjson

DUMPS = {
    0: [
        Event(day=-1, time=600, pair="launcher/play", session=0, item=1),
        Event(day=0, time=600, pair="launcher/play", session=1, item=1),
    ],
    1: [
        Event(day=1, time=5, pair="launcher/play", session=2, item=1),
        Event(day=1, time=700, pair="launcher/play", session=3, item=1),
    ],
    2: [
        Event(day=2, time=600, pair="launcher/play", session=4, item=1),
        Event(day=0, time=1435, pair="launcher/play", session=2, item=2),  # late
    ],
}
FOLLOWED = (
    "raw.lines",
    "intermediate.int_visits",
    "facts.fct_item_events",
    "facts.fct_sessions",
    "reports.rpt_events_daily",
)
_NOTED = "('home_date', 'event_date', 'session_date', 'event_date rows', 'report_date')"


def tables_of_builds(folder: Path) -> Iterator[str]:
    """What each of the three builds rebuilt, and what it changed in the notes, as Markdown."""
    bench = Workbench(folder)
    bench.empty()
    settings = Settings(landing=str(bench.landing), home=bench.kept)
    before: dict[tuple[str, str, str], str] = {}
    with pytest.MonkeyPatch.context() as patched:
        for name, value in settings.environment().items():
            patched.setenv(name, value)
        copy_prepared(DBT_PROJECT, bench.project)
        project = project_in(bench.project)
        ensure_manifest(project)
        for day, events in DUMPS.items():
            dump = bench.landing / "events" / f"dt={day_of(day)}"
            dump.mkdir()
            (dump / "a.ndjson").write_bytes(ndjson(event.record for event in events))
            bench.take_in()
            assert list(build(project, ["+fct_sessions", "+rpt_events_daily"]))
            with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
                now = _versions(warehouse)
                yield _rebuilt(warehouse)
                yield _changes(before, now)
                before = now


def _versions(warehouse: duckdb.DuckDBPyConnection) -> dict[tuple[str, str, str], str]:
    """The noted versions of the tables that are followed, by table, column and date."""
    rows = warehouse.execute(
        "select table_name, dated_by, cast(date as varchar), version from audit.versions"
        f" where table_name in {FOLLOWED} and dated_by in {_NOTED}"
    ).fetchall()
    return {(table, column, day): version for table, column, day, version in rows}


def _rebuilt(warehouse: duckdb.DuckDBPyConnection) -> str:
    rows = warehouse.execute(
        "select table_name, coalesce(string_agg(cast(date as varchar), ', ' order by date), 'all'),"
        " reason, cast(sum(rows_built) as varchar) from audit.rebuilds"
        f" where build = (select max(build) from audit.inputs) and table_name in {FOLLOWED}"
        " group by table_name, reason order by min(rowid)"
    ).fetchall()
    ordered = sorted(rows, key=lambda row: (FOLLOWED.index(row[0]), row[1]))
    return _table(("table", "dates rebuilt", "why", "rows"), ordered)


def _changes(before: dict[tuple[str, str, str], str], now: dict[tuple[str, str, str], str]) -> str:
    changed: dict[tuple[str, str, str], list[str]] = {}
    for key in sorted(now.keys() | before.keys()):
        table, column, day = key
        if now.get(key) != before.get(key):
            what = "new" if key not in before else "changed" if key in now else "gone"
            changed.setdefault((table, column, what), []).append(day)
    rows = [
        (table, column, ", ".join(days), what) for (table, column, what), days in changed.items()
    ]
    ordered = sorted(rows, key=lambda row: (FOLLOWED.index(row[0]), row[1], row[2]))
    return _table(("table_name", "dated_by", "date", "version"), ordered)


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head)]
    lines += [tuple(f"`{row[0]}`" if not i else cell for i, cell in enumerate(row)) for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
