"""Copies in an object store that other people use as well: their objects, names, rights."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from s3fs import S3FileSystem

from dagster_project.release.copies.s3 import held_release
from dagster_project.release.copies.send import send_copies
from tests.installation import CHECKOUT
from tests.object_store import ObjectStore
from tests.release.copies.by_hand import ANOTHER, FIRST, OWNER, SECOND, THIRD, publish_by_hand


def publish(published: Path, release_id: str) -> None:
    """A release of one table, with a Parquet file."""
    folder = publish_by_hand(published, release_id, f"create table held as select '{release_id}'")
    file = folder / "parquet" / "facts" / "held" / "held.parquet"
    file.parent.mkdir(parents=True)
    file.write_text(release_id, encoding="utf-8")


def send(url: str, published: Path, installation: str = OWNER, *, keep: int = 2) -> str | None:
    (state,) = send_copies([url], published, keep=keep, installation=installation)
    return state.problem


# Each with a neighbour that it would stand for if it were taken for a pattern or a URL.
PREFIXES = {
    "we[ir]d": "wei",
    "st*r": "stair",
    "wh?t": "what",
    "ha#sh": "ha",
    "per%20cent": "per cent",
    "100%": "100",
    "with blank": "with+blank",
    "pl+us": "pl us",
    "ünïcødé 名": "unicode",
    'it\'s "quoted"': "its",
    "a::b&c=d;e": "a",
    "{x,y}": "x",
    "deep/[er]/**": "deep/e/x",
}


@pytest.mark.parametrize("prefix", PREFIXES)
def test_a_prefix_is_what_it_says_and_no_pattern(
    store: ObjectStore, tmp_path: Path, prefix: str
) -> None:
    url = f"s3://{store.bucket}/{prefix}"
    baits = [f"{PREFIXES[prefix]}/releases/{release_id}/bait" for release_id in (FIRST, SECOND)]
    left_behind = f"{prefix}/releases/20250101T000000-x/walkhouse.duckdb"
    for key in (*baits, left_behind):
        store.put(key, b"")
    for release_id in (FIRST, SECOND, THIRD):
        publish(tmp_path, release_id)
        assert held_release(url) != release_id
        assert send(url, tmp_path) is None
        assert held_release(url) == release_id
    current = json.loads(store.get(f"{prefix}/current.json"))
    assert (
        store.get(f"{prefix}/{current['duckdb']}") == (tmp_path / "walkhouse.duckdb").read_bytes()
    )
    keys = store.keys()
    assert set(baits) <= set(keys)
    kept = [f"{prefix}/releases/{release_id}/" for release_id in (SECOND, THIRD)]
    ours = [key for key in keys if key not in (*baits, f"{prefix}/current.json")]
    assert len(ours) == 6
    assert all(key.startswith(tuple(kept)) for key in ours)


def test_a_copy_belongs_to_the_installation_that_sent_first(
    store: ObjectStore, tmp_path: Path
) -> None:
    url = f"s3://{store.bucket}/bi"
    publish(tmp_path, FIRST)
    assert send(url, tmp_path, OWNER) is None
    publish(tmp_path, SECOND)
    before = store.keys()
    problem = send(url, tmp_path, ANOTHER)
    assert problem
    assert OWNER in problem
    assert "remove current.json there" in problem
    assert store.keys() == before
    assert held_release(url) == FIRST
    current = json.loads(store.get("bi/current.json"))
    del current["installation"]  # as earlier versions wrote it
    store.put("bi/current.json", json.dumps(current).encode())
    assert send(url, tmp_path, ANOTHER) is None
    assert held_release(url) == SECOND


def test_objects_of_others_below_the_prefix_stay(store: ObjectStore, tmp_path: Path) -> None:
    baits = ["bi/releases/v1.2/app.zip", "bi/releases/notes", "bi/releases/20260301/x", "bi/x.json"]
    for key in baits:
        store.put(key, b"bait")
    store.client().create_multipart_upload(Bucket=store.bucket, Key="bi/releases/v1.3/app.zip")
    for release_id in (FIRST, SECOND):
        publish(tmp_path, release_id)
        assert send(f"s3://{store.bucket}/bi", tmp_path, keep=1) is None
    assert set(baits) <= set(store.keys())
    uploads = store.client().list_multipart_uploads(Bucket=store.bucket)["Uploads"]
    assert [upload["Key"] for upload in uploads] == ["bi/releases/v1.3/app.zip"]


@pytest.mark.parametrize("content", [b"", b"not JSON", b"\xff", b"[1]", b'{"version": 3}'])
def test_an_object_of_our_name_that_somebody_else_wrote_is_not_replaced(
    store: ObjectStore, tmp_path: Path, content: bytes
) -> None:
    store.put("bi/current.json", content)
    publish(tmp_path, FIRST)
    problem = send(f"s3://{store.bucket}/bi", tmp_path)
    assert problem
    assert "current.json is there already, and Walkhouse did not write it" in problem
    assert store.keys() == ["bi/current.json"]
    assert store.get("bi/current.json") == content


RIGHTS = {
    "s3:ListBucket": "",
    "s3:ListBucketMultipartUploads": "",
    "s3:GetObject": "/bi/*",
    "s3:PutObject": "/bi/*",
    "s3:DeleteObject": "/bi/*",
    "s3:AbortMultipartUpload": "/bi/*",
}


@pytest.fixture
def account(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """The store as an account sees it that has only the rights which a test gives it."""
    client = store.client("iam")
    client.create_user(UserName="sender")
    key = client.create_access_key(UserName="sender")["AccessKey"]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    S3FileSystem.clear_instance_cache()
    yield store
    unchecked(store, 1_000_000)
    client.delete_user_policy(UserName="sender", PolicyName="rights")
    client.delete_access_key(UserName="sender", AccessKeyId=key["AccessKeyId"])
    client.delete_user(UserName="sender")
    S3FileSystem.clear_instance_cache()


def allow(store: ObjectStore, rights: Sequence[str]) -> None:
    statements = [
        {
            "Effect": "Allow",
            "Action": right,
            # The test's server asks for the right to delete on the bucket as well.
            "Resource": [
                f"arn:aws:s3:::{store.bucket}{on}"
                for on in {RIGHTS[right], "" if right == "s3:DeleteObject" else RIGHTS[right]}
            ],
        }
        for right in rights
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    store.client("iam").put_user_policy(
        UserName="sender", PolicyName="rights", PolicyDocument=policy
    )
    unchecked(store, 0)


def unchecked(store: ObjectStore, requests: int) -> None:
    """Have the server check rights after so many more requests."""
    body = str(requests).encode()
    headers = {"Content-Type": "text/plain"}
    urlopen(Request(f"{store.endpoint}/moto-api/reset-auth", body, headers, method="POST")).close()


WARNED_OF = {
    "s3:ListBucketMultipartUploads": "parts of uploads that were cut short stay there",
    "s3:AbortMultipartUpload": "parts of uploads that were cut short stay there",
    "s3:DeleteObject": "an old release stays there",
}


@pytest.mark.parametrize("denied", ["nothing", *RIGHTS])
def test_a_copy_needs_the_rights_that_the_documentation_lists(
    account: ObjectStore, tmp_path: Path, denied: str, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"s3://{account.bucket}/bi"
    left = f"bi/releases/{THIRD}/left"
    account.client().create_multipart_upload(Bucket=account.bucket, Key=left)
    allow(account, [right for right in RIGHTS if right != denied])
    problems = []
    for release_id in (FIRST, SECOND):
        publish(tmp_path, release_id)
        problems.append(send(url, tmp_path, keep=1))
    unchecked(account, 1_000_000)
    if denied == "nothing" or denied in WARNED_OF:
        assert problems == [None, None]
        assert json.loads(account.get("bi/current.json"))["release_id"] == SECOND
        assert [text for text in set(WARNED_OF.values()) if text in caplog.text] == [
            *([WARNED_OF[denied]] if denied in WARNED_OF else [])
        ]
    else:
        assert all(problem and problem.startswith("access is denied") for problem in problems)
        assert account.keys("bi/current.json") == []


def test_the_documentation_lists_the_rights() -> None:
    listed = re.findall(
        r"s3:[A-Z]\w+", (CHECKOUT / "docs" / "copies.md").read_text(encoding="utf-8")
    )
    assert set(listed) == set(RIGHTS)
