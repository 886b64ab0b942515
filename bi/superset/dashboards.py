"""The dashboards: the place of each chart, and notes for readers."""

from __future__ import annotations

from dataclasses import dataclass

from bi.superset.charts import Chart, bars, by_day, number, ranking, rows
from bi.superset.datasets import (
    ADOPTION,
    AUTOMATION,
    COVERAGE,
    EVENTS,
    FLOWS,
    FLOWS_DAILY,
    FUNNEL,
    INVARIANTS,
    ITEMS,
    LATE_EVENTS,
    LEDGER,
    LEFT_OUT,
    NON_INTERACTORS,
    PEOPLE,
    QUARANTINE,
    RATES,
    RELEASE,
    SEARCHES,
    SESSIONS,
    SMARTTIPS,
    SURVEYS,
    Dataset,
)

LOW, MIDDLE, HIGH = 22, 46, 60
"""Heights of rows, in Superset's grid units of 8 pixels."""


COMPARED = (
    "Below a figure stands that of as many days before (**#**) and the change (**%** or **△**)."
)


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
        where: which rows the values come from, in SQL; empty for all.
    """

    name: str
    dataset: Dataset
    column: str
    starts_with_most: str | None = None
    where: str = ""


@dataclass(frozen=True)
class Dashboard:
    """One page.

    Attributes:
        slug: the last part of its address.
        title: what it is about.
        about: what its readers need to know, in Markdown.
        rows: from top to bottom.
        filters: beside the date, which every dashboard has.
        not_shown: what its readers do not see; empty where they see all.
    """

    slug: str
    title: str
    about: str
    rows: tuple[Row, ...]
    filters: tuple[Filter, ...] = ()
    not_shown: str = ""


RELEASE_SHOWN = rows(
    "Release",
    RELEASE,
    ("release_id", "last_dump_date", "events"),
    formats={"events": ",d"},
    description="What all charts show: the release that is published now.",
)

DEPARTMENT = Filter("Department", ADOPTION, "department", where="attribute = 'department'")


def usual_filters(systems: Dataset, types: Dataset) -> tuple[Filter, ...]:
    """The filters that every dashboard has, with where the systems and types come from."""
    return (
        Filter("System", systems, "system"),
        DEPARTMENT,
        Filter("Item type", types, "item_type", where="item_type is not null"),
    )


BY_DEPARTMENT = bars(
    "Adoption by department",
    ADOPTION,
    ["adoption_rate"],
    of="attribute_value",
    where="attribute = 'department'",
    description="People who acted on an item, of those with a session, by week and system.",
)
SESSIONS_BY_DAY = by_day("Sessions by day", SESSIONS, ["sessions"], split_by="system")
COMPLETION_BY_DAY = by_day(
    "Completion by day", FLOWS_DAILY, ["completion_rate"], split_by="system", lines=True
)
BY_TYPE = bars(
    "Rates by type of item",
    RATES,
    ["item_rate"],
    of="measure",
    description="Of each type, the rate that its items can have.",
)

SESSIONS_PAGE = Dashboard(
    slug="walkhouse-sessions",
    title="Sessions",
    about=(
        "How much the guided applications are used. A session counts on the day it started and is "
        "**engaged** when the user did something with a WalkMe item. Who uses several systems is "
        f"one person. {COMPARED} Production only."
    ),
    filters=usual_filters(SESSIONS, ADOPTION),
    rows=(
        Row(
            LOW,
            (
                number("People in 7 days", PEOPLE, "people_7_days"),
                number("New people", PEOPLE, "new_people"),
                number("Stickiness", PEOPLE, "stickiness"),
            ),
        ),
        Row(
            LOW,
            (
                number("Sessions", SESSIONS, "sessions"),
                number("Engagement", SESSIONS, "engagement_rate"),
                number("Minutes per session", SESSIONS, "minutes_per_session"),
            ),
        ),
        Row(
            MIDDLE,
            (
                SESSIONS_BY_DAY,
                by_day(
                    "Engagement by day",
                    SESSIONS,
                    ["engagement_rate"],
                    split_by="system",
                    lines=True,
                ),
            ),
        ),
        Row(
            MIDDLE,
            (
                by_day(
                    "People by day",
                    PEOPLE,
                    ["people", "engaged_people"],
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
            MIDDLE,
            (
                ranking(
                    "Systems",
                    SESSIONS,
                    ["system"],
                    [
                        "sessions",
                        "engaged_sessions",
                        "engagement_rate",
                        "interactions_per_session",
                        "minutes_per_session",
                    ],
                ),
                BY_DEPARTMENT,
            ),
        ),
    ),
)

ITEMS_PAGE = Dashboard(
    slug="walkhouse-items",
    title="Items",
    about=(
        "What was shown (**exposure**) and acted on (**interaction**), and how items do by the "
        "**rate** that their type can have: a launcher is clicked, a validating SmartTip is right "
        "at first. Production only."
    ),
    filters=usual_filters(ITEMS, ITEMS),
    rows=(
        Row(
            LOW,
            (
                number("Exposures", ITEMS, "exposures"),
                number("Interactions", ITEMS, "interactions"),
                number("Interaction rate", ITEMS, "interaction_rate"),
                number("Items in use", ITEMS, "items"),
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
                BY_TYPE,
            ),
        ),
        Row(
            HIGH,
            (
                ranking(
                    "Items by their rates",
                    RATES,
                    ["measure", "item"],
                    ["did_it", "met_it", "item_rate"],
                    sort_by="met_it",
                ),
                ranking(
                    "Who did not use it",
                    NON_INTERACTORS,
                    ["item_type", "item"],
                    ["people", "exposures"],
                    description=(
                        "People who were shown an item and never used it; who they are is in "
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
        "**flow** chosen on the left, over all days. A flow may begin at any step and skip some, "
        "so a later step can be reached more often than an earlier one. Production only."
    ),
    filters=(
        *usual_filters(FLOWS, FLOWS),
        Filter("Kind of flow", FLOWS, "flow_kind"),
        Filter("Flow of the funnel", FUNNEL, "flow", starts_with_most="plays_reached"),
    ),
    rows=(
        Row(
            LOW,
            (
                number("Plays", FLOWS_DAILY, "plays"),
                number("Completion rate", FLOWS_DAILY, "completion_rate"),
                number("Failure rate", FLOWS_DAILY, "failure_rate"),
                number("Started by the user", FLOWS_DAILY, "user_initiated_rate"),
            ),
        ),
        Row(
            MIDDLE,
            (
                COMPLETION_BY_DAY,
                by_day(
                    "How plays ended, by day",
                    FLOWS_DAILY,
                    ["completed", "left_plays", "stopped_by_launcher", "failed"],
                ),
            ),
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
                    [
                        "plays_reached",
                        "reach_rate",
                        "plays_dropped_off",
                        "drop_off_rate",
                        "median_seconds",
                    ],
                    sort_by="step_number",
                    in_order=True,
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
                    [
                        "plays",
                        "completable_plays",
                        "completed",
                        "completion_rate",
                        "failure_rate",
                        "median_seconds_to_complete",
                    ],
                    description="Over all days.",
                ),
            ),
        ),
        Row(
            MIDDLE,
            (
                ranking(
                    "Automation processes",
                    AUTOMATION,
                    ["item"],
                    ["runs", "failures", "failure_rate", "steps_per_run", "beside_visual"],
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
        *usual_filters(SURVEYS, SURVEYS),
        Filter("Survey", SURVEYS, "item"),
    ),
    rows=(
        Row(
            LOW,
            (
                number("NPS", SURVEYS, "nps"),
                number("NPS answers", SURVEYS, "nps_answers"),
                number("Response rate", SURVEYS, "response_rate"),
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
                    ["item"],
                    [
                        "plays",
                        "plays_submitted",
                        "response_rate",
                        "nps_answers",
                        "promoters",
                        "detractors",
                        "nps",
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
        *usual_filters(SMARTTIPS, SMARTTIPS),
        Filter("SmartTip", SMARTTIPS, "item"),
    ),
    rows=(
        Row(
            LOW,
            (
                number("Validations", SMARTTIPS, "validations"),
                number("Failed validations", SMARTTIPS, "failure_rate"),
                number("Right at first", SMARTTIPS, "passed_at_first_rate"),
                number("Right in the end", SMARTTIPS, "passed_at_last_rate"),
            ),
        ),
        Row(
            MIDDLE,
            (
                by_day("Validations by day", SMARTTIPS, ["passed", "failed"]),
                bars(
                    "Least right at first",
                    SMARTTIPS,
                    ["passed_at_first_rate"],
                    of="item",
                    top=10,
                    least=True,
                    where="validations > 0",
                ),
            ),
        ),
        Row(
            HIGH,
            (
                ranking(
                    "SmartTips",
                    SMARTTIPS,
                    ["item"],
                    [
                        "validations",
                        "failed",
                        "failure_rate",
                        "passed_at_first_rate",
                        "passed_at_last_rate",
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
    filters=usual_filters(SEARCHES, SEARCHES),
    rows=(
        Row(
            # Two titles take two lines.
            LOW + 4,
            (
                number("Searches", SEARCHES, "searches"),
                number("Searches with a click", SEARCHES, "click_rate"),
                number("Different terms", SEARCHES, "terms"),
                number("Search events per search", SEARCHES, "events_per_search"),
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
                    where="searches_not_clicked > 0",
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
                    ["searches", "searches_clicked", "click_rate", "events_per_search"],
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
        "dump. All environments, but item events by system: production only."
    ),
    filters=usual_filters(EVENTS, EVENTS),
    rows=(
        Row(
            LOW,
            (
                number("Lines", LEDGER, "lines"),
                number("Accepted", LEDGER, "accepted"),
                number("Quarantined lines", LEDGER, "quarantine_rate"),
            ),
        ),
        Row(
            LOW,
            (
                number("Late events", LATE_EVENTS, "late_share"),
                number("Broken invariants", INVARIANTS, "not_passed"),
                number("Events never seen", COVERAGE, "missing"),
            ),
        ),
        Row(
            MIDDLE,
            (
                by_day(
                    "Item events by day and system",
                    EVENTS,
                    ["events"],
                    split_by="system",
                    description="A system that falls silent may have lost its delivery.",
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

OVERVIEW_PAGE = Dashboard(
    slug="walkhouse-overview",
    title="Overview",
    about=(
        f"How WalkMe is used in the days on the left. {COMPARED} More about "
        + " · ".join(
            f"[{page.title}](/superset/dashboard/{page.slug}/)"
            for page in (
                SESSIONS_PAGE,
                ITEMS_PAGE,
                FLOWS_PAGE,
                SURVEYS_PAGE,
                SMARTTIPS_PAGE,
                SEARCH_PAGE,
                QUALITY_PAGE,
            )
        )
        + ". Production only."
    ),
    filters=usual_filters(SESSIONS, ITEMS),
    rows=(
        Row(
            LOW,
            (
                number("People in 7 days", PEOPLE, "people_7_days"),
                number("Sessions", SESSIONS, "sessions"),
                number("Engagement", SESSIONS, "engagement_rate"),
            ),
        ),
        Row(
            LOW,
            (
                number("Completion rate", FLOWS_DAILY, "completion_rate"),
                number("NPS", SURVEYS, "nps"),
                number("Searches with a click", SEARCHES, "click_rate"),
            ),
        ),
        Row(
            MIDDLE,
            (
                SESSIONS_BY_DAY,
                COMPLETION_BY_DAY,
            ),
        ),
        Row(
            HIGH,
            (
                BY_TYPE,
                BY_DEPARTMENT,
            ),
        ),
    ),
)

DASHBOARDS = (
    OVERVIEW_PAGE,
    SESSIONS_PAGE,
    ITEMS_PAGE,
    FLOWS_PAGE,
    SURVEYS_PAGE,
    SMARTTIPS_PAGE,
    SEARCH_PAGE,
    QUALITY_PAGE,
)
