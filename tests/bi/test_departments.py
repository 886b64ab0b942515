"""What charts show of chosen departments is what the reports say, of these people alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from bi.superset import datasets
from bi.superset.datasets import Dataset
from tests.bi.rendering import rendered
from tests.releases import Published

DATASETS = [
    found
    for found in vars(datasets).values()
    if isinstance(found, Dataset) and found.of_departments
]
# What a chart groups by, of each dataset; a date besides, where there is one.
GROUPS: dict[str, Sequence[str]] = {
    "rpt_sessions_daily": ["system"],
    "rpt_active_people": ["system"],
    "rpt_events_daily": ["system", "item_type", "event"],
    "rpt_items_daily": ["system", "item_type", "item"],
    "item_rates": ["system", "measure", "item"],
    "rpt_non_interactors": ["system", "item_type", "item"],
    "rpt_flows": ["system", "item_type", "flow_name", "flow_kind"],
    "rpt_flows_daily": ["system", "item_type", "flow_name", "flow_kind"],
    "rpt_flow_funnel": ["flow", "step", "step_kind", "step_number"],
    "rpt_surveys": ["item"],
    "rpt_smarttips": ["item"],
    "rpt_searches": ["system", "search_term"],
}


def told(
    connection: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    departments: Sequence[str] = (),
    *,
    groups: Sequence[str] = (),
) -> list[tuple[Any, ...]]:
    """The figures of a dataset by its groups; what counts nothing is left out."""
    computed = {column.name: column.sql for column in dataset.columns}
    by = [f"({computed.get(group, group)}) as by_{group}" for group in groups]
    metrics = dataset.report.metrics
    figures = [f"round({metric.sql}, 3) as {metric.name}" for metric in metrics]
    counted = " or ".join(f"coalesce({metric.name}, 0) <> 0" for metric in metrics)
    query = f"select {', '.join([*by, *figures])} from ({rendered(dataset, departments)}) as asked"
    if groups:
        query += f" group by {', '.join(str(place + 1) for place in range(len(groups)))}"
    return connection.execute(f"select * from ({query}) where {counted} order by all").fetchall()


@pytest.fixture(scope="module")
def release(published_twice: Published) -> Path:
    return published_twice.database


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.table)
def test_all_departments_together_are_the_report(dataset: Dataset, release: Path) -> None:
    groups = [*([dataset.date] if dataset.date else []), *GROUPS[dataset.table]]
    with duckdb.connect(str(release), read_only=True) as connection:
        departments = departments_of(connection)
        report = told(connection, dataset, groups=groups)
        assert report
        assert told(connection, dataset, departments, groups=groups) == report
        assert told(connection, dataset, departments) == told(connection, dataset)
        # One alone is a part; a name may hold a quote.
        one = told(connection, dataset, departments[:1], groups=groups)
        assert one
        assert one != report
        assert told(connection, dataset, ["nobody's"], groups=groups) == []


def departments_of(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The departments that the filter lists, and what stands for none."""
    rows = connection.execute(
        "select distinct department from facts.dim_people union select 'unknown' order by all"
    ).fetchall()
    return [name for (name,) in rows]


def test_a_session_is_of_the_department_of_who_ended_it(release: Path) -> None:
    with duckdb.connect(str(release), read_only=True) as connection:
        for department in departments_of(connection):
            expected = connection.execute(
                """
                select count(*) from facts.fct_sessions as sessions
                left join facts.dim_end_users as ids using (end_user_id)
                left join facts.dim_people as people using (person_id)
                where environment = 'production' and coalesce(department, 'unknown') = ?
                """,
                [department],
            ).fetchall()
            asked = rendered(datasets.SESSIONS, [department])
            counted = f"select coalesce(sum(sessions), 0) from ({asked})"
            assert connection.execute(counted).fetchall() == expected
