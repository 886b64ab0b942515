"""Releases: what readers see, before, while and after one is published."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import replace
from multiprocessing.synchronize import Event
from pathlib import Path
from queue import Queue

import duckdb
import pytest

from dagster_project.release import publish as publishing
from dagster_project.release.publish import (
    Release,
    ReleaseError,
    current_release,
    held,
    publish,
    releases,
    roll_back,
)

TABLES = (("facts", "fct"), ("meta", "invariants"), ("reports", "rpt"))


def warehouse_of(path: Path, number: int) -> Path:
    """A warehouse whose every row is one number."""
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"""
            create schema facts; create schema reports; create schema meta;
            create schema intermediate;
            create table facts.fct as select {number} as number from range(50000);
            create table reports.rpt as select {number} as number from range(10);
            create table meta.invariants as select {number} as number;
            create table intermediate.hidden as select {number} as number;
            comment on table facts.fct is 'One row per ''thing''.';
            comment on column facts.fct.number is 'The number.';
            """
        )
    return path


def release_of(number: int) -> Release:
    return Release(
        release_id=f"2026030{number}T000000-abc",
        published_at=f"2026-03-0{number}T00:00:00.000+00:00",
        code_version="0",
        state=f"state {number}",
        first_dump_date="2026-03-01",
        last_dump_date=None,
        dumps=number,
        events=50_000,
        waivers={"rule": "known"},
    )


def put_out(folder: Path, number: int, *, keep: int = 3, treatment: str = "") -> Path:
    published = folder / "published"
    publish(
        warehouse_of(folder / "warehouse.duckdb", number),
        published,
        replace(release_of(number), treatment=treatment),
        TABLES,
        keep=keep,
        threads=2,
        memory_limit="1GB",
    )
    return published


def numbers(published: Path) -> set[int]:
    """Every number that a reader finds, in the database and in the Parquet files."""
    with duckdb.connect(str(published / "walkhouse.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "select number from facts.fct union select number from reports.rpt"
        ).fetchall()
    parquet = duckdb.execute(
        f"select distinct number from '{published}/parquet/facts/fct/fct.parquet'"
    ).fetchall()
    return {row[0] for row in [*found, *parquet]}


def test_a_release_holds_the_published_schemas_and_says_what_it_is(tmp_path: Path) -> None:
    published = put_out(tmp_path, 1)
    with duckdb.connect(str(published / "walkhouse.duckdb"), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() order by all"
        ).fetchall()
        header = connection.execute(
            "select release_id, first_dump_date::varchar, last_dump_date, dumps, waivers"
            " from meta.release"
        ).fetchall()
        comments = connection.execute(
            "select comment from duckdb_columns() where column_name = 'number'"
            " and table_name = 'fct' union all"
            " select comment from duckdb_tables() where table_name = 'fct'"
        ).fetchall()
    assert [name for (name,) in tables] == [
        "facts.fct",
        "meta.invariants",
        "meta.release",
        "reports.rpt",
    ]
    assert header == [("20260301T000000-abc", "2026-03-01", None, 1, '{"rule": "known"}')]
    assert comments == [("The number.",), ("One row per 'thing'.",)]
    assert (published / "parquet" / "meta" / "release" / "release.parquet").exists()


def test_an_open_reader_keeps_its_release_and_a_new_one_sees_the_new(tmp_path: Path) -> None:
    published = put_out(tmp_path, 1)
    code = (
        "import duckdb, sys;"
        f"c = duckdb.connect({str(published / 'walkhouse.duckdb')!r}, read_only=True);"
        "print(c.execute('select max(number) from facts.fct').fetchall(), flush=True);"
        "sys.stdin.readline();"
        "print(c.execute('select min(number), max(number) from facts.fct').fetchall())"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "[(1,)]\n"
        put_out(tmp_path, 2)
        said, _ = reader.communicate("\n")
    assert said == "[(1, 1)]\n"
    assert numbers(published) == {2}


def poll(published: Path, stop: Event, seen: Queue[tuple[int, ...] | str]) -> None:
    while not stop.is_set():
        try:
            seen.put(tuple(sorted(numbers(published))))
        except Exception as error:
            seen.put(repr(error))


@pytest.mark.long
def test_a_reader_that_polls_throughout_sees_whole_releases_only(tmp_path: Path) -> None:
    published = put_out(tmp_path, 1)
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        seen: Queue[tuple[int, ...] | str] = manager.Queue()
        stop = context.Event()
        reader = context.Process(target=poll, args=(published, stop, seen))
        reader.start()
        first = seen.get(timeout=60)
        for number in range(2, 8):
            put_out(tmp_path, number, keep=2)
        roll_back(published)
        stop.set()
        found = [first]
        reader.join(60)
        while not seen.empty():
            found.append(seen.get())
    assert not [each for each in found if isinstance(each, str)]
    # The file and the Parquet folder are opened one after the other, so a reader may see two
    # releases, but never half of one: each query answers from a single release.
    assert {len(each) for each in found} <= {1, 2}
    assert {number for each in found for number in each} <= set(range(1, 8))


def test_the_last_releases_are_kept_and_no_more(tmp_path: Path) -> None:
    for number in range(1, 6):
        published = put_out(tmp_path, number, keep=2)
    assert [each.dumps for each in releases(published)] == [5, 4]


def test_rolling_back_is_one_step_and_goes_no_further_than_there_is(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        published = put_out(tmp_path, number)
    assert roll_back(published).dumps == 2
    assert numbers(published) == {2}
    assert roll_back(published).dumps == 1
    with pytest.raises(ReleaseError, match="no earlier release"):
        roll_back(published)
    assert roll_back(published, release_of(3).release_id).dumps == 3
    assert numbers(published) == {3}
    with pytest.raises(ReleaseError, match="known are: 20260303T000000-abc"):
        roll_back(published, "20260101T000000-abc")


def test_a_rollback_is_held_until_something_else_is_published(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        published = put_out(tmp_path, number)
    assert held(published) is None
    roll_back(published, by="ann", landing="landed", lake="taken in")
    hold = held(published)
    assert hold is not None
    assert (hold.release_id, hold.rolled_back_from) == (
        release_of(2).release_id,
        release_of(3).release_id,
    )
    assert (hold.by, hold.landing, hold.lake) == ("ann", "landed", "taken in")
    put_out(tmp_path, 4)
    assert held(published) is None


def test_a_rollback_that_was_killed_before_its_switch_holds_nothing(tmp_path: Path) -> None:
    for number in (1, 2):
        published = put_out(tmp_path, number)
    roll_back(published, by="ann")
    publishing.switch_to(published, release_of(2).release_id)
    assert held(published) is None


def test_going_on_to_the_newest_release_ends_what_was_held(tmp_path: Path) -> None:
    for number in (1, 2):
        published = put_out(tmp_path, number)
    roll_back(published, by="ann")
    roll_back(published, release_of(2).release_id, by="ben")
    roll_back(published, by="ann")
    assert held(published) is not None
    roll_back(published, release_of(2).release_id, by="ben")
    assert held(published) is None
    assert not (published / ".held.json").exists()


def test_the_current_release_is_kept_even_when_it_is_an_old_one(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        published = put_out(tmp_path, number)
    roll_back(published, release_of(1).release_id)
    publishing._remove_old(published, keep=1)
    assert [each.dumps for each in releases(published)] == [3, 1]


def test_releases_of_other_policies_of_personal_data_are_removed(tmp_path: Path) -> None:
    for number, treatment in ((1, ""), (2, "some"), (3, "some")):
        published = put_out(tmp_path, number, treatment=treatment)
    assert [each.dumps for each in releases(published)] == [3, 2]
    published = put_out(tmp_path, 4, treatment="others")
    assert [each.dumps for each in releases(published)] == [4]


def test_a_release_that_breaks_off_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = put_out(tmp_path, 1)

    def no_space(_folder: Path) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(publishing, "flush_to_disk", no_space)
        with pytest.raises(OSError, match="No space"):
            put_out(tmp_path, 2)
    assert numbers(published) == {1}
    assert not list((published / ".releases").glob(".*"))
    put_out(tmp_path, 3)
    assert numbers(published) == {3}


def test_what_a_killed_run_left_behind_is_removed(tmp_path: Path) -> None:
    published = put_out(tmp_path, 1)
    left = published / ".releases" / ".building-20260302T000000-abc"
    shutil.copytree(published / "current", left)
    put_out(tmp_path, 3)
    assert not left.exists()
    assert [each.dumps for each in releases(published)] == [3, 1]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_every_file_of_a_release_is_read_only_and_its_folders_are_not(
    tmp_path: Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        for number in (1, 2, 3):
            published = put_out(tmp_path, number, keep=2)
            (published / "current" / "walkhouse.duckdb").chmod(0o644)  # as earlier versions left it
        published = put_out(tmp_path, 4, keep=2)
    finally:
        os.umask(before)
    assert roll_back(published).dumps == 3
    newest = published / "releases" / release_of(4).release_id
    files = [path for path in newest.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".duckdb", ".html", ".json", ".parquet"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o444 & ~umask}
    assert all(path.parent.stat().st_mode & stat.S_IWUSR for path in files)


@pytest.mark.parametrize("name", ["walkhouse.duckdb", "releases/{}/walkhouse.duckdb"])
def test_duckdb_cannot_open_a_release_for_writing_not_even_as_its_owner(
    tmp_path: Path, name: str
) -> None:
    published = put_out(tmp_path, 1)
    file = published / name.format(release_of(1).release_id)
    before = file.read_bytes()
    code = (
        "import duckdb, sys\n"
        "duckdb.connect(sys.argv[1], read_only=True).execute('from meta.release').fetchall()\n"
        "duckdb.connect(sys.argv[1]).execute('drop table reports.rpt')"
    )
    # The owner, without root's right to write what may not be written.
    owner = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    writer = subprocess.run(
        [*owner, sys.executable, "-c", code, file], capture_output=True, text=True, check=False
    )
    assert writer.returncode == 1
    assert "Permission denied" in writer.stderr.splitlines()[-1]
    assert file.read_bytes() == before
    assert numbers(published) == {1}


def test_one_query_can_stay_within_one_release_while_others_are_published(tmp_path: Path) -> None:
    published = put_out(tmp_path, 1)
    stays = (published / "parquet").resolve()
    assert stays == (published / "releases" / release_of(1).release_id / "parquet").resolve()
    put_out(tmp_path, 2)
    found = duckdb.execute(f"select distinct number from '{stays}/facts/fct/*.parquet' order by 1")
    assert found.fetchall() == [(1,)]
    put_out(tmp_path, 3, keep=2)
    assert not stays.exists()  # kept as long as the release


def test_nothing_is_published_at_first(tmp_path: Path) -> None:
    assert current_release(tmp_path / "published") is None
    assert releases(tmp_path / "published") == []


def test_what_is_not_published_takes_no_room(tmp_path: Path) -> None:
    warehouse = warehouse_of(tmp_path / "warehouse.duckdb", 1)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute(
            "create table intermediate.large as select random() as number from range(1000000);"
            "create table reports.after (number int not null);"
            "insert into reports.after values (7);"
            "comment on column reports.after.number is 'Written behind it.'"
        )
    tables = (*TABLES, ("reports", "after"))
    folder = publish(
        warehouse,
        tmp_path / "published",
        release_of(1),
        tables,
        keep=2,
        threads=2,
        memory_limit="1GB",
    )
    published = folder / "walkhouse.duckdb"
    assert warehouse.stat().st_size > 5_000_000
    assert published.stat().st_blocks * 512 < 2_000_000
    with duckdb.connect(str(published), read_only=True) as release:
        assert release.execute("from reports.after").fetchall() == [(7,)]
        assert release.execute(
            "select comment, is_nullable from duckdb_columns() where table_name = 'after'"
        ).fetchall() == [("Written behind it.", False)]
    assert sorted(path.name for path in folder.iterdir()) == [
        "index.html",
        "parquet",
        "release.json",
        "walkhouse-reports.duckdb",
        "walkhouse.duckdb",
    ]
