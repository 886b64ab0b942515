"""A large dump in a lake that machines share: read in parts, and there as a whole or not at all.

A part is a few kilobytes here, so that dumps of small files are large ones.
"""

from __future__ import annotations

import os
import random
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.s3.models import s3_backends

from dagster_project.forgotten import Request, length_of, person_of
from dagster_project.ingest import parts, shared_lake, shared_parts
from dagster_project.ingest.dumps import shows_the_forgotten
from dagster_project.ingest.lake import Lake, LakeDump
from dagster_project.ingest.landing import LandedFile, Landing
from dagster_project.ingest.parts import PartRead, part_read, parts_of, plan_of, together
from dagster_project.ingest.shared_parts import SharedParts
from dagster_project.keyed_hash import Key
from dagster_project.object_store import put_if
from dagster_project.treatment import Treatment
from tests.ingest.test_ingest import DEFINITIONS, SEEDS, rows, take_in
from tests.ingest.test_shared_lake import (
    FIRST,
    SPAWN,
    Machine,
    data_of,
    failures,
    in_processes,
    machines,
)
from tests.object_store import ObjectStore
from tests.proxy import Proxy
from tests.whole import landings
from tests.whole.lake import lake_differences
from tests.whole.traces import traces_in_files, traces_in_store

pytestmark = pytest.mark.usefixtures("way", "small_parts")
PART_BYTES = 1_700
PERSON = "anna@example.org"
THEMES = (
    landings.three_forms,
    landings.all_compressions,
    landings.many_files,
    landings.names_from_folders,
    landings.damaged_gzip,
    landings.wrong_extensions,
    landings.odd_bytes,
    landings.broken_csv,
    landings.all_quarantine_reasons,
    landings.control_and_ignored,
    landings.duplicates_within_a_file,
    landings.duplicates_across_files,
    landings.unknown_keys,
)


class Killed(BaseException):
    """What a machine ends with that is killed: nothing of its own is done after it."""


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", PART_BYTES)


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    """One dump of a dozen files, two in a part, with duplicates across them."""
    deliver(tmp_path / "landing", "s")
    return tmp_path / "landing"


def deliver(landing: Path, session: str, *, day: date = FIRST, files: int = 12) -> None:
    """Deliver the dump of a day, instead of the one before."""
    folder = landing / "events" / f"dt={day}"
    shutil.rmtree(folder, ignore_errors=True)
    start = landings.at(f"{day}T09:00:00Z")
    for number in range(files):
        events = [
            landings.player(
                start + 1000 * (number + line), "launcher/click", session=session, user=PERSON
            )
            for line in range(4)
        ]
        landings.put(landing, day.isoformat(), f"{number:02d}.ndjson", events)


def everything_in_one_dump(landing: Path) -> None:
    """A dump of files of all forms, with damage, duplicates and lines that are no events."""
    apart = landing.parent / "apart"
    for theme in THEMES:
        theme(apart)
    for dump in sorted((apart / "events").glob("dt=*")):
        folder = landing / "events" / f"dt={FIRST}" / dump.name.removeprefix("dt=")
        shutil.copytree(dump, folder)


@contextmanager
def files_read() -> Iterator[list[str]]:
    """The names of files that are read in the block, as often as they are."""
    read: list[str] = []
    local_copy = Landing.local_copy

    def noted(self: Landing, file: LandedFile, *, scratch: Path) -> Any:
        read.append(file.name)
        return local_copy(self, file, scratch=scratch)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Landing, "local_copy", noted)
        yield read


@contextmanager
def killed_at(pattern: str, number: int = 1, *, after: bool = False) -> Iterator[None]:
    """A machine is killed at its n-th write of an object whose path has a pattern in it."""
    count = 0

    def put_if_alive(fs: Any, path: str, content: bytes, *, was: str | None) -> str:
        nonlocal count
        count += bool(re.search(pattern, path))
        if count == number and not after:
            raise Killed
        etag = put_if(fs, path, content, was=was)
        if count == number:
            raise Killed
        return etag

    with pytest.MonkeyPatch.context() as patched:
        for module in (shared_lake, shared_parts):
            patched.setattr(module, "put_if", put_if_alive)
        yield


def is_killed(machine: Machine, pattern: str, number: int = 1, *, after: bool = False) -> None:
    with killed_at(pattern, number, after=after), pytest.raises(Killed):
        machine.take_in()


