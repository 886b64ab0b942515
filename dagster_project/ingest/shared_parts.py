"""The parts of a large dump in an object store, read by as many machines as take in dumps.

    <lake>/data/dt=2026-03-01/<plan>/part-0003.json                        what its files hold
    <lake>/data/dt=2026-03-01/<plan>/lines-0003-<attempt>-0000.parquet     and their lines
    <lake>/data/dt=2026-03-01/<plan>/files-<attempt>.parquet               the ledger of the dump

The folder is named by all that its content depends on, and by the dump that it is to replace. So
all machines that write to it would replace the same dump by the same one, and nobody else uses it.
Lines are uploaded under names that nobody used before. Then one write, on the condition that nobody
was quicker, says that the part is read. Who finds all parts there names their lines in the state of
the lake. None of it counts before that.

A dump that was replaced never comes back as it was. So as soon as it is replaced, nobody can make a
dump of what is in the folder any more, and what the new dump does not name is removed.
"""

from __future__ import annotations

import logging
import re
import shutil
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath

from fsspec import AbstractFileSystem

from dagster_project.ingest.parts import PartRead, part_read
from dagster_project.object_store import (
    ObjectChangedError,
    ObjectStoreError,
    explaining,
    list_objects,
    put_if,
    remove_objects,
    time_of,
)
from dagster_project.stopping import go_on_or_stop

logger = logging.getLogger("walkhouse")

ABANDONED_AFTER = timedelta(days=1)
"""Data that do not count are removed when nothing was written beside them for so long."""

_IN_USE_FOR = ABANDONED_AFTER / 2  # so that nobody takes what another is about to remove
_PART = re.compile(r"part-(\d{4})\.json")
_ROUNDS = 3


