"""The dashboards: the place of each chart, and notes for readers."""

from __future__ import annotations

from dataclasses import dataclass

from bi.superset.charts import Chart, bars, by_day, number, ranking, rows
from bi.superset.datasets import (
    AUTOMATION,
    COVERAGE,
    FLOWS,
    FUNNEL,
    INVARIANTS,
    ITEMS,
    LATE_EVENTS,
    LEDGER,
    LEFT_OUT,
    NON_INTERACTORS,
    QUARANTINE,
    RELEASE,
    SEARCHES,
    SESSIONS,
    SMARTTIPS,
    SURVEYS,
    Dataset,
)

LOW, FLAT, MIDDLE, HIGH = 22, 32, 46, 60
"""Heights of rows, in Superset's grid units of 8 pixels."""


@dataclass(frozen=True)
class Row:
    """Charts side by side, of equal height.

    Attributes:
        height: in grid units of 8 pixels.
        charts: from left to right.
        widths: of each chart, in twelfths of the page; empty for equal ones.
    """

    height: int
    charts: tuple[Chart, ...]
    widths: tuple[int, ...] = ()


@dataclass(frozen=True)
class Filter:
    """A list of values to choose from, for all charts whose tables have the column.

    Attributes:
        name: what readers see.
        dataset: where the values come from.
        column: the column.
        starts_with_most: the value with the most of this metric is chosen at first; None if all
            values are.
    """

    name: str
    dataset: Dataset
    column: str
    starts_with_most: str | None = None


@dataclass(frozen=True)
class Dashboard:
    """One page.

    Attributes:
        slug: the last part of its address.
        title: what it is about.
        about: what its readers need to know, in Markdown.
        rows: from top to bottom.
        filters: beside the date, which every dashboard has.
    """

    slug: str
    title: str
    about: str
    rows: tuple[Row, ...]
    filters: tuple[Filter, ...] = ()


RELEASE_SHOWN = rows(
    "Release",
    RELEASE,
    ("release_id", "last_dump_date", "events"),
    formats={"events": ",d"},
    description="What all charts show: the release that is published now.",
)

SESSIONS_PAGE = Dashboard(
    slug="walkhouse-sessions",
    title="Sessions",
    about=(
        "How much the guided applications are used. A session counts on the day it started and is "
        "**engaged** when the user did something with a WalkMe item. Production only. End users "
        "are counted per day and system, so the lines of several days or systems do not add up."
    ),
    filters=(Filter("System", SESSIONS, "system_id"),),
    rows=(
        Row(
            LOW,
            (
                number("Sessions", SESSIONS, "sessions"),
                number("Engagement", SESSIONS, "engagement", "Engaged sessions per session."),
                number("Events per session", SESSIONS, "events_per_session"),
                number("Minutes per session", SESSIONS, "minutes_per_session"),
                number(
                    "New end users",
                    SESSIONS,
                    "new_end_users",
                    "End users whose first session in the system was in these days.",
                ),
            ),
            (3, 3, 2, 2, 2),
        ),
        Row(
            MIDDLE,
            (
                by_day("Sessions by day", SESSIONS, ["sessions"], split_by="system"),
                by_day("Engagement by day", SESSIONS, ["engagement"], lines=True),
            ),
        ),
        Row(
            MIDDLE,
            (
                by_day(
                    "End users by day and system",
                    SESSIONS,
                    ["days_of_users"],
                    split_by="system",
                    lines=True,
                ),
                by_day(
                    "Median session in minutes, by day and system",
                    SESSIONS,
                    ["median_minutes"],
                    split_by="system",
                    lines=True,
                ),
            ),
        ),
        Row(
            FLAT,
            (
                ranking(
                    "Systems",
                    SESSIONS,
                    ["system_id"],
                    [
                        "sessions",
                        "engaged_sessions",
                        "engagement",
                        "events_per_session",
                        "interactions_a_session",
                        "minutes_per_session",
                    ],
                ),
            ),
        ),
    ),
)

ITEMS_PAGE = Dashboard(
    slug="walkhouse-items",
    title="Items",
    about=(
        "What was shown (**exposure**), who acted on it (**interaction**) and what came of it "
        "(**outcome**). The interaction rate counts sessions: those that used an item, of those "
        "that were shown or used it. Production only. *Who did not use it* covers all days."
    ),
    filters=(
        Filter("System", ITEMS, "system_id"),
        Filter("Item type", ITEMS, "item_type"),
    ),
    rows=(
        Row(
            LOW,
            (
                number("Exposures", ITEMS, "exposures"),
                number("Interactions", ITEMS, "interactions"),
                number("Interaction rate", ITEMS, "interaction_share"),
                number("Items in use", ITEMS, "items", "Items with any event."),
            ),
        ),
        Row(
            HIGH,
            (
                by_day(
                    "Interactions by day and item type",
                    ITEMS,
                    ["interactions"],
                    split_by="item_type",
                    top=8,
                ),
                bars(
                    "Exposures and interactions",
                    ITEMS,
                    ["exposures", "interactions"],
                    of="item_type",
                ),
            ),
        ),
        Row(
            HIGH,
            (
                ranking(
                    "Most used items",
                    ITEMS,
                    ["item_type", "item_name"],
                    ["interactions", "exposures", "interaction_share"],
                ),
                ranking(
                    "Who did not use it",
                    NON_INTERACTORS,
                    ["item_type", "item_name"],
                    ["users", "exposures"],
                    description=(
                        "Users who were shown an item and never used it; their names are in "
                        "reports.rpt_non_interactors."
                    ),
                ),
            ),
        ),
    ),
)

