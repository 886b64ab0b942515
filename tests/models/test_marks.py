"""What each published column says of people, in words that are explained, in its YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

from dagster_project.personal_data import Table, load_tables
from dagster_project.registry import load_variables
from dagster_project.release.publish import RELEASE_COLUMNS
from tests.installation import DBT_PROJECT

WORDS: Mapping[str, str] = load_variables()["personal_data"]


def unmarked(project: Path) -> list[str]:
    """A sentence on each published column without one of the words: where, and how to choose."""
    words = load_variables(project)["personal_data"]
    choices = "; ".join(f"`{word}`: {meaning}" for word, meaning in words.items())
    return [
        f"{table.schema}.{table.name}: column {column.name} says {column.personal_data!r}: write "
        f"`config: {{meta: {{personal_data: …}}}}` under it in "
        f"models/{table.schema}/{table.name}.yml, with one of: {choices}"
        for table in load_tables(project)
        for column in table.columns
        if column.personal_data not in words
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


def test_every_number_of_a_report_says_which_people_it_is_about() -> None:
    """Of tables that are shared; what is said has to be there, and to be a number itself."""
    tables = {table.name: table for table in load_tables() if not table.is_about_persons}
    types = {name: data_types(table) for name, table in tables.items()}
    for name, table in tables.items():
        for column in table.columns:
            is_number = types[name][column.name] in ("bigint", "integer", "double")
            says = (
                f"{name}.{column.name}: write `people: all`, `part`, `none` or a `part_of` beside"
            )
            if is_number and column.name not in table.key:
                assert column.people in ("all", "part", "none"), f"{says} its `personal_data`"
            assert column.part_of is None or types[name][column.part_of] == "bigint", column
        assert {types[name][each] for each in table.counted_by} <= {"bigint"}, name
        named = {each for over in table.totals_over for each in over} | set(table.key)
        assert named <= types[name].keys(), name
        if table.counted_in:
            assert tables[table.counted_in.table].counted_by, name
            assert set(table.counted_in.by) == set(tables[table.counted_in.table].key), name
            assert set(table.counted_in.by.values()) <= types[name].keys(), name
        if table.details_in:
            other = tables[table.details_in.table]
            beside = {*other.key, *(each for over in other.totals_over for each in over)}
            assert set(table.details_in.by) <= beside, name


def data_types(table: Table) -> dict[str, str]:
    path = DBT_PROJECT / "models" / table.schema / f"{table.name}.yml"
    models = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["models"]
    (model,) = (each for each in models if each["name"] == table.name)
    return {column["name"]: column["data_type"] for column in model["columns"]}


def test_a_column_of_one_name_says_the_same_wherever_it_is() -> None:
    """So that whoever knows one table knows the others; exceptions are texts of different kinds."""
    said: dict[str, set[str | None]] = {}
    for table in load_tables():
        for column in table.columns:
            said.setdefault(column.name, set()).add(column.personal_data)
    assert {column for column, marks in said.items() if len(marks) > 1} <= {"detail"}
