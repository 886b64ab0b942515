"""Copies of a release: which one each holds, sending it, and what a killed copy leaves."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import duckdb
import pytest
from s3fs import S3FileSystem

from dagster_project import object_store as object_store_client
from dagster_project.object_store import connect
from dagster_project.release.copies.send import (
    copies_behind,
    copy_states,
    releases_to_keep,
    send_copies,
    target,
)
from dagster_project.release.publish import switch_to
from dagster_project.settings import COPY_SCHEMES, Settings
from tests.installation import CHECKOUT
from tests.object_store import SECRET, ObjectStore
from tests.proxy import Proxy, breaking_after, proxy
from tests.release.copies.by_hand import FIRST, OWNER, SECOND, THIRD, publish_by_hand

DAYS = {"2026-03-01": 1, "2026-03-02": 2}
SEND = """
import sys
from pathlib import Path
from dagster_project.release.copies.send import send_copies
print(send_copies([sys.argv[1]], Path(sys.argv[2]), keep=3, installation=sys.argv[3]))
"""


@pytest.fixture
def way(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The proxy through which Walkhouse reaches the store; the test itself goes around it."""
    with proxy(store.endpoint) as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.endpoint)
        S3FileSystem.clear_instance_cache()
        yield running
        S3FileSystem.clear_instance_cache()


def release(published: Path, release_id: str, days: Mapping[str, int]) -> None:
    """Publish a release of one dated table, by hand: `days` is what each date's row says."""
    rows = ", ".join(f"('{day}', {number})" for day, number in days.items())
    folder = publish_by_hand(
        published,
        release_id,
        "create schema facts; create table facts.fct_item_events (day date, number integer);"
        f"insert into facts.fct_item_events values {rows}",
    )
    table = folder / "parquet" / "facts" / "fct_item_events"
    table.mkdir(parents=True)
    for day, number in days.items():
        row = f"select date '{day}' as day, {number} as number"
        duckdb.execute(f"copy ({row}) to '{table}/{day}-0.parquet' (format parquet)")


def send(store: ObjectStore, published: Path, *, keep: int = 3) -> Mapping[str, int]:
    (state,) = send_copies([url(store)], published, keep=keep, installation=OWNER)
    assert state.problem is None
    assert state.sent is not None
    return state.sent


def url(store: ObjectStore) -> str:
    return f"s3://{store.bucket}/bi"


def kept(store: ObjectStore) -> list[str]:
    return sorted({key.split("/")[2] for key in store.keys("bi/releases/")})


def rows(store: ObjectStore) -> list[tuple[int]]:
    """What a reader finds who follows `current.json`."""
    current = json.loads(store.get("bi/current.json"))
    fs, root = connect(url(store))
    with duckdb.connect() as connection:
        connection.register_filesystem(fs)
        files = f"s3://{root}/{current['parquet']['facts.fct_item_events']}"
        return connection.execute(f"select number from '{files}' order by day").fetchall()


def test_every_kind_of_url_that_the_settings_take_has_a_target() -> None:
    for scheme in COPY_SCHEMES:
        assert target(f"{scheme}://somewhere/else")


def test_a_copy_holds_what_was_sent_and_says_so(store: ObjectStore, tmp_path: Path) -> None:
    assert [state.release_id for state in copy_states([url(store)])] == [None]
    release(tmp_path, FIRST, DAYS)
    assert [state.release_id for state in copies_behind([url(store)], tmp_path)] == [None]
    send(store, tmp_path)
    assert copies_behind([url(store)], tmp_path) == []
    assert rows(store) == [(1,), (2,)]
    file = store.get(f"bi/{json.loads(store.get('bi/current.json'))['duckdb']}")
    assert file == (tmp_path / "walkhouse.duckdb").read_bytes()


def test_the_second_file_goes_with_the_release_where_there_is_one(
    store: ObjectStore, tmp_path: Path
) -> None:
    for release_id, has_reports in ((FIRST, True), (SECOND, False)):
        release(tmp_path, release_id, DAYS)
        reports = tmp_path / ".releases" / release_id / "walkhouse-reports.duckdb"
        if has_reports:
            reports.write_bytes(b"reports of the first")
        send(store, tmp_path)
        current = json.loads(store.get("bi/current.json"))
        assert ("reports_duckdb" in current) is has_reports
        if has_reports:
            assert store.get(f"bi/{current['reports_duckdb']}") == reports.read_bytes()