FLOWS_PAGE = Dashboard(
    slug="walkhouse-flows",
    title="Flow funnel",
    about=(
        "How plays of Smart Walk-Thrus and Walk-Thrus go. Funnel and steps are those of the "
        "**flow** chosen on the left. A flow may begin at any step and skip some, so a later step "
        "can be reached more often than an earlier one. All days count; the date filter is for "
        "automation processes. Production only."
    ),
    filters=(
        Filter("System", FLOWS, "system_id"),
        Filter("Kind of flow", FLOWS, "flow_kind"),
        Filter("Flow of the funnel", FUNNEL, "flow", starts_with_most="plays_reached"),
    ),
    rows=(
        Row(
            LOW,
            (
                number("Plays", FLOWS, "plays"),
                number("Completion rate", FLOWS, "completion"),
                number("Failure rate", FLOWS, "failure"),
                number("Started by the user", FLOWS, "user_initiated"),
                number("Stopped by a launcher", FLOWS, "stopped_by_launcher"),
            ),
            (3, 3, 2, 2, 2),
        ),
        Row(
            HIGH,
            (
                bars(
                    "Funnel",
                    FUNNEL,
                    ["plays_went_on", "plays_completed_here", "plays_dropped_off"],
                    of="step",
                    top=40,
                    in_order=True,
                    description=(
                        "Plays that reached each step: went on, completed the flow there, or left."
                    ),
                ),
            ),
        ),
        Row(
            MIDDLE,
            (
                ranking(
                    "Steps",
                    FUNNEL,
                    ["step", "step_kind"],
                    ["plays_reached", "reach", "plays_dropped_off", "drop_off", "median_seconds"],
                    sort_by="plays_dropped_off",
                    description="The steps at which most plays end, first.",
                ),
            ),
        ),
        Row(
            MIDDLE,
            (
                ranking(
                    "Flows",
                    FLOWS,
                    ["flow_name", "flow_kind"],
                    ["plays", "completion", "failure", "left_plays", "median_seconds"],
                ),
            ),
        ),
        Row(
            MIDDLE,
            (
                ranking(
                    "Automation processes",
                    AUTOMATION,
                    ["item_name"],
                    ["runs", "failures", "failure", "steps_a_run", "beside_visual"],
                    description="Flows that run unseen, and how often beside a visual one.",
                ),
            ),
        ),
    ),
)

SURVEYS_PAGE = Dashboard(
    slug="walkhouse-surveys",
    title="Surveys and NPS",
    about=(
        "Who answers surveys, and what they say. The **net promoter score** is the percentage of "
        "answers of 9 or 10 minus that of 0 to 6; of each user, question and day the last answer "
        "counts. Production only."
    ),
    filters=(
        Filter("System", SURVEYS, "system_id"),
        Filter("Survey", SURVEYS, "item_name"),
    ),
    rows=(
        Row(
            LOW,
            (
                number("NPS", SURVEYS, "net_promoter_score"),
                number("NPS answers", SURVEYS, "nps_answers"),
                number("Response rate", SURVEYS, "response", "Submitted, of those opened."),
                number("Times opened", SURVEYS, "plays"),
            ),
        ),
        Row(
            MIDDLE,
            (
                by_day("Scores by day", SURVEYS, ["promoters", "passives", "detractors"]),
                by_day(
                    "What became of surveys, by day",
                    SURVEYS,
                    ["plays_submitted", "plays_closed", "plays_ignored"],
                ),
            ),
        ),
        Row(
            MIDDLE,
            (
                ranking(
                    "Surveys",
                    SURVEYS,
                    ["item_name", "system_id"],
                    [
                        "plays",
                        "plays_submitted",
                        "response",
                        "nps_answers",
                        "promoters",
                        "detractors",
                        "net_promoter_score",
                    ],
                ),
            ),
        ),
    ),
)

