"""TeachMe quizzes: attempts and what came of them (data-dictionary.md)."""

from tests.reference.events import Row
from tests.reference.rows import (
    SESSION,
    between,
    count,
    first_time,
    grouped,
    held,
    known_as,
    latest,
)


def quiz_attempts(events: list[Row]) -> list[Row]:
    """One row per attempt, and number 0 for what came before the first of a quiz and session."""
    rows = []
    for key, group in grouped(_quiz_events(events), *SESSION, "quiz"):
        for number, attempt in _attempts(group):
            started = first_time(attempt, "TeachMe Quiz: Play")
            submitted = first_time(attempt, "TeachMe Quiz: Submitted")
            passed = count(attempt, "TeachMe Quiz: Passed")
            failed = count(attempt, "TeachMe Quiz: Failed")
            rows.append(
                {column: key[column] for column in SESSION}
                | held(attempt)
                | {
                    "item_id": latest(attempt, "quiz_id"),
                    "item_name": latest(attempt, "quiz_name"),
                    "attempt_number": number,
                    "started_at": started,
                    "submitted_at": submitted,
                    "seconds_to_submit": between(started, submitted),
                    "is_attempt": number > 0,
                    "is_started": started is not None,
                    "is_submitted": submitted is not None,
                    "questions_submitted": count(attempt, "TeachMe Quiz Question: Submitted"),
                    "passed_events": passed,
                    "failed_events": failed,
                    "result": _result(passed, failed, is_submitted=submitted is not None),
                }
            )
    return rows


def _attempts(group: list[Row]) -> list[tuple[int, list[Row]]]:
    """An attempt begins with a Play, or with a Submitted that no Play waits for."""
    attempts: list[tuple[int, list[Row]]] = [(0, [])]
    waits = False
    for event in group:
        if _pair(event) == "TeachMe Quiz: Play":
            attempts.append((len(attempts), []))
            waits = True
        elif _pair(event) == "TeachMe Quiz: Submitted":
            if not waits:
                attempts.append((len(attempts), []))
            waits = False
        attempts[-1][1].append(event)
    return [(number, attempt) for number, attempt in attempts if attempt]


def _result(passed: int, failed: int, *, is_submitted: bool) -> str:
    if passed and failed:
        return "ambiguous"
    if passed or failed:
        return "passed" if passed else "failed"
    return "unknown" if is_submitted else "unfinished"


def _quiz_events(events: list[Row]) -> list[Row]:
    """The events of quizzes and, by their parent, of their questions."""
    own = []
    for event in events:
        if event["item_type"] in ("TeachMe Quiz", "TeachMe Quiz Question"):
            prefix = "item_" if event["item_type"] == "TeachMe Quiz" else "parent_item_"
            quiz_id, name = event[f"{prefix}id"], event[f"{prefix}name"]
            quiz = known_as(quiz_id, name)
            own.append(event | {"quiz_id": quiz_id, "quiz_name": name, "quiz": quiz})
    return own


def _pair(event: Row) -> str:
    return f"{event['item_type']}: {event['event']}"
