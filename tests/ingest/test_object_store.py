"""A landing in an object store: the same as a folder, and what a network does on the way."""

from __future__ import annotations

import os
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

import dagster as dg
import pytest
from s3fs import S3FileSystem

from dagster_project.defs.assets import raw
from dagster_project.defs.partitions import dump_partitions
from dagster_project.defs.resources import Installation
from dagster_project.ingest.dumps import Pending, pending_dumps, reader_digest
from dagster_project.ingest.lake import Lake
from dagster_project.ingest.landing import Landing
from dagster_project.object_store import ObjectStoreError
from dagster_project.settings import Settings
from tests.ingest.test_ingest import DEFINITIONS, SEEDS, rows, take_in
from tests.installation import Installation as InstallationOnDisk
from tests.installation import said
from tests.object_store import KEY, SECRET, ObjectStore
from tests.proxy import Proxy, breaking_after
from tests.whole import landings
from tests.whole.lake import lake_differences

FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)


def upload(store: ObjectStore, landing: Path) -> str:
    """Put a folder into the store; gives the URL of the landing that it is."""
    client = store.client()
    for path in sorted(landing.rglob("*")):
        if path.is_file():
            key = f"in/{path.relative_to(landing).as_posix()}"
            client.put_object(Bucket=store.bucket, Key=key, Body=path.read_bytes())
    return url(store)


def url(store: ObjectStore) -> str:
    return f"s3://{store.bucket}/in"


def two_dumps(tmp_path: Path) -> Path:
    """A landing with one large file on each of two days."""
    for day in (FIRST, SECOND):
        start = landings.at(f"{day}T09:00:00Z")
        events = [
            landings.player(start + number, "launcher/click", session=f"s-{number}")
            for number in range(1_000)
        ]
        landings.put(tmp_path / "landing", day.isoformat(), "a.ndjson", events)
    return tmp_path / "landing"


def asking_for_patience(path: str, number: int) -> str | None:
    """The store is asked too much at first, whatever it is asked for."""
    del path
    return "SlowDown" if number <= 2 else None


@pytest.mark.usefixtures("way")
def test_the_forms_and_names_of_files_are_read_as_from_a_folder(
    store: ObjectStore, tmp_path: Path
) -> None:
    landing = tmp_path / "landing"
    for theme in (
        landings.three_forms,
        landings.all_compressions,
        landings.manifest_that_matches,
        landings.names_from_folders,
        landings.damaged_gzip,
        landings.odd_bytes,
        landings.duplicates_across_dumps,
    ):
        theme(landing)
    lake, failed = take_in(tmp_path, upload(store, landing))
    assert not failed
    assert lake_differences(lake.root, landing, SEEDS) == []
    assert not list((tmp_path / "scratch").iterdir())


@pytest.mark.long
def test_thousands_of_files_take_one_listing_a_look(store: ObjectStore, way: Proxy) -> None:
    days = [date(2024, 1, 1) + timedelta(days=number) for number in range(400)]
    keys = [f"in/events/dt={day}/{name}.ndjson" for day in days for name in ("a", "b", "c")]
    client = store.client()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda key: client.put_object(Bucket=store.bucket, Key=key), keys))
    landed = Landing(url(store)).look()
    assert list(landed.dumps) == days
    assert sum(len(dump.files) for dump in landed.dumps.values()) == 1_200
    events = [request for request in way.requests if "prefix=in/events/" in request]
    assert len(events) == 2  # pages of a thousand
    assert len(way.requests) <= 5
    assert Landing(url(store)).dump_dates() == days


def test_new_changed_and_withdrawn_dumps_are_seen_without_reading_any(
    store: ObjectStore, way: Proxy, tmp_path: Path
) -> None:
    landing = two_dumps(tmp_path)
    lake, _ = take_in(tmp_path, upload(store, landing))
    upload(store, landing)  # delivered again as it was
    way.requests.clear()
    assert pending(store, lake).dates == ()
    store.put(f"in/events/dt={FIRST}/b.ndjson", b"")
    store.put("in/events/dt=2026-03-09/a.ndjson", b"")
    store.client().delete_object(Bucket=store.bucket, Key=f"in/events/dt={SECOND}/a.ndjson")
    found = pending(store, lake)
    assert (found.new, found.changed, found.withdrawn) == (
        (date(2026, 3, 9),),
        (FIRST,),
        (SECOND,),
    )
    assert not [request for request in way.requests if "/dt=" in request.split("?")[0]]