def shares_the_work(machine: Machine, start: Any, said: Any) -> None:
    """What one of two processes does: after its first part, it waits for the other one."""
    waited = False

    def put_and_wait(fs: Any, path: str, content: bytes, *, was: str | None) -> str:
        nonlocal waited
        try:
            return put_if(fs, path, content, was=was)
        finally:
            if "/part-" in path and not waited:
                waited = True
                start.wait(300)

    patched = pytest.MonkeyPatch()
    patched.setattr(parts, "PART_BYTES", PART_BYTES)
    patched.setattr(shared_parts, "put_if", put_and_wait)
    with files_read() as read:
        taken = machine.take_in()
    said.put((machine.home.name, read, [str(each) for each in failures(taken).values()]))


def is_as_of_one_machine(machine: Machine, alone: Path) -> None:
    """The lake holds what one machine makes of the landing, and the store nothing else."""
    own, failed = take_in(alone, machine.landing)
    assert failed == {}
    assert machine.lake().leftovers() == []
    copy = machine.copy()
    assert lake_differences(copy.root, machine.landing, SEEDS) == []
    query = "select * from LINES order by all"
    assert rows(copy, query) == rows(own, query)
    assert ledgers(copy) == ledgers(own)
    assert [without_names(dump) for dump in copy.dumps().values()] == [
        without_names(dump) for dump in own.dumps().values()
    ]


def ledgers(lake: Lake) -> list[Any]:
    files = [str(lake.dump_folder(day) / dump.files) for day, dump in lake.dumps().items()]
    return duckdb.execute("select * from read_parquet($files)", {"files": files}).fetchall()


def without_names(dump: LakeDump) -> LakeDump:
    return replace(dump, lines=(), files="")


def names_of_parts(store: ObjectStore) -> list[str]:
    return [key for key in store.keys() if "/part-" in key]  # noqa: SIM118 - of a store


def age(store: ObjectStore, by: timedelta) -> None:
    """Have all data be older, by the clock of the store."""
    bucket = s3_backends["123456789012"]["aws"].buckets[store.bucket]
    for key in bucket.keys.values():
        if "/data/" in key.name:
            key.last_modified -= by


# ---------- Parts


