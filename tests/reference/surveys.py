"""Surveys: their plays with the answers given in them, and the answers (data-dictionary.md)."""

import re
from collections import defaultdict

from tests.reference.definitions import Definitions, normalised
from tests.reference.events import Row, text
from tests.reference.rows import (
    SESSION,
    Item,
    between,
    count,
    first_time,
    grouped,
    happened,
    held,
    known_as,
    latest,
)


def survey_events(events: list[Row]) -> list[Row]:
    """The events of surveys and questions, each with `survey_id` and `survey_name`.

    A question belongs to its parent; what does not say an id (or, with no id in the play, a name)
    belongs to the survey of its play in the session.
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
    for part in ("survey_id", "survey_name"):
        said: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for event in own:
            if event["play_id"] is not None and event[part] is not None:
                said[_play(event)].add(event[part])
        for event in own:
            event[f"{part} of play"] = event[part]
            if event[part] is None and event["play_id"] is not None:
                event[f"{part} of play"] = max(said[_play(event)], default=None)
    for event in own:
        event["survey_id"] = event["survey_id of play"]
        event["survey"] = known_as(event["survey_id"], event["survey_name of play"])
        event["survey_name"] = event["survey_name"] or event["survey"][1]
    return own


def surveys(events: list[Row]) -> list[Row]:
    """One row per play of a survey; without a play id, per session and survey."""
    rows = []
    plays = grouped(survey_events(events), *SESSION, "survey", "play_id")
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
                "item_id": key["survey"][0],
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
                    {known_as(event["item_id"], event["item_name"]) for event in questions}
                ),
                "result": "submitted" if submitted else "closed" if closed else "ignored",
            }
        )
    return rows


def survey_answers(events: list[Row], catalogue: list[Row], definitions: Definitions) -> list[Row]:
    """One row per submitted answer to a question."""
    columns = (*SESSION, "end_user_id", "item_id", "item_name", "survey_id", "survey_name")
    place = ("play_id", "event_date", "dump_date", "source_file", "source_row")
    bases = nps_bases(events, catalogue, definitions)
    rows = []
    for event in survey_events(events):
        if event["item_type"] == "Survey Question":
            basis = bases[_question(event["system_id"], event["item_id"], event["item_name"])]
            rows.append(
                {column: event[column] for column in (*columns, *place)}
                | {
                    "happened": happened(event),
                    "started_at": event["occurred_at"],
                    "question": event["item_name"],
                    "answer": event["value"],
                    "nps_score": nps_score(event["value"]) if basis else None,
                    "nps_basis": basis,
                    "events": 1,
                }
            )
    return rows


def nps_bases(
    events: list[Row], catalogue: list[Row], definitions: Definitions
) -> dict[tuple[str, Item], str | None]:
    """How each question is known to be an NPS question, by system and question; None if it is none.

    The catalogue's word goes first, then the seed's; either may say that it is none. Else all
    answers over all time decide; a submission without an answer is none.
    """
    listed: dict[tuple[str, Item], set[str]] = defaultdict(set)
    for entry in catalogue:
        named = normalised(text(entry.get("item_type")) or "")
        if definitions.item_types.get(named) == "Survey":
            for question in entry.get("questions") or []:
                key = _question(
                    text(entry.get("system_id")) or "unknown",
                    text(question.get("question_id")),
                    text(question.get("name")),
                )
                listed[key] |= {kind for kind in [text(question.get("kind"))] if kind}
    seeded: dict[tuple[str, Item], set[str]] = defaultdict(set)
    for row in definitions.survey_questions:
        key = _question(row["system_id"], row["question_id"] or None, row["name"] or None)
        seeded[key].add(row["kind"])
    answers: dict[tuple[str, Item], list[str]] = defaultdict(list)
    for event in events:
        if event["item_type"] == "Survey Question":
            key = _question(event["system_id"], event["item_id"], event["item_name"])
            answers[key] += [event["value"]] if event["value"] is not None else []
    bases: dict[tuple[str, Item], str | None] = {}
    for key, given in answers.items():
        scores = [nps_score(answer) for answer in given]
        if kinds := listed.get(key):
            bases[key] = "catalogue" if "nps" in kinds else None
        elif kinds := seeded.get(key):
            bases[key] = "seed" if "nps" in kinds else None
        elif given and None not in scores and max(score or 0 for score in scores) > 5:
            bases[key] = "answers"
        else:
            bases[key] = None
    return bases


def nps_score(answer: str | None) -> int | None:
    """A whole number from 0 to 10, with or without quotes and spaces around it; else None."""
    found = re.fullmatch(r' *"? *(10|[0-9]) *"? *', answer or "", flags=re.ASCII)
    return int(found[1]) if found else None


def _question(system_id: str, item_id: str | None, name: str | None) -> tuple[str, Item]:
    return system_id, known_as(item_id, name)


def _play(event: Row) -> tuple[str, ...]:
    return tuple(event[column] for column in (*SESSION, "play_id"))