SMARTTIPS_PAGE = Dashboard(
    slug="walkhouse-smarttips",
    title="SmartTip validation",
    about=(
        "Whether users get their entries right. A validating SmartTip says **passed** or "
        "**failed** each time it looks; *right at first* and *right in the end* are about the "
        "first and last validation of a SmartTip in a session. Production only."
    ),
    filters=(
        Filter("System", SMARTTIPS, "system_id"),
        Filter("SmartTip", SMARTTIPS, "item_name"),
    ),
    rows=(
        Row(
            LOW,
            (
                number("Validations", SMARTTIPS, "validations"),
                number("Failed validations", SMARTTIPS, "failure"),
                number("Right at first", SMARTTIPS, "right_at_first"),
                number("Right in the end", SMARTTIPS, "right_at_last"),
            ),
        ),
        Row(
            MIDDLE,
            (
                by_day("Validations by day", SMARTTIPS, ["passed", "failed"]),
                bars(
                    "Most failed validations",
                    SMARTTIPS,
                    ["failed", "passed"],
                    of="item_name",
                    top=10,
                ),
            ),
        ),
        Row(
            HIGH,
            (
                ranking(
                    "SmartTips",
                    SMARTTIPS,
                    ["item_name", "system_id"],
                    [
                        "validations",
                        "failed",
                        "failure",
                        "right_at_first",
                        "right_at_last",
                    ],
                    sort_by="failed",
                    where="validations > 0",
                ),
            ),
        ),
    ),
)

SEARCH_PAGE = Dashboard(
    slug="walkhouse-search",
    title="Search",
    about=(
        "What users look for in the menu, and whether they find it. A **search** is an intent: the "
        "player sends what was typed so far, and what is typed on is folded into one search with "
        "its final term. Production only."
    ),
    filters=(Filter("System", SEARCHES, "system_id"),),
    rows=(
        Row(
            LOW,
            (
                number("Searches", SEARCHES, "searches"),
                number("Click rate", SEARCHES, "click", "Searches with a click on a result."),
                number("Different terms", SEARCHES, "terms"),
                number("Search events per search", SEARCHES, "keystrokes"),
            ),
        ),
        Row(
            HIGH,
            (
                by_day("Searches by day", SEARCHES, ["searches_clicked", "searches_not_clicked"]),
                bars(
                    "Terms without a click",
                    SEARCHES,
                    ["searches_not_clicked"],
                    of="search_term",
                    description="What users did not find: content to write, or to name better.",
                ),
            ),
        ),
        Row(
            HIGH,
            (
                ranking(
                    "Terms",
                    SEARCHES,
                    ["search_term"],
                    ["searches", "searches_clicked", "click", "keystrokes"],
                ),
            ),
        ),
    ),
)

QUALITY_PAGE = Dashboard(
    slug="walkhouse-data-quality",
    title="Data quality",
    about=(
        "Whether the release can be trusted. Every line of every file is accepted, a duplicate, "
        "quarantined with a reason, or no item event. Nothing is published unless the "
        "**invariants** of severity *error* hold or a person waived them. The date is that of the "
        "dump. All environments."
    ),
    rows=(
        Row(
            LOW,
            (
                number("Lines", LEDGER, "lines"),
                number("Accepted", LEDGER, "accepted"),
                number("Quarantined lines", LEDGER, "quarantine_share"),
                number("Late events", LATE_EVENTS, "late_share"),
                number("Broken invariants", INVARIANTS, "not_passed"),
                number(
                    "Events never seen",
                    COVERAGE,
                    "missing",
                    "Documented events of which none has come in from production.",
                ),
            ),
        ),
        Row(
            MIDDLE,
            (
                by_day(
                    "Lines by dump",
                    LEDGER,
                    ["accepted", "duplicate", "quarantined", "ignored", "control"],
                ),
                bars("Why lines are quarantined", QUARANTINE, ["lines"], of="reason"),
                bars(
                    "Days late",
                    LATE_EVENTS,
                    ["events"],
                    of="days_late",
                    in_order=True,
                    where="days_late > 0",
                    description="Events that came in a later dump, by the days in between.",
                ),
                bars(
                    "Events in no report",
                    LEFT_OUT,
                    ["events"],
                    of="environment",
                    description="Reports count production; this came from other environments.",
                ),
            ),
        ),
        Row(
            HIGH,
            (
                rows(
                    "Invariants",
                    INVARIANTS,
                    ("invariant", "severity", "checked", "violations", "passed"),
                    order_by="position",
                    formats={"checked": ",d", "violations": ",d"},
                ),
                rows(
                    "Events and when they were seen",
                    COVERAGE,
                    ("item_type", "event", "events", "events_last_7_days", "last_seen_at"),
                    order_by="position",
                    formats={"events": ",d", "events_last_7_days": ",d"},
                ),
            ),
        ),
    ),
)

DASHBOARDS = (
    SESSIONS_PAGE,
    ITEMS_PAGE,
    FLOWS_PAGE,
    SURVEYS_PAGE,
    SMARTTIPS_PAGE,
    SEARCH_PAGE,
    QUALITY_PAGE,
)
