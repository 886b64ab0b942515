"""The gate: what it refuses, and that nothing but the warehouse convinces it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import duckdb
import pytest

from dagster_project.registry import Invariant
from dagster_project.release.gate import Verdict, Waiver, WaiverError, verdict

DAY = date(2026, 3, 1)
STRICT = Invariant("keys", "structural", "error", 0.0, False, "fct", "Keys are unique.")
RULE = Invariant("rule", "event_definition", "error", 0.01, True, "fct", "A rule.", "home_date")
HINT = Invariant("hint", "event_definition", "warn", 0.01, True, "fct", "A hint.")
REGISTRY = (STRICT, RULE, HINT)
TABLES = (("facts", "fct"), ("meta", "invariants"))


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """A warehouse that may be published."""
    with duckdb.connect() as connection:
        connection.execute(
            """
            create schema facts; create schema meta; create schema audit;
            create table facts.fct as select 1 as event;
            create table meta.invariants (
                invariant varchar, severity varchar, checked bigint, violations bigint,
                tolerance double, passed boolean
            );
            insert into meta.invariants values
                ('keys', 'error', 10, 0, 0, true),
                ('rule', 'error', 1000, 9, 0.01, true),
                ('hint', 'warn', 10, 0, 0.01, true);
            create table audit.builds (
                schema_name varchar, table_name varchar, invocation_id varchar
            );
            insert into audit.builds values
                ('facts', 'fct', 'one'), ('meta', 'invariants', 'one'),
                ('audit', 'results_as_a_whole', 'one'), ('audit', 'results_by_home_date', 'one');
            create table audit.results_as_a_whole as select 1 as checked;
            create table audit.results_by_home_date as select 1 as checked;
            create table audit.inputs (
                invocation_id varchar, project_digest varchar, dump_date date,
                fingerprint varchar, sample varchar
            );
            insert into audit.inputs values
                ('one', 'deployed', '2026-03-01', 'aa', ''), ('one', 'deployed', null, 'cc', '');
            """
        )
        yield connection


def decide(warehouse: duckdb.DuckDBPyConnection, waiver: Waiver | None = None) -> Verdict:
    return verdict(
        warehouse,
        REGISTRY,
        TABLES,
        lake_dumps={DAY: "aa"},
        catalogue="cc",
        project="deployed",
        waiver=waiver,
    )


def fail(warehouse: duckdb.DuckDBPyConnection, invariant: str) -> None:
    warehouse.execute(
        "update meta.invariants set violations = checked, passed = false where invariant = ?",
        [invariant],
    )


def test_what_was_checked_and_holds_is_published(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert decide(warehouse) == replace(decide(warehouse), refusals=(), warnings=(), waived=())


def test_a_failed_error_is_refused_with_its_numbers(warehouse: duckdb.DuckDBPyConnection) -> None:
    fail(warehouse, "rule")
    assert decide(warehouse).refusals == (
        "rule: 1,000 violations in 1,000 checked (100.00%), tolerance 1.00%",
    )


def test_a_failed_warning_is_published_and_shown(warehouse: duckdb.DuckDBPyConnection) -> None:
    fail(warehouse, "hint")
    decision = decide(warehouse)
    assert decision.may_publish
    assert decision.warnings == ("hint: 10 violations in 10 checked (100.00%), tolerance 1.00%",)


def test_a_waived_failure_is_published_and_says_so(warehouse: duckdb.DuckDBPyConnection) -> None:
    fail(warehouse, "rule")
    decision = decide(warehouse, Waiver(("rule",), "known, see the ticket"))
    assert decision.may_publish
    assert decision.waived == ("rule",)
    assert decision.warnings[0].endswith("; waived")


def test_a_waiver_of_what_holds_waives_nothing(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert decide(warehouse, Waiver(("all",), "to be safe")).waived == ()


def test_all_waives_no_structural_invariant(warehouse: duckdb.DuckDBPyConnection) -> None:
    fail(warehouse, "keys")
    assert not decide(warehouse, Waiver(("all",), "in a hurry")).may_publish


@pytest.mark.parametrize(
    ("waiver", "says"),
    [
        (Waiver(("keys",), "in a hurry"), "structural"),
        (Waiver(("rules",), "in a hurry"), "no invariant 'rules'"),
        (Waiver(("rule",), " "), "needs a reason"),
    ],
)
def test_a_waiver_that_cannot_be_given_is_an_error(
    warehouse: duckdb.DuckDBPyConnection, waiver: Waiver, says: str
) -> None:
    with pytest.raises(WaiverError, match=says):
        decide(warehouse, waiver)


def test_an_invariant_without_a_result_has_not_passed(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    warehouse.execute("delete from meta.invariants where invariant = 'hint'")
    assert decide(warehouse).refusals == ("hint: was not checked; run `walkhouse run`",)


def test_a_warehouse_that_was_never_built_is_refused() -> None:
    with duckdb.connect() as empty:
        assert not decide(empty).may_publish


def test_a_table_of_another_build_than_the_audit_is_refused(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    warehouse.execute("update audit.builds set invocation_id = 'two' where table_name = 'fct'")
    (refusal,) = decide(warehouse).refusals
    assert refusal.startswith("facts.fct does not come from the build that was audited")


def test_a_table_that_is_missing_is_refused(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("drop table facts.fct")
    (refusal,) = decide(warehouse).refusals
    assert refusal.startswith("facts.fct does not come")


def test_a_result_that_was_carried_over_from_an_earlier_audit_is_refused(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    table = "results_by_home_date"
    warehouse.execute(
        f"update audit.builds set invocation_id = 'zero' where table_name = '{table}'"
    )
    (refusal,) = decide(warehouse).refusals
    assert refusal.startswith(f"audit.{table} does not come from the build that was audited")


def test_a_lake_that_was_read_again_without_a_build_is_refused(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    warehouse.execute("update audit.inputs set invocation_id = 'two'")
    (refusal,) = decide(warehouse).refusals
    assert refusal.startswith("the lake was read again")


@pytest.mark.parametrize("project", ["of an analyst", ""])
def test_what_another_project_than_the_deployed_one_built_is_refused(
    warehouse: duckdb.DuckDBPyConnection, project: str
) -> None:
    assert decide(warehouse).may_publish
    warehouse.execute("update audit.inputs set project_digest = ?", [project])
    (refusal,) = decide(warehouse).refusals
    assert refusal.startswith("the warehouse was built from a dbt project that is not deployed")


def test_a_sample_is_refused(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("update audit.inputs set sample = '0.1 of the sessions'")
    assert decide(warehouse).refusals == (
        "the warehouse holds a sample only (0.1 of the sessions); run `walkhouse run`",
    )


@pytest.mark.parametrize(
    ("dumps", "catalogue", "says"),
    [
        ({DAY: "bb"}, "cc", "dump 2026-03-01 changed"),
        ({}, "cc", "dump 2026-03-01 changed"),
        ({DAY: "aa", date(2026, 3, 2): "dd"}, "cc", "dump 2026-03-02 changed"),
        ({DAY: "aa"}, "ee", "catalogue changed"),
    ],
)
def test_a_build_from_other_inputs_than_the_lake_is_refused(
    warehouse: duckdb.DuckDBPyConnection, dumps: dict[date, str], catalogue: str, says: str
) -> None:
    decision = verdict(warehouse, REGISTRY, TABLES, lake_dumps=dumps, catalogue=catalogue)
    assert [refusal for refusal in decision.refusals if says in refusal]
