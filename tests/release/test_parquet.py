"""Parquet files of a release: one for each date that is rebuilt by itself, linked if it was not."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest

from dagster_project.release.parquet import table_versions, write_parquet

FACT, REPORT = ("facts", "fct"), ("reports", "rpt")


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    """Two dates of a fact and a report of both."""
    connection = duckdb.connect()
    connection.execute(
        """
        create schema facts; create schema reports; create schema audit;
        create table facts.fct as
        select date '2026-03-01' + (range % 2)::integer as home_date, range as number
        from range(10);
        create table reports.rpt as select 1 as number;
        create table audit.versions
        (table_name varchar, dated_by varchar, date date, version varchar, inputs varchar[]);
        insert into audit.versions values
        ('facts.fct', 'code', null, 'c', ['home_date', 'event_date']),
        ('facts.fct', 'home_date', '2026-03-01', 'v1', ['facts.x a']),
        ('facts.fct', 'home_date', '2026-03-02', 'v1', ['facts.x b']),
        ('facts.fct', 'event_date', '2026-03-01', 'another', []),
        ('reports.rpt', 'code', null, 'c', []),
        ('reports.rpt', null, null, 'v1', ['facts.fct a'])
        """
    )
    return connection


def written(
    warehouse: duckdb.DuckDBPyConnection, folder: Path, previous: Path | None = None
) -> Mapping[str, int]:
    """The inode of every file of a release by name."""
    write_parquet(
        warehouse, folder, [FACT, REPORT], table_versions(warehouse), previous=previous, threads=2
    )
    return {path.name: path.stat().st_ino for path in sorted(folder.rglob("*.parquet"))}


def numbers(folder: Path) -> list[int]:
    rows = duckdb.execute(f"select number from '{folder}/facts/fct/*.parquet' order by 1")
    return [number for (number,) in rows.fetchall()]


def test_a_date_that_was_not_rebuilt_is_linked_and_one_that_was_is_written(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    first = written(warehouse, tmp_path / "1")
    assert list(first) == ["2026-03-01-0.parquet", "2026-03-02-0.parquet", "rpt.parquet"]
    warehouse.execute("insert into facts.fct values ('2026-03-02', 10)")
    warehouse.execute("update audit.versions set version = 'v2' where date = '2026-03-02'")
    second = written(warehouse, tmp_path / "2", previous=tmp_path / "1")
    assert second["2026-03-01-0.parquet"] == first["2026-03-01-0.parquet"]
    assert second["2026-03-02-0.parquet"] != first["2026-03-02-0.parquet"]
    assert numbers(tmp_path / "1") == list(range(10))
    assert numbers(tmp_path / "2") == list(range(11))


def test_a_date_that_is_gone_has_no_file_and_an_empty_table_has_its_columns(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    written(warehouse, tmp_path / "1")
    warehouse.execute("delete from facts.fct where home_date = '2026-03-01'")
    warehouse.execute("delete from audit.versions where date = '2026-03-01'")
    assert next(iter(written(warehouse, tmp_path / "2", tmp_path / "1"))) == "2026-03-02-0.parquet"
    warehouse.execute("delete from facts.fct")
    warehouse.execute("delete from audit.versions where dated_by = 'home_date'")
    assert next(iter(written(warehouse, tmp_path / "3", tmp_path / "2"))) == "fct.parquet"
    assert numbers(tmp_path / "3") == []


def test_a_date_is_written_anew_where_rows_of_it_changed_and_its_inputs_did_not(
    warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """As where a late event moves the home of a session's other events."""
    first = written(warehouse, tmp_path / "1")
    warehouse.execute("update facts.fct set number = 99 where number = 2")
    warehouse.execute(
        "insert into audit.versions values ('facts.fct', 'home_date rows', '2026-03-01', 'b', [])"
    )
    second = written(warehouse, tmp_path / "2", tmp_path / "1")
    assert second["2026-03-01-0.parquet"] != first["2026-03-01-0.parquet"]
    assert second["2026-03-02-0.parquet"] == first["2026-03-02-0.parquet"]
    assert 99 in numbers(tmp_path / "2")
    third = written(warehouse, tmp_path / "3", tmp_path / "2")
    assert third["2026-03-01-0.parquet"] == second["2026-03-01-0.parquet"]
