"""The ingest alone, over hand-written landings, against the literal reference."""

from __future__ import annotations

import contextlib
import gzip
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.ingest.classification import lines_of_parts
from dagster_project.ingest.dumps import (
    DayTaken,
    ingest_connection,
    pending_dumps,
    reader_digest,
    take_in_dump,
    taking_in_dumps,
    write_schema,
)
from dagster_project.ingest.lake import Lake, LakeDump, LakeVersionError
from dagster_project.ingest.landing import Landing
from dagster_project.keyed_hash import Key
from dagster_project.registry import load_definitions
from dagster_project.treatment import Treatment
from tests.ingest import readers
from tests.whole import landings
from tests.whole.lake import lake_differences

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
DEFINITIONS = load_definitions()
DAY = date(2026, 3, 1)


@contextmanager
def connected(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with ingest_connection(
        DEFINITIONS, threads=2, memory_limit="2GB", scratch=tmp_path / "scratch"
    ) as connection:
        yield connection


@contextmanager
def taking_in(
    tmp_path: Path, connection: duckdb.DuckDBPyConnection, landing: Path | str | None = None
) -> Iterator[Iterator[DayTaken]]:
    """Bring a lake to the state of a landing."""
    lake = Lake(tmp_path / "lake")
    lake.prepare()
    source = Landing(str(landing or tmp_path / "landing"))
    landed = source.look().dumps
    with taking_in_dumps(
        source,
        lake,
        landed,
        sorted(landed.keys() | lake.dumps().keys()),
        connection,
        DEFINITIONS,
        scratch=tmp_path / "scratch",
        at_once=2,
        hold=lambda _: nullcontext(),
    ) as done:
        yield done


def take_in(tmp_path: Path, landing: Path | str) -> tuple[Lake, dict[date, str]]:
    """Bring a lake to the state of a landing; returns it, and the dumps that failed."""
    with connected(tmp_path) as connection, taking_in(tmp_path, connection, landing) as done:
        failed = {each.day: str(each.failure) for each in done if each.failure}
    return Lake(tmp_path / "lake"), failed


def only_dump(lake: Lake) -> LakeDump:
    (dump,) = lake.dumps().values()
    return dump


def rows(lake: Lake, query: str) -> list[tuple[object, ...]]:
    files = [
        str(lake.dump_folder(day) / part)
        for day, dump in lake.dumps().items()
        for part in dump.lines
    ]
    return duckdb.execute(
        query.replace("LINES", f"({lines_of_parts('$files')})"), {"files": files}
    ).fetchall()


def test_every_theme_is_read_as_the_reference_reads_it(tmp_path: Path) -> None:
    landing = landings.many_themes(tmp_path / "landing")
    lake, failed = take_in(tmp_path, landing)
    assert not failed
    assert lake_differences(lake.root, landing, SEEDS) == []


@pytest.mark.long
def test_lines_are_read_in_python_as_the_reference_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers.read_everything_in_python(monkeypatch)
    landing = landings.many_themes(tmp_path / "landing")
    lake, failed = take_in(tmp_path, landing)
    assert not failed
    assert lake_differences(lake.root, landing, SEEDS) == []


@pytest.mark.parametrize("theme", landings.REFUSED_MANIFESTS.values())
def test_a_dump_that_its_manifest_refuses_is_not_loaded(
    tmp_path: Path, theme: Callable[[Path], Path]
) -> None:
    lake, failed = take_in(tmp_path, theme(tmp_path / "landing"))
    (message,) = failed.values()
    assert any(advice in message for advice in ("deliver", "correct the manifest"))
    assert any(word in message for word in ("list", "sha256", "rows"))
    assert not lake.dumps()
    assert list(lake.failures().values()) == [message]


def test_a_file_of_which_nothing_can_be_read_fails_its_dump_and_no_other(tmp_path: Path) -> None:
    landing = landings.nothing_but_a_gzip_header(landings.three_forms(tmp_path / "landing"))
    lake, failed = take_in(tmp_path, landing)
    (message,) = failed.values()
    assert (
        "2026-03-10, header.ndjson.gz: no line can be read: the gzip stream ends early" in message
    )
    assert date(2026, 3, 10) not in lake.dumps()
    assert lake.dumps()


def test_rows_keep_the_order_of_a_large_file(tmp_path: Path) -> None:
    start = landings.at("2026-03-01T00:00:00Z")
    content = landings.ndjson(
        landings.player(start + number, "launcher/click", session=f"s-{number % 97}")
        for number in range(150_000)
    )
    folder = tmp_path / "landing" / "events" / "dt=2026-03-01"
    folder.mkdir(parents=True)
    (folder / "plain.ndjson").write_bytes(content)
    (folder / "packed.ndjson").write_bytes(gzip.compress(content, 1))
    lake, _ = take_in(tmp_path, tmp_path / "landing")
    misplaced = rows(
        lake, f"select count(*) from LINES where epoch_ms(occurred_at) - {start} <> source_row - 1"
    )
    assert misplaced == [(0,)]
    assert only_dump(lake).outcomes["events"] == 300_000


def test_a_dump_that_is_not_pending_is_not_read_again(tmp_path: Path) -> None:
    landing = landings.three_forms(tmp_path / "landing")
    lake, _ = take_in(tmp_path, landing)
    before = {path: path.stat().st_mtime_ns for path in lake.root.rglob("*.parquet")}
    take_in(tmp_path, landing)
    assert before == {path: path.stat().st_mtime_ns for path in lake.root.rglob("*.parquet")}


def test_the_same_content_delivered_again_is_noted_and_not_read_again(tmp_path: Path) -> None:
    landing = landings.three_forms(tmp_path / "landing")
    lake, _ = take_in(tmp_path, landing)
    before = lake.dumps()
    copy = tmp_path / "copy"
    shutil.copytree(landing, copy)
    shutil.rmtree(landing)
    shutil.copytree(copy, landing)
    landed = Landing(str(landing)).look().dumps
    assert pending_dumps(landed, before, reader=reader_digest(DEFINITIONS)).changed
    take_in(tmp_path, landing)
    after = lake.dumps()
    assert [dump.fingerprint for dump in after.values()] == [d.fingerprint for d in before.values()]
    assert not pending_dumps(landed, after, reader=reader_digest(DEFINITIONS)).dates


def test_a_wrong_manifest_that_comes_after_its_dump_fails_that_dump_only(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    event = landings.player(landings.at("2026-03-01T09:00:00Z"), "launcher/click", session="s")
    content = landings.put(landing, "2026-03-01", "a.ndjson", [event])
    take_in(tmp_path, landing)
    for wrong in (landings.entry("a.ndjson", b"other", 1), landings.entry("a.ndjson", content, 2)):
        landings.put_manifest(landing, "2026-03-01", [wrong])
        lake, failed = take_in(tmp_path, landing)
        assert "2026-03-01, a.ndjson: it" in failed[DAY]
        assert rows(lake, "select session_id from LINES") == [("s",)]


def test_a_corrected_dump_replaces_the_old_one_and_leaves_nothing_of_it(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    event = landings.player(landings.at("2026-03-01T09:00:00Z"), "launcher/click", session="s")
    landings.put(landing, "2026-03-01", "a.ndjson", [event, event | {"sId": "other"}])
    take_in(tmp_path, landing)
    landings.put(landing, "2026-03-01", "a.ndjson", [event])
    lake, _ = take_in(tmp_path, landing)
    assert rows(lake, "select session_id from LINES") == [("s",)]
    assert len([path for path in lake.dump_folder(DAY).iterdir() if path.is_dir()]) == 1


def test_a_withdrawn_dump_leaves_the_lake(tmp_path: Path) -> None:
    landing = landings.three_forms(tmp_path / "landing")
    take_in(tmp_path, landing)
    shutil.rmtree(landing / "events")
    lake, _ = take_in(tmp_path, landing)
    assert not lake.dumps()


def test_a_corrected_dump_that_cannot_be_read_leaves_the_old_one(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    event = landings.player(landings.at("2026-03-01T09:00:00Z"), "launcher/click", session="s")
    landings.put(landing, "2026-03-01", "a.ndjson", [event])
    take_in(tmp_path, landing)
    landings.put(landing, "2026-03-01", "b.parquet", b"PAR1 and then nothing of the kind PAR1")
    lake, failed = take_in(tmp_path, landing)
    assert "2026-03-01, b.parquet" in failed[DAY]
    assert rows(lake, "select source_file from LINES") == [("a.ndjson",)]
    (landing / "events" / "dt=2026-03-01" / "b.parquet").unlink()
    lake, failed = take_in(tmp_path, landing)
    assert not failed
    assert not lake.failures()


def test_what_is_no_dump_file_is_left_alone_and_named(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    event = landings.player(landings.at("2026-03-01T09:00:00Z"), "launcher/click", session="s")
    landings.put(landing, "2026-03-01", "a.ndjson", [event])
    landings.put(landing, "2026-03-01", "README.txt", b"Questions? Ask the integrations team.\n")
    landings.put(landing, "2026-03-01", ".a.ndjson.part", b"half a li")
    lake, failed = take_in(tmp_path, landing)
    assert not failed
    assert only_dump(lake).left_alone == ("README.txt",)
    assert only_dump(lake).outcomes["quarantined"] == 0


def test_folders_that_are_no_dumps_are_named(tmp_path: Path) -> None:
    landing = landings.three_forms(tmp_path / "landing")
    landings.put(landing, "2026-02-30", "a.ndjson", b"{}\n")
    (stray,) = Landing(str(landing)).look().strays
    assert "dt=2026-02-30/a.ndjson: not inside a folder dt=YYYY-MM-DD" in stray


def test_names_that_look_like_patterns_are_files_all_the_same(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    event = landings.player(landings.at("2026-03-01T09:00:00Z"), "launcher/click", session="s")
    for name in ("it's [1].ndjson", "a*.ndjson", "{x}?.ndjson"):
        landings.put(landing, "2026-03-01", name, [event])
    lake, failed = take_in(tmp_path, landing)
    assert not failed
    assert only_dump(lake).outcomes["events"] == 3


def test_many_small_files_become_few_parts(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    for number in range(60):
        event = landings.player(
            landings.at("2026-03-01T09:00:00Z"), "launcher/click", session=f"s-{number}"
        )
        landings.put(landing, "2026-03-01", f"{number}.ndjson", [event])
    lake, _ = take_in(tmp_path, landing)
    assert len(only_dump(lake).lines) == 1
    assert only_dump(lake).outcomes["events"] == 60


def test_a_lake_of_another_format_is_refused(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.prepare()
    (lake.root / "version.json").write_text('{"format_version": 0}')
    with pytest.raises(LakeVersionError, match="move the folder away and run `walkhouse run`"):
        lake.prepare()


def test_a_landing_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Landing(str(tmp_path / "nowhere")).look()


def test_every_line_of_a_large_file_is_known_by_its_place(tmp_path: Path) -> None:
    """Lines that are no events lie among many that are; each is found at its own row."""
    noon = landings.at("2026-03-01T12:00:00Z")
    lines = []
    for number in range(60_000):
        event = landings.player(noon + number, "player/open", session=f"s{number}" + "x" * 400)
        if number % 7 == 0:
            event = {**event, "type": f"verb {number}"}
        lines.append(f"no JSON {number}" if number % 11 == 0 else json.dumps(event))
    landings.put(tmp_path / "landing", "2026-03-01", "a.ndjson", "\n".join(lines).encode())
    lake, failed = take_in(tmp_path, tmp_path / "landing")
    assert not failed
    kept = rows(lake, "select source_row, line from LINES where line is not null")
    assert len(kept) == sum(number % 7 == 0 or number % 11 == 0 for number in range(60_000))
    assert [row for row, line in kept if lines[int(str(row)) - 1] != line] == []
    assert rows(lake, "select count(*), count(distinct source_row) from LINES") == [
        (60_000, 60_000)
    ]


def test_new_keys_are_counted_wherever_in_a_file_they_appear(tmp_path: Path) -> None:
    noon = landings.at("2026-03-01T12:00:00Z")
    new_keys: dict[int, dict[str, Any]] = {
        3: {"data__soon": 1},
        20: {"data__soon": 1},
        30: {"data__late": 1, "later": None},
    }
    landing = tmp_path / "landing"
    records = [
        landings.player(noon + number, "player/open", session="s", **new_keys.get(number, {}))
        for number in range(40)
    ]
    landings.put(landing, "2026-03-01", "a.ndjson", records)
    lake, failed = take_in(tmp_path, landing)
    assert not failed
    assert lake_differences(lake.root, landing, SEEDS) == []


def test_days_are_told_in_order_and_a_bad_one_costs_no_other(tmp_path: Path) -> None:
    days = landing_of_days(tmp_path / "landing", count=6)
    (tmp_path / "landing" / "events" / f"dt={days[2]}" / "_manifest.json").write_text("none")
    with connected(tmp_path) as connection, taking_in(tmp_path, connection) as done:
        told = [(each.day, each.failure is None) for each in done]
    assert told == [(day, day != days[2]) for day in days]


def test_whoever_is_interrupted_leaves_whole_dumps_and_no_reader_behind(tmp_path: Path) -> None:
    days = landing_of_days(tmp_path / "landing", count=40)
    with (
        contextlib.suppress(KeyboardInterrupt),
        connected(tmp_path) as connection,
        taking_in(tmp_path, connection) as done,
    ):
        next(done)
        raise KeyboardInterrupt
    lake = Lake(tmp_path / "lake")
    assert 1 <= len(lake.dumps()) < len(days)
    assert not list((tmp_path / "lake").rglob("building-*"))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("dump")]
    take_in(tmp_path, tmp_path / "landing")
    assert list(lake.dumps()) == days


def test_runs_that_begin_at_once_do_not_meet_in_the_files_of_the_lake(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.prepare()

    def begin(_: int) -> None:
        with duckdb.connect() as connection:
            write_schema(connection, lake)

    with ThreadPoolExecutor(8) as runs:
        list(runs.map(begin, range(80)))
    assert {path.name for path in (lake.root / "schema").iterdir()} == {
        "files.parquet",
        "lines.parquet",
    }


def test_what_killed_runs_left_beside_the_files_of_the_lake_is_removed(tmp_path: Path) -> None:
    lake = Lake(tmp_path / "lake")
    lake.prepare()
    left = [lake.root / "schema" / ".lines.parquet.1", lake.root / "content" / ".content.json.2"]
    for path in left:
        path.write_text("cut off")
    lake.remove_leftovers()
    assert not [path for path in left if path.exists()]


def landing_of_days(landing: Path, *, count: int) -> list[date]:
    """A landing with one small dump for each of some days."""
    days = [DAY + timedelta(days=number) for number in range(count)]
    for day in days:
        folder = landing / "events" / f"dt={day}"
        folder.mkdir(parents=True)
        (folder / "events.ndjson").write_text('{"created_at": 1772323200000}\n' * 50)
    return days


def test_a_dump_has_the_same_counts_and_bytes_under_policies(tmp_path: Path) -> None:
    """What is not kept of a line is counted all the same."""
    landing = landings.all_quarantine_reasons(tmp_path / "landing")
    landings.broken_csv(landing)
    landings.control_and_ignored(landing)
    treatment = Treatment((("browser", "drop"),), key=Key.of("a key that is long enough"))
    of_dumps = []
    for definitions in (DEFINITIONS, replace(DEFINITIONS, treatment=treatment)):
        lake = Lake(tmp_path / "lake")
        lake.prepare()
        source, scratch = Landing(str(landing)), tmp_path / "scratch"
        with ingest_connection(
            definitions, threads=1, memory_limit="1GB", scratch=scratch
        ) as connection:
            for day, landed in source.look().dumps.items():
                take_in_dump(source, lake, landed, day, connection, definitions, scratch=scratch)
        of_dumps.append(lake.dumps())
    plain, treated = of_dumps

    assert any(dump.quarantined_bytes for dump in plain.values())
    assert {dump.treatment for dump in treated.values()} == {treatment.digest}
    for day, dump in plain.items():
        assert (
            replace(
                treated[day],
                **{name: getattr(dump, name) for name in ("fingerprint", "reader", "treatment")},
                **{name: getattr(dump, name) for name in ("lines", "files")},
            )
            == dump
        )
