"""The figures on the published reports that the page of a release and the dashboards share.

Each figure is written down here, once: which table it is read from, how rows are added up, and in
which unit. What it means is said by the description of the column that it is named after, which is
a comment in the release. Where the semantic layer has a metric of the name, it counts the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

Unit = Literal["count", "decimal", "share", "small_share", "signed"]
Tone = Literal["", "good", "neutral", "bad"]


@dataclass(frozen=True)
class Metric:
    """A figure.

    Attributes:
        name: unique within its report.
        label: what readers see.
        sql: the aggregate, over any rows of the report.
        unit: how it is written: a share is one of 1, a signed number shows a plus.
        column: whose description says what it means; None where no column is it.
        meaning: says so where no column does.
        parts: of a rate the columns of its numerator and denominator.
        of: what the denominator counts, or what a figure without one is made from, in words.
        basis: of a figure that is no rate the column of how many it is made from.
        looks_back: how many days before its own a figure is about.
        tone: whether more of it is good news; empty where that is not known.
    """

    name: str
    label: str
    sql: str
    unit: Unit = "count"
    column: str | None = None
    meaning: str = ""
    parts: tuple[str, str] | None = None
    of: str = ""
    basis: str = ""
    looks_back: int = 0
    tone: Tone = ""


@dataclass(frozen=True)
class Report:
    """A published table with figures.

    Attributes:
        schema: schema of the table.
        table: name of the table.
        metrics: the figures on it.
        date: the column with the day of a row; None if the table has no days.
        query: what it is where it is no published table but made of some; `table` names it.
        whole: the condition of the rows that say what all others say together, if there are any.
    """

    schema: str
    table: str
    metrics: tuple[Metric, ...] = ()
    date: str | None = None
    query: str = ""
    whole: str = ""

    @property
    def name(self) -> str:
        """Schema and table."""
        return f"{self.schema}.{self.table}"

    @property
    def relation(self) -> str:
        """What to select from."""
        return self.relation_as(self.table) if self.query else self.name

    def relation_as(self, name: str) -> str:
        """What to select from, under a name."""
        return f"({self.query}) as {name}" if self.query else f"{self.name} as {name}"

    def metric(self, name: str) -> Metric:
        """The figure of this name.

        Raises:
            KeyError: there is none.
        """
        for metric in self.metrics:
            if metric.name == name:
                return metric
        raise KeyError(f"{self.name} has no metric {name!r}")

    def meaning(self, name: str, comments: Mapping[tuple[str, str], str]) -> str:
        """What the figure of this name means.

        Args:
            name: of the figure.
            comments: descriptions in the release, by table and column.

        Raises:
            KeyError: there is no such figure.
        """
        metric = self.metric(name)
        if metric.column is None:
            return metric.meaning
        return comments.get((self.name, metric.column), "")


def total(column: str, label: str, *, tone: Tone = "") -> Metric:
    """The sum of a column of counts."""
    return Metric(column, label, f"sum({column})", column=column, tone=tone)


def per(
    name: str,
    label: str,
    numerator: str,
    denominator: str,
    *,
    unit: Unit = "decimal",
    of: str = "",
    meaning: str = "",
    tone: Tone = "",
) -> Metric:
    """A ratio of sums; null where the denominator is 0. It is named after its column, if any."""
    return Metric(
        name,
        label,
        f"sum({numerator}) / nullif(sum({denominator}), 0)",
        unit,
        column=None if meaning else name,
        meaning=meaning,
        parts=(numerator, denominator),
        of=of or denominator.replace("_", " "),
        tone=tone,
    )


rate = partial(per, unit="share")
"""A share of 1: the sum of a numerator over that of its denominator."""


def as_it_is(column: str, label: str) -> Metric:
    """A figure that cannot be added up: of several rows, the greatest."""
    return Metric(column, label, f"max({column})", "decimal", column=column)


RELEASE = Report("meta", "release")

SESSIONS = Report(
    "reports",
    "rpt_sessions_daily",
    date="report_date",
    metrics=(
        total("sessions", "Sessions"),
        total("engaged_sessions", "Engaged sessions"),
        total("events", "Item events"),
        total("interactions", "Interactions"),
        rate("engagement_rate", "Engagement rate", "engaged_sessions", "sessions"),
        per("events_per_session", "Events per session", "events", "sessions"),
        per("interactions_per_session", "Interactions per session", "interactions", "sessions"),
        Metric(
            "minutes_per_session",
            "Minutes per session",
            "sum(duration_seconds) / 60 / nullif(sum(sessions), 0)",
            "decimal",
            meaning="Minutes from the first to the last event of a session, on average.",
        ),
        Metric(
            "median_minutes",
            "Median minutes",
            "max(median_duration_seconds) / 60",
            "decimal",
            meaning="Median minutes of the sessions of one day and system.",
        ),
    ),
)

EVENTS = Report(
    "reports",
    "rpt_events_daily",
    date="report_date",
    metrics=(total("events", "Item events"),),
)

ALL_SYSTEMS = "system_id is null"
"""The rows of active people over all systems: somebody who uses two is one person in them."""


def _whole(sql: str, rows: str) -> str:
    """A figure of the rows that stand for all, or where a filter left none, of those that are left.

    Args:
        sql: the figure, with `{rows}` where an aggregate is filtered.
        rows: the condition of the rows that stand for all.
    """
    return f"coalesce({sql.format(rows=f' filter (where {rows})')}, {sql.format(rows='')})"


def _last(column: str, label: str) -> Metric:
    """The count of the latest day: those of several days would count somebody more than once.

    Where a filter left some systems, who uses several of them counts in each.
    """
    pairs = f"list({{{{'day': report_date, 'n': {column}}}}}){{rows}}"
    last = "max(report_date){rows}"
    sql = _whole(f"list_sum([each.n for each in {pairs} if each.day = {last}])", ALL_SYSTEMS)
    return Metric(column, label, sql, column=column)


PEOPLE = Report(
    "reports",
    "rpt_active_people",
    date="report_date",
    whole=ALL_SYSTEMS,
    metrics=(
        _last("people", "People of the day"),
        _last("people_7_days", "People in 7 days"),
        _last("people_28_days", "People in 28 days"),
        _last("engaged_people", "Engaged people of the day"),
        _last("engaged_people_7_days", "Engaged people in 7 days"),
        _last("engaged_people_28_days", "Engaged people in 28 days"),
        Metric(
            "new_people",
            "New people",
            _whole("sum(new_people){rows}", ALL_SYSTEMS),
            column="new_people",
        ),
        Metric(
            "resurrected_people",
            "People back after 28 days",
            _whole("sum(resurrected_people){rows}", ALL_SYSTEMS),
            column="resurrected_people",
        ),
        Metric(
            "stickiness",
            "Stickiness",
            _whole("sum(people){rows} / nullif(sum(people_28_days){rows}, 0)", ALL_SYSTEMS),
            "share",
            column="stickiness",
            looks_back=27,
        ),
    ),
)

ALL_TYPES = "item_type is null"

ADOPTION = Report(
    "reports",
    "rpt_adoption_by_attribute",
    date="week",
    whole=ALL_TYPES,
    metrics=(
        *(
            Metric(column, label, _whole(f"sum({column}){{rows}}", ALL_TYPES), column=column)
            for column, label in (
                ("people", "People"),
                ("engaged_people", "Engaged people"),
                ("sessions", "Sessions"),
                ("interactions", "Interactions"),
            )
        ),
        Metric(
            "adoption_rate",
            "Adoption rate",
            _whole("sum(engaged_people){rows} / nullif(sum(people){rows}, 0)", ALL_TYPES),
            "share",
            column="adoption_rate",
            parts=("engaged_people", "people"),
            of="people",
            tone="good",
        ),
    ),
)

ITEMS = Report(
    "reports",
    "rpt_items_daily",
    date="report_date",
    metrics=(
        total("exposures", "Exposures"),
        total("interactions", "Interactions"),
        total("outcomes", "Outcomes"),
        total("sessions_interacted", "Sessions with an interaction"),
        rate(
            "interaction_rate",
            "Interaction rate",
            "sessions_interacted",
            "sessions_exposed_or_interacted",
        ),
        Metric(
            "items",
            "Items",
            "count(distinct item_key)",
            meaning=(
                "Items with any event. An item is one of its system: two systems may give two items"
                " the same id."
            ),
        ),
    ),
)

NON_INTERACTORS = Report(
    "reports",
    "rpt_non_interactors",
    metrics=(
        Metric(
            "people",
            "People who did not use it",
            "count(distinct person_id)",
            meaning="People who were shown an item and have never used it.",
        ),
        total("exposures", "Times it was shown to them"),
    ),
)

FLOWS = Report(
    "reports",
    "rpt_flows",
    metrics=(
        total("plays", "Plays"),
        total("completable_plays", "Completable plays"),
        total("completed", "Completed", tone="good"),
        total("failed", "Failed", tone="bad"),
        total("stopped_by_launcher", "Stopped by a launcher"),
        total("left_plays", "Left"),
        rate(
            "completion_rate",
            "Completion rate",
            "completed",
            "completable_plays",
            of="plays",
            tone="good",
        ),
        rate("failure_rate", "Failure rate", "failed", "plays", tone="bad"),
        rate(
            "user_initiated_rate",
            "Started by the user",
            "user_initiated_plays",
            "plays",
            meaning="Plays that the user started, per play.",
        ),
        as_it_is("median_seconds_to_complete", "Median seconds to complete"),
        as_it_is("median_seconds", "Median seconds"),
    ),
)

FLOWS_DAILY = Report("reports", "rpt_flows_daily", FLOWS.metrics, date="report_date")

FUNNEL = Report(
    "reports",
    "rpt_flow_funnel",
    metrics=(
        Metric("plays", "Plays of the flow", "sum(plays)", column="plays"),
        total("plays_reached", "Reached the step"),
        total("plays_went_on", "Went on", tone="neutral"),
        total("plays_completed_here", "Completed here", tone="good"),
        total("plays_dropped_off", "Left here", tone="bad"),
        rate("reach_rate", "Reach", "plays_reached", "plays"),
        rate(
            "drop_off_rate",
            "Drop-off",
            "plays_dropped_off",
            "plays_reached",
            of="plays",
            tone="bad",
        ),
        as_it_is("median_seconds", "Median seconds in it"),
        as_it_is("step_number", "Number"),
    ),
)

FLOW_IMPACT = Report(
    "reports",
    "rpt_flow_impact",
    metrics=(
        rate(
            "completed_rate",
            "After completing it",
            "people_completed_reached",
            "people_completed",
            of="people",
        ),
        rate(
            "never_shown_rate",
            "Never shown it",
            "people_never_shown_reached",
            "people_never_shown",
            of="people",
        ),
    ),
)

AUTOMATION = Report(
    "reports",
    "rpt_automation_processes",
    date="report_date",
    metrics=(
        total("runs", "Runs"),
        total("failures", "Failures", tone="bad"),
        rate("failure_rate", "Failure rate", "failures", "runs", tone="bad"),
        per("steps_per_run", "Steps per run", "steps", "runs"),
        rate(
            "beside_visual",
            "Beside a visual flow",
            "runs_beside_visual_flow",
            "runs",
            meaning="Runs during which a visual flow ran in the same session, per run.",
        ),
        total("stopped_by_launcher", "Stopped by a launcher"),
    ),
)

SURVEYS = Report(
    "reports",
    "rpt_surveys",
    date="report_date",
    metrics=(
        total("plays", "Times opened"),
        total("plays_submitted", "Submitted", tone="good"),
        total("plays_closed", "Closed", tone="bad"),
        total("plays_ignored", "Ignored", tone="neutral"),
        rate("response_rate", "Response rate", "plays_submitted", "plays", tone="good"),
        total("nps_answers", "NPS answers"),
        total("promoters", "Promoters", tone="good"),
        total("passives", "Passives", tone="neutral"),
        total("detractors", "Detractors", tone="bad"),
        Metric(
            "nps",
            "Net promoter score",
            "100 * (sum(promoters) - sum(detractors)) / nullif(sum(nps_answers), 0)",
            "signed",
            column="nps",
            of="answers",
            basis="nps_answers",
            tone="good",
        ),
    ),
)

SMARTTIPS = Report(
    "reports",
    "rpt_smarttips",
    date="report_date",
    metrics=(
        total("validations", "Validations"),
        total("passed", "Passed", tone="good"),
        total("failed", "Failed", tone="bad"),
        rate("failure_rate", "Failed validations", "failed", "validations", tone="bad"),
        total("sessions_validated", "Sessions with a validation"),
        rate(
            "passed_at_first_rate",
            "Right at first",
            "sessions_passed_at_first",
            "sessions_validated",
            of="sessions",
            tone="good",
        ),
        rate(
            "passed_at_last_rate",
            "Right in the end",
            "sessions_passed_at_last",
            "sessions_validated",
            of="sessions",
            tone="good",
        ),
        rate("hover_rate", "Looked at", "sessions_hovered", "sessions"),
    ),
)

LAUNCHERS = Report(
    "reports",
    "rpt_launchers",
    date="report_date",
    metrics=(rate("click_rate", "Clicked", "sessions_clicked", "sessions"),),
)

SHOUTOUTS = Report(
    "reports",
    "rpt_shoutouts",
    date="report_date",
    metrics=(rate("click_rate", "Clicked", "sessions_clicked", "sessions"),),
)

TASKS = Report(
    "reports",
    "rpt_tasks",
    date="report_date",
    metrics=(rate("completion_rate", "Completed", "sessions_completed", "sessions"),),
)

QUIZZES = Report(
    "reports",
    "rpt_quizzes",
    date="report_date",
    metrics=(rate("pass_rate", "Passed", "attempts_passed", "attempts_decided", of="attempts"),),
)

ACTIONBOT = Report(
    "reports",
    "rpt_actionbot",
    date="report_date",
    metrics=(rate("engagement_rate", "Engaged", "chats_engaged", "chats"),),
)

SEARCHES = Report(
    "reports",
    "rpt_searches",
    date="report_date",
    metrics=(
        total("searches", "Searches"),
        total("searches_clicked", "With a click", tone="good"),
        total("searches_not_clicked", "Without a click", tone="bad"),
        total("clicks", "Clicks on results"),
        rate("click_rate", "Searches with a click", "searches_clicked", "searches", tone="good"),
        rate(
            "no_click_rate",
            "Searches without a click",
            "searches_not_clicked",
            "searches",
            meaning="Search intents without a click on a result before the next one, per intent.",
            tone="bad",
        ),
        per(
            "events_per_search",
            "Search events per search",
            "keystroke_events",
            "searches",
            meaning="Events that the player sent while a term was typed, per search intent.",
        ),
        Metric(
            "terms",
            "Different terms",
            "count(distinct search_term)",
            meaning="Distinct final terms of search intents.",
        ),
    ),
)

LEDGER = Report(
    "meta",
    "dump_ledger",
    date="dump_date",
    metrics=(
        Metric("files", "Files", "count(*)", meaning="Files of the dumps."),
        Metric("dumps", "Dumps", "count(distinct dump_date)", meaning="Days with a dump."),
        total("lines", "Lines"),
        total("accepted", "Accepted", tone="good"),
        total("duplicate", "Duplicate"),
        total("quarantined", "Quarantined", tone="bad"),
        total("ignored", "Ignored"),
        total("control", "Control"),
        Metric(
            "not_events",
            "No item events",
            "sum(ignored + control)",
            meaning="Lines that are no item event: those of the player, and control lines.",
        ),
        rate(
            "quarantine_rate",
            "Quarantined lines",
            "quarantined",
            "lines",
            unit="small_share",
            meaning="Quarantined lines per line.",
            tone="bad",
        ),
    ),
)

QUARANTINE = Report(
    "meta",
    "quarantine",
    date="dump_date",
    metrics=(Metric("lines", "Lines", "count(*)", meaning="Quarantined lines."),),
)

LATE_EVENTS = Report(
    "meta",
    "late_events",
    date="dump_date",
    metrics=(
        total("events", "Events"),
        Metric(
            "late_share",
            "Late events",
            "sum(events) filter (where days_late > 0) / nullif(sum(events), 0)",
            "small_share",
            meaning="Events that came in a dump after the day on which they happened, per event.",
        ),
    ),
)

LEFT_OUT = Report(
    "meta",
    "left_out",
    metrics=(
        total("events", "Events in no report"),
        total("sessions", "Sessions in no report"),
        total("end_users", "End users in no report"),
    ),
)

INVARIANTS = Report(
    "meta",
    "invariants",
    metrics=(
        Metric("invariants", "Invariants", "count(*)", meaning="What is checked of a release."),
        Metric(
            "not_passed",
            "Broken invariants",
            "count(*) filter (where not passed)",
            meaning="Invariants with more violations than their tolerance.",
            tone="bad",
        ),
        total("violations", "Violations"),
    ),
)

COVERAGE = Report(
    "reports",
    "rpt_event_coverage",
    metrics=(
        Metric(
            "missing",
            "Events never seen",
            "count(*) filter (where never_seen)",
            meaning="Documented events of which none has come in from production.",
        ),
    ),
)
