"""The published tables that the dashboards read, and the metrics on them.

Names, types and descriptions of the columns come from the release itself. A rate is the sum of its
numerators over the sum of its denominators, for any rows that a chart adds up.
"""

from __future__ import annotations

from dataclasses import dataclass

COUNT = ",d"
DECIMAL = ",.1f"
SHARE = ".1%"
SIGNED = "+,.0f"

GOOD = "#5ac189"
NEUTRAL = "#c3c9d1"
BAD = "#e04355"


@dataclass(frozen=True)
class Metric:
    """A figure that a chart can show.

    Attributes:
        name: the metric's name within its dataset.
        label: what readers see.
        sql: the aggregate, over rows of the dataset's table.
        display: how it is written, in the d3 language.
        description: one sentence; empty if the label is enough.
        color: of its bars and lines; empty for Superset's choice.
    """

    name: str
    label: str
    sql: str
    display: str = COUNT
    description: str = ""
    color: str = ""


@dataclass(frozen=True)
class Column:
    """A column that is computed from those of the table."""

    name: str
    label: str
    sql: str
    description: str


@dataclass(frozen=True)
class Dataset:
    """A published table as charts see it.

    Attributes:
        schema: schema of the table.
        table: name of the table.
        metrics: the figures on it.
        date: the column that the dashboards' date filter applies to; None if the table has no days.
        columns: columns computed on top of the table's own.
    """

    schema: str
    table: str
    metrics: tuple[Metric, ...] = ()
    date: str | None = None
    columns: tuple[Column, ...] = ()

    def metric(self, name: str) -> Metric:
        """The metric of this name.

        Raises:
            KeyError: there is none.
        """
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(f"{self.schema}.{self.table} has no metric {name!r}")


def total(column: str, label: str, *, color: str = "") -> Metric:
    """The sum of a column of counts."""
    return Metric(column, label, f"sum({column})", COUNT, color=color)


def per(
    name: str, label: str, numerator: str, denominator: str, display: str, description: str = ""
) -> Metric:
    """A ratio of sums; null where the denominator is 0."""
    sql = f"sum({numerator}) / nullif(sum({denominator}), 0)"
    return Metric(name, label, sql, display, description)


def rate(name: str, label: str, numerator: str, denominator: str, description: str = "") -> Metric:
    """A share, shown in per cent."""
    return per(name, label, numerator, denominator, SHARE, description)


def as_it_is(column: str, label: str, display: str, description: str = "") -> Metric:
    """A figure that cannot be added up; charts with it show each row of the table."""
    return Metric(column, label, f"max({column})", display, description)


def named(name: str, label: str, item_name: str, item_id: str) -> Column:
    """Name and id of an item; several items may have the same name."""
    sql = f"coalesce({item_name}, 'unknown') || coalesce(' (' || {item_id} || ')', '')"
    return Column(name, label, sql, "Name and id.")


# Ids of systems are long; a name that somebody gave one is not.
SYSTEM = Column(
    "system",
    "System",
    "case when length(system_id) > 20 then left(system_id, 8) || '…' else system_id end",
    "The system's id, shortened for charts.",
)

RELEASE = Dataset("meta", "release")

SESSIONS = Dataset(
    "reports",
    "rpt_sessions_daily",
    date="report_date",
    columns=(SYSTEM,),
    metrics=(
        total("sessions", "Sessions"),
        total("engaged_sessions", "Engaged sessions"),
        total("new_end_users", "New end users"),
        total("events", "Item events"),
        rate("engagement", "Engagement", "engaged_sessions", "sessions"),
        per("events_per_session", "Events per session", "events", "sessions", DECIMAL),
        per(
            "interactions_a_session",
            "Interactions per session",
            "interactions",
            "sessions",
            DECIMAL,
        ),
        Metric(
            "minutes_per_session",
            "Minutes per session",
            "sum(duration_seconds) / 60 / nullif(sum(sessions), 0)",
            DECIMAL,
        ),
        Metric("days_of_users", "End users", "sum(end_users)", COUNT, "Of one day and system."),
        Metric("median_minutes", "Median minutes", "max(median_duration_seconds) / 60", DECIMAL),
        Metric(
            "p90_minutes", "90th percentile of minutes", "max(p90_duration_seconds) / 60", DECIMAL
        ),
    ),
)

ITEMS = Dataset(
    "reports",
    "rpt_items_daily",
    date="report_date",
    metrics=(
        total("exposures", "Exposures"),
        total("interactions", "Interactions"),
        total("outcomes", "Outcomes"),
        total("sessions_interacted", "Sessions with an interaction"),
        rate(
            "interaction_share",
            "Interaction rate",
            "sessions_interacted",
            "sessions_exposed_or_interacted",
            "Sessions that used an item, of those that were shown or used it.",
        ),
        Metric("items", "Items in use", "count(distinct item_key)"),
    ),
)

NON_INTERACTORS = Dataset(
    "reports",
    "rpt_non_interactors",
    metrics=(
        Metric("users", "Users who did not use it", "count(distinct (system_id, end_user_id))"),
        total("exposures", "Times it was shown to them"),
    ),
)

FLOWS = Dataset(
    "reports",
    "rpt_flows",
    columns=(named("flow_name", "Flow", "item_name", "item_id"),),
    metrics=(
        total("plays", "Plays"),
        total("completed", "Completed"),
        total("failed", "Failed"),
        total("stopped_by_launcher", "Stopped by a launcher"),
        total("left_plays", "Left"),
        rate(
            "completion",
            "Completion rate",
            "completed",
            "completable_plays",
            "Of the plays of flows whose last step the catalogue knows.",
        ),
        rate("failure", "Failure rate", "failed", "plays", "Plays that did not start."),
        rate("user_initiated", "Started by the user", "user_initiated_plays", "plays"),
        as_it_is("median_seconds", "Median seconds", DECIMAL),
    ),
)

