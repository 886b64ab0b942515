"""What killed processes leave behind, state by state, as the next one finds it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dagster_project.ingest.lake import Lake, LakeDump
from dagster_project.locks import ended_runs, forget_run, held_runs, hold_run
from dagster_project.release.publish import current_release, switch_to
from tests.installation import CHECKOUT

HOLDER = """
import pathlib, sys
from dagster_project.locks import hold_run
hold_run(pathlib.Path(sys.argv[1]), "abc")
print("held", flush=True)
sys.stdin.read()
"""


def lake_with_a_dump(root: Path) -> tuple[Lake, Path]:
    """A lake of one dump, and the dump's folder."""
    lake = Lake(root)
    lake.prepare()
    data = root / "dumps" / "dt=2026-03-01" / "building-1"
    data.mkdir(parents=True)
    (data / "files.parquet").touch()
    lake.replace_dump(
        LakeDump(
            dump_date="2026-03-01",
            fingerprint="abc",
            signature="s",
            reader="r",
            lines=(),
            files="abc/files.parquet",
            outcomes={},
            bytes=0,
            event_dates={},
            left_alone=(),
        ),
        data,
    )
    return lake, root / "dumps" / "dt=2026-03-01"


def test_only_what_counts_stays_in_the_lake(tmp_path: Path) -> None:
    lake, folder = lake_with_a_dump(tmp_path)
    for left in (
        folder / "building-x",
        folder / "older",
        folder.with_name("dt=2026-03-02") / "old",
    ):
        left.mkdir(parents=True)
        (left / "lines.parquet").touch()
    (folder / ".dump.json.4711").touch()
    lake.note_failure(lake_day := next(iter(lake.dumps())), "why")
    lake.remove_leftovers()
    assert sorted(path.name for path in folder.iterdir()) == ["abc", "dump.json", "failure.txt"]
    assert (folder / "abc" / "files.parquet").exists()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert lake.failures() == {lake_day: "why"}


def test_a_run_whose_process_was_killed_is_told_from_one_that_runs(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert (held_runs(tmp_path), ended_runs(tmp_path)) == ({"abc"}, set())
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert (held_runs(tmp_path), ended_runs(tmp_path)) == (set(), {"abc"})
    forget_run(tmp_path, "abc")
    assert list((tmp_path / "locks").iterdir()) == []


def test_a_process_holds_its_run_once_however_often_it_says_so(tmp_path: Path) -> None:
    hold_run(tmp_path, "abc")
    hold_run(tmp_path, "abc")
    assert held_runs(tmp_path) == {"abc"}


@pytest.mark.parametrize("links", range(4))
def test_a_switch_cut_short_after_any_link_is_finished_by_the_next(
    tmp_path: Path, links: int
) -> None:
    release = tmp_path / ".releases" / "20260301T000000-abc"
    (release / "parquet").mkdir(parents=True)
    (release / "walkhouse.duckdb").write_text("tables")
    steps = (
        ("walkhouse.duckdb", "current/walkhouse.duckdb"),
        ("parquet", "current/parquet"),
        ("current", f".releases/{release.name}"),
    )
    for name, target in steps[:links]:
        (tmp_path / name).symlink_to(target)
    for name, target in steps[links : links + 1]:
        (tmp_path / f".{name}.new").symlink_to(target)
    assert (tmp_path / "walkhouse.duckdb").exists() == (links == 3)
    assert current_release(tmp_path) is None
    switch_to(tmp_path, release.name)
    assert (tmp_path / "walkhouse.duckdb").read_text() == "tables"
    assert (tmp_path / "parquet").is_dir()
    assert not list(tmp_path.glob(".*.new"))
