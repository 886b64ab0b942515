"""What the reports say of the sessions of some departments, asked of the facts.

The reports are by day and item and not by department as well, which would make them as large as the
facts. So a chart reads its report, and where readers choose departments, it reads the same columns
from here. A session is of the department of the person who was seen last in it. With all of them
chosen, the figures are those of the report: `tests/bi/test_departments.py` holds them against it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dagster_project.release.item_rates import item_rates
from dagster_project.release.metrics import (
    ACTIONBOT,
    EVENTS,
    FLOWS,
    FLOWS_DAILY,
    FUNNEL,
    ITEMS,
    LAUNCHERS,
    NON_INTERACTORS,
    PEOPLE,
    QUIZZES,
    SEARCHES,
    SESSIONS,
    SHOUTOUTS,
    SMARTTIPS,
    SURVEYS,
    TASKS,
    Report,
)

CHOSEN = "departments"
"""The variable of the template that holds the departments which readers chose."""

_THE_CHOSEN = f"{{{{ {CHOSEN} | where_in }}}}"
_PEOPLE = f"select person_id from facts.dim_people where department in {_THE_CHOSEN}"
_SESSIONS = (
    "select sessions.*, ids.person_id from facts.fct_sessions as sessions"
    " left join facts.dim_end_users as ids on sessions.end_user_id = ids.end_user_id"
    " left join facts.dim_people as people on ids.person_id = people.person_id"
    " where sessions.environment = 'production'"
    f" and coalesce(people.department, 'unknown') in {_THE_CHOSEN}"
)
"""The sessions that people of the chosen departments ended."""


def _variable(name: str) -> str:
    return f"(select variables ->> '{name}' from meta.release)"


def _day(timestamp: str) -> str:
    zone = _variable("reporting_timezone")
    return f"cast(timezone({zone}, timezone('UTC', {timestamp})) as date)"


def _of_sessions(fact: str, where: str = "") -> str:
    """The rows of a fact that belong to those sessions."""
    condition = f" and {where}" if where else ""
    return (
        f"select * from facts.{fact} where environment = 'production'{condition}"
        f" and (system_id, session_id) in (select (system_id, session_id) from ({_SESSIONS}))"
    )


@dataclass(frozen=True)
class _Item:
    """How the rows of a fact name their item: an expression for its type, columns for the rest."""

    item_type: str
    item_id: str = "item_id"
    item_name: str = "item_name"

    @property
    def has_type(self) -> bool:
        """Whether the report says the type; where all its items are of one, it does not."""
        return not self.item_type.startswith("'")


@dataclass(frozen=True)
class _Counts:
    """A report as counts of a fact's rows.

    Attributes:
        fact: its name.
        counts: aggregates, by the columns of the report.
        at: the time whose day a row counts on; empty where the report has no days.
        item: what a row is about, if the report is by item.
        by: other columns that the report is by.
        where: which rows count, in SQL; empty for all.
    """

    fact: str
    counts: Mapping[str, str]
    at: str = ""
    item: _Item | None = None
    by: Sequence[str] = ()
    where: str = ""

    def query(self) -> str:
        """The report's columns, of the chosen sessions."""
        keys = ["counted.system_id", *self.by]
        if self.at:
            keys.append(f"{_day(f'counted.{self.at}')} as report_date")
        if self.item:
            keys += [f"items.{name}" for name in ("item_key", "item_id", "item_name")]
            if self.item.has_type:
                keys.append("items.item_type")
        counts = [f"{sql} as {column}" for column, sql in self.counts.items()]
        rows = f"({_of_sessions(self.fact, self.where)}) as counted"
        return (
            f"select {', '.join([*keys, *counts])} from {_with_items(rows, self.item)} group by all"
        )


def _with_items(rows: str, item: _Item | None, name: str = "items") -> str:
    """Rows, which are called `counted`, with their items: what has no id is known by its name."""
    if item is None:
        return rows
    return (
        f"{rows} left join facts.dim_items as {name} on counted.system_id = {name}.system_id"
        f" and {item.item_type} = {name}.item_type"
        f" and counted.{item.item_id} is not distinct from {name}.item_id"
        f" and (counted.{item.item_id} is not null"
        f" or counted.{item.item_name} is not distinct from {name}.item_name)"
    )


def _rows(condition: str = "") -> str:
    return f"count(*) filter (where {condition})" if condition else "count(*)"


def _sessions_with(condition: str) -> str:
    return f"count(distinct counted.session_id) filter (where {condition})"


def _median_seconds(milliseconds: str, condition: str) -> str:
    return f"median({milliseconds}) filter (where {condition}) / 1000"


def _took(end: str) -> str:
    return f"epoch_ms(counted.{end}) - epoch_ms(counted.started_at)"


