"""What an item is, which questions are NPS questions, and in which order events happened."""

import pytest

from tests.reference import Warehouse, reference
from tests.reference.test_families import SEEDS, told
from tests.whole import landings


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    landing = tmp_path_factory.mktemp("landing")
    for theme in (landings.nps_questions, landings.types_and_ids, landings.whole_seconds):
        theme(landing)
    return reference(landing, SEEDS)


def test_a_score_needs_an_nps_question(warehouse: Warehouse) -> None:
    columns = ("nps_score", "nps_basis", "answer")
    answers = {
        question: told(
            warehouse,
            "facts.fct_survey_answers",
            *columns,
            item_id=question,
            system_id=landings.SYSTEM,
        )
        for question in ("nps-recommend", "nps-team", "nps-low", "nps-words", "nps-eleven")
    }
    assert answers["nps-recommend"] == [
        [0, "answers", "0"],
        [10, "answers", "10"],
        [3, "answers", "3"],
        [None, "answers", None],
    ]
    # Too low for a recommendation; spoilt by an answer of another environment, and by a later one.
    assert answers["nps-team"] == [[None, None, "4"], [None, None, "5"]]
    assert answers["nps-low"] == [[None, None, "4"]]
    assert answers["nps-words"] == [[None, None, "9"], [None, None, "very likely"]]
    assert answers["nps-eleven"] == [[None, None, "10"], [None, None, "11"]]
    assert told(
        warehouse,
        "facts.fct_survey_answers",
        *columns,
        item_id="nps-words",
        system_id=landings.OTHER_SYSTEM,
    ) == [[9, "answers", "9"]]


def test_types_and_systems_count_their_ids_apart(warehouse: Warehouse) -> None:
    items = told(warehouse, "facts.dim_items", "item_type", "system_id", "item_id", item_name="77")
    assert items == [["Launcher", landings.SYSTEM, None]]
    assert told(warehouse, "facts.dim_items", "item_type", item_id="77") == [
        ["Launcher"],
        ["Launcher"],
        ["SmartTip"],
        ["Task"],
    ]
    counts = ("items_exposed", "items_interacted")
    assert told(
        warehouse,
        "facts.fct_sessions",
        *counts,
        session_id="types",
        system_id=landings.SYSTEM,
    ) == [[12, 14]]
    surveys = told(warehouse, "facts.fct_surveys", "item_id", "item_name", session_id="types")
    assert surveys == [["78", "Poll"], [None, "Another poll"], [None, "Poll"]]


def test_events_of_one_second_are_in_order_wherever_they_came_from(warehouse: Warehouse) -> None:
    columns = ("position_in_session", "position_in_play", "item_id")
    assert told(warehouse, "reports.rpt_flow_tracker", *columns, session_id="seconds-flow") == [
        [1, 1, "90-2"],
        [2, 1, "91-1"],
        [3, 2, "90-1"],
        [4, 3, "90-3"],
    ]
    (attempt,) = told(
        warehouse, "facts.fct_quiz_attempts", "attempt_number", "result", session_id="seconds-quiz"
    )
    assert attempt == [1, "passed"]
    (chat,) = told(
        warehouse, "facts.fct_actionbot_chats", "is_opened", "is_closed", session_id="seconds-chat"
    )
    assert chat == [True, True]
    tip = ("first_validation_result", "last_validation_result")
    assert told(warehouse, "facts.fct_smarttips", *tip, item_id="96") == [["passed", "failed"]]
    # The paths B, a and é of one dump, in byte order.
    assert told(warehouse, "facts.fct_sessions", "end_user_id", session_id="seconds-users") == [
        ["u-0"]
    ]
