"""The state of a release: its dumps, its quarantine, late events, and the invariants."""

from __future__ import annotations

import duckdb

from dagster_project.release.page.charts import Chart
from dagster_project.release.page.section import DAYS, Column, Section, Table, dicts, ratio, rows_of


def state_section(release: duckdb.DuckDBPyConnection) -> Section:
    """The state of the release and of its data."""
    dumps = dicts(
        release,
        """
        select
            dump_date,
            count(*) as files,
            sum(lines)::bigint as lines,
            sum(accepted)::bigint as accepted,
            sum(duplicate)::bigint as duplicate,
            sum(control + ignored)::bigint as other,
            sum(quarantined)::bigint as quarantined
        from meta.dump_ledger
        group by dump_date
        order by dump_date
        """,
    )
    tolerance = release.execute(
        "select tolerance from meta.invariants where invariant = 'quarantine_rate'"
    ).fetchall()
    shown_dumps = dumps[-DAYS:]
    days = [dump["dump_date"] for dump in shown_dumps]
    charts = [
        Chart(
            "dumps",
            "Lines by dump",
            days,
            {
                "accepted": [dump["accepted"] for dump in shown_dumps],
                "duplicates": [dump["duplicate"] for dump in shown_dumps],
                "no item events": [dump["other"] for dump in shown_dumps],
            },
            "bars",
        ),
        Chart(
            "quarantine",
            "Quarantined lines by dump",
            days,
            {"quarantined": [ratio(dump["quarantined"], dump["lines"]) for dump in shown_dumps]},
            "line",
            unit="share",
            limit=tolerance[0][0] if tolerance else None,
        ),
    ]
    tables = [
        Table(
            "Quarantine by reason",
            [Column("Reason", "text"), Column("Lines"), Column("Dumps"), Column("Latest", "text")],
            rows_of(
                release,
                """
                select
                    reason, count(*) as lines, count(distinct dump_date), max(dump_date)::varchar
                from meta.quarantine
                group by reason
                order by lines desc, reason
                """,
            ),
        ),
        Table(
            "Delay of events",
            [Column("Arrived", "text"), Column("Events"), Column("Share", "share")],
            rows_of(
                release,
                """
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
                    from meta.late_events
                    group by delay
                )
                select delay, events, events / sum(events) over ()
                from delays
                order by least
                """,
            ),
        ),
        Table(
            "In no report",
            [
                Column("Environment", "name"),
                *map(Column, ("Events", "Sessions", "End users")),
            ],
            [
                (
                    (row["environment"], row["reason"]),
                    row["events"],
                    row["sessions"],
                    row["end_users"],
                )
                for row in dicts(release, "from meta.left_out order by events desc, environment")
            ],
            note="The facts hold all of it.",
        ),
        Table(
            "Dumps",
            [
                Column("Dump", "text"),
                *map(Column, ("Files", "Lines", "Accepted", "Duplicates", "Quarantined")),
                Column("Rate", "share"),
            ],
            [
                (
                    str(dump["dump_date"]),
                    *(
                        dump[name]
                        for name in ("files", "lines", "accepted", "duplicate", "quarantined")
                    ),
                    ratio(dump["quarantined"], dump["lines"]),
                )
                for dump in reversed(shown_dumps)
            ],
            note=f"The latest {DAYS} of {len(dumps):,}." if len(dumps) > DAYS else "",
            folded=True,
        ),
        *_invariants(release),
    ]
    return Section("State of the data", charts, tables)


def _invariants(release: duckdb.DuckDBPyConnection) -> list[Table]:
    rows = dicts(
        release,
        """
        select
            invariant, severity, description, checked, violations, tolerance, passed
        from meta.invariants
        order by position, invariant
        """,
    )

    def table(title: str, *, passed: bool) -> Table:
        return Table(
            title,
            [
                Column("Invariant", "name"),
                Column("Severity", "text"),
                *map(Column, ("Checked", "Violations")),
                Column("Share", "share"),
                Column("Tolerance", "share"),
            ],
            [
                (
                    (row["invariant"], row["description"]),
                    row["severity"],
                    row["checked"],
                    row["violations"],
                    ratio(row["violations"], row["checked"]),
                    row["tolerance"],
                )
                for row in rows
                if row["passed"] == passed
            ],
            folded=passed,
        )

    failed = table("Invariants that do not hold", passed=False)
    return [*([failed] if failed.rows else []), table("Invariants that hold", passed=True)]