class SharedParts:
    """Reads the parts of one dump that are missing, until all are there."""

    def __init__(
        self,
        fs: AbstractFileSystem,
        url: str,
        path: str,
        *,
        look_again: Callable[[], None],
        in_order: Callable[[Iterable[int]], list[int]],
    ) -> None:
        """See `SharedLake.shared_parts`.

        Args:
            fs: of the store.
            url: of the lake, for messages.
            path: of the folder of the parts.
            look_again: raises LakeChangedError where the dump was replaced meanwhile.
            in_order: gives numbers of parts in an order of this machine's own.
        """
        self._fs, self._url, self._path = fs, url, path
        self._look_again, self._in_order = look_again, in_order
        self._read: dict[str, PartRead] = {}  # by the ETag of what says so
        self._etags: dict[int, str] = {}
        self._looked_at = time.monotonic()

    @property
    def folder(self) -> str:
        """The name of their folder."""
        return PurePosixPath(self._path).name

    def complete(
        self, count: int, read: Callable[[int, Path], PartRead], *, scratch: Path
    ) -> list[PartRead]:
        """Have all parts there, read by this machine or by others.

        Args:
            count: how many parts the dump has.
            read: reads the part of a number, from 0 on, into a folder.
            scratch: where such folders may be made.

        Returns:
            what each part holds.

        Raises:
            LakeChangedError: the dump was replaced meanwhile.
            ObjectStoreError: the store cannot be used.
        """
        for _ in range(_ROUNDS):
            there = self._there()
            for number in self._in_order(range(count)):
                if number in there:
                    continue
                go_on_or_stop()
                target = scratch / f"part-{number:04d}"
                target.mkdir()
                try:
                    self._add(number, read(number, target), target)
                finally:
                    shutil.rmtree(target, ignore_errors=True)
                there = self._there()
                logger.info("s3://%s: %d of %d parts are there", self._path, len(there), count)
            if len(there) == count:
                return [there[number] for number in range(count)]
        raise ObjectStoreError(
            f"s3://{self._path}", "what is written there is gone at once; the next run tries again"
        )

    def add_ledger(self, ledger: Path) -> str:
        """Upload the ledger of the dump, now that all parts are there.

        Returns:
            its name in the folder; what is there can be made to count now.

        Raises:
            ObjectStoreError: the store cannot be used.
        """
        name = f"{ledger.stem}-{_attempt()}{ledger.suffix}"
        upload(self._fs, self._url, {f"{self._path}/{name}": ledger})
        _check_time(self._url, since=self._looked_at)
        return name

    def remove_rest(self, named: Collection[str]) -> None:
        """Remove what does not count, since no dump can be made of it any more.

        If that fails, `SharedLake.remove_leftovers` does it later.

        Args:
            named: what counts, by its names in the folder.
        """
        try:
            with explaining(self._url):
                paths = [path for path, _ in list_objects(self._fs, self._path)]
                unnamed = [path for path in paths if PurePosixPath(path).name not in named]
                remove_objects(self._fs, unnamed)
        except OSError as error:
            logger.warning("what does not count could not be removed: %s", error)

    def _there(self) -> dict[int, PartRead]:
        """The parts that are there, by their numbers.

        Raises:
            LakeChangedError: the dump was replaced meanwhile; else all of them can be used now.
        """
        self._looked_at = time.monotonic()
        there: dict[int, PartRead] = {}
        with explaining(self._url):
            objects = {
                PurePosixPath(path).name: info for path, info in list_objects(self._fs, self._path)
            }
            written = {name: info["LastModified"] for name, info in objects.items()}
            since = _without_a_gap(written.values(), now=time_of(self._fs, self._path))
            usable = {name for name, at in written.items() if at >= since}
            self._etags = {
                int(found[1]): str(info["ETag"])
                for name, info in objects.items()
                if (found := _PART.fullmatch(name))
            }
            for number, etag in self._etags.items():
                read = self._read.get(etag) or self._fetch(number)
                if read is None:
                    continue
                self._read[etag] = read
                if {_name_of(number), *read.lines} <= usable:
                    there[number] = read
        self._look_again()
        return there

    def _fetch(self, number: int) -> PartRead | None:
        """What a part holds; None where nobody can tell, so that it has to be read again."""
        try:
            return part_read(self._fs.cat_file(f"{self._path}/{_name_of(number)}"))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def _add(self, number: int, read: PartRead, data: Path) -> None:
        """Upload what a part holds, unless another machine was quicker."""
        attempt = _attempt()
        names = {
            f"lines-{number:04d}-{attempt}-{place:04d}.parquet": data / name
            for place, name in enumerate(read.lines)
        }
        uploaded = {f"{self._path}/{name}": path for name, path in names.items()}
        upload(self._fs, self._url, uploaded)
        said = replace(read, lines=tuple(names)).text
        path = f"{self._path}/{_name_of(number)}"
        try:
            with explaining(self._url):
                put_if(self._fs, path, said.encode(), was=self._etags.get(number))
        except ObjectChangedError:
            with explaining(self._url):
                remove_objects(self._fs, [*uploaded])


def upload(fs: AbstractFileSystem, url: str, files: Mapping[str, Path]) -> None:
    """Upload files to the store of a lake.

    Args:
        fs: of the store.
        url: of the lake, for messages.
        files: by the paths under which they are to be there, which nobody uses.

    Raises:
        ObjectStoreError: it did not work, or took so long that others take them for abandoned.
    """
    began = time.monotonic()
    with explaining(url):
        for path, file in files.items():
            go_on_or_stop()
            fs.put_file(str(file), path)
    _check_time(url, since=began)


def _check_time(url: str, *, since: float) -> None:
    if time.monotonic() - since > _IN_USE_FOR.total_seconds():
        raise ObjectStoreError(url, "an upload took half a day; the next run tries again")


def _without_a_gap(written: Iterable[datetime], *, now: datetime) -> datetime:
    """Since when there was never half a day in which nothing was written."""
    since = now
    for at in sorted(written, reverse=True):
        if since - at > _IN_USE_FOR:
            break
        since = min(since, at)
    return since


def _name_of(number: int) -> str:
    return f"part-{number:04d}.json"


def _attempt() -> str:
    return uuid.uuid4().hex[:12]
