"""The content catalogue of the company, as `content/items.ndjson` has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dagster_project.simulate.items import Compound, Flow, Item, System


def catalogue(systems: Sequence[System]) -> list[dict[str, Any]]:
    """The content catalogue: one record per item (docs/getting-data-in.md)."""
    return [record for system in systems for record in _catalogue_of(system)]


def _catalogue_of(system: System) -> Iterator[dict[str, Any]]:
    flows = (*system.flows, *system.automations, *system.walk_thrus, *system.idle_flows)
    for flow in flows:
        yield catalogue_record(system, flow.item) | flow_columns(flow)
    for quiz in system.quizzes:
        yield catalogue_record(system, quiz.item) | {"pass_mark": 75}
    for survey in system.surveys:
        yield catalogue_record(system, survey.item) | {"questions": _questions(survey)}
    compounds = (*system.shoutouts, *system.conversations)
    plain = (
        *(part for survey in system.surveys for part in survey.parts),
        *(item for compound in compounds for item in (compound.item, *compound.parts)),
        *(part for quiz in system.quizzes for part in quiz.parts),
        *(launcher.item for launcher in system.launchers),
        *system.tasks,
        *system.resources,
        *system.shuttles,
        *system.guidance,
        *system.validation,
        system.help_desk,
        system.live_chat,
        system.bot,
        system.teachme,
    )
    for item in plain:
        yield catalogue_record(system, item)


def catalogue_record(system: System, item: Item) -> dict[str, Any]:
    """The record of an item without steps and rules."""
    return {
        "system_id": system.system_id,
        "item_id": item.item_id,
        "item_type": item.item_type,
        "name": item.name,
        "parent_item_id": item.parent.item_id if item.parent else None,
        "publish_status": "published",
        "run_as_automation_process": False,
        "has_autoplay_rule": False,
        "connects_to": [],
        "steps": [],
        "pass_mark": None,
    }


def _questions(survey: Compound) -> list[dict[str, Any]]:
    """The questions of a survey, as its record lists them."""
    kinds = {"How likely": "nps", "Was this": "choice"}
    return [
        {
            "question_id": question.item_id,
            "name": question.name,
            "kind": kinds.get(" ".join(question.name.split()[:2]), "text"),
        }
        for question in survey.parts
    ]


def flow_columns(flow: Flow) -> dict[str, Any]:
    """The columns of a flow's record that other items do not have."""
    return {
        "publish_status": flow.publish_status,
        "run_as_automation_process": flow.is_automation,
        "has_autoplay_rule": flow.has_autoplay_rule,
        "connects_to": [other.item.item_id for other in flow.connects_to],
        "steps": [
            {
                "step_id": step.item.item_id,
                "position": position,
                "name": step.item.name,
                "kind": step.kind,
                "step_type": step.step_type,
                "is_terminal": step.is_terminal,
            }
            for position, step in enumerate(flow.steps, start=1)
        ],
    }
