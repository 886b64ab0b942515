"""What each published column says of people, in words that are explained, in its YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from dagster_project.registry import load_marks, load_variables
from dagster_project.release.publish import RELEASE_COLUMNS
from tests.installation import DBT_PROJECT

WORDS: Mapping[str, str] = load_variables()["personal_data"]


def unmarked(project: Path) -> list[str]:
    """A sentence on each published column without one of the words: where, and how to choose."""
    words = load_variables(project)["personal_data"]
    choices = "; ".join(f"`{word}`: {meaning}" for word, meaning in words.items())
    return [
        f"{schema}.{table}: column {column} says {mark!r}: write "
        f"`config: {{meta: {{personal_data: …}}}}` under it in "
        f"models/{schema}/{table}.yml, with one of: {choices}"
        for (schema, table), columns in load_marks(project).items()
        for column, mark in columns.items()
        if mark not in words
    ]


def test_every_published_column_says_what_it_holds_of_people() -> None:
    assert not unmarked(DBT_PROJECT), "\n".join(unmarked(DBT_PROJECT))
    assert {column.personal_data for column in RELEASE_COLUMNS} <= set(WORDS)


def test_a_column_that_does_not_say_is_named_with_the_choices(tmp_path: Path) -> None:
    columns = [
        {"name": "known", "config": {"meta": {"personal_data": "none"}}},
        {"name": "forgotten"},
        {"name": "of_another_word", "config": {"meta": {"personal_data": "maybe"}}},
    ]
    (tmp_path / "models" / "facts").mkdir(parents=True)
    (tmp_path / "models" / "facts" / "fct_new.yml").write_text(
        yaml.safe_dump({"models": [{"name": "fct_new", "columns": columns}]}), encoding="utf-8"
    )
    (tmp_path / "dbt_project.yml").write_text(
        yaml.safe_dump(
            {
                "vars": {
                    "personal_data": {"none": "Of nobody.", "direct": "Names a person."},
                    "published": {"facts": {"fct_new": ["known"]}},
                }
            }
        ),
        encoding="utf-8",
    )
    forgotten, of_another_word = unmarked(tmp_path)
    assert "facts.fct_new: column forgotten says None" in forgotten
    assert "models/facts/fct_new.yml" in forgotten
    assert "`direct`: Names a person." in forgotten
    assert "column of_another_word says 'maybe'" in of_another_word


def test_a_column_of_one_name_says_the_same_wherever_it_is() -> None:
    """So that whoever knows one table knows the others; exceptions are texts of different kinds."""
    said: dict[str, set[str | None]] = {}
    for columns in load_marks().values():
        for column, mark in columns.items():
            said.setdefault(column, set()).add(mark)
    assert {column for column, marks in said.items() if len(marks) > 1} <= {"detail"}
