"""A lake that machines share: each dump once, whoever takes it in, and whatever the network does.

A machine is a home of its own. The store is a real server of the S3 protocol, with the conditional
writes that it has in common with others.
"""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import random
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from s3fs import S3FileSystem

from dagster_project.defs.assets import raw
from dagster_project.defs.partitions import dump_partitions
from dagster_project.defs.resources import Installation
from dagster_project.forgotten import Request, RequestsError, load_requests, save_requests
from dagster_project.ingest import shared_lake
from dagster_project.ingest.content import CatalogueError, ingest_catalogue, loaded_catalogue
from dagster_project.ingest.dumps import (
    DayTaken,
    DumpError,
    ingest_connection,
    pending_dumps,
    reader_digest,
    taking_in_dumps,
)
from dagster_project.ingest.lake import Lake, LakeChangedError, LakeVersionError
from dagster_project.ingest.landing import Landed, Landing
from dagster_project.ingest.shared_lake import SharedLake, lake_of
from dagster_project.locks import dump_writer
from dagster_project.object_store import ObjectStoreError, put_if
from dagster_project.registry import Definitions
from dagster_project.settings import Settings
from dagster_project.treatment import Treatment
from tests.ingest.test_ingest import DEFINITIONS, SEEDS, rows, take_in
from tests.installation import CHECKOUT
from tests.object_store import ObjectStore
from tests.proxy import Proxy
from tests.release.copies.test_shared_stores import unchecked
from tests.whole import landings
from tests.whole.lake import lake_differences

pytestmark = pytest.mark.usefixtures("way")
FIRST = date(2026, 3, 1)
SPAWN = multiprocessing.get_context("spawn")
AGREED = {"version of the reader": "1", "keep_days": "0"}


@dataclass
class Machine:
    """A machine that takes in dumps."""

    home: Path
    url: str
    landing: Path
    agreed: dict[str, str] = field(default_factory=lambda: dict(AGREED))
    definitions: Definitions = DEFINITIONS

    def lake(self) -> SharedLake:
        """The lake as it is read now, by a process that just began."""
        lake = SharedLake(
            self.url, self.home / "lake" / "raw", home=self.home, agreement=lambda: self.agreed
        )
        lake.read()
        return lake

    def look(self) -> tuple[SharedLake, Landed]:
        """What a run begins with: the lake, and after it the landing."""
        lake = self.lake()
        landed = Landing(str(self.landing)).look()
        lake.prepare()
        return lake, landed

    def take_in(
        self, begun: tuple[SharedLake, Landed] | None = None, days: Sequence[date] = ()
    ) -> dict[date, DayTaken]:
        """Bring the lake to the state of the landing."""
        lake, landed = begun or self.look()
        days = days or sorted(landed.dumps.keys() | lake.dumps().keys())
        scratch = self.home / "scratch"
        with (
            ingest_connection(
                self.definitions, threads=1, memory_limit="1GB", scratch=scratch
            ) as connection,
            taking_in_dumps(
                *(Landing(str(self.landing)), lake, landed.dumps, lake.in_order(days)),
                *(connection, self.definitions),
                scratch=scratch,
                at_once=2,
                hold=partial(dump_writer, self.home),
            ) as taken,
        ):
            return {each.day: each for each in taken}

    def copy(self) -> Lake:
        """The lake in the home, as a build finds it."""
        lake = self.lake()
        lake.bring_here()
        lake.remove_leftovers()
        return Lake(lake.root)


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    for number in range(4):
        deliver(tmp_path / "landing", FIRST + timedelta(days=number), f"s-{number}")
    return tmp_path / "landing"


def machines(tmp_path: Path, store: ObjectStore, landing: Path) -> tuple[Machine, Machine]:
    """Two machines that share a lake, at a place whose name looks like a pattern."""
    url = f"s3://{store.bucket}/a [b]*/lake"
    return Machine(tmp_path / "a", url, landing), Machine(tmp_path / "b", url, landing)


