"""What lies in the landing: which dumps there are, which files each has, and whether they changed.

The landing is only ever read. It is a local folder or any object store that fsspec knows.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from dagster_project.object_store import ObjectStoreError, connect, explaining, is_missing_bucket

MANIFEST = "_manifest.json"
_DUMP_FOLDER = re.compile(r"dt=(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True)
class LandedFile:
    """A file as it lies in the landing.

    Attributes:
        name: path within the dump's folder, with forward slashes.
        path: path as the file system of the landing knows it.
        bytes: its size.
        stamp: changes whenever other content is written, without reading it.
        written_at: when it was last written, in seconds since 1970, as the landing's clock has it.
    """

    name: str
    path: str
    bytes: int
    stamp: str
    written_at: float


@dataclass(frozen=True)
class LandedDump:
    """The files that arrived on one day."""

    dump_date: date
    files: tuple[LandedFile, ...]
    manifest: LandedFile | None

    @property
    def signature(self) -> str:
        """Changes whenever a file is added, removed or written, without reading any."""
        files = [*self.files, *([self.manifest] if self.manifest else [])]
        text = "\n".join(f"{file.name}\t{file.bytes}\t{file.stamp}" for file in files)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Landed:
    """Everything in the landing.

    Attributes:
        dumps: by date.
        catalogue: the content catalogue, where there is one.
        strays: paths that are no part of a landing, and are left alone; each with its reason.
    """

    dumps: Mapping[date, LandedDump]
    catalogue: LandedFile | None
    strays: tuple[str, ...]


class Landing:
    """Reads a landing, on this machine or in an object store."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._fs: fsspec.AbstractFileSystem
        self._root: str
        self._fs, self._root = connect(url)
        self._root = self._root.rstrip("/")
        protocol = self._fs.protocol
        self._is_local = "file" in ((protocol,) if isinstance(protocol, str) else protocol)

    def look(self) -> Landed:
        """List every dump and the catalogue.

        Raises:
            OSError: the landing cannot be listed, or there is none: a mount that is missing, or a
                mistaken URL, must not look like the withdrawal of every dump.
        """
        if self._is_local and not Path(self._root).is_dir():
            raise FileNotFoundError(
                f"the landing {self._root} does not exist; set WALKHOUSE_LANDING, or try "
                "`walkhouse simulate` first"
            )
        dumps: dict[date, list[LandedFile]] = {}
        manifests: dict[date, LandedFile] = {}
        strays: list[str] = []
        events, content = f"{self._root}/events", f"{self._root}/content"
        with explaining(self.url):
            found_events, found_content = self._find(events), self._find(content)
            if not (found_events or found_content or self._is_local or self._has_anything()):
                raise ObjectStoreError(
                    self.url, "there is nothing in it, not even events/; correct WALKHOUSE_LANDING"
                )
        for path, info in sorted(found_events.items()):
            folder, _, name = path.removeprefix(f"{events}/").partition("/")
            if _is_hidden(folder) or (_is_hidden(name) and name != MANIFEST):
                continue
            day = _dump_date(folder)
            if day is None or not name:
                strays.append(f"{path}: not inside a folder dt=YYYY-MM-DD")
                continue
            file = _landed_file(name, path, info)
            if name == MANIFEST:
                manifests[day] = file
            else:
                dumps.setdefault(day, []).append(file)
        catalogue = None
        for path, info in sorted(found_content.items()):
            name = path.removeprefix(f"{content}/")
            if name == "items.ndjson":
                catalogue = _landed_file(name, path, info)
            elif not _is_hidden(name):
                strays.append(f"{path}: the content catalogue is content/items.ndjson")
        return Landed(
            dumps={
                day: LandedDump(
                    dump_date=day,
                    files=tuple(sorted(dumps.get(day, []), key=lambda f: f.name.encode())),
                    manifest=manifests.get(day),
                )
                for day in sorted(dumps.keys() | manifests.keys())
            },
            catalogue=catalogue,
            strays=tuple(strays),
        )

    def dump_dates(self) -> list[date]:
        """The days that have a folder, by one listing.

        Raises:
            OSError: the landing cannot be listed, or has no events yet.
        """
        with explaining(self.url):
            folders = self._fs.ls(f"{self._root}/events", detail=False)
        days = (_dump_date(PurePosixPath(folder).name) for folder in folders)
        return sorted(day for day in days if day is not None)

    @contextmanager
    def local_copy(self, file: LandedFile, *, scratch: Path) -> Iterator[Path]:
        """The file on this machine: itself where the landing is local, else a temporary copy.

        Raises:
            ObjectStoreError: it could not be fetched as it was listed.
        """
        if self._is_local:
            yield Path(file.path)
            return
        copy = scratch / hashlib.sha256(file.path.encode()).hexdigest()
        try:
            with explaining(self.url):
                # In one stream: only that is taken up again where a connection broke in mid-file.
                self._fs.get_file(file.path, str(copy), max_concurrency=1)
                # Was it still the same file by then?
                info = self._fs.info(file.path)
            arrived = copy.stat().st_size
            if arrived != file.bytes or _stamp(info) != file.stamp:
                raise ObjectStoreError(
                    self.url,
                    f"{file.path} was written again while it was read ({arrived:,} bytes arrived, "
                    f"{file.bytes:,} were listed); the next run reads it",
                )
            yield copy
        finally:
            copy.unlink(missing_ok=True)

    def read_bytes(self, file: LandedFile) -> bytes:
        """The whole content of a small file.

        Raises:
            OSError: it could not be read.
        """
        with explaining(self.url):
            content: bytes = self._fs.cat_file(file.path)
        return content

    def _find(self, folder: str) -> dict[str, dict[str, Any]]:
        try:
            found: dict[str, dict[str, Any]] = self._fs.find(folder, detail=True)
        except FileNotFoundError as error:
            if is_missing_bucket(error):
                raise
            return {}
        # Tools that show an object store as folders keep an empty object for each of them.
        return {path: info for path, info in found.items() if not path.endswith("/")}

    def _has_anything(self) -> bool:
        try:
            return bool(self._fs.ls(self._root, detail=False))
        except FileNotFoundError as error:
            if is_missing_bucket(error):
                raise
            return False


def manifest_entries(content: bytes) -> dict[str, dict[str, Any]]:
    """The entries of a manifest by file name.

    Raises:
        ValueError, KeyError, TypeError: it is no manifest.
    """
    return {str(entry["name"]): dict(entry) for entry in json.loads(content)["files"]}


def _landed_file(name: str, path: str, info: Mapping[str, Any]) -> LandedFile:
    return LandedFile(
        name=name,
        path=path,
        bytes=int(info.get("size") or 0),
        stamp=_stamp(info),
        written_at=_written_at(info),
    )


def _stamp(info: Mapping[str, Any]) -> str:
    if info.get("ETag"):  # a store's own digest; its times differ between listing and file
        return str(info["ETag"])
    stamps = ("mtime", "created", "ino", "updated", "md5Hash")
    return "|".join(str(info[key]) for key in stamps if info.get(key) is not None)


def _written_at(info: Mapping[str, Any]) -> float:
    """Of a local file, when the system last saw it written: its mtime can be set to anything."""
    for key in ("created", "LastModified", "updated", "mtime"):
        value = info.get(key)
        if value is not None:
            return value.timestamp() if isinstance(value, datetime) else float(value)
    return 0.0


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "_")) for part in PurePosixPath(name).parts)


def _dump_date(folder: str) -> date | None:
    match = _DUMP_FOLDER.fullmatch(folder)
    if match is None:
        return None
    try:
        return date.fromisoformat(match[1])
    except ValueError:
        return None
