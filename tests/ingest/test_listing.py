"""Absence is only what a listing shows that was read to its end."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from dagster_project.ingest.lake import Lake
from dagster_project.ingest.landing import Landing
from dagster_project.ingest.listing import list_folder, reason_to_leave
from tests.ingest.test_ingest import only_dump, rows, take_in
from tests.whole import landings

FIRST, SECOND, THIRD = (date(2026, 3, day) for day in (1, 2, 3))
NOBODY = 65_534


def three_dumps(tmp_path: Path) -> Path:
    landing = tmp_path / "landing"
    for day in (FIRST, SECOND, THIRD):
        for name in ("a.ndjson", "part/b.ndjson"):
            event = landings.player(
                landings.at(f"{day}T09:00:00Z"), "launcher/click", session=f"{day} {name}"
            )
            landings.put(landing, day.isoformat(), name, [event])
    return landing


def folder_of(landing: Path, day: date) -> Path:
    return landing / "events" / f"dt={day}"


def events_by_day(lake: Lake) -> dict[date, int]:
    return {day: dump.outcomes["events"] for day, dump in lake.dumps().items()}


@contextmanager
def as_nobody() -> Iterator[None]:
    """Act as an account without rights: root may read everything."""
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def give(folder: Path, owner: int) -> None:
    """Let a folder and all in it belong to an account."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner, owner)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other accounts may look into, as those of pytest are not."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@needs_root
@pytest.mark.parametrize("shut", ["", "part", "a.ndjson"])
def test_what_may_not_be_read_fails_its_dump_and_changes_nothing_of_it(
    open_folder: Path, shut: str
) -> None:
    landing = three_dumps(open_folder)
    take_in(open_folder, landing)
    for day in (SECOND, THIRD):
        (folder_of(landing, day) / "c.ndjson").write_bytes(b"")
    give(open_folder, NOBODY)
    path = folder_of(landing, SECOND) / shut
    os.chown(path, 0, 0)
    path.chmod(0o700)
    with as_nobody():
        lake, failed = take_in(open_folder, landing)
    assert list(failed) == [SECOND]
    assert "Permission denied" in failed[SECOND]
    assert failed[SECOND].startswith(f"dump 2026-03-02, {shut or 'its folder'}")
    assert events_by_day(lake) == dict.fromkeys((FIRST, SECOND, THIRD), 2)
    os.chown(path, NOBODY, NOBODY)
    with as_nobody():
        lake, failed = take_in(open_folder, landing)
    assert not failed
    assert events_by_day(lake) == dict.fromkeys((FIRST, SECOND, THIRD), 2)


@needs_root
def test_events_that_may_not_be_listed_are_no_empty_landing(open_folder: Path) -> None:
    landing = three_dumps(open_folder)
    (landing / "content").mkdir()
    for folder in (landing, landing / "events"):
        folder.chmod(0o755)  # whatever the umask
    (landing / "content").chmod(0o700)
    with as_nobody():
        landed = Landing(str(landing)).look()
    assert landed.catalogue_problem == "it cannot be read: Permission denied"
    (landing / "events").chmod(0o700)
    with as_nobody(), pytest.raises(OSError, match="events: it cannot be read: Permission denied;"):
        Landing(str(landing)).look()


@needs_root
@pytest.mark.parametrize("rights", [0o700, 0o744])
def test_what_lies_in_a_landing_that_may_not_be_entered_is_not_gone(
    open_folder: Path, rights: int
) -> None:
    """It exists, and whether there are events in it cannot be told."""
    landing = three_dumps(open_folder)
    landing.chmod(rights)
    with as_nobody(), pytest.raises(OSError, match="events: it cannot be read: Permission denied;"):
        Landing(str(landing)).look()