def pending(store: ObjectStore, lake: Lake) -> Pending:
    return pending_dumps(
        Landing(url(store)).look().dumps, lake.dumps(), reader=reader_digest(DEFINITIONS)
    )


@pytest.mark.usefixtures("way")
def test_a_manifest_in_the_store_is_held_against_what_arrived(
    store: ObjectStore, tmp_path: Path
) -> None:
    landing = two_dumps(tmp_path)
    content = (landing / "events" / f"dt={FIRST}" / "a.ndjson").read_bytes()
    right = landings.entry("a.ndjson", content, 1_000)
    landings.put_manifest(landing, FIRST.isoformat(), [right])
    landings.put_manifest(landing, SECOND.isoformat(), [right])
    lake, failed = take_in(tmp_path, upload(store, landing))
    assert set(lake.dumps()) == {FIRST}
    assert "the manifest says" in failed[SECOND]


@pytest.mark.parametrize("bytes_that_arrive", [0, 1, 70_000])
def test_a_connection_that_breaks_once_in_mid_file_is_taken_up_again(
    store: ObjectStore, way: Proxy, tmp_path: Path, bytes_that_arrive: int
) -> None:
    landing = two_dumps(tmp_path)
    where = upload(store, landing)
    way.trouble = breaking_after(bytes_that_arrive, "a.ndjson", times=1)
    lake, failed = take_in(tmp_path, where)
    assert not failed
    assert lake_differences(lake.root, landing, SEEDS) == []