_FLOW_COUNTS = {
    "flow_kind": "min(counted.flow_kind)",
    "plays": _rows(),
    "completable_plays": _rows("has_known_end"),
    "completed": _rows("result = 'completed'"),
    "failed": _rows("result = 'failed'"),
    "stopped_by_launcher": _rows("result = 'stopped_by_launcher'"),
    "left_plays": _rows("result = 'left'"),
    "user_initiated_plays": _rows("is_user_initiated"),
    "median_seconds": _median_seconds(_took("last_event_at"), "result <> 'failed'"),
    "median_seconds_to_complete": _median_seconds(_took("completed_at"), "result = 'completed'"),
}

_COUNTS: Mapping[Report, _Counts] = {
    SESSIONS: _Counts(
        "fct_sessions",
        {
            "sessions": _rows(),
            "engaged_sessions": _rows("is_engaged"),
            "events": "sum(events)",
            "interactions": "sum(interactions)",
            "duration_seconds": "sum(duration_seconds)",
            "median_duration_seconds": "median(duration_seconds)",
        },
        at="started_at",
    ),
    EVENTS: _Counts(
        "fct_item_events", {"events": _rows()}, at="occurred_at", by=("item_type", "event")
    ),
    ITEMS: _Counts(
        "fct_item_events",
        {
            "exposures": _rows("engagement = 'exposure'"),
            "interactions": _rows("engagement = 'interaction'"),
            "outcomes": _rows("engagement = 'outcome'"),
            "sessions_interacted": _sessions_with("engagement = 'interaction'"),
            "sessions_exposed_or_interacted": _sessions_with(
                "engagement in ('exposure', 'interaction')"
            ),
        },
        at="occurred_at",
        item=_Item("counted.item_type"),
    ),
    FLOWS: _Counts("fct_flow_plays", _FLOW_COUNTS, item=_Item("counted.item_type")),
    FLOWS_DAILY: _Counts(
        "fct_flow_plays", _FLOW_COUNTS, at="started_at", item=_Item("counted.item_type")
    ),
    SMARTTIPS: _Counts(
        "fct_smarttips",
        {
            "validations": "sum(passed + failed)",
            "passed": "sum(passed)",
            "failed": "sum(failed)",
            "sessions": _rows(),
            "sessions_hovered": _rows("hovers > 0"),
            "sessions_validated": _rows("first_validation_result is not null"),
            "sessions_passed_at_first": _rows("first_validation_result = 'passed'"),
            "sessions_passed_at_last": _rows("last_validation_result = 'passed'"),
        },
        at="first_event_at",
        item=_Item("'SmartTip'"),
    ),
    LAUNCHERS: _Counts(
        "fct_launchers",
        {"sessions": _rows(), "sessions_clicked": _rows("clicks > 0")},
        at="first_event_at",
        item=_Item("'Launcher'"),
    ),
    SHOUTOUTS: _Counts(
        "fct_shoutouts",
        {"sessions": _rows(), "sessions_clicked": _rows("result = 'clicked'")},
        at="first_event_at",
        item=_Item("'ShoutOut'"),
    ),
    TASKS: _Counts(
        "fct_tasks",
        {"sessions": _rows(), "sessions_completed": _rows("completions > 0")},
        at="first_event_at",
        item=_Item("'Task'"),
    ),
    QUIZZES: _Counts(
        "fct_quiz_attempts",
        {
            "attempts_passed": _rows("is_attempt and result = 'passed'"),
            "attempts_decided": _rows("is_attempt and result in ('passed', 'failed')"),
        },
        at="first_event_at",
        item=_Item("'TeachMe Quiz'"),
    ),
    ACTIONBOT: _Counts(
        "fct_actionbot_chats",
        {"chats": _rows("is_opened"), "chats_engaged": _rows("is_opened and is_engaged")},
        at="first_event_at",
        item=_Item("'ActionBot'"),
    ),
    SEARCHES: _Counts(
        "fct_searches",
        {
            "searches": _rows("keystroke_events > 0"),
            "searches_clicked": _rows("keystroke_events > 0 and led_to_click"),
            "searches_not_clicked": _rows("keystroke_events > 0 and not led_to_click"),
            "clicks": "sum(clicks)",
            "keystroke_events": "sum(keystroke_events)",
        },
        at="first_event_at",
        by=("search_term",),
    ),
}