def deliver(landing: Path, day: date, session: str, *, user: str = "anna@example.org") -> None:
    """Deliver the dump of a day, instead of the one before."""
    shutil.rmtree(landing / "events" / f"dt={day}", ignore_errors=True)
    start = landings.at(f"{day}T09:00:00Z")
    events = [
        landings.player(start + number, "launcher/click", session=session, end_user_id=user)
        for number in range(5)
    ]
    landings.put(landing, day.isoformat(), "a.ndjson", events)


def sessions(lake: Lake) -> list[str]:
    return [str(each) for (each,) in rows(lake, "select distinct session_id from LINES order by 1")]


def data_of(store: ObjectStore) -> list[str]:
    """Names of the folders of data in the store, by their days."""
    names = [key.partition("/data/dt=")[2] for key in store.keys()]  # noqa: SIM118 - of a store
    return sorted({name.rpartition("/")[0] for name in names if name})


def failures(taken: dict[date, DayTaken]) -> dict[date, DumpError]:
    return {day: each.failure for day, each in taken.items() if each.failure}


def run_in_dagster(settings: Settings, days: Sequence[date], start: Any) -> None:
    """What a worker of Dagster does with its part of a backfill."""
    dumps = raw.dumps_asset(dump_partitions([FIRST + timedelta(days=n) for n in range(4)]))
    start.wait()
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(
            [dumps],
            tags={
                "dagster/asset_partition_range_start": str(days[0]),
                "dagster/asset_partition_range_end": str(days[-1]),
            },
            resources={"installation": Installation.of(settings)},
            instance=instance,
        )
    assert result.success
    reported = result.asset_materializations_for_node("dumps")
    assert {each.partition for each in reported} == {str(day) for day in days}


def is_killed_before_it_commits(machine: Machine) -> None:
    """What another process does."""

    def put_if_alive(fs: Any, path: str, content: bytes, *, was: str | None) -> str:
        if "/state/dt=" in path:
            os._exit(9)
        return put_if(fs, path, content, was=was)

    pytest.MonkeyPatch().setattr(shared_lake, "put_if", put_if_alive)
    machine.take_in()


