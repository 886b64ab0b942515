"""The data dictionary as text: whole, the same every time, and Markdown whatever is described."""

from __future__ import annotations

from typing import Any

import pytest

from dagster_project.models.dictionary import data_dictionary
from dagster_project.registry import Invariant

PUBLISHED = {"facts": {"fct": ["id", "day"]}}
PAIRS = ({"item_type": "Launcher", "event": "Play", "definition": "Drawn | once."},)
WORDS = {"indirect": "Belongs to\none person."}
INVARIANTS = (Invariant("rule", "event_definition", "warn", 0.01, True, "fct", "It\nholds."),)


def column(name: str, description: str, *constraints: str) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "data_type": "string",
        "constraints": [{"type": constraint} for constraint in constraints],
        "config": {"meta": {"personal_data": "indirect"}},
    }


def manifest(description: str) -> dict[str, Any]:
    return {
        "nodes": {
            "model.fct": {
                "resource_type": "model",
                "schema": "facts",
                "alias": "fct",
                "description": "One row per\nthing.\n",
                "config": {"meta": {"purpose": "Says what things are."}},
                "columns": {
                    "id": column("id", description, "not_null"),
                    "day": column("day", "A day."),
                },
            },
            "seed.event_definitions": {
                "resource_type": "seed",
                "name": "event_definitions",
                "columns": {
                    name: column(name, f"The {name}.")
                    for name in ("item_type", "event", "definition")
                },
            },
        }
    }


def dictionary(description: str = "An id.") -> list[str]:
    return data_dictionary(manifest(description), PUBLISHED, PAIRS, INVARIANTS, WORDS).splitlines()


def test_a_table_has_its_purpose_its_grain_its_key_and_its_columns() -> None:
    lines = dictionary()
    start = lines.index("## facts.fct")
    assert lines[start + 2 : start + 11] == [
        "Says what things are.",
        "",
        "One row per thing.",
        "",
        "Key: `id`, `day`",
        "",
        "| column | type | null | personal data | description |",
        "| --- | --- | --- | --- | --- |",
        "| `id` | string | never | indirect | An id. |",
    ]
    assert "| `day` | string | yes | indirect | A day. |" in lines


def test_the_table_that_publishing_writes_is_there_too() -> None:
    lines = dictionary()
    assert "## meta.release" in lines
    assert any(line.startswith("| `release_id` | string | never | none |") for line in lines)


def test_the_words_for_personal_data_are_explained() -> None:
    assert "- `indirect`: Belongs to one person." in dictionary()


def test_the_event_definitions_and_the_invariants_follow() -> None:
    lines = dictionary()
    assert r"| Launcher | Play | Drawn \| once. |" in lines
    assert "| `rule` | It holds. | `fct` | event definition | warn | 1 % | yes |" in lines


@pytest.mark.parametrize(
    ("description", "cell"),
    [
        ("one\ntwo\n", "one two"),
        ("a | b, and `c|d`", r"a \| b, and `c\|d`"),
        ("<b> & `<n>`", "&lt;b> &amp; `<n>`"),
    ],
)
def test_a_description_cannot_break_the_table(description: str, cell: str) -> None:
    assert f"| `id` | string | never | indirect | {cell} |" in dictionary(description)


def test_a_published_table_that_is_no_model_is_an_error() -> None:
    with pytest.raises(KeyError, match="missing"):
        data_dictionary(manifest(""), {"facts": {"missing": ["id"]}}, PAIRS, INVARIANTS, WORDS)
