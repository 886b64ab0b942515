"""How an object store is reached: its client, how often a call is tried, and what its errors mean.

Credentials, region and endpoint are those that every AWS client takes from the environment
(`AWS_ACCESS_KEY_ID`, `AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL`, …); none is a setting of
Walkhouse, and none is ever printed.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from dagster_project.settings import without_password
from dagster_project.stopping import go_on_or_stop

# A call that fails for a passing reason (throttling, a 5xx, a connection that broke) is tried
# again after growing waits with jitter; botocore's standard mode knows which reasons those are.
# s3fs tries again around it, and alone goes on where a connection broke in mid-file.
_ATTEMPTS_OF_A_CALL = 5
_ATTEMPTS_AROUND_IT = 3
_CONNECT_SECONDS = 10
_READ_SECONDS = 60
_KEYS_OF_A_CALL = 1_000
_SECONDS_BETWEEN_WRITES = 0.2
_NOT_AS_EXPECTED = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409", "NoSuchKey")


class ObjectStoreError(OSError):
    """An object store could not be used.

    Attributes:
        reason: why and what to do, without the store's name; no secret is in it.
        can_pass: whether it may succeed later without anybody's doing.
    """

    def __init__(self, url: str, reason: str, *, can_pass: bool = True) -> None:
        super().__init__(f"{url}: {reason}")
        self.reason = reason
        self.can_pass = can_pass


def connect(url: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """The file system of a URL, one in a process, and the path in it.

    A local path has the local file system.

    Raises:
        ObjectStoreError: the URL has credentials in it, which everything that names it would show.
    """
    # Paths and keys are taken literally: `url_to_fs` would read `::` and more in them.
    if "://" not in url:
        return LocalFileSystem(), url
    if not url.startswith("s3://"):
        return fsspec.core.url_to_fs(url)  # type: ignore[no-any-return]  # fsspec has no types
    path = url.removeprefix("s3://")
    if set("@:") & set(path.partition("/")[0]):  # no bucket has these in its name
        raise ObjectStoreError(
            without_password(url),
            "credentials do not belong into a URL; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            can_pass=False,
        )
    fs = fsspec.filesystem(
        "s3",
        use_listings_cache=False,
        config_kwargs={
            "retries": {"mode": "standard", "total_max_attempts": _ATTEMPTS_OF_A_CALL},
            "connect_timeout": _CONNECT_SECONDS,
            "read_timeout": _READ_SECONDS,
        },
    )
    fs.retries = _ATTEMPTS_AROUND_IT
    if fs.session is None:
        fs.session = _session()
    return fs, path


def _session() -> Any:
    """A session of the client that sends content without asking the store first.

    By itself it asks (`Expect: 100-continue`) and waits for the answer for ever, should the network
    fall silent: its timeouts begin when the content is sent.
    """
    # Imported here, because who has no object store need not wait for its client to load.
    from aiobotocore.session import AioSession
    from botocore.handlers import add_expect_header

    session = AioSession()
    session.unregister("before-call.s3", add_expect_header)
    return session


@contextmanager
def explaining(url: str) -> Iterator[None]:
    """Make the errors of a store's client sentences; those of a local path stay what they are.

    Raises:
        ObjectStoreError: in place of whatever the client raised.
    """
    if not url.startswith("s3://"):
        yield
        return
    # Imported here, because who has no object store need not wait for its client to load.
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError
    from s3fs.core import S3_RETRYABLE_ERRORS

    try:
        yield
    except ObjectStoreError:
        raise
    except (
        *(OSError, BotoCoreError, ClientError, ResponseParserError),
        *S3_RETRYABLE_ERRORS,
    ) as error:
        advice = _advice(error)
        reason = advice or " ".join(str(error).split()) or type(error).__name__
        raise ObjectStoreError(url, reason, can_pass=advice is None) from error


def is_missing_bucket(error: BaseException) -> bool:
    """Whether a store said that not only the path is missing, but the whole bucket."""
    return _code(error) == "NoSuchBucket"


def list_objects(
    fs: fsspec.AbstractFileSystem, path: str
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """All objects below a path of S3, each with what the store says of it.

    Raises:
        ObjectStoreError: the listing breaks off, so nobody knows what is not in it.
    """
    bucket, prefix, _ = fs.split_path(path)
    asked: dict[str, str] = {"Bucket": bucket, "Prefix": f"{prefix}/" if prefix else ""}
    while True:
        page = fs.call_s3("list_objects_v2", **asked)
        contents = page.get("Contents", ())
        for found in contents:
            yield f"{bucket}/{found['Key']}", {**found, "size": found["Size"]}
        further = page.get("NextContinuationToken")
        is_cut = len(contents) < page.get("KeyCount", 0)
        if not page.get("IsTruncated") and not is_cut:
            return
        if is_cut or not further or further == asked.get("ContinuationToken"):
            raise ObjectStoreError(
                f"s3://{path}", "its listing breaks off; the next run asks again"
            )
        asked["ContinuationToken"] = further


def is_refused(error: OSError) -> bool:
    """Whether a store does not allow, or does not know, what it was asked for."""
    return isinstance(error, PermissionError) or error.errno in (errno.ENOSYS, errno.EPERM)


class ObjectChangedError(Exception):
    """An object is not what it was expected to be, and was left as it is."""


def put_if(fs: fsspec.AbstractFileSystem, path: str, content: bytes, *, was: str | None) -> str:
    """Write a small object, if it is still what it was when it was read.

    The answer to a write can be lost after the write took effect; the client then asks again, and
    is told that the object is no longer what it was. So what is there is compared.

    Args:
        fs: of the store.
        path: of the object.
        content: unlike whatever anybody else would write, or of equal meaning.
        was: its ETag; None where it did not exist.

    Returns:
        its ETag.

    Raises:
        ObjectChangedError: it is no longer what it was.
    """
    bucket, key, _ = fs.split_path(path)
    condition = {"IfNoneMatch": "*"} if was is None else {"IfMatch": was}
    for _ in range(_ATTEMPTS_OF_A_CALL):
        try:
            answer = fs.call_s3("put_object", Bucket=bucket, Key=key, Body=content, **condition)
        except OSError as error:
            if _code(error) not in _NOT_AS_EXPECTED:
                raise
        else:
            return str(answer["ETag"])
        try:
            now = str(fs.info(path)["ETag"])
            found: bytes = fs.cat_file(path)
        except FileNotFoundError:
            now, found = "", b""
        if found == content:
            return now
        if now != (was or ""):
            break
        go_on_or_stop(_SECONDS_BETWEEN_WRITES)  # somebody was writing it, and did not
    raise ObjectChangedError(path)


def ignores_conditions(fs: fsspec.AbstractFileSystem, path: str, content: bytes) -> bool:
    """Whether a store writes an object that exists, although told to write only a new one.

    Args:
        fs: of the store.
        path: of an object that exists.
        content: what it has.
    """
    bucket, key, _ = fs.split_path(path)
    try:
        fs.call_s3("put_object", Bucket=bucket, Key=key, Body=content, IfNoneMatch="*")
    except OSError as error:
        if _code(error) not in _NOT_AS_EXPECTED:
            raise
        return False
    return True


def remove_objects(fs: fsspec.AbstractFileSystem, paths: Sequence[str]) -> None:
    """Remove objects, by a call for many of them.

    Raises:
        PermissionError: the store refused.
    """
    for first in range(0, len(paths), _KEYS_OF_A_CALL):
        bucket = fs.split_path(paths[first])[0]
        keys = [{"Key": fs.split_path(path)[1]} for path in paths[first : first + _KEYS_OF_A_CALL]]
        answer = fs.call_s3("delete_objects", Bucket=bucket, Delete={"Objects": keys})
        for refused in answer.get("Errors", ()):
            raise PermissionError(
                f"{refused['Key']} cannot be removed ({refused.get('Code')}); "
                "allow these credentials s3:DeleteObject"
            )


def time_of(fs: fsspec.AbstractFileSystem, path: str) -> datetime:
    """The time by the clock of the store, by which it also says when objects were written."""
    bucket, key, _ = fs.split_path(path)
    answer = fs.call_s3("list_objects_v2", Bucket=bucket, Prefix=f"{key}/", MaxKeys=1)
    said: str = answer["ResponseMetadata"]["HTTPHeaders"]["date"]
    return parsedate_to_datetime(said)


def abort_uploads(
    fs: fsspec.AbstractFileSystem,
    prefix: str,
    *,
    are_ours: Callable[[str], bool],
    before: datetime | None = None,
) -> None:
    """Free what uploads that were cut short have taken up under a path; nobody can see it.

    Args:
        fs: of the store.
        prefix: where to look.
        are_ours: whether a path below the prefix is one of those to free.
        before: only those that began before this time.
    """
    bucket, key, _ = fs.split_path(prefix)
    start: dict[str, str] = {}
    while True:
        listed = fs.call_s3("list_multipart_uploads", Bucket=bucket, Prefix=key, **start)
        for upload in listed.get("Uploads", ()):
            if before is not None and upload["Initiated"] >= before:
                continue
            if are_ours(upload["Key"].removeprefix(key)):
                with suppress(FileNotFoundError):  # it ended meanwhile
                    fs.call_s3(
                        "abort_multipart_upload",
                        Bucket=bucket,
                        Key=upload["Key"],
                        UploadId=upload["UploadId"],
                    )
        if not listed.get("IsTruncated"):
            return
        start = {
            "KeyMarker": listed["NextKeyMarker"],
            "UploadIdMarker": listed["NextUploadIdMarker"],
        }


def remove_folder(fs: fsspec.AbstractFileSystem, path: str) -> None:
    """Remove every object below a path.

    The client's own way takes `[`, `*` and `?` in a path for patterns, and does not say what the
    store refused to remove.

    Raises:
        PermissionError: the store refused.
    """
    remove_objects(fs, fs.find(path))


_WRONG_KEYS = ("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken")


def _advice(error: Exception) -> str | None:
    """What a person has to do; None where waiting may help."""
    from botocore.exceptions import NoCredentialsError, PartialCredentialsError

    code = _code(error)
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return (
            "no credentials were found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            "AWS_PROFILE"
        )
    if code in _WRONG_KEYS:
        return (
            f"the credentials are refused ({code}); correct AWS_ACCESS_KEY_ID, "
            "AWS_SECRET_ACCESS_KEY and, where there is one, AWS_SESSION_TOKEN"
        )
    if isinstance(error, PermissionError):
        operation = getattr(error.__cause__, "operation_name", None)
        asked = f" for {operation}" if operation else ""
        return f"access is denied ({code or error}){asked}; allow these credentials to use it"
    if code == "NoSuchBucket":
        return "there is no such bucket; create it, or correct the URL"
    if isinstance(error, FileNotFoundError):
        return f"{error} does not exist"
    return None


def _code(error: BaseException) -> str | None:
    """The store's own name for an error, which s3fs keeps as the cause of what it raises."""
    response = getattr(error, "response", None) or getattr(error.__cause__, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    return str(code) if code else None
