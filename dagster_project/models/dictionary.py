"""The data dictionary: what is published, table by table, as Markdown.

Nothing is described here. Descriptions and types come from dbt's manifest, the event definitions
from their seed, the invariants from their registry; this module sets them in tables. It is pure
text and imports neither Dagster nor dbt.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dagster_project.registry import Invariant
from dagster_project.release.publish import RELEASE_COLUMNS, RELEASE_DESCRIPTION
from dagster_project.settings import CHECKOUT

DICTIONARY = CHECKOUT / "docs" / "data-dictionary.md"
"""Where the dictionary of this checkout stands."""


@dataclass(frozen=True)
class Column:
    """A column as its contract has it; `data_type` in the portable names of the dbt project."""

    name: str
    data_type: str
    is_nullable: bool
    description: str
    personal_data: str


@dataclass(frozen=True)
class Table:
    """A published table.

    Attributes:
        purpose: what readers use it for, in a sentence.
        description: begins with its grain.
        key: the columns that no two rows share; empty where there is one row only.
    """

    schema: str
    name: str
    purpose: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]


def published_tables(
    manifest: Mapping[str, Any], published: Mapping[str, Mapping[str, Sequence[str]]]
) -> tuple[Table, ...]:
    """Every table of a release, in the order of the registry.

    Args:
        manifest: dbt's manifest, as parsed JSON.
        published: key by schema and table (`vars: published:` in `dbt_project.yml`).

    Raises:
        KeyError: a published table is no model of the manifest.
    """
    models = {
        (node["schema"], node["alias"]): node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }
    release = Table(
        "meta",
        "release",
        "Says what this release is made from.",
        RELEASE_DESCRIPTION,
        (),
        tuple(
            Column(
                column.name,
                column.data_type,
                column.is_nullable,
                column.description,
                column.personal_data,
            )
            for column in RELEASE_COLUMNS
        ),
    )
    return (
        *(
            _table(schema, name, tuple(key), models[schema, name])
            for schema, tables in published.items()
            for name, key in tables.items()
        ),
        release,
    )


def data_dictionary(
    manifest: Mapping[str, Any],
    published: Mapping[str, Mapping[str, Sequence[str]]],
    event_definitions: Sequence[Mapping[str, str]],
    invariants: Sequence[Invariant],
    personal_data: Mapping[str, str],
) -> str:
    """The whole dictionary; equal arguments give equal text.

    Args:
        manifest: dbt's manifest, as parsed JSON.
        published: key by schema and table.
        event_definitions: the rows of the seed, as text, in their order.
        invariants: the registry.
        personal_data: the words that say what a column holds of people, and what they mean.

    Raises:
        KeyError: a published table is no model of the manifest.
    """
    tables = published_tables(manifest, published)
    (definitions,) = (
        node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "seed" and node["name"] == "event_definitions"
    )
    lines = [
        "# Data dictionary",
        "",
        "What a release holds, table by table. This file is written by `make dictionary` from the",
        "dbt project; change the descriptions there.",
        "",
        *_contents(tables),
        *_words(personal_data),
        *(line for table in tables for line in _section(table)),
        *_events(definitions, event_definitions),
        *_invariants(invariants),
    ]
    return "\n".join(lines) + "\n"


def _table(schema: str, name: str, key: tuple[str, ...], model: Mapping[str, Any]) -> Table:
    columns = tuple(
        Column(
            name=column["name"],
            data_type=column["data_type"] or "",
            is_nullable=all(c["type"] != "not_null" for c in column["constraints"]),
            description=column["description"],
            personal_data=column["config"]["meta"].get("personal_data", ""),
        )
        for column in model["columns"].values()
    )
    return Table(
        schema, name, model["config"]["meta"]["purpose"], model["description"], key, columns
    )


def _contents(tables: Sequence[Table]) -> Iterator[str]:
    for schema in dict.fromkeys(table.schema for table in tables):
        links = (f"[{t.name}](#{schema}{t.name})" for t in tables if t.schema == schema)
        yield f"- `{schema}`: {', '.join(links)}"
    yield "- [Event definitions](#event-definitions)"
    yield "- [Invariants](#invariants)"


def _words(personal_data: Mapping[str, str]) -> Iterator[str]:
    yield ""
    yield "Each column says what it holds of people:"
    yield ""
    for word, meaning in personal_data.items():
        yield f"- `{word}`: {_prose(meaning)}"


def _section(table: Table) -> Iterator[str]:
    yield ""
    yield f"## {table.schema}.{table.name}"
    yield ""
    yield table.purpose
    yield ""
    yield _prose(table.description)
    if table.key:
        yield ""
        yield f"Key: {', '.join(f'`{column}`' for column in table.key)}"
    yield ""
    yield from _rows(
        ("column", "type", "null", "personal data", "description"),
        (
            (
                f"`{column.name}`",
                column.data_type,
                "yes" if column.is_nullable else "never",
                column.personal_data,
                _prose(column.description),
            )
            for column in table.columns
        ),
    )


def _events(seed: Mapping[str, Any], rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    columns = [column for column in seed["columns"].values() if column["name"] != "position"]
    yield ""
    yield "## Event definitions"
    yield ""
    yield f"The {len(rows)} pairs of item type and event that are item events."
    yield ""
    for column in columns:
        yield f"- `{column['name']}`: {_prose(column['description'])}"
    yield ""
    yield from _rows(
        [f"`{column['name']}`" for column in columns],
        ([_prose(row[column["name"]]) for column in columns] for row in rows),
    )


def _invariants(invariants: Sequence[Invariant]) -> Iterator[str]:
    yield ""
    yield "## Invariants"
    yield ""
    yield "What is checked before every release. If one of severity `error` is violated by more"
    yield "rows of those checked than its tolerance allows, nothing is published, unless it can be"
    yield "waived and a person has waived it."
    yield ""
    yield from _rows(
        ("invariant", "what must hold", "table", "family", "severity", "tolerance", "waivable"),
        (
            (
                f"`{invariant.id}`",
                _prose(invariant.description),
                f"`{invariant.table}`",
                invariant.family.replace("_", " "),
                invariant.severity,
                f"{100 * invariant.tolerance:g} %",
                "yes" if invariant.waivable else "no",
            )
            for invariant in invariants
        ),
    )


def _rows(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(header)
    yield _row(["---"] * len(header))
    for row in rows:
        yield _row(row)


def _row(cells: Sequence[str]) -> str:
    # A pipe ends a cell even within backticks.
    escaped = (cell.replace("|", r"\|") for cell in cells)
    return f"| {' | '.join(escaped)} |"


def _prose(text: str) -> str:
    """One line of Markdown; outside of backticks nothing in it is taken for HTML."""
    parts = re.split(r"(`[^`]*`)", " ".join(text.split()))
    return "".join(
        part if part.startswith("`") else part.replace("&", "&amp;").replace("<", "&lt;")
        for part in parts
    )