_PLAYS_OF_SURVEYS = _Counts(
    "fct_surveys",
    {
        "plays": _rows(),
        "plays_submitted": _rows("result = 'submitted'"),
        "plays_closed": _rows("result = 'closed'"),
        "plays_ignored": _rows("result = 'ignored'"),
        "nps_answers": "0",
        "promoters": "0",
        "passives": "0",
        "detractors": "0",
    },
    at="first_event_at",
    item=_Item("'Survey'"),
)
_PROMOTER = f"nps_score >= cast({_variable('nps_promoters_from')} as integer)"
_DETRACTOR = f"nps_score <= cast({_variable('nps_detractors_to')} as integer)"
# Of the scores of each user, question and day the last one counts.
_SCORES = _Counts(
    "fct_survey_answers",
    {
        "plays": "0",
        "plays_submitted": "0",
        "plays_closed": "0",
        "plays_ignored": "0",
        "nps_answers": _rows(),
        "promoters": _rows(_PROMOTER),
        "passives": _rows(f"not ({_PROMOTER}) and not ({_DETRACTOR})"),
        "detractors": _rows(_DETRACTOR),
    },
    at="started_at",
    item=_Item("'Survey'", "survey_id", "survey_name"),
    where=(
        "event_key in (select last(event_key order by started_at, dump_date, source_file,"
        " source_row) from facts.fct_survey_answers"
        " where environment = 'production' and nps_score is not null"
        f" group by {_day('started_at')}, system_id, end_user_id, survey_id,"
        " case when survey_id is null then survey_name end, item_id,"
        " case when item_id is null then item_name end)"
    ),
)


def _people() -> str:
    """Active people by day, of each system and (without one) of all."""
    return f"""
        with sessions as ({_SESSIONS}),
        uses as (
            select system_id, person_id, {_day("started_at")} as day, bool_or(is_engaged) as engaged
            from sessions where person_id is not null group by all
        ),
        active as (
            select system_id, person_id, day, engaged from uses
            union all
            select null, person_id, day, bool_or(engaged) from uses group by all
        ),
        arrivals as (
            select *, lag(day) over (partition by system_id, person_id order by day) as before
            from active
        ),
        days as (select distinct report_date from reports.rpt_active_people)
        select
            days.report_date,
            active.system_id,
            {_active_people("people", 1)},
            {_active_people("people_7_days", 7)},
            {_active_people("people_28_days", 28)},
            {_active_people("engaged_people", 1, "engaged")},
            {_active_people("engaged_people_7_days", 7, "engaged")},
            {_active_people("engaged_people_28_days", 28, "engaged")},
            count(*) filter (where day = report_date and before is null) as new_people,
            count(*) filter (where day = report_date and day - before > 28) as resurrected_people
        from days
        inner join arrivals as active
            on active.day between days.report_date - 27 and days.report_date
        group by all
    """


def _active_people(name: str, days: int, condition: str = "true") -> str:
    return (
        f"count(distinct person_id) filter (where day > report_date - {days} and {condition})"
        f" as {name}"
    )


def _funnel() -> str:
    """The steps as the report numbers and names them, with the plays of the chosen sessions."""
    return f"""
        with counted as ({_of_sessions("fct_flow_plays", "result <> 'failed'")}),
        plays as (
            select flows.item_key as flow_item_key, counted.*
            from {_with_items("counted", _Item("counted.item_type"), "flows")}
        ),
        steps as (
            select plays.flow_item_key, plays.result, counted.*
            from plays inner join facts.fct_flow_steps as counted using (play_key)
        ),
        totals as (
            select
                counted.flow_item_key, items.item_id, items.item_name,
                {_rows()} as plays_reached,
                {_rows("next_step_at is not null")} as plays_went_on,
                {_rows("next_step_at is null and result = 'completed'")} as plays_completed_here,
                {_rows("next_step_at is null and result <> 'completed'")} as plays_dropped_off,
                {_median_seconds(_took("next_step_at"), "true")} as median_seconds
            from {_with_items("steps as counted", _Item("counted.item_type"))}
            group by all
        ),
        plays_of_flows as (select flow_item_key, count(*) as plays from plays group by all)
        select report.* exclude (plays, {", ".join(_STEP_COUNTS)}),
            plays_of_flows.plays,
            {", ".join(f"coalesce(totals.{each}, 0) as {each}" for each in _STEP_COUNTS[:-1])},
            totals.median_seconds
        from reports.rpt_flow_funnel as report
        inner join plays_of_flows using (flow_item_key)
        left join totals
            on report.flow_item_key = totals.flow_item_key
            and report.item_id is not distinct from totals.item_id
            and report.item_name is not distinct from totals.item_name
    """


_STEP_COUNTS = (
    "plays_reached",
    "plays_went_on",
    "plays_completed_here",
    "plays_dropped_off",
    "median_seconds",
)


def of_departments(report: Report) -> str:
    """The columns of a report, or of what stands for it, of the departments in `CHOSEN`.

    Raises:
        KeyError: the report is not by people.
    """
    if report is PEOPLE:
        return _people()
    if report is FUNNEL:
        return _funnel()
    if report is NON_INTERACTORS:
        return f"select * from {report.name} where person_id in ({_PEOPLE})"
    if report is SURVEYS:
        return f"{_PLAYS_OF_SURVEYS.query()} union all by name {_SCORES.query()}"
    return _COUNTS[report].query()


def item_rates_of_departments() -> str:
    """The rates by which items are judged, of the departments in `CHOSEN`."""
    return item_rates(lambda report: f"({of_departments(report)}) as {report.table}")
