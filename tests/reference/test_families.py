"""The facts of all other families, their reports and rules, of the hard cases."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from tests.reference import Warehouse, reference
from tests.reference.surveys import nps_score
from tests.whole import landings

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    landing = tmp_path_factory.mktemp("landing")
    for theme in (
        landings.items_of_sessions,
        landings.surveys,
        landings.searches,
        landings.actionbot,
        landings.quizzes,
        landings.clock_changes,
    ):
        theme(landing)
    return reference(landing, SEEDS, reporting_timezone="Europe/Berlin")


def told(warehouse: Warehouse, table: str, *columns: str, **values: object) -> list[list[Any]]:
    """These columns of the rows of a table that have these values, in order."""
    return sorted(
        (
            [row[column] for column in columns]
            for row in warehouse.tables[table]
            if all(row[column] == value for column, value in values.items())
        ),
        key=repr,
    )


def test_every_fact_holds_each_event_of_its_family_once(warehouse: Warehouse) -> None:
    families = {
        "fct_tasks": "Task",
        "fct_shoutouts": "ShoutOut",
        "fct_launchers": "Launcher",
        "fct_smarttips": "SmartTip",
        "fct_surveys": "Survey",
        "fct_survey_answers": "Survey Question",
        "fct_searches": "WidgetSearch",
        "fct_actionbot_chats": "ActionBot",
        "fct_actionbot_conversations": "ActionBot ",
        "fct_teachme": "TeachMe",
        "fct_quiz_attempts": "TeachMe Quiz",
    }
    of_type = [event["item_type"] for event in warehouse.tables["facts.fct_item_events"]]
    for fact, family in families.items():
        held = sum(row["events"] for row in warehouse.tables[f"facts.{fact}"])
        own = sum(each.startswith(family) for each in of_type)
        if fact == "fct_teachme":
            own = of_type.count("TeachMe")
        assert held == own > 0


def test_a_task_may_be_completed_without_a_play(warehouse: Warehouse) -> None:
    columns = ("item_id", "plays", "completions", "completed_without_play")
    assert told(warehouse, "facts.fct_tasks", *columns, session_id="items-tasks") == [
        ["t-1", 0, 1, True],
        ["t-2", 1, 1, False],
        ["t-3", 1, 1, True],
        ["t-4", 1, 0, False],
        [None, 0, 1, True],
    ]


def test_a_shoutout_closed_by_its_own_action_is_snoozed(warehouse: Warehouse) -> None:
    results = told(
        warehouse, "facts.fct_shoutouts", "item_id", "result", session_id="items-shoutouts"
    )
    assert results == [
        ["so-1", "snoozed"],
        ["so-2", "clicked"],
        ["so-3", "dismissed"],
        ["so-4", "ignored"],
        ["so-5", "clicked"],
        [None, "clicked"],
        [None, "snoozed"],
    ]


def test_a_smarttip_fails_twice_and_then_passes(warehouse: Warehouse) -> None:
    columns = ("failed", "passed", "first_validation_result", "last_validation_result")
    assert told(warehouse, "facts.fct_smarttips", *columns, item_id="st-1") == [
        [2, 1, "failed", "passed"]
    ]
    # Of the two at the same time the lines decide.
    assert told(warehouse, "facts.fct_smarttips", *columns[2:], item_id="st-2") == [
        ["passed", "failed"]
    ]


def test_teachme_is_counted_by_session_and_clicks_by_event(warehouse: Warehouse) -> None:
    columns = ("visible", "opened", "steps_started", "items_started")
    assert told(warehouse, "facts.fct_teachme", *columns, session_id="items-teachme") == [
        [1, 1, 3, 2]
    ]
    contacts = told(warehouse, "facts.fct_support_contacts", "channel", session_id="items-clicks")
    assert contacts == [["help_desk"], ["live_chat"]]
    plays = told(warehouse, "facts.fct_resources", "is_user_initiated", session_id="items-clicks")
    assert plays == [[False], [None], [True]]


def test_a_survey_submitted_twice_is_one_play(warehouse: Warehouse) -> None:
    columns = ("item_id", "submissions", "answers", "questions_answered", "seconds_to_submit")
    assert told(warehouse, "facts.fct_surveys", *columns, session_id="surveys-twice") == [
        ["sv", 2, 3, 2, 7.0]
    ]
    results = told(warehouse, "facts.fct_surveys", "item_id", "result", session_id="surveys-others")
    assert results == [
        ["sv-closed", "closed"],
        ["sv-early", "submitted"],
        ["sv-ignored", "ignored"],
        [None, "ignored"],
        [None, "submitted"],
    ]


@pytest.mark.parametrize(
    ("answer", "score"),
    [("10", 10), ('"7"', 7), (" 8 ", 8), ("0", 0)]
    + [(answer, None) for answer in ("11", "very likely", "7.0", "-1", "07", "", None, "٣")],
)
def test_a_score_is_a_whole_number_from_0_to_10(answer: str | None, score: int | None) -> None:
    assert nps_score(answer) == score


def test_of_the_scores_of_a_user_and_day_the_last_counts(warehouse: Warehouse) -> None:
    columns = ("plays", "nps_answers", "promoters", "detractors", "nps")
    assert told(warehouse, "reports.rpt_surveys", *columns, item_id="sv") == [[1, 1, 0, 1, -100.0]]
    assert told(warehouse, "reports.rpt_surveys", *columns, item_id="sv-answers") == [
        # A 7, an 8 and 7.0, which is a 7; a question whose only answer is 0 could be any.
        [1, 3, 0, 0, 0.0]
    ]


def test_what_is_typed_in_steps_is_one_search(warehouse: Warehouse) -> None:
    columns = ("final_term", "keystroke_events", "clicks", "seconds_to_click")
    terms = {
        session: told(warehouse, "facts.fct_searches", *columns, session_id=f"searches-{session}")
        for session in ("typed", "clicked", "paused", "odd")
    }
    assert terms["typed"] == [["how to", 3, 0, None], ["invoice", 1, 0, None]]
    assert terms["clicked"] == [
        ["TRIP", 3, 2, 7.0],
        ["else", 1, 1, 10.0],
        [None, 0, 1, None],
    ]
    assert terms["paused"] == [["ab", 2, 0, None], ["abcd", 3, 0, None]]
    assert terms["odd"] == [["2026", 1, 1, 0.0], ["by name", 2, 0, None], [None, 2, 0, None]]


def test_a_chat_ends_when_closed_or_with_the_next_or_with_the_session(
    warehouse: Warehouse,
) -> None:
    columns = ("chat_number", "is_opened", "is_closed", "duration_seconds", "events")
    chats = {
        session: told(warehouse, "facts.fct_actionbot_chats", *columns, session_id=f"bot-{session}")
        for session in ("closed", "open", "outside", "at-once")
    }
    assert chats["closed"] == [
        [1, False, False, None, 1],
        [2, True, True, 9.0, 10],
        [3, False, True, None, 2],
        [4, False, False, None, 1],
    ]
    assert chats["open"] == [[1, True, False, 9.0, 5], [2, True, False, 31.0, 7]]
    assert chats["outside"] == [[1, False, False, None, 3]]
    assert chats["at-once"] == [[1, True, True, 0.0, 3]]


def test_a_conversation_begins_anew_and_ends_once(warehouse: Warehouse) -> None:
    columns = ("item_id", "conversation_number", "is_started", "is_ended")
    runs = told(warehouse, "facts.fct_actionbot_conversations", *columns, session_id="bot-open")
    assert runs == [
        ["never started", 1, False, True],
        ["other", 1, True, False],
        ["talk", 1, True, False],
        ["talk", 2, True, True],
        ["talk", 3, False, True],
        [None, 1, False, False],
        [None, 1, True, False],
    ]


def test_a_quiz_submitted_twice_is_two_attempts_with_their_outcomes(warehouse: Warehouse) -> None:
    columns = ("item_id", "attempt_number", "result", "questions_submitted")
    attempts = {
        session: told(warehouse, "facts.fct_quiz_attempts", *columns, session_id=f"quiz-{session}")
        for session in ("twice", "both", "odd")
    }
    assert attempts["twice"] == [
        ["quiz-1", 0, "unfinished", 1],
        ["quiz-1", 1, "failed", 2],
        ["quiz-1", 2, "passed", 0],
        ["quiz-2", 1, "unfinished", 0],
    ]
    assert attempts["both"] == [
        ["quiz-1", 1, "ambiguous", 0],
        ["quiz-1", 2, "unfinished", 0],
        ["quiz-1", 3, "unknown", 0],
    ]
    assert attempts["odd"] == [
        ["quiz-1", 0, "passed", 0],
        ["quiz-1", 1, "unknown", 0],
        ["quiz-1", 2, "passed", 0],
        [None, 0, "unfinished", 1],
        [None, 1, "failed", 1],
    ]


def test_rows_have_the_days_of_the_zone_also_when_clocks_change(warehouse: Warehouse) -> None:
    chats = told(
        warehouse, "reports.rpt_actionbot", "report_date", "chats", item_id="clock-actionBot"
    )
    assert chats == [
        [dt.date(2026, 10, 24), 1],
        [dt.date(2026, 10, 25), 3],
        [dt.date(2026, 10, 26), 2],
        [dt.date(2026, 3, 28), 1],
        [dt.date(2026, 3, 29), 3],
        [dt.date(2026, 3, 30), 2],
    ]


def test_retention_counts_mondays_of_the_zone(warehouse: Warehouse) -> None:
    weeks = {
        (row["first_week"], row["week"]): (row["users"], row["returned"])
        for row in warehouse.tables["reports.rpt_retention_weekly"]
    }
    first, last = dt.date(2026, 3, 23), dt.date(2026, 10, 26)
    assert weeks[first, first] == (3, 3)
    assert weeks[first, first + dt.timedelta(days=7)] == (3, 1)
    assert weeks[first, last] == (3, 1)
    assert len([week for week in weeks if week[0] == first]) == 32


def test_who_uses_a_part_uses_the_whole(warehouse: Warehouse) -> None:
    unused = told(warehouse, "reports.rpt_non_interactors", "item_id", person_id="u-shoutouts")
    assert unused == [["so-4"]]
    assert told(warehouse, "reports.rpt_non_interactors", "item_id", person_id="u-tasks") == []


@pytest.mark.parametrize(
    ("rule", "counts"),
    [
        ("launcher_play_once_per_session", (18, 1)),
        ("launcher_click_was_drawn", (17, 2)),
        ("smarttip_click_comes_with_visible", (14, 1)),
        ("shoutout_action_was_shown", (80, 3)),
        ("survey_submitted_was_viewed", (31, 2)),
        ("search_is_debounced", (39, 2)),
        ("actionbot_chat_is_open", (109, 78)),
        ("conversation_ended_was_started", (17, 3)),
        ("quiz_outcome_follows_submission", (31, 1)),
        ("quiz_outcome_is_unambiguous", (18, 13)),
    ],
)
def test_rules_are_broken_where_planted(
    warehouse: Warehouse, rule: str, counts: tuple[int, int]
) -> None:
    assert warehouse.invariants[rule] == counts