@contextmanager
def account(store: ObjectStore, rights: dict[str, str]) -> Iterator[None]:
    """The environment of an account that has these rights only, in a store that looks at them."""
    client = store.client("iam")
    client.create_user(UserName="machine")
    statements = [
        {
            "Effect": "Allow",
            "Action": right,
            # The test's server asks for the right to delete on the bucket as well.
            "Resource": [
                f"arn:aws:s3:::{store.bucket}{on}"
                for on in {on, "" if right == "s3:DeleteObject" else on}
            ],
        }
        for right, on in rights.items()
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    client.put_user_policy(UserName="machine", PolicyName="rights", PolicyDocument=policy)
    key = client.create_access_key(UserName="machine")["AccessKey"]
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        patched.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        S3FileSystem.clear_instance_cache()
        unchecked(store, 0)
        try:
            yield
        finally:
            unchecked(store, 1_000_000)
            client.delete_user_policy(UserName="machine", PolicyName="rights")
            client.delete_access_key(UserName="machine", AccessKeyId=key["AccessKeyId"])
            client.delete_user(UserName="machine")
            S3FileSystem.clear_instance_cache()


def in_processes(*calls: tuple[Any, ...]) -> list[int | None]:
    """Call functions, each in a process of its own; their exit codes."""
    processes = [SPAWN.Process(target=call, args=arguments) for call, *arguments in calls]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


@pytest.mark.long
def test_runs_of_dagster_on_two_machines_take_in_each_dump_once(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    """Each has some days for itself, and some that the other has as well."""
    machines = [
        Settings(
            landing=str(landing),
            shared_lake=f"s3://{store.bucket}/lake",
            home=tmp_path / name,
            threads=2,
        )
        for name in ("a", "b")
    ]
    start = SPAWN.Barrier(2)
    days = [FIRST + timedelta(days=number) for number in range(4)]
    assert in_processes(
        (run_in_dagster, machines[0], days[:3], start),
        (run_in_dagster, machines[1], days[1:], start),
    ) == [0, 0]
    own, _ = take_in(tmp_path / "alone", landing)
    query = "select * from LINES order by all"
    for each in machines:
        lake = lake_of(each)
        assert lake.leftovers() == []
        assert not list((each.home / "lake").rglob("lines-*.parquet"))
        lake.bring_here()
        copy = Lake(each.lake)
        assert lake_differences(copy.root, landing, SEEDS) == []
        assert rows(copy, query) == rows(own, query)
        assert {day: dump.fingerprint for day, dump in copy.dumps().items()} == {
            day: dump.fingerprint for day, dump in own.dumps().items()
        }
    assert len(data_of(store)) == 4


def test_what_was_listed_last_stands_at_the_end(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    """Whatever happens to a dump while a machine that listed it before is at it."""
    a, b = machines(tmp_path, store, landing)
    new, replaced, gone, back = (FIRST + timedelta(days=number) for number in range(4))
    shutil.move(landing / "events" / f"dt={new}", tmp_path / "later")
    a.take_in()
    shutil.rmtree(landing / "events" / f"dt={back}")
    deliver(landing, replaced, "in between")
    deliver(landing, gone, "in between")
    begun = a.look()

    shutil.move(tmp_path / "later", landing / "events" / f"dt={new}")
    deliver(landing, replaced, "last")
    shutil.rmtree(landing / "events" / f"dt={gone}")
    deliver(landing, back, "last")
    assert not failures(b.take_in())
    before = b.lake().dumps()
    failed = failures(a.take_in(begun, [new, replaced, gone, back]))
    assert b.lake().dumps() == before
    assert failed.keys() == {new, replaced, gone, back} - {new}
    for day, failure in failed.items():
        assert str(failure).startswith(f"dump {day}: another machine replaced it meanwhile")
        assert failure.can_pass
        assert not failure.is_conclusive
    assert not failures(a.take_in())
    for each in (a, b):
        copy = each.copy()
        assert lake_differences(copy.root, landing, SEEDS) == []
        assert sessions(copy) == ["last", "s-0"]
    assert len(data_of(store)) == 3


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 3])
def test_no_dump_goes_back_to_what_was_listed_before(
    store: ObjectStore, tmp_path: Path, landing: Path, seed: int
) -> None:
    """Machines begin and go on in any order, while dumps come, change and go."""
    chance = random.Random(seed)
    both = machines(tmp_path, store, landing)
    days = [FIRST, FIRST + timedelta(days=1)]
    begun: dict[int, tuple[int, tuple[SharedLake, Landed]]] = {}
    listed: dict[date, int] = {}
    for step in range(40):
        day, which = chance.choice(days), chance.randrange(2)
        match chance.choice(["deliver", "withdraw", "begin", "go on", "go on"]):
            case "deliver":
                deliver(landing, day, f"step {step}")
            case "withdraw":
                shutil.rmtree(landing / "events" / f"dt={day}", ignore_errors=True)
            case "begin":
                begun[which] = step, both[which].look()
            case "go on" if which in begun:
                at, state = begun[which]
                before = both[which].lake().dump(day)
                taken = both[which].take_in(state, [day])[day]
                after = both[which].lake().dump(day)
                if after != before:
                    assert at >= listed.get(day, 0)
                    listed[day] = at
                    assert (taken.failure, taken.dump) == (None, after)
    for each in (*both, *both):
        assert not failures(each.take_in())
    for each in both:
        assert lake_differences(each.copy().root, landing, SEEDS) == []
    assert len(data_of(store)) == len(list((landing / "events").iterdir()))


def test_the_loser_of_a_race_takes_over_what_won_and_removes_its_own(
    store: ObjectStore, tmp_path: Path, landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = machines(tmp_path, store, landing)
    begun = a.look()
    assert not failures(b.take_in())
    monkeypatch.setattr(SharedLake, "look_again", lambda *_: None)  # it began long ago
    taken = a.take_in(begun)
    assert {day: each.dump for day, each in taken.items()} == b.lake().dumps()
    assert len(data_of(store)) == 4
    assert not list((a.home / "lake").rglob("*.parquet"))


def test_who_is_killed_before_the_commit_leaves_what_does_not_count(
    store: ObjectStore, tmp_path: Path, landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = machines(tmp_path, store, landing)
    assert in_processes((is_killed_before_it_commits, a)) == [9]
    assert data_of(store)
    assert b.lake().dumps() == {}
    assert not failures(b.take_in())
    left = len(data_of(store)) - 4
    assert left > 0
    b.copy()
    assert len(data_of(store)) == 4 + left  # it may be under way
    assert left <= len(b.lake().leftovers()) <= 2 * left
    monkeypatch.setattr(shared_lake, "ABANDONED_AFTER", timedelta(seconds=-5))
    assert lake_differences(b.copy().root, landing, SEEDS) == []
    assert len(data_of(store)) == 4


def test_a_commit_whose_answer_is_lost_is_known_again(
    store: ObjectStore, way: Proxy, tmp_path: Path, landing: Path
) -> None:
    a, b = machines(tmp_path, store, landing)
    way.answer_trouble = lambda path, number: 0 if "/state/" in path and number <= 1 else None
    assert not failures(a.take_in())
    assert sum(each.startswith("PUT") and "/state/dt=" in each for each in way.requests) >= 8
    way.answer_trouble = None
    assert len(data_of(store)) == 4
    assert lake_differences(b.copy().root, landing, SEEDS) == []
    for day in (landing / "events").iterdir():
        shutil.rmtree(day)
    way.requests.clear()
    way.answer_trouble = lambda path, number: 0 if "/state/" in path and number <= 1 else None
    assert not failures(a.take_in())
    assert (a.lake().dumps(), data_of(store)) == ({}, [])


def test_a_withdrawn_dump_leaves_the_store_and_every_copy_and_may_come_again(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    a, b = machines(tmp_path, store, landing)
    a.take_in()
    copies = [a.copy(), b.copy()]
    shutil.rmtree(landing / "events" / f"dt={FIRST}")
    b.take_in()
    assert FIRST not in a.lake().dumps()
    assert not [name for name in data_of(store) if name.startswith(str(FIRST))]
    for copy, each in zip(copies, (a, b), strict=True):
        each.copy()
        assert not copy.dump_folder(FIRST).exists()
    deliver(landing, FIRST, "again")
    assert not failures(a.take_in())
    assert lake_differences(b.copy().root, landing, SEEDS) == []


def test_a_dump_that_is_replaced_while_it_is_fetched_is_fetched_as_it_is_then(
    store: ObjectStore, tmp_path: Path, landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = machines(tmp_path, store, landing)
    a.take_in()
    lake = b.lake()
    read = SharedLake.read
    times: list[int] = []

    def read_and_be_overtaken(self: SharedLake) -> None:
        read(self)
        if self is lake and not times:
            times.append(1)
            deliver(landing, FIRST, "meanwhile")
            a.take_in()

    monkeypatch.setattr(SharedLake, "read", read_and_be_overtaken)
    lake.bring_here()
    assert lake_differences(lake.root, landing, SEEDS) == []
    assert "meanwhile" in sessions(Lake(lake.root))


def test_data_that_somebody_removed_are_named_with_what_to_do(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    a, _ = machines(tmp_path, store, landing)
    a.take_in()
    client = store.client()
    (key,) = [key for key in store.keys("a [b]*/lake/data/dt=2026-03-01") if "files" in key]
    client.delete_object(Bucket=store.bucket, Key=key)
    with pytest.raises(
        ObjectStoreError, match=r"files\.parquet is named .*state/dt=2026-03-01\.json"
    ):
        a.copy()
    client.delete_object(Bucket=store.bucket, Key="a [b]*/lake/state/dt=2026-03-01.json")
    assert not failures(a.take_in())
    assert lake_differences(a.copy().root, landing, SEEDS) == []
    client.put_object(
        Bucket=store.bucket, Key="a [b]*/lake/state/dt=2026-03-01.json", Body=b"by hand"
    )
    with pytest.raises(ObjectStoreError, match="it is not what Walkhouse wrote"):
        a.take_in()


def test_a_full_disk_is_no_fault_of_the_store(
    store: ObjectStore, tmp_path: Path, landing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = machines(tmp_path, store, landing)
    a.take_in()

    async def get_file(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(S3FileSystem, "_get_file", get_file)
        S3FileSystem.clear_instance_cache()
        with pytest.raises(OSError, match=r"/b/lake/raw: No space left on device; make room"):
            b.copy()
    S3FileSystem.clear_instance_cache()
    assert lake_differences(b.copy().root, landing, SEEDS) == []


def test_a_lake_that_is_gone_is_no_empty_lake(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    a, b = machines(tmp_path, store, landing)
    a.take_in()
    for key in store.keys():  # noqa: SIM118 - of a store
        store.client().delete_object(Bucket=store.bucket, Key=key)
    with pytest.raises(ObjectStoreError, match="nothing of the lake is there"):
        a.lake()
    assert b.lake().dumps() == {}
    with pytest.raises(ObjectStoreError, match="there is no such bucket; create it"):
        replace(b, url="s3://no-such-bucket/lake").lake()


def test_a_store_that_ignores_conditions_is_refused(
    store: ObjectStore, way: Proxy, tmp_path: Path, landing: Path
) -> None:
    a, _ = machines(tmp_path, store, landing)
    way.unknown_header = "If-None-Match"
    try:
        with pytest.raises(ObjectStoreError, match="ignores the condition"):
            a.look()
    finally:
        way.unknown_header = ""
    a.look()


def test_who_was_changed_leads_and_who_was_not_is_refused_by_name(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    a, b = machines(tmp_path, store, landing)
    a.look()
    b.agreed["keep_days"] = "30"  # it never agreed
    with pytest.raises(LakeVersionError, match="keep_days: 30 here, 0 there"):
        b.look()
    b.agreed["keep_days"] = "0"
    b.look()
    b.agreed["version of the reader"] = "2"
    b.look()
    with pytest.raises(LakeVersionError, match="version of the reader: 1 here, 2 there"):
        a.look()
    a.agreed["version of the reader"] = "3"  # changed as well, but not from what counts
    with pytest.raises(LakeVersionError, match="version of the reader: 3 here, 2 there"):
        a.look()
    a.agreed["version of the reader"] = "2"
    a.look()
    b.look()


def test_the_lake_of_a_home_that_begins_to_share_is_read_again(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    a, _ = machines(tmp_path, store, landing)
    own, _ = take_in(tmp_path / "own", landing)
    (a.home / "lake").mkdir(parents=True)
    own.root.rename(a.home / "lake" / "raw")
    days = set(Lake(a.home / "lake" / "raw").dump_dates())
    assert a.lake().awaited() == days
    shutil.rmtree(landing / "events" / f"dt={FIRST}")
    a.take_in()
    assert a.lake().awaited() == {FIRST}
    with pytest.raises(LakeVersionError, match=r"has the dump of 2026-03-01, and .* has none"):
        a.copy()
    lake = a.lake()
    lake.remove_dump(FIRST)
    assert lake.awaited() == set()
    assert lake_differences(a.copy().root, landing, SEEDS) == []


def test_every_machine_knows_who_is_forgotten(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    a, b = machines(tmp_path, store, landing)
    a.take_in()
    begun = b.look()
    lake = a.lake()
    request = Request(1, "a hash", 4, None, False, "2026-03-05", is_noted_by_dumps=True)
    lake.send_requests([request])
    first = lake.dumps()[FIRST]
    lake.note(replace(first, forgotten_by="earlier"))
    lake.note_looked_through(lake.dumps(), 1, Treatment(requests=(request,)).forgotten_by(1))
    with pytest.raises(LakeChangedError, match="the list of who is forgotten"):
        begun[0].send_requests([replace(request, person="another")])

    late = FIRST + timedelta(days=9)
    deliver(landing, late, "late")
    begun = begun[0], Landing(str(landing)).look()
    assert not failures(b.take_in(begun, [late]))  # it does not know of the request
    loaded = a.lake().dumps()
    pending = pending_dumps(
        Landing(str(landing)).look().dumps,
        loaded,
        reader=reader_digest(DEFINITIONS),
        treatment=Treatment(requests=(request,)),
    )
    assert pending.changed == (late,)
    assert load_requests(b.home) == ()
    b.lake()
    assert load_requests(b.home) == (request,)
    save_requests(b.home, [replace(request, person="another")])
    with pytest.raises(RequestsError, match="other people are forgotten there"):
        b.lake()


def test_the_content_catalogue_is_replaced_by_one_machine_at_a_time(
    store: ObjectStore, tmp_path: Path, landing: Path
) -> None:
    a, b = machines(tmp_path, store, landing)
    landings.catalogue(landing)
    (lake_a, landed), (lake_b, _) = a.look(), b.look()
    arguments = (Landing(str(landing)), lake_a, landed.catalogue, DEFINITIONS)
    catalogue = ingest_catalogue(*arguments, scratch=tmp_path / "scratch")
    arguments = (Landing(str(landing)), lake_b, None, DEFINITIONS)
    with pytest.raises(CatalogueError, match="another machine") as raised:
        ingest_catalogue(*arguments, scratch=tmp_path / "scratch")
    assert raised.value.can_pass
    assert catalogue.items > 0
    for each in (a, b):
        assert loaded_catalogue(each.lake()) == loaded_catalogue(each.copy()) == catalogue
        assert loaded_catalogue(each.copy()) == catalogue
    assert b.lake().leftovers() != []  # of the one that lost
    lake_b = b.lake()
    arguments = (Landing(str(landing)), lake_b, None, DEFINITIONS)
    assert ingest_catalogue(*arguments, scratch=tmp_path / "scratch").items == 0
    assert len(store.keys("a [b]*/lake/data/content/")) == 2


RIGHTS = {
    "s3:ListBucket": "",
    "s3:ListBucketMultipartUploads": "",
    "s3:GetObject": "/lake/*",
    "s3:PutObject": "/lake/*",
    "s3:DeleteObject": "/lake/*",
    "s3:AbortMultipartUpload": "/lake/*",
}


@pytest.mark.parametrize("denied", ["nothing", *RIGHTS])
def test_a_lake_needs_the_rights_that_the_documentation_lists(
    store: ObjectStore,
    tmp_path: Path,
    landing: Path,
    denied: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    machine = Machine(tmp_path / "a", f"s3://{store.bucket}/lake", landing)
    machine.take_in()
    deliver(landing, FIRST, "replaced")
    before = machine.lake().dumps()
    uploads = [
        f"lake/data/dt={FIRST}/{'0' * 32}-{'0' * 12}/files.parquet",
        "lake/data/of somebody else",
    ]
    for key in uploads:
        store.client().create_multipart_upload(Bucket=store.bucket, Key=key)
        store.put(key, b"broken off")
    monkeypatch.setattr(shared_lake, "ABANDONED_AFTER", timedelta(seconds=-5))
    with account(store, {right: on for right, on in RIGHTS.items() if right != denied}):
        if denied in ("s3:ListBucket", "s3:GetObject"):
            with pytest.raises(ObjectStoreError, match="access is denied"):
                machine.take_in() if denied == "s3:ListBucket" else machine.copy()
            return
        if denied == "s3:PutObject":
            with pytest.raises(ObjectStoreError, match=r"access is denied .*PutObject"):
                machine.take_in()
            assert machine.lake().dumps() == before
            return
        assert not failures(machine.take_in())
        if denied == "s3:DeleteObject":
            assert "what was replaced could not be removed: " in caplog.text
            with pytest.raises(ObjectStoreError, match="s3:DeleteObject"):
                machine.copy()
        else:
            machine.copy()
        is_warned = "uploads that were broken off are not removed" in caplog.text
        assert is_warned == ("Multipart" in denied)
    left = store.client().list_multipart_uploads(Bucket=store.bucket)["Uploads"]
    assert len(left) == (1 if denied == "nothing" else 2)
    assert uploads[1] in store.keys("lake/")
    assert (uploads[0] in store.keys("lake/")) == (denied == "s3:DeleteObject")


def test_the_documentation_lists_the_rights() -> None:
    text = (CHECKOUT / "docs" / "scaling.md").read_text(encoding="utf-8")
    assert set(re.findall(r"s3:[A-Z]\w+", text)) == set(RIGHTS)