def test_where_dumps_are_not_kept_for_ever_a_copy_keeps_the_releases_that_are_here(
    store: ObjectStore, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    settings = Settings(home=home, keep_releases=3, keep_days=30)
    for release_id in (FIRST, SECOND):
        release(home / "published", release_id, DAYS)
        send(store, home / "published", keep=releases_to_keep(settings))
    assert kept(store) == [FIRST, SECOND]
    shutil.rmtree(home / "published" / ".releases" / FIRST)  # it held a dump that is too old
    release(home / "published", THIRD, DAYS)
    send(store, home / "published", keep=releases_to_keep(settings))
    assert kept(store) == [SECOND, THIRD]
    assert releases_to_keep(Settings(home=home, keep_releases=3)) == 3


def test_where_personal_data_are_treated_a_copy_keeps_the_releases_that_are_here(
    tmp_path: Path,
) -> None:
    """Those of before the policies are gone here, and leave the copy as well."""
    settings = Settings(home=tmp_path, keep_releases=3)
    release(settings.published, FIRST, DAYS)
    assert releases_to_keep(settings) == 3
    said = settings.published / "current" / "release.json"
    said.write_text(json.dumps(json.loads(said.read_text()) | {"treatment": "of policies"}))
    assert releases_to_keep(settings) == 1


def test_files_that_the_store_has_are_not_sent_again(store: ObjectStore, tmp_path: Path) -> None:
    release(tmp_path, FIRST, DAYS)
    assert send(store, tmp_path)["files sent"] == 3
    release(tmp_path, SECOND, {**DAYS, "2026-03-02": 7})
    sent = send(store, tmp_path)
    assert (sent["files sent"], sent["files copied in the store"]) == (2, 1)
    assert rows(store) == [(1,), (7,)]
    assert send(store, tmp_path) == {}


def test_the_newest_releases_are_kept(store: ObjectStore, tmp_path: Path) -> None:
    for number, release_id in enumerate((FIRST, SECOND, THIRD)):
        release(tmp_path, release_id, {"2026-03-01": number})
        send(store, tmp_path, keep=2)
    assert kept(store) == [SECOND, THIRD]
    assert rows(store) == [(2,)]


def test_going_back_sends_no_file_where_the_copy_keeps_the_release(
    store: ObjectStore, tmp_path: Path
) -> None:
    release(tmp_path, FIRST, {"2026-03-01": 1})
    send(store, tmp_path)
    release(tmp_path, SECOND, {"2026-03-01": 2})
    send(store, tmp_path)
    switch_to(tmp_path, FIRST)
    assert send(store, tmp_path) == {}
    assert rows(store) == [(1,)]
    assert kept(store) == [FIRST, SECOND]


def test_a_killed_copy_is_never_read_and_is_cleaned_the_next_time(
    store: ObjectStore, tmp_path: Path
) -> None:
    release(tmp_path, FIRST, {"2026-03-01": 1})
    send(store, tmp_path)
    release(tmp_path, SECOND, {"2026-03-01": 2})
    store.put(f"bi/releases/{SECOND}/walkhouse.duckdb", b"half")
    store.put(f"bi/releases/{SECOND}/parquet/facts/fct_item_events/2025-01-01-0.parquet", b"old")
    store.client().create_multipart_upload(
        Bucket=store.bucket, Key=f"bi/releases/{SECOND}/walkhouse.duckdb"
    )
    store.client().create_multipart_upload(Bucket=store.bucket, Key="of/somebody/else")
    assert rows(store) == [(1,)]
    send(store, tmp_path)
    assert rows(store) == [(2,)]
    uploads = store.client().list_multipart_uploads(Bucket=store.bucket)["Uploads"]
    assert [upload["Key"] for upload in uploads] == ["of/somebody/else"]


def asking_for_patience(path: str, number: int) -> str | None:
    """The store is asked too much at first, whatever it is sent."""
    del path
    return "SlowDown" if number == 1 else None


@pytest.mark.parametrize("name", ["walkhouse.duckdb", "current.json"])
@pytest.mark.parametrize("bytes_that_pass", [0, 100])
def test_an_upload_that_breaks_in_mid_file_is_tried_again(
    store: ObjectStore, way: Proxy, tmp_path: Path, name: str, bytes_that_pass: int
) -> None:
    release(tmp_path, FIRST, DAYS)
    way.upload_trouble = breaking_after(bytes_that_pass, name, times=2)
    send(store, tmp_path)
    assert rows(store) == [(1,), (2,)]
    file = store.get(f"bi/{json.loads(store.get('bi/current.json'))['duckdb']}")
    assert file == (tmp_path / "walkhouse.duckdb").read_bytes()
    tries = [request for request in way.requests if re.match(f"PUT .*{name}$", request)]
    assert len(tries) == 3


def test_a_store_that_asks_for_patience_is_sent_to_again(
    store: ObjectStore, way: Proxy, tmp_path: Path
) -> None:
    release(tmp_path, FIRST, DAYS)
    way.upload_trouble = asking_for_patience
    send(store, tmp_path)
    assert rows(store) == [(1,), (2,)]


@pytest.mark.long
@pytest.mark.parametrize("name", ["walkhouse.duckdb", "files.json"])
def test_an_upload_that_always_breaks_leaves_readers_what_they_had(
    store: ObjectStore,
    way: Proxy,
    tmp_path: Path,
    name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As often as it is tried really takes half a minute.
    monkeypatch.setattr(object_store_client, "_ATTEMPTS_OF_A_CALL", 2)
    monkeypatch.setattr(object_store_client, "_ATTEMPTS_AROUND_IT", 2)
    release(tmp_path, FIRST, DAYS)
    send(store, tmp_path)
    release(tmp_path, SECOND, {"2026-03-01": 3, "2026-03-02": 4})
    way.upload_trouble = breaking_after(100, name)
    (state,) = send_copies([url(store)], tmp_path, keep=3, installation=OWNER)
    assert state.release_id == FIRST
    assert state.problem
    assert SECRET not in state.problem
    assert rows(store) == [(1,), (2,)]
    assert kept(store) == [FIRST, SECOND]  # the second not complete
    way.upload_trouble = None
    assert send(store, tmp_path)["files sent"] == 3
    assert rows(store) == [(3,), (4,)]


def test_a_network_that_falls_silent_ends_the_upload(
    store: ObjectStore, way: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, few in (("_ATTEMPTS_OF_A_CALL", 2), ("_ATTEMPTS_AROUND_IT", 1), ("_READ_SECONDS", 1)):
        monkeypatch.setattr(object_store_client, name, few)
    release(tmp_path, FIRST, DAYS)
    over = threading.Event()

    def silent(path: str, number: int) -> int | None:
        del number
        if path.endswith("walkhouse.duckdb"):
            over.wait(60)
            return 0
        return None

    way.upload_trouble = silent
    (state,) = send_copies([url(store)], tmp_path, keep=3, installation=OWNER)
    over.set()
    assert state.problem
    assert "timeout" in state.problem.lower()


def test_a_process_killed_while_it_sends_a_large_file_leaves_no_trace_after_the_next(
    store: ObjectStore, way: Proxy, tmp_path: Path
) -> None:
    release(tmp_path, FIRST, {"2026-03-01": 1})
    send(store, tmp_path)
    release(tmp_path, SECOND, {"2026-03-01": 2})
    with (tmp_path / "walkhouse.duckdb").open("r+b") as file:
        file.truncate(105_000_000)  # holes; large enough to be sent in parts
    process = subprocess.Popen(
        [sys.executable, "-c", SEND, url(store), str(tmp_path), OWNER], cwd=CHECKOUT
    )

    def kill(path: str, number: int) -> int | None:
        if path.endswith("walkhouse.duckdb") and number == 3:
            process.send_signal(signal.SIGKILL)
            return 0
        return None

    way.upload_trouble = kill
    assert process.wait(120) == -signal.SIGKILL
    assert rows(store) == [(1,)]
    assert unfinished(store) == [f"bi/releases/{SECOND}/walkhouse.duckdb"]
    way.upload_trouble = None
    release(tmp_path, THIRD, {"2026-03-01": 3})
    send(store, tmp_path)
    assert unfinished(store) == []
    assert rows(store) == [(3,)]
    assert kept(store) == [FIRST, THIRD]


def unfinished(store: ObjectStore) -> list[str]:
    """The files of which the store holds parts that nobody can see."""
    uploads = store.client().list_multipart_uploads(Bucket=store.bucket)
    return [upload["Key"] for upload in uploads.get("Uploads", ())]


def test_a_copy_that_cannot_be_sent_says_why_and_stops_no_other(
    store: ObjectStore, tmp_path: Path
) -> None:
    release(tmp_path, FIRST, {"2026-03-01": 1})
    missing = "s3://no-such-bucket/bi"
    first, second = send_copies([missing, url(store)], tmp_path, keep=3, installation=OWNER)
    assert first.problem == "there is no such bucket; create it, or correct the URL"
    assert second.problem is None
    (behind,) = copies_behind([missing, url(store)], tmp_path)
    assert behind.url == missing
    assert SECRET not in str(first)
