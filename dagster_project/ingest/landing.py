"""What lies in the landing: which dumps there are, which files each has, and whether they changed.

The landing is only ever read. It is a local folder or any object store that fsspec knows.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

import fsspec

from dagster_project.ingest.listing import MANIFEST, FoundFile, Listing, list_folder, list_store
from dagster_project.object_store import (
    ObjectStoreError,
    connect,
    explaining,
    list_objects,
)

_CATALOGUE = "items.ndjson"
_DUMP_FOLDER = re.compile(r"dt=(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True)
class LandedFile:
    """A file as it lies in the landing.

    Attributes:
        name: path within the dump's folder, with forward slashes; as text, whatever its bytes.
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
    """The files that arrived on one day.

    Attributes:
        left_alone: names in its folder that are no part of it.
        problem: what of its folder could not be read, and why; the dump is then not known.
    """

    dump_date: date
    files: tuple[LandedFile, ...]
    manifest: LandedFile | None
    left_alone: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def signature(self) -> str:
        """Changes whenever a file is added, removed or written, without reading any."""
        files = [*self.files, *([self.manifest] if self.manifest else [])]
        said = [f"{file.name}\t{file.bytes}\t{file.stamp}" for file in files]
        if self.problem is not None:
            said.append(self.problem)
        return hashlib.sha256("\n".join(said).encode()).hexdigest()


@dataclass(frozen=True)
class Landed:
    """Everything in the landing.

    Attributes:
        dumps: by date.
        catalogue: the content catalogue, where there is one.
        strays: paths that are no part of a landing, and are left alone; each with its reason.
        catalogue_problem: why nobody can say whether there is a catalogue, and which.
        expired: dumps that are there and too old to be kept; they are not among `dumps`.
    """

    dumps: Mapping[date, LandedDump]
    catalogue: LandedFile | None
    strays: tuple[str, ...]
    catalogue_problem: str | None = None
    expired: tuple[date, ...] = ()

    @property
    def days(self) -> frozenset[date]:
        """The days of all dumps that are there, kept or not."""
        return frozenset({*self.dumps, *self.expired})


def first_kept(newest: date, keep_days: int) -> date:
    """The first of so many days until the newest dump, by that and not by a clock."""
    return newest - timedelta(days=keep_days - 1)


