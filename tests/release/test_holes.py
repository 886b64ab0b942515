"""Copies with holes: what is needed is there, what is not takes no room."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dagster_project.quoting import identifier
from dagster_project.release.holes import copy_with_holes

_NAMES = ("short", "long", "texts", "huge texts", "of one.value", "replaced")
_ROWS = {
    "short": "select 1 as number",
    "long": "select hash(i) as number from range(200000) as t (i)",
    "texts": "select md5(i::text) as name, i % 7 as kind from range(50000) as t (i)",
    "huge texts": "select repeat(md5(i::text), 20000) as text from range(3) as t (i)",
    "of one.value": "select null as nothing, true as truth from range(10000)",
    "replaced": "select i % 100 as day, hash(i) as number from range(150000) as t (i)",
}


def warehouse_in(folder: Path) -> Path:
    """A file with tables of all sizes, rows that were replaced, and a table that is gone."""
    file = folder / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table gone as select hash(i) from range(100000) as t (i)")
        for name in _NAMES:
            connection.execute(f"create table {identifier(name)} as {_ROWS[name]}")
        connection.execute("checkpoint; drop table gone")
        connection.execute("delete from replaced where day in (3, 50)")
        connection.execute("insert into replaced select 3, i from range(900) as t (i); checkpoint")
    return file


def digest(file: Path, name: str) -> tuple[int, int]:
    """Rows of a table and the sum of their hashes."""
    with duckdb.connect(str(file), read_only=True) as connection:
        found: tuple[int, int] = connection.execute(
            f"select count(*), sum(hash(row)) from {identifier(name)} as row"
        ).fetchall()[0]
    return found


def room(file: Path) -> int:
    return file.stat().st_blocks * 512


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return warehouse_in(tmp_path_factory.mktemp("holes"))


@pytest.mark.long
@settings(deadline=None, max_examples=20)
@given(names=st.sets(st.sampled_from(_NAMES)))
def test_what_is_needed_is_there_and_stays_while_the_file_is_written(
    warehouse: Path, names: Collection[str]
) -> None:
    copy = warehouse.with_name("copy.duckdb")
    copy_with_holes(warehouse, copy, [("main", name) for name in names])
    with duckdb.connect(str(copy)) as connection:
        for name in set(_NAMES) - set(names):
            connection.execute(f"drop table {identifier(name)}")
        connection.execute("create table more as select hash(i) from range(300000) as t (i)")
    assert {name: digest(copy, name) for name in names} == {
        name: digest(warehouse, name) for name in names
    }
    assert digest(copy, "more")[0] == 300_000
    copy.unlink()


def test_what_is_not_needed_takes_no_room(warehouse: Path, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole.duckdb", tmp_path / "part.duckdb"
    copy_with_holes(warehouse, whole, [("main", name) for name in _NAMES])
    copy_with_holes(warehouse, part, [("main", "short")])
    assert room(whole) < warehouse.stat().st_size  # without the gap of the table that is gone
    assert room(part) < 2_000_000 < room(whole)


def test_a_file_of_which_duckdb_does_not_tell_all_is_copied_whole(tmp_path: Path) -> None:
    file, copy = tmp_path / "file.duckdb", tmp_path / "copy.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create table keyed (number int primary key)")
        connection.execute("insert into keyed from range(200000); create table other as from keyed")
    copy_with_holes(file, copy, [("main", "other")])
    assert copy.read_bytes() == file.read_bytes()


def test_a_kernel_that_does_not_copy_is_done_without(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, slow = tmp_path / "usual.duckdb", tmp_path / "slow.duckdb"
    copy_with_holes(warehouse, usual, [("main", "texts")])
    monkeypatch.delattr("os.copy_file_range")
    copy_with_holes(warehouse, slow, [("main", "texts")])
    assert slow.read_bytes() == usual.read_bytes()
