"""The reference: a whole landing folder to every table that it tells, in one go."""

import datetime as dt
import json
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.reference import invariants, tables
from tests.reference.definitions import read_definitions
from tests.reference.events import Judged, Row, judge
from tests.reference.reading import Dump, read_dumps


@dataclass(frozen=True)
class Warehouse:
    """What the landed files come to.

    `tables` holds plain rows by `<schema>.<table>`; `invariants` (checked, violations) by id;
    `refused` the dumps that do not match their manifest, with what differs. They have no rows.
    """

    tables: dict[str, list[Row]]
    invariants: dict[str, invariants.Counts]
    refused: dict[dt.date, tuple[str, ...]]


def reference(
    landing: Path, seeds: Path, *, reporting_timezone: str = "UTC", max_late_days: int = 400
) -> Warehouse:
    """Every table of the contract that the reference tells, for one landing folder.

    `seeds` is the folder of the definitions' CSV files; `reporting_timezone` an IANA name;
    `max_late_days` how many days before its dump an event may lie.
    """
    definitions = read_definitions(seeds)
    zone = ZoneInfo(reporting_timezone)
    landed = read_dumps(landing)
    dumps = [dump for dump in landed if not dump.refusals]
    judged = judged_lines(dumps, seeds, max_late_days=max_late_days)
    events, duplicates = tables.split_duplicates(judged)
    catalogue = _catalogue(landing / "content" / "items.ndjson")
    ledger = tables.dump_ledger(dumps, judged, duplicates)
    sessions = tables.sessions(events)
    items = tables.items(events, catalogue, definitions)
    items_daily = tables.items_daily(events, items, zone)
    events_daily = tables.events_daily(events, zone)
    return Warehouse(
        tables={
            "facts.fct_item_events": events,
            "facts.fct_sessions": sessions,
            "facts.dim_items": items,
            "facts.dim_end_users": tables.end_users(events),
            "facts.dim_event_definitions": tables.event_definitions(definitions),
            "reports.rpt_sessions_daily": tables.sessions_daily(sessions, zone),
            "reports.rpt_items_daily": items_daily,
            "reports.rpt_events_daily": events_daily,
            "reports.rpt_event_coverage": tables.event_coverage(events, definitions, zone),
            "meta.dump_ledger": ledger,
            "meta.quarantine": tables.quarantine(judged),
            "meta.late_events": tables.late_events(events),
        },
        invariants=invariants.invariants(
            events=events,
            sessions=sessions,
            ledger=ledger,
            items_daily=items_daily,
            events_daily=events_daily,
            pairs={(each.item_type, each.event) for each in definitions.documented},
        ),
        refused={dump.dump_date: dump.refusals for dump in landed if dump.refusals},
    )


def judged_lines(dumps: list[Dump], seeds: Path, *, max_late_days: int = 400) -> list[Judged]:
    """Every line of the dumps with its place, before duplicates are told."""
    definitions = read_definitions(seeds)
    return [
        judge(file, line, definitions=definitions, max_late_days=max_late_days)
        for dump in dumps
        for file in dump.files
        for line in file.lines
    ]


def _catalogue(path: Path) -> list[Row]:
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines if line.strip()]
