"""A copy of a release in an object store.

    <url>/current.json                       names the release that readers see, and its files
    <url>/releases/<release id>/walkhouse.duckdb, walkhouse-reports.duckdb,
                                parquet/<schema>/<table>/*.parquet
    <url>/releases/<release id>/files.json   every file with its size and hash, written last

Objects of other names are somebody else's, and stay as they are.

`current.json` is one small object that is written after everything that it names, so readers see
the release before or the one after. A folder without `files.json` was never complete: the next
copy removes it. Files that the release before has as well are copied within the store, not sent
again; so every release is a folder that can be read, kept and removed by itself.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from dagster_project.object_store import (
    ObjectStoreError,
    abort_uploads,
    connect,
    explaining,
    is_missing_bucket,
    is_refused,
    remove_folder,
)
from dagster_project.release.copies.target import CopyError, refuse_other_owner
from dagster_project.release.publish import Release
from dagster_project.release.report_file import REPORTS

logger = logging.getLogger("walkhouse")

_CURRENT = "current.json"
_FILES = "files.json"
# Parts of 50 MB of a large file, and small files as a whole, are in memory while they are sent.
_FILES_AT_ONCE = 8
_PARTS_AT_ONCE = 2


def held_release(url: str) -> str | None:
    """See `copies.Target`."""
    try:
        with explaining(url):
            fs, root = connect(url)
            current = _read_current(fs, root)
    except ObjectStoreError as error:
        raise CopyError(error.reason) from error
    return str(current["release_id"]) if current else None


def send_release(
    url: str, folder: Path, release: Release, *, keep: int, installation: str
) -> Mapping[str, int]:
    """See `copies.Target`."""
    with _own_copy(url, installation) as (fs, root, _):
        _abort_uploads(fs, root)
        complete = _remove_incomplete(fs, root)
        sent: Mapping[str, int] = {}
        if release.release_id not in complete:
            sent = _upload(fs, root, folder, release, before=max(complete, default=None))
        described = _current(folder, release) | {"installation": installation}
        _write_json(fs, f"{root}/{_CURRENT}", described)
        for old in sorted(complete - {release.release_id}, reverse=True)[keep - 1 :]:
            _remove_old(fs, f"{root}/releases/{old}")
    return sent


def remove_traces(url: str, kept: Collection[str], *, installation: str) -> None:
    """See `copies.Target`."""
    with _own_copy(url, installation) as (fs, root, current):
        stay = {current.get("release_id"), *kept}
        for old in sorted(_remove_incomplete(fs, root) - stay):
            remove_folder(fs, f"{root}/releases/{old}")


@contextmanager
def _own_copy(
    url: str, installation: str
) -> Iterator[tuple[fsspec.AbstractFileSystem, str, Mapping[str, Any]]]:
    """The store and folder of a copy, and what it says of its current release.

    Raises:
        CopyError: another installation sends there, or the store fails.
    """
    try:
        with explaining(url):
            fs, root = connect(url)
            current = _read_current(fs, root) or {}
            refuse_other_owner(
                current.get("installation"), installation, release_it=f"remove {_CURRENT} there"
            )
            yield fs, root, current
    except ObjectStoreError as error:
        raise CopyError(error.reason) from error


def _abort_uploads(fs: fsspec.AbstractFileSystem, root: str) -> None:
    """Free what killed copies took up, if the store lets us; no reader can see it either way."""
    try:
        abort_uploads(
            fs, f"{root}/releases/", are_ours=lambda path: _is_release(path.partition("/")[0])
        )
    except OSError as error:
        if not is_refused(error):
            raise
        logger.warning(
            "copy s3://%s: parts of uploads that were cut short stay there (%s); allow "
            "s3:ListBucketMultipartUploads and s3:AbortMultipartUpload, or have a lifecycle rule "
            "of the bucket remove them",
            root,
            error,
        )


def _remove_old(fs: fsspec.AbstractFileSystem, folder: str) -> None:
    """Remove a release that is not kept; readers see the new one already."""
    try:
        remove_folder(fs, folder)
    except OSError as error:
        if not is_refused(error):
            raise
        logger.warning("copy s3://%s: an old release stays there: %s", folder, error)


def _remove_incomplete(fs: fsspec.AbstractFileSystem, root: str) -> set[str]:
    """Remove what killed copies left; gives the ids of the releases that are complete."""
    complete = set()
    for folder in _folders(fs, f"{root}/releases"):
        if not _is_release(PurePosixPath(folder).name):
            continue  # somebody else's
        if fs.exists(f"{folder}/{_FILES}"):
            complete.add(PurePosixPath(folder).name)
        else:
            remove_folder(fs, folder)
    return complete


def _upload(
    fs: fsspec.AbstractFileSystem, root: str, folder: Path, release: Release, *, before: str | None
) -> Mapping[str, int]:
    target = f"{root}/releases/{release.release_id}"
    local = {path.relative_to(folder).as_posix(): path for path in _files(folder)}
    described = {name: [path.stat().st_size, _sha256(path)] for name, path in local.items()}
    source = f"{root}/releases/{before}"
    stored = _read_json(fs, f"{source}/{_FILES}") if before else None
    there = {tuple(file): f"{source}/{name}" for name, file in (stored or {}).items()}
    same = {name: there[key] for name, file in described.items() if (key := tuple(file)) in there}
    new = sorted(local.keys() - same.keys())
    fs.copy(list(same.values()), [f"{target}/{name}" for name in same])
    fs.put(
        [str(local[name]) for name in new],
        [f"{target}/{name}" for name in new],
        batch_size=_FILES_AT_ONCE,
        max_concurrency=_PARTS_AT_ONCE,
    )
    _write_json(fs, f"{target}/{_FILES}", described)
    return {
        "files sent": len(new),
        "bytes sent": sum(local[name].stat().st_size for name in new),
        "files copied in the store": len(same),
    }


def _current(folder: Path, release: Release) -> dict[str, Any]:
    where = f"releases/{release.release_id}"
    tables = sorted(path for path in (folder / "parquet").glob("*/*") if path.is_dir())
    return {
        **asdict(release),
        "duckdb": f"{where}/walkhouse.duckdb",
        **(
            {"reports_duckdb": f"{where}/{REPORTS}"} if (folder / REPORTS).exists() else {}
        ),  # earlier versions published none
        "parquet": {
            f"{table.parent.name}.{table.name}": (
                f"{where}/parquet/{table.parent.name}/{table.name}/*.parquet"
            )
            for table in tables
        },
    }


def _files(folder: Path) -> list[Path]:
    parquet = (folder / "parquet").glob("*/*/*.parquet")
    databases = (folder / "walkhouse.duckdb", folder / REPORTS)
    return [*(file for file in databases if file.exists()), *sorted(parquet)]


def _folders(fs: fsspec.AbstractFileSystem, path: str) -> list[str]:
    try:
        return [str(entry) for entry in fs.ls(path, detail=False)]
    except FileNotFoundError as error:
        if is_missing_bucket(error):
            raise
        return []


def _is_release(name: str) -> bool:
    """Whether a folder has the name of a release; others are somebody else's."""
    return re.fullmatch(r"\d{8}T\d{6}-\w+", name) is not None


def _read_current(fs: fsspec.AbstractFileSystem, root: str) -> dict[str, Any] | None:
    """What readers follow; None before the first release.

    Raises:
        CopyError: an object of that name is there that somebody else wrote.
    """
    try:
        current = _read_json(fs, f"{root}/{_CURRENT}")
    except ValueError:
        current = {}
    if current is None or (isinstance(current, dict) and "release_id" in current):
        return current
    raise CopyError(
        f"{_CURRENT} is there already, and Walkhouse did not write it; give the copy a prefix of "
        "its own"
    )


def _read_json(fs: fsspec.AbstractFileSystem, path: str) -> dict[str, Any] | None:
    try:
        content: dict[str, Any] = json.loads(fs.cat_file(path, max_concurrency=1))
    except FileNotFoundError as error:
        if is_missing_bucket(error):
            raise
        return None
    return content


def _write_json(fs: fsspec.AbstractFileSystem, path: str, content: Mapping[str, Any]) -> None:
    fs.pipe_file(path, json.dumps(content, indent=1).encode(), ContentType="application/json")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
