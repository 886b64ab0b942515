"""The queries of datasets, as Superset renders their templates."""

from __future__ import annotations

from collections.abc import Sequence

import jinja2

from bi.superset.datasets import Dataset
from dagster_project.quoting import literal


def rendered(dataset: Dataset, departments: Sequence[str] = ()) -> str:
    """The query of a dataset, as Superset renders it."""

    def filter_values(column: str, *, remove_filter: bool) -> list[str]:
        assert (column, remove_filter) == ("department", True)
        return list(departments)

    def where_in(values: Sequence[str]) -> str:
        return f"({', '.join(map(literal, values))})"

    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.filters["where_in"] = where_in
    return environment.from_string(dataset.query).render(filter_values=filter_values)
