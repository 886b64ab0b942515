"""What the published tables say of people, as it stands in the YAML of their models.

    config: {meta: {personal_data: none, people: {part_of: sessions}}}      under a column

`personal_data` is a word of `vars` in `dbt_project.yml`, where they are explained. `people` says of
a number about whom of its row's people it is: `all`, a `part`, a part of what another column counts
(`part_of`), or `none` of them, as the place of a step in its flow.

    people:                                                                 under `meta` of a model
      counted_by: [end_users]                      columns that count the people of a row
      counted_in: {table: …, by: {theirs: ours}}   or the row of another report that has them
      totals_over: [[report_date, system_id]]      rows that share these columns add up to totals
                                                   that another table or row shows
      details_in: {table: …, by: [system_id]}      a report of which numbers about parts add up to
                                                   a row

This module only reads; `release.report_file` acts on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dagster_project.registry import load_variables
from dagster_project.settings import DBT_PROJECT


@dataclass(frozen=True)
class Column:
    """What a published column says of people.

    Attributes:
        personal_data: a word, None where nothing is said.
        people: `all`, `part` or `none`, None where nothing is said.
        part_of: the column that counts what this one counts a part of.
    """

    name: str
    personal_data: str | None
    people: str | None = None
    part_of: str | None = None


@dataclass(frozen=True)
class Elsewhere:
    """Rows of another report, by name of its columns and of those that they equal here."""

    table: str
    by: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """What a published table says of people; see the module."""

    schema: str
    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    counted_by: tuple[str, ...] = ()
    counted_in: Elsewhere | None = None
    totals_over: tuple[tuple[str, ...], ...] = field(default=())
    details_in: Elsewhere | None = None

    @property
    def is_about_persons(self) -> bool:
        """Whether a row is about one person: a column of its key leads to them.

        A column that does not say what it holds is taken for one that does.
        """
        return any(column.name in self.key for column in self.columns if is_personal(column))

    @property
    def impersonal(self) -> tuple[Column, ...]:
        """Its columns that hold nothing of people."""
        return tuple(column for column in self.columns if not is_personal(column))


def is_personal(column: Column) -> bool:
    """Whether a column names or leads to a person, as far as it says."""
    return column.personal_data != "none"


def load_tables(dbt_project: Path = DBT_PROJECT) -> tuple[Table, ...]:
    """Every published table that dbt builds, in the order of the registry."""
    return tuple(
        _table(schema, name, tuple(key), _properties(dbt_project, schema, name))
        for schema, tables in load_variables(dbt_project)["published"].items()
        for name, key in tables.items()
    )


def _table(schema: str, name: str, key: tuple[str, ...], properties: Mapping[str, Any]) -> Table:
    people = _meta(properties).get("people") or {}
    details_in = people.get("details_in")
    return Table(
        schema,
        name,
        key,
        tuple(map(_column, properties["columns"])),
        counted_by=tuple(people.get("counted_by", ())),
        counted_in=Elsewhere(**people["counted_in"]) if "counted_in" in people else None,
        totals_over=tuple(map(tuple, people.get("totals_over", ()))),
        details_in=details_in
        and Elsewhere(details_in["table"], {column: column for column in details_in["by"]}),
    )


def _column(properties: Mapping[str, Any]) -> Column:
    meta = _meta(properties)
    people = meta.get("people")
    part_of = people["part_of"] if isinstance(people, dict) else None
    return Column(
        properties["name"],
        meta.get("personal_data"),
        people="part" if part_of else people,
        part_of=part_of,
    )


def _meta(properties: Mapping[str, Any]) -> dict[str, Any]:
    return (properties.get("config") or {}).get("meta") or {}


def _properties(dbt_project: Path, schema: str, name: str) -> dict[str, Any]:
    """What the YAML of a model says of it."""
    text = (dbt_project / "models" / schema / f"{name}.yml").read_text(encoding="utf-8")
    # The loader written in C also reads some flow mappings as dbt does, which the other refuses.
    models = yaml.load(text, Loader=yaml.CSafeLoader)["models"]
    (properties,) = (model for model in models if model["name"] == name)
    return dict(properties)
