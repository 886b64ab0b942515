"""The parts of a release's page: which tables of the release they read, and what they show.

Names of items, steps and searches are user input: they stand in tables, where they are escaped, and
never in charts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import duckdb

from dagster_project.release.charts import Chart
from dagster_project.release.page_text import shown

_DAYS = 90
_ROWS = 12
_WEEKS = 8

Kind = Literal["name", "text", "count", "decimal", "share", "heat"]


@dataclass(frozen=True)
class Column:
    """A column of a table on the page.

    Attributes:
        label: its heading.
        kind: how it is written: `name` is user input, `share` gets a bar, `heat` a shade.
    """

    label: str
    kind: Kind = "count"


@dataclass(frozen=True)
class Table:
    """A table on the page.

    Attributes:
        title: what it shows.
        columns: the first is the heading of its row.
        rows: one value a column; None where there is none.
        note: what has to be known to read it.
        folded: whether it is shown only when asked for.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    folded: bool = False

    @property
    def size(self) -> str:
        """How much room it takes where there is room."""
        if self.folded or len(self.columns) > 5:
            return "wide"
        return "half" if len(self.columns) > 4 else ""


@dataclass(frozen=True)
class Section:
    """A part of the page with a heading."""

    title: str
    charts: Sequence[Chart] = ()
    tables: Sequence[Table] = ()
    problem: str = ""


