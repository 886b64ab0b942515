"""What lies in the landing: which dumps there are, which files each has, and whether they changed.

The landing is only ever read. It is a local folder or any object store that fsspec knows.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

MANIFEST = "_manifest.json"
_DUMP_FOLDER = re.compile(r"dt=(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True)
class LandedFile:
    """A file as it lies in the landing.

    Attributes:
        name: path within the dump's folder, with forward slashes.
        path: path as the file system of the landing knows it.
        bytes: its size.
        stamp: changes whenever the file is written, without reading it.
    """

    name: str
    path: str
    bytes: int
    stamp: str


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
        self._fs, self._root = fsspec.core.url_to_fs(url)
        self._root = self._root.rstrip("/")
        protocol = self._fs.protocol
        self._is_local = "file" in ((protocol,) if isinstance(protocol, str) else protocol)

    def look(self) -> Landed:
        """List every dump and the catalogue.

        Raises:
            OSError: the landing cannot be listed, or a local one does not exist: a mount that is
                missing must not look like the withdrawal of every dump.
        """
        if self._is_local and not Path(self._root).is_dir():
            raise FileNotFoundError(
                f"the landing {self._root} does not exist; set WALKHOUSE_LANDING, or try "
                "`walkhouse simulate` first"
            )
        self._fs.invalidate_cache()
        dumps: dict[date, list[LandedFile]] = {}
        manifests: dict[date, LandedFile] = {}
        strays: list[str] = []
        events = f"{self._root}/events"
        for path, info in sorted(self._find(events).items()):
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
        content = f"{self._root}/content"
        catalogue = None
        for path, info in sorted(self._find(content).items()):
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
        folders = self._fs.ls(f"{self._root}/events", detail=False)
        days = (_dump_date(PurePosixPath(folder).name) for folder in folders)
        return sorted(day for day in days if day is not None)

    @contextmanager
    def local_copy(self, file: LandedFile, *, scratch: Path) -> Iterator[Path]:
        """The file on this machine: itself where the landing is local, else a temporary copy."""
        if self._is_local:
            yield Path(file.path)
            return
        copy = scratch / hashlib.sha256(file.path.encode()).hexdigest()
        try:
            with self._fs.open(file.path, "rb") as remote, copy.open("wb") as local:
                shutil.copyfileobj(remote, local, 1 << 20)
            if copy.stat().st_size != file.bytes:
                raise OSError(
                    f"{file.path}: {copy.stat().st_size} bytes arrived of {file.bytes}; "
                    "the file changed or the connection broke while it was read"
                )
            yield copy
        finally:
            copy.unlink(missing_ok=True)

    def read_bytes(self, file: LandedFile) -> bytes:
        """The whole content of a small file."""
        content: bytes = self._fs.cat_file(file.path)
        return content

    def _find(self, folder: str) -> dict[str, dict[str, Any]]:
        try:
            found: dict[str, dict[str, Any]] = self._fs.find(folder, detail=True)
        except FileNotFoundError:
            return {}
        return found


def _landed_file(name: str, path: str, info: Mapping[str, Any]) -> LandedFile:
    stamps = ("mtime", "created", "ino", "ETag", "LastModified", "updated", "md5Hash")
    return LandedFile(
        name=name,
        path=path,
        bytes=int(info.get("size") or 0),
        stamp="|".join(str(info[key]) for key in stamps if info.get(key) is not None),
    )


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
