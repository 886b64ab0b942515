"""The comparison finds what differs: tables as the reference has them, and one thing changed."""

from pathlib import Path

import duckdb
import pandas
import pytest

from tests.reference import Warehouse, reference
from tests.whole import landings
from tests.whole.compare import differences

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    landing = tmp_path_factory.mktemp("landing")
    for theme in (landings.three_forms, landings.unknown_keys, landings.late_events):
        theme(landing)
    return reference(landing, SEEDS)


@pytest.fixture
def published(expected: Warehouse) -> duckdb.DuckDBPyConnection:
    """The reference's own tables, as DuckDB holds them."""
    connection = duckdb.connect()
    for schema in ("facts", "reports", "meta"):
        connection.execute(f"create schema {schema}")
    for name, rows in expected.tables.items():
        columns = (
            [name for name, value in rows[0].items() if not isinstance(value, tuple)]
            if rows
            else []
        )
        frame = pandas.DataFrame(rows, dtype=object, columns=columns)
        if not rows:
            connection.execute(f"create table {name} (nothing integer)")
            continue
        connection.register("frame", frame)
        connection.execute(f"create table {name} as select * from frame")
        connection.unregister("frame")
    connection.execute("alter table facts.fct_item_events add column event_key varchar")
    connection.execute("update facts.fct_item_events set event_key = md5(rowid::varchar)")
    connection.execute(
        "create table meta.invariants"
        " (invariant varchar, family varchar, checked bigint, violations bigint)"
    )
    connection.executemany(
        "insert into meta.invariants values (?, 'event_definition', ?, ?)",
        [(invariant, *counts) for invariant, counts in expected.invariants.items()],
    )
    return connection


def test_equal_tables_have_no_differences(
    published: duckdb.DuckDBPyConnection, expected: Warehouse
) -> None:
    assert differences(published, expected) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("update facts.fct_sessions set events = 99 where session_id = 'forms-1'", "events is 99"),
        ("delete from meta.quarantine where source_file = 'naive.parquet'", "0 rows published"),
        ("insert into facts.dim_items from facts.dim_items limit 1", "2 rows published"),
        ("alter table reports.rpt_events_daily drop end_users", "not published: end_users"),
        ("drop table facts.dim_end_users", "facts.dim_end_users: not published"),
        ("update facts.fct_item_events set event_key = 'same'", "event_key same on"),
        ("update facts.fct_item_events set page_title = 'x' where page_title is null", "is 'x'"),
        ("delete from meta.invariants where invariant = 'quarantine_rate'", "is missing"),
        (
            "update meta.invariants set violations = 7 where invariant = 'every_pair_is_defined'",
            "7 violations",
        ),
        (
            "update meta.invariants set checked = 7 where invariant = 'search_is_debounced'",
            "7 checked, expected 0",
        ),
        ("update facts.fct_survey_answers set nps_score = 0", "nps_score is 0, expected 9"),
        ("delete from reports.rpt_surveys", "0 rows published, 1 expected"),
    ],
)
def test_a_change_is_found_and_named(
    published: duckdb.DuckDBPyConnection, expected: Warehouse, change: str, said: str
) -> None:
    published.execute(change)
    found = differences(published, expected)
    assert found
    assert said in "\n".join(found)
