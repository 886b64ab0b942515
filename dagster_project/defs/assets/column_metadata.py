"""The columns of a table as Dagster shows them: type, nulls, description, and origin.

A tag says what a column holds of people.

The origin is told twice. Dagster's own form is for its API: the open-source UI has no view of it.
What a person reads there is a sentence at the end of a column's description.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import dagster as dg

from dagster_project.models.columns import Column, Origin


def column_metadata(
    columns: Sequence[Column], described: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Metadata of a table.

    Args:
        columns: of the table.
        described: what dbt's manifest says of each column that it knows.
    """
    return {
        "dagster/column_schema": dg.TableSchema(
            [_table_column(column, described.get(column.name, {})) for column in columns]
        ),
        "dagster/column_lineage": dg.TableColumnLineage(
            {
                column.name: [
                    dg.TableColumnDep(_asset_key(table), name)
                    for table, name in column.origin.columns
                ]
                for column in columns
                if column.origin is not None
            }
        ),
    }


def _table_column(column: Column, described: Mapping[str, Any]) -> dg.TableColumn:
    sentences = [described.get("description", "")]
    if column.origin is not None:
        sentences.append(origin_sentence(column.origin))
    never_null = any(each["type"] == "not_null" for each in described.get("constraints", ()))
    personal_data = described.get("config", {}).get("meta", {}).get("personal_data")
    return dg.TableColumn(
        column.name,
        column.data_type,
        description="\n\n".join(sentence for sentence in sentences if sentence),
        constraints=dg.TableColumnConstraints(nullable=not never_null),
        tags={"personal_data": personal_data} if personal_data else {},
    )


def origin_sentence(origin: Origin) -> str:
    """Where a column comes from, in Markdown with links to the assets; empty for a constant."""
    return "; ".join(_parts(origin))


def _parts(origin: Origin) -> Iterator[str]:
    for table, columns in groupby(origin.columns, key=lambda column: column[0]):
        names = ", ".join(f"`{name}`" for _, name in columns)
        yield f"from {_link(table)}: {names}"
    for table in origin.rows:
        yield f"counts rows of {_link(table)}"


def _link(table: str) -> str:
    path = "/".join(_asset_key(table).path)
    return f"[{path}](/assets/{path})"


def _asset_key(table: str) -> dg.AssetKey:
    return dg.AssetKey(table.split("."))