def test_a_file_that_the_client_would_fetch_in_parts_is_taken_up_again_as_well(
    store: ObjectStore, way: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(S3FileSystem, "default_block_size", 50_000)
    S3FileSystem.clear_instance_cache()
    where = upload(store, two_dumps(tmp_path))
    way.trouble = breaking_after(40_000, "a.ndjson", times=2)
    lake, failed = take_in(tmp_path, where)
    S3FileSystem.clear_instance_cache()
    assert not failed
    assert rows(lake, "select count(*) from LINES where outcome = 'event'") == [(2_000,)]


def test_a_connection_that_always_breaks_fails_its_dump_by_name_and_keeps_no_other_back(
    store: ObjectStore, way: Proxy, tmp_path: Path
) -> None:
    where = upload(store, two_dumps(tmp_path))
    way.trouble = breaking_after(1_000, f"dt={FIRST}/a.ndjson")
    lake, failed = take_in(tmp_path, where)
    assert list(failed) == [FIRST]
    assert f"dump {FIRST}, a.ndjson: s3://" in failed[FIRST]
    assert set(lake.dumps()) == {SECOND}
    assert [path.name for path in lake.dump_folder(FIRST).iterdir()] == ["failure.txt"]
    assert not list((tmp_path / "scratch").iterdir())
    way.trouble = None
    lake, failed = take_in(tmp_path, where)
    assert not failed
    assert rows(lake, "select count(*) from LINES where outcome = 'event'") == [(2_000,)]


def test_a_file_that_is_written_again_while_it_is_read_is_not_taken(
    store: ObjectStore, way: Proxy, tmp_path: Path
) -> None:
    landing = two_dumps(tmp_path)
    where = upload(store, landing)
    key = f"in/events/dt={FIRST}/a.ndjson"
    before = store.get(key)

    def replaced(path: str, number: int) -> int | None:
        if path.endswith(key) and number == 1:
            store.put(key, before.replace(b"s-", b"t-"))  # of the same length
            return 70_000
        return None

    way.trouble = replaced
    lake, failed = take_in(tmp_path, where)
    assert "was written again while it was read" in failed[FIRST]
    assert set(lake.dumps()) == {SECOND}


def test_a_store_that_asks_for_patience_is_asked_again(
    store: ObjectStore, way: Proxy, tmp_path: Path
) -> None:
    where = upload(store, two_dumps(tmp_path))
    way.trouble = asking_for_patience
    lake, failed = take_in(tmp_path, where)
    assert not failed
    assert set(lake.dumps()) == {FIRST, SECOND}


def test_an_ingest_is_tried_again_where_the_store_failed_and_not_where_the_dump_is_bad(
    store: ObjectStore, way: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw, "_WAITS", (0, 0))
    where = upload(store, two_dumps(tmp_path))
    settings = Settings(landing=where, home=tmp_path / "home")

    def taken_in() -> dg.ExecuteInProcessResult:
        dumps = raw.dumps_asset(dump_partitions([FIRST]))
        with dg.DagsterInstance.ephemeral() as instance:
            return dg.materialize(
                [dumps],
                partition_key=FIRST.isoformat(),
                resources={"installation": Installation.of(settings)},
                instance=instance,
                raise_on_error=False,
            )

    way.trouble = breaking_after(1_000, f"dt={FIRST}/a.ndjson", times=4)
    result = taken_in()
    attempts = len([event for event in result.all_events if event.is_step_restarted])
    assert result.success
    assert attempts == 1
    store.put(f"in/events/dt={FIRST}/b.ndjson.gz", b"\x1f\x8b no gzip")
    result = taken_in()
    assert not result.success
    assert not [event for event in result.all_events if event.is_step_up_for_retry]


@pytest.fixture
def strict_store(
    server: tuple[ObjectStore, Proxy], request: pytest.FixtureRequest
) -> Iterator[ObjectStore]:
    """The store, once it looks at keys; its environment is that of an account that may do all."""
    store, _ = server
    iam = store.client("iam")
    user = f"user-{abs(hash(request.node.name))}"
    iam.create_user(UserName=user)
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
    iam.put_user_policy(UserName=user, PolicyName="all", PolicyDocument=policy)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    look_at_keys(store, b"0")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
        patched.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
        S3FileSystem.clear_instance_cache()
        yield store
    look_at_keys(store, b"inf")
    S3FileSystem.clear_instance_cache()


def look_at_keys(store: ObjectStore, after: bytes) -> None:
    request = urllib.request.Request(
        f"{store.endpoint}/moto-api/reset-auth", after, {"Content-Type": "text/plain"}
    )
    urllib.request.urlopen(request).close()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"AWS_ACCESS_KEY_ID": KEY}, "the credentials are refused (InvalidAccessKeyId); correct"),
        (
            {"AWS_SECRET_ACCESS_KEY": SECRET},
            "the credentials are refused (SignatureDoesNotMatch); correct AWS_ACCESS_KEY_ID",
        ),
    ],
)
def test_a_wrong_key_is_one_sentence_without_the_secret(
    strict_store: ObjectStore, tmp_path: Path, wrong: dict[str, str], says: str
) -> None:
    where = f"s3://{strict_store.bucket}/in"
    command = InstallationOnDisk(tmp_path, tmp_path / "home")
    for program in ("status", "run"):
        ran = command.walkhouse(program, WALKHOUSE_LANDING=where, **wrong)
        assert ran.returncode == 1
        assert f"walkhouse: {where}: {says}" in said(ran)
        assert "Traceback" not in said(ran)
        assert SECRET not in said(ran)
        assert os.environ["AWS_SECRET_ACCESS_KEY"] not in said(ran)


@pytest.mark.usefixtures("way")
def test_no_key_at_all_and_a_bucket_that_is_missing_are_sentences(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ObjectStoreError, match=r"^s3://nowhere-at-all/in: there is no such bucket"):
        Landing("s3://nowhere-at-all/in").look()
    with pytest.raises(
        ObjectStoreError, match="nothing in it, not even events/; correct WALKHOUSE"
    ):
        Landing(url(store)).look()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    S3FileSystem.clear_instance_cache()
    with pytest.raises(ObjectStoreError, match="no credentials were found; set AWS_ACCESS_KEY_ID"):
        Landing(url(store)).look()
    S3FileSystem.clear_instance_cache()


def test_a_secret_in_a_url_is_refused_and_not_shown(tmp_path: Path) -> None:
    command = InstallationOnDisk(tmp_path, tmp_path / "home")
    ran = command.walkhouse("status", WALKHOUSE_LANDING=f"s3://{KEY}:{SECRET}@bucket/in")
    assert ran.returncode == 1
    assert "s3://…@bucket/in: credentials do not belong into a URL; set AWS_ACCESS" in said(ran)
    assert SECRET not in said(ran)