@given(st.lists(st.integers(0, 3 * PART_BYTES), max_size=400), st.integers(1, 50))
def test_each_file_is_in_one_part_and_parts_are_neither_too_large_nor_too_many(
    sizes: list[int], times: int
) -> None:
    files = [LandedFile(f"{n}", f"{n}", size * times, "", 0) for n, size in enumerate(sizes)]
    cut = parts_of(files)
    assert [file for part in cut for file in part] == files
    assert len(cut) <= 130
    allowed = max(PART_BYTES, sum(sizes) * times // 64)
    assert all(len(part) == 1 or sum(file.bytes for file in part) <= allowed for part in cut)
    for one, next_one in pairwise(cut):
        assert sum(file.bytes for file in (*one, *next_one)) > allowed


@given(
    st.builds(
        PartRead,
        lines=st.lists(st.text()).map(tuple),
        ledger=st.lists(st.dictionaries(st.text(), st.none() | st.integers() | st.text())).map(
            tuple
        ),
        hashes=st.dictionaries(st.text(), st.text()),
        left_alone=st.lists(st.text()).map(tuple),
        event_dates=st.dictionaries(st.dates().map(str), st.integers(1)),
        forgot_somebody=st.booleans(),
        forgotten_events=st.dictionaries(st.integers(1, 99).map(str), st.integers(1)),
    )
)
def test_what_is_said_of_a_part_is_understood(part: PartRead) -> None:
    assert part_read(part.text) == part
    assert replace(together([part]), event_dates=part.event_dates) == part


def test_a_plan_is_another_where_what_is_read_could_be_another(landing: Path) -> None:
    dump = Landing(str(landing)).look().dumps[FIRST]
    forgotten = Treatment(requests=(Request(1, "a hash", 4, None, False, ""),))
    removed = Treatment(requests=(Request(1, "a hash", 4, None, True, ""),))
    keyed = replace(forgotten, key=Key.of("a key that is long enough for the tests"))
    cut = parts_of(dump.files)
    plans = [
        plan_of(dump, cut, "reader", Treatment()),
        plan_of(dump, cut, "reader", forgotten),
        plan_of(dump, cut, "reader", removed),
        plan_of(dump, cut, "reader", keyed),
        plan_of(dump, cut, "another", Treatment()),
        plan_of(dump, [dump.files], "reader", Treatment()),
        plan_of(replace(dump, dump_date=FIRST + timedelta(days=1)), cut, "reader", Treatment()),
    ]
    deliver(landing, "another")
    later = Landing(str(landing)).look().dumps[FIRST]
    plans.append(plan_of(later, parts_of(later.files), "reader", Treatment()))
    assert len(set(plans)) == len(plans)
    assert plan_of(dump, cut, "reader", Treatment()) == plans[0]


@given(st.lists(st.floats(0, 60)), st.floats(0, 60))
def test_nobody_uses_what_another_is_about_to_remove(hours: list[float], passed: float) -> None:
    """Who saw that nothing was written for a day removes what he saw, however much later."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    written = [start + timedelta(hours=each) for each in hours]
    looked_at = max(written, default=start) + shared_parts.ABANDONED_AFTER + timedelta(seconds=1)
    now = looked_at + timedelta(hours=passed)
    since = shared_parts._without_a_gap([*written, looked_at, now], now=now)
    assert since > max(written, default=start)


# ---------- Machines


@pytest.mark.long
def test_two_processes_read_a_dump_of_everything_together(
    store: ObjectStore, tmp_path: Path
) -> None:
    landing = tmp_path / "landing"
    everything_in_one_dump(landing)
    both = machines(tmp_path, store, landing)
    start, told = SPAWN.Barrier(2), SPAWN.SimpleQueue()
    assert in_processes(*((shares_the_work, each, start, told) for each in both)) == [0, 0]
    (one, read_by_one, failed), (other, read_by_other, also_failed) = told.get(), told.get()
    assert (failed, also_failed) == ([], [])
    assert {one, other} == {"a", "b"}
    files = {file.name for file in Landing(str(landing)).look().dumps[FIRST].files}
    assert set(read_by_one) | set(read_by_other) == files
    assert max(len(read_by_one), len(read_by_other)) < len(files)
    is_as_of_one_machine(both[0], tmp_path / "alone")
    assert len(data_of(store)) == 1
    assert names_of_parts(store) == []


@pytest.mark.parametrize(
    ("pattern", "number", "after", "left"),
    [("/part-", 1, False, 12), ("/part-", 3, True, 6), ("/state/dt=", 1, False, 0)],
)
def test_what_a_machine_has_read_that_was_killed_is_not_read_again(
    store: ObjectStore,
    tmp_path: Path,
    landing: Path,
    pattern: str,
    number: int,
    after: bool,
    left: int,
) -> None:
    a, b = machines(tmp_path, store, landing)
    is_killed(a, pattern, number, after=after)
    assert b.lake().dumps() == {}
    with files_read() as read:
        assert failures(b.take_in()) == {}
    assert len(read) == len(set(read)) == left
    assert not list((b.home / "lake").rglob("lines-*.parquet"))
    is_as_of_one_machine(b, tmp_path / "alone")
    assert names_of_parts(store) == []


def test_who_is_killed_after_the_commit_leaves_nothing_that_counts(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    a, b = machines(tmp_path, store, landing)
    is_killed(a, "/state/dt=", after=True)
    with files_read() as read:
        assert failures(b.take_in()) == {}
    assert read == []
    assert len(b.lake().leftovers()) == len(names_of_parts(store)) == 6
    age(store, timedelta(hours=25))
    is_as_of_one_machine(b, tmp_path / "alone")
    assert names_of_parts(store) == []
    deliver(landing, "another")
    assert failures(a.take_in()) == {}
    is_as_of_one_machine(b, tmp_path / "alone")


def test_machines_that_finish_at_once_make_one_dump(
    store: ObjectStore, tmp_path: Path, landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = machines(tmp_path, store, landing)
    add_ledger = SharedParts.add_ledger
    taken: dict[date, LakeDump | None] = {}

    def is_overtaken(self: SharedParts, ledger: Path) -> str:
        if not taken:
            taken[FIRST] = None
            taken.update({day: each.dump for day, each in b.take_in().items()})
        return add_ledger(self, ledger)

    monkeypatch.setattr(SharedParts, "add_ledger", is_overtaken)
    with files_read() as read:
        assert {day: each.dump for day, each in a.take_in().items()} == taken
    assert len(read) == 12
    is_as_of_one_machine(a, tmp_path / "alone")
    assert len([name for name in store.keys() if "/files-" in name]) == 1  # noqa: SIM118


def test_answers_that_are_lost_change_nothing(
    store: ObjectStore, way: Proxy, tmp_path: Path, landing: Path
) -> None:
    a, b = machines(tmp_path, store, landing)
    way.answer_trouble = lambda path, number: (
        0 if ("/part-" in path or "/state/" in path) and number <= 1 else None
    )
    with files_read() as read:
        assert failures(a.take_in()) == {}
    way.answer_trouble = None
    assert len(read) == 12
    assert sum(each.startswith("PUT") and "/part-" in each for each in way.requests) >= 12
    is_as_of_one_machine(b, tmp_path / "alone")


def test_parts_of_a_dump_that_was_delivered_anew_count_for_nothing(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    a, b = machines(tmp_path, store, landing)
    is_killed(a, "/part-", 3, after=True)
    deliver(landing, "anew")
    with files_read() as read:
        assert failures(b.take_in()) == {}
    assert len(read) == 12
    assert len(names_of_parts(store)) == 3
    age(store, timedelta(hours=25))
    is_as_of_one_machine(b, tmp_path / "alone")
    assert len(data_of(store)) == 1


def test_who_reads_parts_of_a_dump_that_is_replaced_meanwhile_gives_it_up(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    a, b = machines(tmp_path, store, landing)
    begun = a.look()
    deliver(landing, "meanwhile")
    local_copy = Landing.local_copy
    times: list[LandedFile] = []

    def overtaken(self: Landing, file: LandedFile, *, scratch: Path) -> Any:
        if len(times) == 5:
            times.append(file)
            assert failures(b.take_in()) == {}
        times.append(file)
        return local_copy(self, file, scratch=scratch)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Landing, "local_copy", overtaken)
        (failure,) = failures(a.take_in(begun, [FIRST])).values()
    assert str(failure).startswith(f"dump {FIRST}: another machine replaced it meanwhile")
    assert failure.can_pass
    is_as_of_one_machine(b, tmp_path / "alone")
    assert len(data_of(store)) == 1


def test_a_dump_with_parts_is_replaced_noted_and_withdrawn_as_any_other(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    a, b = machines(tmp_path, store, landing)
    a.take_in()
    first = a.lake().dumps()[FIRST]
    for path in landing.rglob("*.ndjson"):
        os.utime(path, (1, 1))
    b.take_in()  # it is the same content
    noted = a.lake().dumps()[FIRST]
    assert replace(noted, signature=first.signature) == first
    assert noted.signature != first.signature
    deliver(landing, "another")
    assert failures(b.take_in()) == {}
    is_as_of_one_machine(a, tmp_path / "alone")
    (landing / "events" / f"dt={FIRST + timedelta(days=1)}").mkdir()
    shutil.move(
        landing / "events" / f"dt={FIRST}" / "00.ndjson",
        landing / "events" / f"dt={FIRST + timedelta(days=1)}" / "00.ndjson",
    )
    shutil.rmtree(landing / "events" / f"dt={FIRST}")
    assert failures(b.take_in()) == {}
    is_as_of_one_machine(a, tmp_path / "alone")


def test_a_file_that_cannot_be_read_fails_its_dump_as_on_one_machine(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    a, b = machines(tmp_path, store, landing)
    a.take_in()
    before = a.lake().dumps()
    deliver(landing, "another")
    landings.put(landing, FIRST.isoformat(), "06.ndjson.gz", b"\x1f\x8b no gzip")
    _, failed = take_in(tmp_path / "alone", landing)
    for each in (a, b):
        assert {day: str(said) for day, said in failures(each.take_in()).items()} == failed
        assert each.lake().failures() == failed
    assert "06.ndjson.gz" in failed[FIRST]
    assert a.lake().dumps() == before
    (landing / "events" / f"dt={FIRST}" / "06.ndjson.gz").unlink()
    assert failures(b.take_in()) == {}
    assert b.lake().failures() == {}
    age(store, timedelta(hours=25))
    is_as_of_one_machine(a, tmp_path / "alone")


@pytest.mark.parametrize("theme", landings.REFUSED_MANIFESTS.values())
def test_a_manifest_refuses_a_dump_of_parts_as_any_other(
    store: ObjectStore, tmp_path: Path, theme: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "PART_BYTES", 1)
    landing = theme(tmp_path / "landing")
    a, b = machines(tmp_path, store, landing)
    _, failed = take_in(tmp_path / "alone", landing)
    for each in (a, b):
        assert {day: str(said) for day, said in failures(each.take_in()).items()} == failed
    assert failed
    assert a.lake().dumps() == {}


def test_somebody_who_is_forgotten_meanwhile_is_in_no_part_that_counts_or_stays(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    a, b = machines(tmp_path, store, landing)
    is_killed(a, "/state/dt=")
    key = Key.of("a key that is long enough for the tests")
    request = Request(1, person_of(PERSON, key), length_of(PERSON), None, False, "2026-03-05")
    treatment = Treatment(key=key, requests=(replace(request, is_noted_by_dumps=True),))
    b.lake().send_requests(treatment.requests)
    b.definitions = replace(DEFINITIONS, treatment=treatment)
    with files_read() as read:
        assert failures(b.take_in()) == {}
    assert len(read) == 12
    dump = b.lake().dumps()[FIRST]
    assert dump.forgotten_events == {"1": 48}
    assert not shows_the_forgotten(dump, treatment)
    assert traces_in_files(b.copy().root, PERSON) == []
    # What was read before is an upload that was broken off: the request stays open meanwhile.
    assert len([name for name in b.lake().leftovers() if "/lines-" in name]) == 6
    (tmp_path / "before").mkdir()
    assert traces_in_store(store, tmp_path / "before", PERSON) != []
    age(store, timedelta(hours=25))
    assert b.lake().leftovers() == []
    (tmp_path / "after").mkdir()
    assert traces_in_store(store, tmp_path / "after", PERSON) == []


def test_who_did_not_know_who_is_forgotten_makes_a_dump_that_is_read_again(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    a, b = machines(tmp_path, store, landing)
    begun = a.look()
    key = Key.of("a key that is long enough for the tests")
    request = Request(1, person_of(PERSON, key), length_of(PERSON), None, False, "2026-03-05")
    treatment = Treatment(key=key, requests=(replace(request, is_noted_by_dumps=True),))
    b.lake().send_requests(treatment.requests)
    assert failures(a.take_in(begun, [FIRST])) == {}
    assert shows_the_forgotten(b.lake().dumps()[FIRST], treatment)
    b.definitions = replace(DEFINITIONS, treatment=treatment)
    assert failures(b.take_in()) == {}
    (tmp_path / "after").mkdir()
    assert traces_in_store(store, tmp_path / "after", PERSON) == []
    assert b.lake().leftovers() == []


def test_parts_that_are_about_to_be_removed_or_are_gone_are_read_again(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    a, b = machines(tmp_path, store, landing)
    is_killed(a, "/part-", 2, after=True)
    age(store, timedelta(hours=13))
    is_killed(b, "/part-", 2, after=True)
    client = store.client()
    (lines, *_), (part, *_) = (
        [key for key in store.keys() if name in key]  # noqa: SIM118 - of a store
        for name in ("/lines-", "/part-")
    )
    client.put_object(Bucket=store.bucket, Key=part, Body=b"by hand")
    client.delete_object(Bucket=store.bucket, Key=lines)
    with files_read() as read:
        assert failures(a.take_in()) == {}
    assert 8 <= len(read) <= 12
    is_as_of_one_machine(b, tmp_path / "alone")


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2))
def test_any_history_of_machines_and_dumps_ends_in_the_lake_of_one_machine(
    store: ObjectStore, tmp_path: Path, landing: Path, seed: int
) -> None:
    """Machines begin, are killed anywhere and go on late, while the dump changes and goes."""
    chance = random.Random(seed)
    both = machines(tmp_path, store, landing)
    both[0].look()
    begun: dict[int, Any] = {}
    for step in range(20):
        which = chance.randrange(2)
        match chance.choice(["deliver", "withdraw", "begin", "die", "die", "go on", "age"]):
            case "deliver":
                deliver(landing, f"step {step}", files=chance.choice([1, 5, 8]))
            case "withdraw":
                shutil.rmtree(landing / "events" / f"dt={FIRST}", ignore_errors=True)
            case "begin":
                begun[which] = both[which].look()
            case "die":
                with (
                    killed_at(
                        "/part-|/state/dt=", chance.randint(1, 5), after=chance.random() < 0.5
                    ),
                    suppress(Killed),
                ):
                    both[which].take_in(begun.pop(which, None), [FIRST])
            case "go on":
                both[which].take_in(begun.pop(which, None), [FIRST])
            case "age":
                age(store, timedelta(hours=chance.choice([1, 13, 25])))
                both[which].lake().leftovers()
        dumps = both[which].lake().dumps()
        assert both[which].copy().dumps() == dumps  # whatever counts is there, all of it
    deliver(landing, "last", files=7)
    for each in (*both, *both):
        assert failures(each.take_in()) == {}
    age(store, timedelta(hours=25))
    is_as_of_one_machine(both[0], tmp_path / "alone")
    assert len(data_of(store)) == 1
