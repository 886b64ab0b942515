"""Surveys: their plays with the answers given in them, and the answers (warehouse.md)."""

import re
from collections import defaultdict

from tests.reference.events import Row
from tests.reference.rows import SESSION, between, count, first_time, grouped, held, latest


def survey_events(events: list[Row]) -> list[Row]:
    """The events of surveys and questions, each with `survey_id` and `survey_name`.

    A question belongs to its parent; one that names none, to the survey of its play in the session.
    """
    own = [
        event | {"survey_id": event["item_id"], "survey_name": event["item_name"]}
        for event in events
        if event["item_type"] == "Survey"
    ] + [
        event | {"survey_id": event["parent_item_id"], "survey_name": event["parent_item_name"]}
        for event in events
        if event["item_type"] == "Survey Question"
    ]
    surveys_of_plays: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for event in own:
        if event["play_id"] is not None and event["survey_id"] is not None:
            surveys_of_plays[_play(event)].add(event["survey_id"])
    for event in own:
        if event["survey_id"] is None and event["play_id"] is not None:
            event["survey_id"] = max(surveys_of_plays[_play(event)], default=None)
    return own


def surveys(events: list[Row]) -> list[Row]:
    """One row per play of a survey; without a play id, per session and survey."""
    rows = []
    plays = grouped(survey_events(events), *SESSION, "survey_id", "play_id")
    for key, group in plays:
        viewed = first_time(group, "Survey: Play")
        submitted = first_time(group, "Survey: Submitted")
        closed = first_time(group, "Survey: Close")
        questions = [event for event in group if event["item_type"] == "Survey Question"]
        to_submit = between(viewed, submitted)
        rows.append(
            {column: key[column] for column in (*SESSION, "play_id")}
            | held(group)
            | {
                "item_id": key["survey_id"],
                "item_name": latest(group, "survey_name"),
                "initiator": latest(group, "initiator"),
                "is_user_initiated": latest(group, "is_user_initiated"),
                "viewed_at": viewed,
                "submitted_at": submitted,
                "closed_at": closed,
                "seconds_to_submit": None if to_submit is None or to_submit < 0 else to_submit,
                "views": count(group, "Survey: Play"),
                "submissions": count(group, "Survey: Submitted"),
                "closes": count(group, "Survey: Close"),
                "answers": len(questions),
                "questions_answered": len(
                    {e["item_id"] or e["item_name"] for e in questions} - {None}
                ),
                "result": "submitted" if submitted else "closed" if closed else "ignored",
            }
        )
    return rows


def survey_answers(events: list[Row]) -> list[Row]:
    """One row per submitted answer to a question."""
    columns = (*SESSION, "end_user_id", "item_id", "item_name", "survey_id", "survey_name")
    return [
        {column: event[column] for column in (*columns, "play_id", "event_date")}
        | {
            "started_at": event["occurred_at"],
            "question": event["item_name"],
            "answer": event["value"],
            "nps_score": nps_score(event["value"]),
            "events": 1,
        }
        for event in survey_events(events)
        if event["item_type"] == "Survey Question"
    ]


def nps_score(answer: str | None) -> int | None:
    """A whole number from 0 to 10, with or without quotes and spaces around it; else None."""
    found = re.fullmatch(r' *"? *(10|[0-9]) *"? *', answer or "", flags=re.ASCII)
    return int(found[1]) if found else None


def _play(event: Row) -> tuple[str, ...]:
    return tuple(event[column] for column in (*SESSION, "play_id"))
