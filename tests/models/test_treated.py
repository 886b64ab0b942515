"""A warehouse holds nothing that was read under other policies than those of now."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from dagster_project.ingest.lake import LakeDump
from dagster_project.models.treated import begin_anew, treated_otherwise

A_DUMP = LakeDump("2026-03-01", "f", "s", "r", (), "files.parquet", {}, 0, {}, ())


@pytest.mark.parametrize(
    ("built_with", "now", "is_removed"),
    [
        (None, "", False),  # nobody ever had a policy
        (None, "a", True),
        ("a", "a", False),
        ("a", "b", True),
        ("a", "", True),
    ],
)
def test_it_is_begun_anew_under_other_policies(
    tmp_path: Path, built_with: str | None, now: str, is_removed: bool
) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    if built_with is not None:
        begin_anew(warehouse, built_with)
    for file in (warehouse, tmp_path / "warehouse.duckdb.wal", tmp_path / "another.duckdb"):
        file.write_bytes(b"rows")

    assert begin_anew(warehouse, now) is is_removed
    assert warehouse.exists() is not is_removed
    assert (tmp_path / "warehouse.duckdb.wal").exists() is not is_removed
    assert (tmp_path / "another.duckdb").exists()
    warehouse.write_bytes(b"rows of now")
    assert not begin_anew(warehouse, now)
    assert warehouse.exists()


def test_a_home_without_policies_gets_no_note(tmp_path: Path) -> None:
    begin_anew(tmp_path / "warehouse.duckdb", "")

    assert not list(tmp_path.iterdir())


def test_dumps_that_were_read_under_others_are_named() -> None:
    days = [date(2026, 3, 1) + timedelta(days=number) for number in range(5)]
    dumps = {day: replace(A_DUMP, treatment="a") for day in days}

    assert treated_otherwise(dumps, "a") is None
    assert treated_otherwise({}, "a") is None
    assert treated_otherwise({days[0]: A_DUMP}, "") is None
    assert (treated_otherwise(dumps, "b") or "").startswith(
        "the lake has 5 dumps (2026-03-01, 2026-03-02, 2026-03-03, …) from before the policies"
    )
    one = dumps | {days[3]: replace(A_DUMP, treatment="b")}
    assert (treated_otherwise(one, "a") or "").startswith("the lake has 1 dump (2026-03-04) from")