@pytest.mark.usefixtures("way")
def test_folders_that_a_tool_made_in_the_store_are_no_files(store: ObjectStore) -> None:
    for key in ("in/", "in/events/", f"in/events/dt={FIRST}/"):
        store.put(key, b"")
    landed = Landing(url(store)).look()
    assert not landed.dumps
    assert not landed.strays


LISTED = (
    "<ListBucketResult><Name>bucket</Name><Prefix>{prefix}</Prefix><KeyCount>{count}</KeyCount>"
    "<IsTruncated>{more}</IsTruncated>{token}{contents}</ListBucketResult>"
)
CONTENTS = (
    f"<Contents><Key>in/events/dt={FIRST}/a.ndjson</Key><Size>1</Size><ETag>e</ETag>"
    "<LastModified>2026-03-01T00:00:00.000Z</LastModified></Contents>"
)
TOKEN = "<NextContinuationToken>next</NextContinuationToken>"


@contextmanager
def answering(answers: dict[str, tuple[int, str]]) -> Iterator[None]:
    """A store that answers requests for a listing by the first of these texts that is in them."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, text = next(
                (answer for part, answer in answers.items() if part in unquote(self.path)),
                (200, LISTED.format(prefix="", count=0, more="false", token="", contents="")),
            )
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server,
        pytest.MonkeyPatch.context() as m,
    ):
        Thread(target=server.serve_forever, daemon=True).start()
        m.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        m.setenv("AWS_ACCESS_KEY_ID", KEY)
        m.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        S3FileSystem.clear_instance_cache()
        yield
        server.shutdown()
        S3FileSystem.clear_instance_cache()


def page(*, more: bool, token: str = "", count: int = 1) -> tuple[int, str]:
    return 200, LISTED.format(
        prefix="in/events/", count=count, more=str(more).lower(), token=token, contents=CONTENTS
    )


DENIED = (403, "<Error><Code>AccessDenied</Code><Message>No.</Message></Error>")


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"prefix=in/events/": DENIED}, "access is denied"),
        ({"prefix=in/events/": page(more=True)}, "its listing breaks off"),
        ({"prefix=in/events/": page(more=False, count=2)}, "its listing breaks off"),
        ({"prefix=in/events/": page(more=True, token=TOKEN)}, "its listing breaks off"),
        (
            {
                "continuation-token=next": DENIED,
                "prefix=in/events/": page(more=True, token=TOKEN),
            },
            "access is denied",
        ),
        ({"prefix=in/events/": (200, page(more=False)[1][:150])}, "Internal Server Error"),
    ],
)
def test_a_listing_that_is_not_whole_is_an_error_and_no_absence(
    answers: dict[str, tuple[int, str]], says: str
) -> None:
    with answering(answers), pytest.raises(ObjectStoreError, match=f"^s3://bucket/in.*{says}"):
        Landing("s3://bucket/in").look()


def test_a_catalogue_that_may_not_be_listed_is_its_own_failure() -> None:
    with answering({"prefix=in/content/": DENIED, "prefix=in/events/": page(more=False)}):
        landed = Landing("s3://bucket/in").look()
    assert list(landed.dumps) == [FIRST]
    assert "cannot be listed" in (landed.catalogue_problem or "")


def test_an_object_that_may_not_be_read_fails_its_dump(
    store: ObjectStore, way: Proxy, tmp_path: Path
) -> None:
    landing = two_dumps(tmp_path)
    landings.put(landing, f"{FIRST}", "a.ndjson.sha256", b"0")
    landings.put(landing, f"{FIRST}", "_temporary/0/a.ndjson", b"0")
    where = upload(store, landing)
    way.trouble = lambda path, _: "AccessDenied" if path.endswith(f"{FIRST}/a.ndjson") else None
    lake, failed = take_in(tmp_path, where)
    assert list(failed) == [FIRST]
    assert f"dump {FIRST}, a.ndjson: {where}: access is denied" in failed[FIRST]
    assert set(lake.dumps()) == {SECOND}
    strays = Landing(where).look().strays
    assert [stray.rpartition("/")[2] for stray in strays] == [
        "_temporary: its name begins with _",
        "a.ndjson.sha256: its name ends with .sha256",
    ]