def test_links_are_followed_and_end(tmp_path: Path) -> None:
    landing = three_dumps(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    folder_of(landing, SECOND).rename(elsewhere)
    folder_of(landing, SECOND).symlink_to(elsewhere)
    (folder_of(landing, THIRD) / "a.ndjson").rename(tmp_path / "linked")
    (folder_of(landing, THIRD) / "a.ndjson").symlink_to(tmp_path / "linked")
    (folder_of(landing, FIRST) / "round").symlink_to(landing)
    (folder_of(landing, FIRST) / "self").symlink_to(".")
    landed = Landing(str(landing)).look()
    assert {day: len(dump.files) for day, dump in landed.dumps.items()} == {
        FIRST: 2,
        SECOND: 2,
        THIRD: 2,
    }
    assert [stray for stray in landed.strays if "self: a link back to a folder" in stray]
    lake, failed = take_in(tmp_path, landing)
    assert not failed
    assert events_by_day(lake) == dict.fromkeys((FIRST, SECOND, THIRD), 2)
    moved = tmp_path / "events"
    (landing / "events").rename(moved)
    (landing / "events").symlink_to(moved)
    assert set(Landing(str(landing)).look().dumps) == {FIRST, SECOND, THIRD}


@pytest.mark.parametrize("link", ["a.ndjson", "part", ""])
def test_a_link_to_nowhere_fails_its_dump_and_no_other(tmp_path: Path, link: str) -> None:
    landing = three_dumps(tmp_path)
    take_in(tmp_path, landing)
    path = folder_of(landing, SECOND) / link
    path.rename(tmp_path / "away")
    path.symlink_to(tmp_path / "nowhere")
    lake, failed = take_in(tmp_path, landing)
    assert list(failed) == [SECOND]
    assert f"{link or 'its folder'}: a link to {tmp_path}/nowhere, which does not" in failed[SECOND]
    assert events_by_day(lake) == dict.fromkeys((FIRST, SECOND, THIRD), 2)


def test_a_file_in_the_place_of_a_dump_is_no_withdrawal(tmp_path: Path) -> None:
    landing = three_dumps(tmp_path)
    take_in(tmp_path, landing)
    for day in (SECOND, THIRD):
        folder_of(landing, day).rename(tmp_path / f"{day}")
    folder_of(landing, SECOND).write_bytes(b"")
    os.mkfifo(folder_of(landing, THIRD))
    lake, failed = take_in(tmp_path, landing)
    assert failed == {
        SECOND: "dump 2026-03-02, its folder: it is a file; mend that, and run again",
        THIRD: "dump 2026-03-03, its folder: no file but a pipe; mend that, and run again",
    }
    assert events_by_day(lake) == dict.fromkeys((FIRST, SECOND, THIRD), 2)


def test_links_that_lead_to_each_other_fail_their_dump(tmp_path: Path) -> None:
    landing = three_dumps(tmp_path)
    (folder_of(landing, SECOND) / "x").symlink_to("y")
    (folder_of(landing, SECOND) / "y").symlink_to("x")
    _, failed = take_in(tmp_path, landing)
    assert list(failed) == [SECOND]


def test_events_that_are_a_link_to_nowhere_or_no_folder_are_an_error(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    landing.mkdir()
    (landing / "events").symlink_to(tmp_path / "mount")
    with pytest.raises(OSError, match=r"events: a link to .*mount, which does not exist; nothing"):
        Landing(str(landing)).look()
    (landing / "events").unlink()
    (landing / "events").write_text("")
    with pytest.raises(OSError, match="events: it is no folder; nothing is taken in or withdrawn"):
        Landing(str(landing)).look()


def test_pipes_sockets_and_devices_are_never_opened(tmp_path: Path) -> None:
    landing = three_dumps(tmp_path)
    os.mkfifo(folder_of(landing, FIRST) / "pipe.ndjson")
    with socket.socket(socket.AF_UNIX) as server:
        with contextlib.chdir(folder_of(landing, FIRST)):  # a socket's path must be short
            server.bind("socket.ndjson")
        (folder_of(landing, FIRST) / "zero.ndjson").symlink_to("/dev/zero")
        lake, failed = take_in(tmp_path, landing)
        strays = Landing(str(landing)).look().strays
    assert not failed
    assert events_by_day(lake)[FIRST] == 2
    for name, kind in (("pipe", "a pipe"), ("socket", "a socket"), ("zero", "a device")):
        assert any(f"{name}.ndjson: no file but {kind}" in stray for stray in strays)


def test_an_error_in_the_middle_of_a_listing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = three_dumps(tmp_path)
    take_in(tmp_path, landing)
    scandir = os.scandir

    def failing(path: str) -> object:
        if str(path).endswith("2026-03-02/part"):
            raise OSError(5, "Input/output error")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", failing)
    lake, failed = take_in(tmp_path, landing)
    assert failed == {
        SECOND: "dump 2026-03-02, part: it cannot be read: Input/output error; mend that, and run "
        "again"
    }
    assert events_by_day(lake) == dict.fromkeys((FIRST, SECOND, THIRD), 2)


def test_a_file_that_goes_away_after_it_was_listed_fails_its_dump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing = three_dumps(tmp_path)
    look = Landing.look

    def then_gone(self: Landing) -> object:
        landed = look(self)
        (folder_of(landing, SECOND) / "a.ndjson").unlink()
        return landed

    monkeypatch.setattr(Landing, "look", then_gone)
    lake, failed = take_in(tmp_path, landing)
    assert failed == {
        SECOND: "dump 2026-03-02, a.ndjson: it went away after it was listed; the next run looks "
        "again"
    }
    assert set(lake.dumps()) == {FIRST, THIRD}


def test_names_that_are_no_utf8_are_read_and_shown_escaped(tmp_path: Path) -> None:
    landing = three_dumps(tmp_path)
    time = landings.at("2026-03-01T09:00:00Z")
    event = landings.player(time, "launcher/click", session="odd")
    row = landings.tabular(time, "Launcher/Click", session="row")
    for name, content in (
        (b"donn\xe9es.ndjson", landings.ndjson([event])),
        (b"d\xff/x.csv", landings.csv_table([row])),
        (b"x\xe9.parquet", landings.parquet_table({key: [row[key]] for key in row})),
        (b"\xc3\x28.parquet.tmp", b""),
    ):
        landings.put(landing, "2026-03-01", os.fsdecode(name), content)
    (landing / "events" / os.fsdecode(b"dt=2026-03-01\xe9")).mkdir()
    lake, failed = take_in(tmp_path, landing)
    assert not failed
    names = rows(lake, "select distinct source_file from LINES where dump_date = '2026-03-01'")
    assert {str(name) for (name,) in names} == {
        "a.ndjson",
        "part/b.ndjson",
        r"donn\xe9es.ndjson",
        r"d\xff/x.csv",
        r"x\xe9.parquet",
    }
    assert lake.dumps()[FIRST].outcomes["quarantined"] == 0
    (stray,) = Landing(str(landing)).look().strays
    assert r"/\xc3(.parquet.tmp: its name ends with .tmp" in stray


LEFT_BEHIND = (
    *("a.ndjson.sha256", "a.md5", "a.csv.bak", "a.tmp", "a.ndjson.FILEPART", ".a.crc", "a.crc"),
    *("a.part", "a.partial", "a.crdownload", "a.ndjson~", "_SUCCESS", "_committed_123"),
    *("._a.ndjson", ".DS_Store", "Thumbs.db", "_temporary/0/a.ndjson", ".staging/a.ndjson"),
    *("old.bak/a.ndjson", "sub/_manifest.json"),
)


def test_what_uploaders_and_systems_leave_is_left_alone_and_named(tmp_path: Path) -> None:
    landing = three_dumps(tmp_path)
    for name in LEFT_BEHIND:
        landings.put(landing, "2026-03-01", name, b"no event\n")
    landed = Landing(str(landing)).look()
    assert len(landed.strays) == len(LEFT_BEHIND)
    folder = f"{folder_of(landing, FIRST)}/"
    told = {stray.removeprefix(folder).partition(": ")[0] for stray in landed.strays}
    for name in LEFT_BEHIND:
        assert told & {name, name.partition("/")[0]}, name
    lake, failed = take_in(tmp_path, landing)
    assert not failed
    assert lake.dumps()[FIRST].outcomes["quarantined"] == 0


def test_names_of_dump_files_are_not_left_alone() -> None:
    for name in ("dt=2026-03-01/_manifest.json", "dt=2026-03-01/a.ndjson.gz", "dt=2026-03-01/part"):
        assert reason_to_leave(name) is None


def test_the_listing_opens_nothing_and_needs_no_execute_right_of_files(tmp_path: Path) -> None:
    path = tmp_path / "dt=2026-03-01" / "a.ndjson"
    path.parent.mkdir()
    path.write_bytes(b"{}")
    path.chmod(stat.S_IRUSR)
    assert list(list_folder(str(tmp_path)).files) == ["dt=2026-03-01/a.ndjson"]


NAME = "Ergebnisse für Mai.ndjson"
COMPOSED, DECOMPOSED = unicodedata.normalize("NFC", NAME), unicodedata.normalize("NFD", NAME)


@pytest.mark.parametrize(
    ("in_folder", "in_manifest"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)]
)
def test_names_are_compared_after_normalization(
    tmp_path: Path, in_folder: str, in_manifest: str
) -> None:
    landing = tmp_path / "landing"
    event = landings.player(landings.at("2026-03-01T09:00:00Z"), "launcher/click", session="s")
    content = landings.put(landing, "2026-03-01", in_folder, [event])
    landings.put_manifest(landing, "2026-03-01", [landings.entry(in_manifest, content, 1)])
    lake, failed = take_in(tmp_path, landing)
    assert not failed
    assert only_dump(lake).outcomes["events"] == 1


def test_files_that_differ_only_in_normalization_are_both_kept(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    contents = {}
    for name in (COMPOSED, DECOMPOSED):
        event = landings.player(landings.at("2026-03-01T09:00:00Z"), "launcher/click", session=name)
        contents[name] = landings.put(landing, "2026-03-01", name, [event])
    lake, failed = take_in(tmp_path, landing)
    assert not failed
    assert only_dump(lake).outcomes["events"] == 2
    entries = [landings.entry(name, content, 1) for name, content in contents.items()]
    landings.put_manifest(landing, "2026-03-01", entries)
    assert not take_in(tmp_path, landing)[1]


def test_the_rows_of_a_manifest_are_understood_however_they_are_written(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    event = landings.player(landings.at("2026-03-01T09:00:00Z"), "launcher/click", session="s")
    written = ("1", 1.0, " 1 ", None, "")
    for number, said in enumerate(written, start=1):
        day = f"2026-03-0{number}"
        landings.put(landing, day, "a.ndjson", [event])
        landings.put(landing, day, "a.ndjson.sha256", b"0123")
        entries: list[dict[str, Any]] = [
            {"name": "./a.ndjson", "rows": said},
            {"name": "a.ndjson.sha256"},
        ]
        landings.put_manifest(landing, day, entries)
    lake, failed = take_in(tmp_path, landing)
    assert not failed
    assert list(events_by_day(lake).values()) == [1] * len(written)


NO_MANIFESTS = (
    *(b"", b"\x00", b"\xff\xfe", b"null", b"3", b'"files"', b"[]", b"{}", b'{"files": null}'),
    *(b'{"files": {}}', b'{"files": [1]}', b'{"files": [{}]}', b'{"files": [{"name": 1}]}'),
    b'{"files": [{"name": "a.ndjson", "rows": "three"}]}',
    b'{"files": [{"name": "a.ndjson", "rows": true}]}',
    b'{"files": [{"name": "a.ndjson", "rows": -1}]}',
    b'{"files": [{"name": "a.ndjson", "rows": 1e999}]}',
    b'{"files": [{"name": "a.ndjson", "rows": NaN}]}',
    b'{"files": [{"name": "a.ndjson", "rows": ' + b"9" * 9_999 + b"}]}",
    b'{"files": [{"name": "a.ndjson", "sha256": 5}]}',
    b'{"files": [{"name": "a.ndjson", "rows": 1}, {"name": "a.ndjson", "rows": 2}]}',
    b'{"files": [{"name": "\\ud83d.ndjson"}]}',
    b'{"files": ' + b"[" * 200_000,
)


def test_a_manifest_of_any_other_shape_is_the_failure_of_its_dump(tmp_path: Path) -> None:
    landing = three_dumps(tmp_path)
    broken = [THIRD + timedelta(days=number) for number in range(1, len(NO_MANIFESTS) + 1)]
    for day, content in zip(broken, NO_MANIFESTS, strict=True):
        landings.put(landing, day.isoformat(), "a.ndjson", b"")
        landings.put(landing, day.isoformat(), "_manifest.json", content)
    lake, failed = take_in(tmp_path, landing)
    assert list(failed) == broken
    for day in broken:
        assert failed[day].startswith(f"dump {day}, _manifest.json: "), failed[day]
    assert set(lake.dumps()) == {FIRST, SECOND, THIRD}
    assert lake.failures() == failed
