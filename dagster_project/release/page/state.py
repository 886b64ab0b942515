"""The state of a release: how old its data is, its dumps, quarantine, late events, invariants."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import duckdb

from dagster_project.release.headlines import headlines
from dagster_project.release.metrics import LATE_EVENTS, LEDGER, LEFT_OUT, QUARANTINE
from dagster_project.release.page.period import Span, period_of
from dagster_project.release.page.section import Column, Rate, Section, Table, Term, Tile
from dagster_project.release.page.source import Source
from dagster_project.release.page.text import count, small_share
from dagster_project.words import counted

_DUMPS = 90


def state_section(source: Source) -> Section:
    """The state of the release and of its data."""
    ((tolerance,),) = source.connection.execute(
        "select max(tolerance) from meta.invariants where invariant = 'quarantine_rate'"
    ).fetchall()
    by_dump = replace(source, period=_period_of_dumps(source.connection))
    charts = [
        by_dump.chart(LEDGER, ["accepted", "duplicate", "not_events"], key="dumps", title="Lines"),
        by_dump.chart(
            LEDGER,
            ["quarantine_rate"],
            key="quarantine",
            title="Quarantined lines",
            kind="line",
            limit=tolerance,
        ),
    ]
    tables = [_delays(source), _reasons(source), _left_out(source), _dumps(source)]
    tables += _invariants(source)
    return Section(
        "Data quality and release",
        "All environments; the days are those of the dumps, in UTC.",
        _tiles(source),
        charts,
        tables,
    )


def _period_of_dumps(connection: duckdb.DuckDBPyConnection) -> Any:
    first, last = connection.execute(
        "select min(dump_date), max(dump_date) from meta.dump_ledger"
    ).fetchall()[0]
    return period_of(first, last, last_dump=None) if first else None


def _tiles(source: Source) -> list[Tile]:
    (header,) = source.rows("from meta.release")
    numbers = headlines(source.connection)
    ((latest,),) = source.connection.execute(
        "select max(event_date) from facts.fct_item_events"
    ).fetchall()
    last_dump: date | None = header["last_dump_date"]
    quarantined = Rate(numbers["quarantined"], numbers["lines"])
    return [
        Tile(
            Term("Newest event", "The last day that has an event, UTC."),
            str(latest or "-"),
            _age(latest, last_dump),
        ),
        Tile(
            Term("Last dump", "The latest day of which a dump has come in."),
            str(last_dump or "-"),
            f"{counted(header['dumps'], 'dump')}, {_span(header)}" if last_dump else "",
        ),
        Tile(
            Term("Events", "Item events in production, which the reports count."),
            count(numbers["events"]),
            "in production",
        ),
        Tile(
            source.term(LEFT_OUT, "events"),
            count(numbers["left_out"]),
            "of other environments" if numbers["left_out"] else "",
        ),
        Tile(
            source.term(LEDGER, "quarantine_rate"),
            small_share(quarantined.value),
            f"{count(numbers['quarantined'])} of {counted(numbers['lines'], 'line')}",
        ),
        Tile(
            Term("Invariants that hold", "What is checked before a release is published."),
            f"{numbers['invariants_passed']} of {numbers['invariants']}",
        ),
    ]


def _span(header: dict[str, Any]) -> str:
    return Span(header["first_dump_date"], header["last_dump_date"]).text


def _age(latest: date | None, last_dump: date | None) -> str:
    """How old the newest event was when the last dump was whole."""
    if latest is None or last_dump is None:
        return ""
    days = (last_dump - latest).days
    if days > 0:
        return f"{counted(days, 'day')} before the last dump"
    return "on the day of the last dump" if days == 0 else "after the last dump"


def _delays(source: Source) -> Table:
    rows = source.rows(
        f"""
        with delays as (
            select
                case
                    when days_late < 0 then 'before their day (clocks ahead)'
                    when days_late = 0 then 'on their day'
                    when days_late = 1 then 'a day late'
                    when days_late <= 7 then '2 to 7 days late'
                    when days_late <= 28 then '8 to 28 days late'
                    else 'more than 28 days late'
                end as delay,
                min(days_late) as least,
                sum(events)::bigint as events
            from {LATE_EVENTS.name}
            group by delay
        )
        select delay, events, events / sum(events) over () as share
        from delays
        order by least
        """
    )
    return Table(
        "Delay of events",
        [
            Column("Arrived", "text"),
            source.column(LATE_EVENTS, "events"),
            Column("Share", "small_share", "Of all events.", is_main=True),
        ],
        [tuple(row.values()) for row in rows],
    )


def _reasons(source: Source) -> Table:
    rows = source.rows(
        """
        select
            reason, count(distinct dump_date) as dumps, max(dump_date)::varchar, count(*) as lines
        from meta.quarantine
        group by reason
        order by lines desc, reason
        """
    )
    return Table(
        "Quarantine by reason",
        [
            Column("Reason", "text"),
            Column("Dumps", "count", "Dumps with such lines."),
            Column("Latest", "text"),
            source.column(QUARANTINE, "lines", is_main=True),
        ],
        [tuple(row.values()) for row in rows],
    )


def _left_out(source: Source) -> Table:
    return Table(
        "In no report",
        [
            Column("Environment", "name"),
            source.column(LEFT_OUT, "events", "Events", is_main=True),
            source.column(LEFT_OUT, "sessions", "Sessions"),
            source.column(LEFT_OUT, "end_users", "End users"),
        ],
        [
            (
                (row["environment"], row["reason"]),
                row["events"],
                row["sessions"],
                row["end_users"],
            )
            for row in source.rows("from meta.left_out order by events desc, environment")
        ],
        note="The facts hold all of it.",
    )


def _dumps(source: Source) -> Table:
    names = ("files", "lines", "accepted", "duplicate")
    asked = (*names, "quarantined")
    dumps = source.rows(
        f"""
        select dump_date, {", ".join(f"({LEDGER.metric(n).sql})::bigint as {n}" for n in asked)}
        from {LEDGER.name}
        group by dump_date
        order by dump_date desc
        """
    )
    return Table(
        "Dumps",
        [
            Column("Dump", "text"),
            *(source.column(LEDGER, name) for name in names),
            source.column(LEDGER, "quarantine_rate", "Rate", is_main=True),
        ],
        [
            (
                str(dump["dump_date"]),
                *(dump[name] for name in names),
                Rate(dump["quarantined"], dump["lines"]),
            )
            for dump in dumps[:_DUMPS]
        ],
        note=f"The latest {_DUMPS} of {len(dumps):,}." if len(dumps) > _DUMPS else "",
        folded=True,
    )


def _invariants(source: Source) -> list[Table]:
    rows = source.rows(
        """
        select
            invariant, severity, description, checked, violations, tolerance, passed
        from meta.invariants
        order by position, invariant
        """
    )

    def table(title: str, *, passed: bool) -> Table:
        return Table(
            title,
            [
                Column("Invariant", "name"),
                Column("Severity", "text"),
                Column(
                    "Violations",
                    "small_share",
                    f"{source.said('meta.invariants', 'violations')} "
                    f"{source.said('meta.invariants', 'checked')}",
                    is_main=True,
                ),
                Column("Tolerance", "small_share", source.said("meta.invariants", "tolerance")),
            ],
            [
                (
                    (row["invariant"], row["description"]),
                    row["severity"],
                    Rate(row["violations"], row["checked"]),
                    row["tolerance"],
                )
                for row in rows
                if row["passed"] == passed
            ],
            folded=passed,
            grows=True,
        )

    failed = table("Invariants that do not hold", passed=False)
    return [*([failed] if failed.rows else []), table("Invariants that hold", passed=True)]