def _state(release: duckdb.DuckDBPyConnection) -> Section:
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
    shown_dumps = dumps[-_DAYS:]
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
            _rows(
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
            _rows(
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
            note=f"The latest {_DAYS} of {len(dumps):,}." if len(dumps) > _DAYS else "",
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


def _use(release: duckdb.DuckDBPyConnection) -> Section:
    sessions = dicts(
        release,
        """
        select
            report_date,
            sum(sessions)::bigint as sessions,
            sum(engaged_sessions)::bigint as engaged_sessions
        from reports.rpt_sessions_daily
        group by report_date
        order by report_date
        """,
    )[-_DAYS:]
    events = dicts(
        release,
        """
        select
            report_date,
            sum(exposures)::bigint as exposures,
            sum(interactions)::bigint as interactions,
            sum(outcomes)::bigint as outcomes
        from reports.rpt_items_daily
        group by report_date
        order by report_date
        """,
    )[-_DAYS:]
    days = [row["report_date"] for row in sessions]
    charts = [
        Chart(
            "sessions",
            "Sessions by day",
            days,
            {
                "engaged": [row["engaged_sessions"] for row in sessions],
                "not engaged": [row["sessions"] - row["engaged_sessions"] for row in sessions],
            },
            "bars",
        ),
        Chart(
            "engagement",
            "Engaged sessions by day",
            days,
            {"engaged": [ratio(row["engaged_sessions"], row["sessions"]) for row in sessions]},
            "line",
            unit="share",
        ),
        Chart(
            "events",
            "Events by day",
            [row["report_date"] for row in events],
            {
                name: [row[name] for row in events]
                for name in ("exposures", "interactions", "outcomes")
            },
            "bars",
        ),
    ]
    return Section("Use", charts, [_retention(release)])


def _retention(release: duckdb.DuckDBPyConnection) -> Table:
    cells = dicts(
        release,
        "select first_week, weeks_since_first, users, share from reports.rpt_retention_weekly",
    )
    by_week: dict[date, dict[int, float | None]] = {}
    users: dict[date, int] = {}
    for cell in cells:
        by_week.setdefault(cell["first_week"], {})[cell["weeks_since_first"]] = cell["share"]
        users[cell["first_week"]] = cell["users"]
    weeks = sorted(by_week)[-_WEEKS:]
    shown_weeks = range(1 + max((max(by_week[week]) for week in weeks), default=0))[:_WEEKS]
    return Table(
        "Users who came back",
        [
            Column("First week", "text"),
            Column("Users"),
            *(Column(f"+{week}", "heat") for week in shown_weeks),
        ],
        [
            (str(week), users[week], *(by_week[week].get(number) for number in shown_weeks))
            for week in weeks
        ],
        note="By the week of their first session; the share that had one so many weeks later.",
    )


def _items(release: duckdb.DuckDBPyConnection) -> Section:
    release.execute(
        """
        create or replace temp table page_items as
        select
            arg_max(item_name, report_date) as item_name,
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
        group by system_id, item_type, item_id
        """
    )
    key = "item_type, item_id, system_id"
    most = dicts(
        release,
        f"from page_items order by exposures desc, interactions desc, {key} limit {_ROWS}",
    )
    least = dicts(
        release,
        f"""
        from page_items
        where exposures >= (select quantile_cont(exposures, 0.5) from page_items)
        order by sessions_interacted / nullif(sessions, 0), exposures desc, {key}
        limit {_ROWS}
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
                (item["item_name"], _of(item["item_type"], item["item_id"])),
                item["exposures"],
                item["interactions"],
                item["sessions"],
                ratio(item["sessions_interacted"], item["sessions"]),
            )
            for item in items
        ],
        note=note,
    )


def _flows(release: duckdb.DuckDBPyConnection) -> Section:
    flows = dicts(
        release,
        f"""
        select
            system_id, item_type, item_id, item_name, flow_kind, plays, failure_rate,
            completion_rate, stopped_by_launcher, median_seconds_to_complete
        from reports.rpt_flows
        order by plays desc, item_type, item_id, system_id
        limit {_ROWS}
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
                (flow["item_name"], _of(flow["item_type"], flow["item_id"], flow["flow_kind"])),
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
        where
            system_id = ?
            and flow_item_type = ?
            and flow_item_id is not distinct from ?
        order by step_number
        """,
        [flow[name] for name in ("system_id", "item_type", "item_id")],
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


def _surveys(release: duckdb.DuckDBPyConnection) -> Section:
    days = dicts(
        release,
        """
        select
            report_date,
            sum(plays_submitted)::bigint as submitted,
            sum(plays_closed)::bigint as closed,
            sum(plays_ignored)::bigint as ignored
        from reports.rpt_surveys
        group by report_date
        order by report_date
        """,
    )[-_DAYS:]
    surveys = dicts(
        release,
        f"""
        select
            arg_max(item_name, report_date) as item_name,
            item_id,
            sum(plays)::bigint as plays,
            sum(plays_submitted)::bigint as submitted,
            sum(nps_answers)::bigint as answers,
            sum(promoters)::bigint as promoters,
            sum(detractors)::bigint as detractors
        from reports.rpt_surveys
        group by system_id, item_id
        order by plays desc, item_id, system_id
        limit {_ROWS}
        """,
    )
    chart = Chart(
        "surveys",
        "Survey plays by day",
        [row["report_date"] for row in days],
        {name: [row[name] for row in days] for name in ("submitted", "closed", "ignored")},
        "bars",
    )
    table = Table(
        "Response and NPS",
        [
            Column("Survey", "name"),
            *map(Column, ("Plays", "Submitted")),
            Column("Response", "share"),
            Column("Scores"),
            Column("NPS", "decimal"),
        ],
        [
            (
                (row["item_name"], _of("Survey", row["item_id"])),
                row["plays"],
                row["submitted"],
                ratio(row["submitted"], row["plays"]),
                row["answers"],
                _nps(row["promoters"], row["detractors"], row["answers"]),
            )
            for row in surveys
        ],
        note="The net promoter score goes from -100 to 100 and is over all days.",
    )
    return Section("Surveys", [chart], [table])


def _smarttips(release: duckdb.DuckDBPyConnection) -> Section:
    rows = dicts(
        release,
        f"""
        select
            arg_max(item_name, report_date) as item_name,
            item_id,
            sum(validations)::bigint as validations,
            sum(failed)::bigint as failed,
            sum(sessions_validated)::bigint as sessions,
            sum(sessions_passed_at_first)::bigint as at_first,
            sum(sessions_passed_at_last)::bigint as at_last
        from reports.rpt_smarttips
        group by system_id, item_id
        having validations > 0
        order by validations desc, item_id, system_id
        limit {_ROWS}
        """,
    )
    table = Table(
        "Validation",
        [
            Column("SmartTip", "name"),
            *map(Column, ("Validations", "Failed", "Sessions")),
            Column("Right at first", "share"),
            Column("Right at last", "share"),
        ],
        [
            (
                (row["item_name"], _of("SmartTip", row["item_id"])),
                row["validations"],
                row["failed"],
                row["sessions"],
                ratio(row["at_first"], row["sessions"]),
                ratio(row["at_last"], row["sessions"]),
            )
            for row in rows
        ],
    )
    return Section("SmartTips", tables=[table])


def _searches(release: duckdb.DuckDBPyConnection) -> Section:
    rows = dicts(
        release,
        f"""
        select
            search_term,
            sum(searches)::bigint as searches,
            sum(searches_not_clicked)::bigint as not_clicked
        from reports.rpt_searches
        group by search_term
        having not_clicked > 0
        order by not_clicked desc, searches desc, search_term
        limit {_ROWS}
        """,
    )
    table = Table(
        "Searches that led to no click",
        [
            Column("Term", "name"),
            *map(Column, ("Searches", "Without a click")),
            Column("Share", "share"),
        ],
        [
            (
                (row["search_term"], ""),
                row["searches"],
                row["not_clicked"],
                ratio(row["not_clicked"], row["searches"]),
            )
            for row in rows
        ],
    )
    return Section("Searches", tables=[table])


PARTS: Sequence[tuple[str, Callable[[duckdb.DuckDBPyConnection], Section]]] = (
    ("State of the data", _state),
    ("Use", _use),
    ("Items", _items),
    ("Guided flows", _flows),
    ("Surveys", _surveys),
    ("SmartTips", _smarttips),
    ("Searches", _searches),
)
"""Titles of the parts, in their order, and what reads each from an open release."""


def ratio(part: int | None, whole: int | None) -> float | None:
    """A share; None where there is no whole."""
    return part / whole if part is not None and whole else None


def _nps(promoters: int, detractors: int, answers: int) -> float | None:
    return 100 * (promoters - detractors) / answers if answers else None


def _of(item_type: str, item_id: str | None, kind: str = "") -> str:
    return ", ".join(part for part in (item_type, kind, item_id and f"id {item_id}") if part)


def _rows(release: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return release.execute(query).fetchall()


def dicts(release: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    """The rows of a query, by the names of their columns."""
    cursor = release.execute(query)
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