FUNNEL = Dataset(
    "reports",
    "rpt_flow_funnel",
    columns=(
        named("flow", "Flow", "flow_item_name", "flow_item_id"),
        Column(
            "step",
            "Step",
            "lpad(cast(step_number as varchar), 2, '0') || ' ' || "
            "coalesce(item_name, item_id, 'unknown')",
            "Number and name of the step.",
        ),
    ),
    metrics=(
        Metric("plays", "Plays of the flow", "sum(plays)"),
        total("plays_reached", "Reached the step"),
        total("plays_went_on", "Went on", color=NEUTRAL),
        total("plays_completed_here", "Completed here", color=GOOD),
        total("plays_dropped_off", "Left here", color=BAD),
        rate("reach", "Reach", "plays_reached", "plays", "Plays of the flow that got to the step."),
        rate("drop_off", "Drop-off", "plays_dropped_off", "plays_reached"),
        as_it_is("median_seconds", "Median seconds in it", DECIMAL),
    ),
)

AUTOMATION = Dataset(
    "reports",
    "rpt_automation_processes",
    date="report_date",
    metrics=(
        total("runs", "Runs"),
        total("failures", "Failures"),
        rate("failure", "Failure rate", "failures", "runs"),
        per("steps_a_run", "Steps per run", "steps", "runs", DECIMAL),
        rate("beside_visual", "Beside a visual flow", "runs_beside_visual_flow", "runs"),
        total("stopped_by_launcher", "Stopped by a launcher"),
    ),
)

SURVEYS = Dataset(
    "reports",
    "rpt_surveys",
    date="report_date",
    metrics=(
        total("plays", "Times opened"),
        total("plays_submitted", "Submitted", color=GOOD),
        total("plays_closed", "Closed", color=BAD),
        total("plays_ignored", "Ignored", color=NEUTRAL),
        rate("response", "Response rate", "plays_submitted", "plays"),
        total("nps_answers", "NPS answers"),
        total("promoters", "Promoters (9, 10)", color=GOOD),
        total("passives", "Passives (7, 8)", color=NEUTRAL),
        total("detractors", "Detractors (0 to 6)", color=BAD),
        Metric(
            "net_promoter_score",
            "NPS",
            "100 * (sum(promoters) - sum(detractors)) / nullif(sum(nps_answers), 0)",
            SIGNED,
            "Percentage of promoters minus percentage of detractors, from -100 to 100.",
        ),
    ),
)

SMARTTIPS = Dataset(
    "reports",
    "rpt_smarttips",
    date="report_date",
    metrics=(
        total("validations", "Validations"),
        total("passed", "Passed", color=GOOD),
        total("failed", "Failed", color=BAD),
        rate("failure", "Failed validations", "failed", "validations"),
        total("sessions_validated", "Sessions with a validation"),
        rate("right_at_first", "Right at first", "sessions_passed_at_first", "sessions_validated"),
        rate("right_at_last", "Right in the end", "sessions_passed_at_last", "sessions_validated"),
    ),
)

SEARCHES = Dataset(
    "reports",
    "rpt_searches",
    date="report_date",
    metrics=(
        total("searches", "Searches"),
        total("searches_clicked", "With a click", color=GOOD),
        total("searches_not_clicked", "Without a click", color=BAD),
        total("clicks", "Clicks on results"),
        rate("click", "Click rate", "searches_clicked", "searches"),
        per("keystrokes", "Search events per search", "keystroke_events", "searches", DECIMAL),
        Metric("terms", "Different terms", "count(distinct search_term)"),
    ),
)

LEDGER = Dataset(
    "meta",
    "dump_ledger",
    date="dump_date",
    metrics=(
        Metric("files", "Files", "count(*)"),
        Metric("dumps", "Dumps", "count(distinct dump_date)"),
        total("lines", "Lines"),
        total("accepted", "Accepted", color=GOOD),
        total("duplicate", "Duplicate"),
        total("quarantined", "Quarantined", color=BAD),
        total("ignored", "Ignored"),
        total("control", "Control"),
        Metric(
            "quarantine_share",
            "Quarantined lines",
            "sum(quarantined) / nullif(sum(lines), 0)",
            ".2%",
        ),
    ),
)

QUARANTINE = Dataset(
    "meta",
    "quarantine",
    date="dump_date",
    metrics=(Metric("lines", "Lines", "count(*)"),),
)

LATE_EVENTS = Dataset(
    "meta",
    "late_events",
    date="dump_date",
    metrics=(
        total("events", "Events"),
        Metric(
            "late_share",
            "Late events",
            "sum(events) filter (where days_late > 0) / nullif(sum(events), 0)",
            ".2%",
            "Events that came in a dump after the day on which they happened.",
        ),
    ),
)

LEFT_OUT = Dataset(
    "meta",
    "left_out",
    metrics=(
        total("events", "Events in no report"),
        total("sessions", "Sessions in no report"),
    ),
)

INVARIANTS = Dataset(
    "meta",
    "invariants",
    metrics=(
        Metric("invariants", "Invariants", "count(*)"),
        Metric("not_passed", "Broken invariants", "count(*) filter (where not passed)"),
        total("violations", "Violations"),
    ),
)

COVERAGE = Dataset(
    "reports",
    "rpt_event_coverage",
    metrics=(Metric("missing", "Events never seen", "count(*) filter (where never_seen)"),),
)