class Landing:
    """Reads a landing, on this machine or in an object store.

    With `keep_days`, a dump of an earlier day than so many until the newest is as if it were gone.
    """

    def __init__(self, url: str, *, keep_days: int = 0) -> None:
        self.url = url
        self._keep_days = keep_days
        self._fs: fsspec.AbstractFileSystem
        self._root: str
        self._fs, self._root = connect(url)
        self._root = self._root.rstrip("/")
        protocol = self._fs.protocol
        protocols = (protocol,) if isinstance(protocol, str) else protocol
        self._is_local, self._is_s3 = "file" in protocols, "s3" in protocols

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
        with explaining(self.url):
            events, content = self._list("events"), self._list("content")
            if not (events.files or content.files or self._is_local or self._has_anything()):
                raise ObjectStoreError(
                    self.url, "there is nothing in it, not even events/; correct WALKHOUSE_LANDING"
                )
        if reason := events.unread.get(""):
            raise OSError(f"{self._root}/events: {reason}; nothing is taken in or withdrawn")
        dumps, strays = self._dumps(events)
        expired = self._expired(dumps)
        dumps = {day: dump for day, dump in dumps.items() if day not in expired}
        catalogue, problem, more_strays = self._catalogue(content)
        return Landed(dumps, catalogue, (*strays, *more_strays), problem, expired)

    def _expired(self, days: Collection[date]) -> tuple[date, ...]:
        if not (self._keep_days and days):
            return ()
        first = first_kept(max(days), self._keep_days)
        return tuple(sorted(day for day in days if day < first))

    def _dumps(self, events: Listing) -> tuple[dict[date, LandedDump], list[str]]:
        """The dumps, and what else lies beside them."""
        files: dict[date, list[LandedFile]] = {}
        manifests: dict[date, LandedFile] = {}
        left_alone: dict[date, list[str]] = {}
        problems: dict[date, list[str]] = {}
        strays: list[str] = []
        for path, found in sorted(events.files.items()):
            folder, _, name = path.partition("/")
            day = _dump_date(folder)
            if day is None:
                strays.append(f"{self._root}/events/{path}: not inside a folder dt=YYYY-MM-DD")
            elif not name:
                # Some tools mark a folder of a store by an empty object of its name.
                if self._is_local or found.info.get("size"):
                    problems[day] = ["its folder: it is a file"]
            elif name == MANIFEST:
                manifests[day] = _landed_file(name, found)
            else:
                files.setdefault(day, []).append(_landed_file(name, found))
        for path, reason in sorted(events.unread.items()):
            folder, _, name = path.partition("/")
            day = _dump_date(folder)
            if day is None:
                strays.append(f"{self._root}/events/{path}: {reason}")
            else:
                problems.setdefault(day, []).append(f"{name or 'its folder'}: {reason}")
        for path, reason in sorted(events.left_alone.items()):
            folder, _, name = path.partition("/")
            day = _dump_date(folder)
            if day is not None and name:
                left_alone.setdefault(day, []).append(name)
            elif day is not None:
                problems[day] = [f"its folder: {reason}"]
            strays.append(f"{self._root}/events/{path}: {reason}")
        return {
            day: LandedDump(
                dump_date=day,
                files=tuple(sorted(files.get(day, []), key=lambda file: file.name.encode())),
                manifest=manifests.get(day),
                left_alone=tuple(left_alone.get(day, ())),
                problem=_first_of(problems[day]) if day in problems else None,
            )
            for day in sorted(files.keys() | manifests.keys() | problems.keys())
        }, strays

    def _catalogue(self, content: Listing) -> tuple[LandedFile | None, str | None, list[str]]:
        """The catalogue, why nobody can say whether there is one, and what else lies beside it."""
        found = content.files.pop(_CATALOGUE, None)
        problem = content.unread.pop(_CATALOGUE, None) or content.unread.pop("", None)
        strays = [
            f"{self._root}/content/{path}: {reason}"
            for path, reason in sorted({**content.left_alone, **content.unread}.items())
        ]
        strays += [
            f"{self._root}/content/{path}: the content catalogue is content/{_CATALOGUE}"
            for path in sorted(content.files)
        ]
        return (_landed_file(_CATALOGUE, found) if found else None), problem, strays

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
        copy = scratch / hashlib.sha256(os.fsencode(file.path)).hexdigest()
        if self._is_local:
            if _is_text(file.path):
                yield Path(file.path)
                return
            copy.unlink(missing_ok=True)
            copy.symlink_to(file.path)
            try:
                yield copy
            finally:
                copy.unlink(missing_ok=True)
            return
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

    def _list(self, part: str) -> Listing:
        folder = f"{self._root}/{part}"
        if self._is_local:
            return list_folder(folder)
        try:
            return list_store(folder, self._objects(folder))
        except PermissionError as error:
            if part == "events":
                raise
            return Listing(unread={"": f"it cannot be listed: {error}"})

    def _objects(self, folder: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        if self._is_s3:
            return list_objects(self._fs, folder)
        try:
            found: dict[str, dict[str, Any]] = self._fs.find(folder, detail=True)
        except FileNotFoundError:
            found = {}
        return iter(found.items())

    def _has_anything(self) -> bool:
        return any(True for _ in self._objects(self._root))


def _landed_file(name: str, found: FoundFile) -> LandedFile:
    return LandedFile(
        name=name,
        path=found.path,
        bytes=int(found.info.get("size") or 0),
        stamp=_stamp(found.info),
        written_at=_written_at(found.info),
    )


def _first_of(problems: list[str]) -> str:
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{problems[0]}{more}"


def _is_text(path: str) -> bool:
    """Whether a path is UTF-8, which is all that DuckDB opens."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


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


def _dump_date(folder: str) -> date | None:
    match = _DUMP_FOLDER.fullmatch(folder)
    if match is None:
        return None
    try:
        return date.fromisoformat(match[1])
    except ValueError:
        return None
