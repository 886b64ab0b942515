"""What a release is introduced with, also one whose tables are those of another version."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from dagster_project.cli import show
from dagster_project.release.headlines import LeftOut, in_no_report
from dagster_project.settings import Settings


def test_what_no_report_counts_comes_with_the_most_events_first(tmp_path: Path) -> None:
    release = tmp_path / "walkhouse.duckdb"
    with duckdb.connect(str(release)) as connection:
        connection.execute("create schema meta")
        connection.execute(
            "create table meta.left_out as select * from (values"
            " ('editor', 2, 1, 1, true, 'why'), ('test', 9, 3, 2, true, 'why'))"
            " as left_out (environment, events, sessions, end_users, is_known, reason)"
        )
    assert in_no_report(release) == [
        LeftOut("test", 9, 3, 2, "why"),
        LeftOut("editor", 2, 1, 1, "why"),
    ]


def test_a_release_of_another_version_is_named_and_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As after an upgrade whose first run is refused: readers keep what was published before."""
    header: dict[str, Any] = {
        "release_id": "r",
        "published_at": "p",
        "code_version": "v",
        "state": "s",
    } | {
        "first_dump_date": None,
        "last_dump_date": None,
        "dumps": 0,
        "events": 0,
        "waivers": {},
    }
    current = tmp_path / "published" / "current"
    current.mkdir(parents=True)
    (current / "release.json").write_text(json.dumps(header), encoding="utf-8")
    release = tmp_path / "published" / "walkhouse.duckdb"
    duckdb.connect(str(release)).close()
    assert in_no_report(release) == []
    show.release(Console(width=1000), Settings(home=tmp_path))
    assert "release r; another version published it" in capsys.readouterr().out
