"""The raw layer in an object store, written by as many machines as take in dumps.

    <lake>/state/version.json            the format
    <lake>/state/agreement.json          by what dumps are read, which all machines must agree on
    <lake>/state/forgotten.json          who is forgotten
    <lake>/state/dt=2026-03-01.json      the dump that counts, or that it was withdrawn
    <lake>/state/content.json            the content catalogue that counts
    <lake>/data/dt=2026-03-01/<fingerprint>-<attempt>/…
    <lake>/data/dt=2026-03-01/<plan>/…         of a large dump, see `shared_parts`
    <lake>/data/content/<attempt>.parquet

Data are written first, under a name that nobody used before, and never change. Then one small
object of the state is replaced, on the condition that it is still what was read: of two writers one
wins, and the other is told. The state is read before the landing is listed, so the one that wins
listed the landing last. No object of the state is ever removed.

The folder of the lake in the home is a copy, which a build brings up to date at its start: it reads
one state, and models read files on this machine.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import re
import shutil
import socket
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import duckdb

from dagster_project.forgotten import (
    Request,
    RequestsError,
    load_requests,
    requests_from,
    save_requests,
    text_of,
)
from dagster_project.ingest.dumps import READER_VERSION, write_schema
from dagster_project.ingest.lake import (
    FORMAT_VERSION,
    Lake,
    LakeChangedError,
    LakeDump,
    LakeVersionError,
    lake_dump,
)
from dagster_project.ingest.shared_parts import ABANDONED_AFTER, SharedParts, upload
from dagster_project.object_store import (
    ObjectChangedError,
    ObjectStoreError,
    abort_uploads,
    connect,
    explaining,
    ignores_conditions,
    is_refused,
    list_objects,
    put_if,
    remove_objects,
    time_of,
)
from dagster_project.registry import definitions_of
from dagster_project.replacing import replace_text
from dagster_project.settings import Settings
from dagster_project.stopping import go_on_or_stop
from dagster_project.words import counted

logger = logging.getLogger("walkhouse")

MEMORY = "shared-lake.json"
"""What a home remembers of the lake that it shares."""

_VERSION, _AGREEMENT, _FORGOTTEN = "version.json", "agreement.json", "forgotten.json"
_CONTENT = "content.json"
_DAY = r"dt=\d{4}-\d\d-\d\d"
_STATE = re.compile(rf"{_DAY}\.json|version\.json|agreement\.json|forgotten\.json|content\.json")
_DUMP_DATA = rf"{_DAY}/[0-9a-f]{{32}}(-[0-9a-f]{{12}})?/[^/]+"
_DATA = re.compile(rf"{_DUMP_DATA}|content/[0-9a-f]{{32}}\.parquet")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_AT_ONCE = 8
_READINGS = 5  # how often the state is read again where it changed while data were fetched

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def lake_of(settings: Settings) -> Lake:
    """The lake of an installation: the one in its home, or the one that it shares."""
    if not settings.shared_lake:
        return Lake(settings.lake)
    return SharedLake(
        settings.shared_lake,
        settings.lake,
        home=settings.home,
        agreement=partial(agreement_of, settings),
    )


def agreement_of(settings: Settings) -> dict[str, str]:
    """What machines that share a lake must have in common, or each would undo the other's work."""
    definitions = definitions_of(settings)
    treatment = definitions.treatment
    if treatment.key is not None:  # a new home has not noted it yet
        treatment = replace(treatment, fingerprint=treatment.key.fingerprint)
    return {
        "version of the reader": str(READER_VERSION),
        "definitions": definitions.digest[:16],
        "policies of personal data": treatment.digest or "none",
        "keep_days": str(settings.keep_days),
    }


@dataclass(frozen=True)
class _Object:
    """A small object of the state, as it was read."""

    path: str
    etag: str
    content: bytes

    @property
    def said(self) -> dict[str, Any]:
        """What it says.

        Raises:
            ObjectStoreError: nobody can tell.
        """
        with self._explaining():
            content: dict[str, Any] = json.loads(self.content)
            return content

    @property
    def dump(self) -> LakeDump | None:
        """The dump that it is about; None where that was withdrawn."""
        said = self.said
        with self._explaining():
            return None if "withdrawn" in said else lake_dump(said)

    @property
    def requests(self) -> tuple[Request, ...]:
        """The list of who is forgotten that it is."""
        with self._explaining():
            return requests_from(self.content.decode())

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, KeyError, TypeError) as error:
            raise ObjectStoreError(
                f"s3://{self.path}",
                f"it is not what Walkhouse wrote ({error}); restore it, or remove it if it is of "
                "a dump, which is then read again",
                can_pass=False,
            ) from error


_KNOWN: dict[str, _Object] = {}  # by path; what still has its ETag is not fetched again


class SharedLake(Lake):
    """Reads and replaces dumps in an object store, for whoever takes them in.

    The state is read once, by `read` or at the first question; every change is made on the
    condition that what it replaces has not changed since. `root` is the copy in the home.
    """

    def __init__(
        self,
        url: str,
        root: Path,
        *,
        home: Path,
        agreement: Callable[[], Mapping[str, str]],
    ) -> None:
        """See `lake_of`.

        Args:
            url: of the lake.
            root: of the copy in the home.
            home: of the installation.
            agreement: gives what all machines must have in common.
        """
        super().__init__(root)
        self.url = url
        self._home = home
        self._agreement = agreement
        self._fs, path = connect(url)
        self._path = path.rstrip("/")
        self._state: dict[str, _Object] | None = None

    # ---------- The state

    def read(self) -> None:
        """Read the state, and take over the list of who is forgotten.

        Raises:
            ObjectStoreError: the store cannot be read, or has lost what it had.
            RequestsError: this home forgot other people than the lake.
        """
        with explaining(self.url):
            state = f"{self._path}/state"
            etags = {
                path: str(info["ETag"])
                for path, info in list_objects(self._fs, state)
                if _STATE.fullmatch(path.removeprefix(f"{state}/"))
            }
            self._fetch_state(etags)
        self._state = {path.removeprefix(f"{state}/"): _KNOWN[path] for path in etags}
        if _VERSION not in self._state and self._remembered():
            raise ObjectStoreError(
                self.url,
                "nothing of the lake is there, and this home has read it; correct "
                f"WALKHOUSE_SHARED_LAKE, or remove {self._memory} to begin a new lake",
                can_pass=False,
            )
        self._receive_requests()

    def _fetch_state(self, etags: Mapping[str, str]) -> None:
        def fetch(path: str) -> None:
            # If it changes between listing and reading, a change on this condition is refused.
            _KNOWN[path] = _Object(path, etags[path], self._fs.cat_file(path))

        changed = [
            path for path, etag in etags.items() if path not in _KNOWN or _KNOWN[path].etag != etag
        ]
        _do_all(fetch, changed)

    @property
    def _objects(self) -> dict[str, _Object]:
        if self._state is None:
            self.read()
        assert self._state is not None
        return self._state

    def _replace(self, name: str, content: Mapping[str, Any] | str) -> None:
        """Replace an object of the state, if it is what was read.

        Raises:
            ObjectChangedError: it is not.
        """
        text = content if isinstance(content, str) else json.dumps(content, sort_keys=True)
        before = self._objects.get(name)
        path = f"{self._path}/state/{name}"
        with explaining(self.url):
            etag = put_if(self._fs, path, text.encode(), was=before.etag if before else None)
        self._objects[name] = _KNOWN[path] = _Object(path, etag, text.encode())

    # ---------- Who may write

    def check(self) -> int | None:
        """The version of the layout that is there; None where there is none.

        Raises:
            LakeVersionError: the lake has another format, or is read otherwise than here.
        """
        found = self._objects.get(_VERSION)
        version = int(found.said["format_version"]) if found else None
        if version not in (None, FORMAT_VERSION):
            raise LakeVersionError(
                f"{self.url}: written in format {version} by another Walkhouse, this one reads "
                f"format {FORMAT_VERSION}; install that one again, or name a new place in "
                "WALKHOUSE_SHARED_LAKE: the dumps of the landing are read again"
            )
        if reason := self._disagreement():
            raise LakeVersionError(reason)
        return version

    def _disagreement(self) -> str | None:
        """Why this machine may not take in dumps; None where it may.

        Whoever agreed with the lake once and was changed since leads the others to what is new;
        whoever was not stays behind.
        """
        found = self._objects.get(_AGREEMENT)
        here = dict(self._agreement())
        if found is None or found.said == here or found.said == self._remembered().get("agreed"):
            return None
        differs = "; ".join(
            f"{what}: {here.get(what, 'none')} here, {found.said.get(what, 'none')} there"
            for what in sorted(here.keys() | found.said.keys())
            if here.get(what) != found.said.get(what)
        )
        return (
            f"{self.url}: other machines read dumps otherwise ({differs}); give this one the same "
            "version of Walkhouse, deployed project, personal_key and settings"
        )

    def prepare(self) -> None:
        """Create the layout, or check that an existing one is of this version, and agree.

        Raises:
            LakeVersionError: see `check`.
            ObjectStoreError: the store ignores conditions.
        """
        self.check()
        for part in ("schema", "dumps", "content"):
            (self.root / part).mkdir(parents=True, exist_ok=True)
        self._try_conditions()
        here = dict(self._agreement())
        found = self._objects.get(_AGREEMENT)
        if found is None or found.said != here:
            self._replace_or_read_again(_AGREEMENT, here)
            self.check()
        self._remember(agreed=here)

    def _try_conditions(self) -> None:
        """Have a version there, and see that the store refuses to write it once more."""
        version = json.dumps({"format_version": FORMAT_VERSION})
        if _VERSION not in self._objects:
            self._replace_or_read_again(_VERSION, version)
            self.check()
        with explaining(self.url):
            if ignores_conditions(self._fs, f"{self._path}/state/{_VERSION}", version.encode()):
                raise ObjectStoreError(
                    self.url,
                    "this store ignores the condition of a write (If-None-Match), so machines "
                    "would overwrite each other; take one that knows it, as Amazon S3 does",
                    can_pass=False,
                )

    def _replace_or_read_again(self, name: str, content: Mapping[str, Any] | str) -> None:
        """Replace an object, unless another machine just did; nothing else is read again."""
        try:
            self._replace(name, content)
        except ObjectChangedError:
            path = f"{self._path}/state/{name}"
            with explaining(self.url):
                self._objects[name] = _Object(
                    path, str(self._fs.info(path)["ETag"]), self._fs.cat_file(path)
                )

    def is_older(self, landed: Collection[date]) -> bool:
        """Nothing is read again by itself: `check` refuses another format."""
        del landed
        return False

    def awaited(self) -> set[date]:
        """The dumps of the home's own lake, from before it was shared, that were not read again."""
        if self._is_copy:
            return set()
        return set(super().dump_dates()) - {*self.dump_dates()}

    # ---------- What a home remembers

    @property
    def _memory(self) -> Path:
        return self._home / MEMORY

    def _remembered(self) -> dict[str, Any]:
        try:
            said: dict[str, Any] = json.loads(self._memory.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return said if said.get("url") == self.url else {}

    def _remember(self, **said: Any) -> None:
        before = self._remembered()
        if not said.items() <= before.items():
            replace_text(self._memory, json.dumps({**before, **said, "url": self.url}, indent=1))

    @property
    def _is_copy(self) -> bool:
        """Whether the folder in the home is a copy of this lake, and no lake of its own."""
        return bool(self._remembered().get("is_copied"))

    # ---------- Dumps

    def dump_dates(self) -> list[date]:
        """The days of the dumps that are loaded."""
        return sorted(self.dumps())

    def dumps(self) -> dict[date, LakeDump]:
        """The dumps that are loaded, by date."""
        days = sorted(name for name in self._objects if name.startswith("dt="))
        found = {_day_of(name): self._objects[name].dump for name in days}
        return {day: dump for day, dump in found.items() if dump is not None}

    def dump(self, dump_date: date) -> LakeDump | None:
        """A dump, if it is loaded."""
        found = self._objects.get(_name_of(dump_date))
        return found.dump if found else None

    def knows(self, dump_date: date) -> bool:
        """Whether there is a dump of a day, or a note of this home on why there is none."""
        return self.dump(dump_date) is not None or dump_date in self.failures()

    def in_order(self, days: Sequence[date]) -> list[date]:
        """Each process has an order of its own, so that machines seldom meet at a dump."""
        return self._in_own_order(days)

    def _in_own_order(self, items: Iterable[_Item], of: object = "") -> list[_Item]:
        own = f"{socket.gethostname()} {self._home} {os.getpid()} {of}".rstrip()
        return sorted(items, key=lambda item: hashlib.sha256(f"{own} {item}".encode()).digest())

    @contextmanager
    def shared_parts(self, dump_date: date, plan: str) -> Iterator[SharedParts]:
        """The parts of a dump that machines read by the same plan, to replace the same dump.

        Raises:
            LakeChangedError: in the block, the dump was replaced meanwhile.
        """
        before = self._objects.get(_name_of(dump_date))
        replaced = before.etag if before else None
        folder = hashlib.sha256(f"{plan} {replaced}".encode()).hexdigest()[:32]
        parts = SharedParts(
            self._fs,
            self.url,
            f"{self._path}/data/dt={dump_date}/{folder}",
            look_again=partial(self.look_again, dump_date),
            in_order=partial(self._in_own_order, of=dump_date),
        )
        try:
            yield parts
        except LakeChangedError as error:
            # What was only noted may be noted back, and then these parts are of use again.
            was, now = (before.dump if before else None), error.dump
            if was is None or now is None or was.files != now.files:
                parts.remove_rest(_names_in(now))
            raise
        parts.remove_rest(_names_in(self.dump(dump_date)))

    def look_again(self, dump_date: date) -> None:
        """See whether a dump is still what it was when the lake was read.

        Raises:
            LakeChangedError: it is not.
        """
        before = self._objects.get(_name_of(dump_date))
        path = f"{self._path}/state/{_name_of(dump_date)}"
        with explaining(self.url):
            try:
                etag = self._fs.info(path)["ETag"]
            except FileNotFoundError:
                etag = None
        if etag != (before.etag if before else None):
            raise self._changed(dump_date)

    def replace_dump(
        self, dump: LakeDump, data: Path, parts: SharedParts | None = None
    ) -> LakeDump:
        """Upload a dump's new data, a folder, and make them the ones that count."""
        day = date.fromisoformat(dump.dump_date)
        before = self.dump(day)
        ledger = PurePosixPath(dump.files).name
        if parts is None:
            folder = f"{dump.fingerprint}-{uuid.uuid4().hex[:12]}"
            dump = replace(
                dump,
                lines=tuple(f"{folder}/{PurePosixPath(part).name}" for part in dump.lines),
                files=f"{folder}/{ledger}",
            )
            files = {path: data / PurePosixPath(path).name for path in self._paths_of(dump)}
            upload(self._fs, self.url, files)
            uploaded = [*files]
        else:
            dump = replace(dump, files=f"{parts.folder}/{parts.add_ledger(data / ledger)}")
            uploaded = self._paths_of(replace(dump, lines=()))
        try:
            self.note(dump)
        except LakeChangedError:
            self._remove(day, uploaded)
            raise
        if before is not None:
            self._remove(day, self._paths_of(before))
        self.forget_failure(day)
        return dump

    def note(self, dump: LakeDump) -> None:
        """Replace what the lake says of a dump, whose data stay."""
        day = date.fromisoformat(dump.dump_date)
        try:
            self._replace(_name_of(day), asdict(dump))
        except ObjectChangedError:
            raise self._changed(day) from None

    def remove_dump(self, dump_date: date) -> None:
        """Withdraw a dump: first from what counts, then from the store."""
        before = self.dump(dump_date)
        if before is not None:
            try:
                # Unlike any other withdrawal, so that nobody takes one for another.
                self._replace(_name_of(dump_date), {"withdrawn": uuid.uuid4().hex})
            except ObjectChangedError:
                raise self._changed(dump_date) from None
            self._remove(dump_date, self._paths_of(before))
        self.forget_failure(dump_date)
        if not self._is_copy:
            super().remove_dump(dump_date)

    def _changed(self, day: date) -> LakeChangedError:
        """The error that says what counts now; what was read before stays the condition."""
        path = f"{self._path}/state/{_name_of(day)}"
        with explaining(self.url):
            try:
                now = _Object(path, "", self._fs.cat_file(path))
            except FileNotFoundError:
                return LakeChangedError(f"dump {day}")
        return LakeChangedError(f"dump {day}", now.dump)

    def _paths_of(self, dump: LakeDump) -> list[str]:
        folder = f"{self._path}/data/dt={dump.dump_date}"
        return [f"{folder}/{part}" for part in (*dump.lines, dump.files)]

    def _remove(self, day: date, paths: Sequence[str]) -> None:
        """Remove data that do not count; if that fails, `remove_leftovers` does it later."""
        try:
            with explaining(self.url):
                remove_objects(self._fs, paths)
        except OSError as error:
            logger.warning("dump %s: what was replaced could not be removed: %s", day, error)

    # ---------- The content catalogue

    def catalogue(self) -> dict[str, Any] | None:
        """What is said of the content catalogue that the lake holds; None where it holds none."""
        found = self._objects.get(_CONTENT)
        return dict(found.said["catalogue"]) if found else None

    def replace_catalogue(self, said: Mapping[str, Any], items: Path) -> None:
        """Upload the content catalogue, a file, and make it the one that counts."""
        before = self._objects.get(_CONTENT)
        name = f"{uuid.uuid4().hex}.parquet"
        with explaining(self.url):
            self._fs.put_file(str(items), f"{self._path}/data/content/{name}")
        try:
            self._replace(_CONTENT, {"file": name, "catalogue": dict(said)})
        except ObjectChangedError:
            raise LakeChangedError("the content catalogue") from None
        if before is not None:
            with suppress(OSError), explaining(self.url):
                remove_objects(self._fs, [f"{self._path}/data/content/{before.said['file']}"])

    # ---------- Who is forgotten

    def _receive_requests(self) -> None:
        """Take over the list of who is forgotten, or give the lake the one of this home.

        Raises:
            RequestsError: neither list begins with the other.
        """
        found = self._objects.get(_FORGOTTEN)
        there = found.requests if found else ()
        here = load_requests(self._home)
        both = min(len(here), len(there))
        if [_asked(each) for each in here[:both]] != [_asked(each) for each in there[:both]]:
            raise RequestsError(
                f"{self.url}: other people are forgotten there than in {self._home}; who shares a "
                "lake shares the list: ask again for those of this home on another machine, and "
                "move its list away"
            )
        if len(here) > len(there):
            with suppress(LakeChangedError):
                self.send_requests(here)
        elif here != there:
            save_requests(self._home, there)

    def send_requests(self, requests: Sequence[Request]) -> None:
        """Replace the list of who is forgotten.

        Raises:
            LakeChangedError: another machine did.
        """
        try:
            self._replace(_FORGOTTEN, text_of(requests))
        except ObjectChangedError:
            raise LakeChangedError("the list of who is forgotten") from None

    def note_looked_through(self, days: Iterable[date], known: int, forgotten_by: str) -> None:
        """Have dumps note that they hold nobody of the requests that are new.

        A dump that was replaced meanwhile does not, and is read again.

        Args:
            days: of the dumps; none of them has to be read again for an earlier request.
            known: how many requests there are now.
            forgotten_by: their digest, for the dumps that hold somebody of an earlier one.
        """

        def note(dump: LakeDump) -> None:
            digest = forgotten_by if dump.forgotten_by else ""
            with suppress(LakeChangedError):
                self.note(replace(dump, requests_known=known, forgotten_by=digest))

        _do_all(note, [dump for day in days if (dump := self.dump(day)) is not None])

    # ---------- The copy in the home

    def bring_here(self) -> None:
        """Make the folder in the home hold what the lake holds now, and nothing else.

        Raises:
            LakeVersionError: see `check`; or dumps of the home's own lake were not read again.
            ObjectStoreError: the store cannot be read, or data are missing in it.
            OSError: the home has no room.
        """
        for _ in range(_READINGS):
            self.read()
            self.check()
            if awaited := sorted(self.awaited()):
                raise LakeVersionError(
                    f"{self.root}: the lake of this home has the dump of {awaited[0]}, and the "
                    f"shared lake {self.url} has none; deliver it anew, or withdraw it"
                )
            try:
                self._copy_all()
            except _FullError as error:
                raise OSError(f"{error}; make room for the copy of {self.url}") from error
            except _MissingError as error:
                missing = error
                logger.info("the lake changed while it was fetched: it is read again")
            else:
                self._remember(is_copied=True)
                return
        raise ObjectStoreError(
            self.url,
            f"{missing} is named by the lake and not there; remove {missing.named_by}: what it "
            "names is read again from the landing",
            can_pass=False,
        )

    def _copy_all(self) -> None:
        copy = Lake(self.root)
        try:
            copy.prepare()
        except LakeVersionError:  # all of it was read again
            shutil.rmtree(self.root)
            copy.prepare()
        for older in self.root.parent.glob(f"{self.root.name}-of-format-*"):
            shutil.rmtree(older)
        dumps = self.dumps()
        for day in set(copy.dump_dates()) - dumps.keys():
            copy.remove_dump(day)
        new = [dump for dump in dumps.values() if not self._has(copy, dump)]
        if new:
            logger.info("fetching %s from %s", counted(len(new), "dump"), self.url)
        _do_all(partial(self._copy_dump, copy), list(dumps.values()))
        content = self._objects.get(_CONTENT)
        if content is not None and copy.catalogue() != content.said["catalogue"]:
            items = self.root / "content" / f".items.parquet.{uuid.uuid4().hex}"
            self._get(f"data/content/{content.said['file']}", items, named_by=_CONTENT)
            copy.replace_catalogue(content.said["catalogue"], items)
        with duckdb.connect() as connection:
            write_schema(connection, copy)

    def _copy_dump(self, copy: Lake, dump: LakeDump) -> None:
        go_on_or_stop()
        day = date.fromisoformat(dump.dump_date)
        folder = copy.dump_folder(day)
        parts = (*dump.lines, dump.files)
        if self._has(copy, dump):
            if copy.dump(day) != dump:
                copy.note(dump)
            return
        new = folder / f"building-{uuid.uuid4().hex}"
        new.mkdir(parents=True)
        try:
            for part in parts:
                target = new / PurePosixPath(part).name
                self._get(f"data/dt={day}/{part}", target, named_by=_name_of(day))
            failure = copy.failures().get(day)
            copy.replace_dump(dump, new)
            if failure is not None:  # of this home, which is not about the dump that it copies
                copy.note_failure(day, failure)
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def _has(self, copy: Lake, dump: LakeDump) -> bool:
        """Whether a copy has the data of a dump."""
        folder = copy.dump_folder(date.fromisoformat(dump.dump_date))
        return all((folder / part).exists() for part in (*dump.lines, dump.files))

    def _get(self, name: str, target: Path, *, named_by: str) -> None:
        try:
            with explaining(self.url):
                try:
                    self._fs.get_file(f"{self._path}/{name}", str(target), max_concurrency=1)
                except FileNotFoundError:
                    raise _MissingError(f"{self.url}/{name}", f"state/{named_by}") from None
                except OSError as error:
                    if error.errno in _FULL:
                        raise _FullError(f"{self.root}: {error.strerror}") from error
                    raise
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    # ---------- What does not count

    def remove_leftovers(self) -> None:
        """Remove what killed runs left, in the home and in the store.

        Nobody may be taking in dumps in this home; others may, so what is young stays.
        """
        Lake(self.root).remove_leftovers()
        self.leftovers()
        with explaining(self.url):
            try:
                abort_uploads(
                    self._fs,
                    f"{self._path}/data",
                    are_ours=lambda path: _DATA.fullmatch(path.lstrip("/")) is not None,
                    before=time_of(self._fs, self._path) - ABANDONED_AFTER,
                )
            except OSError as error:
                if not is_refused(error):
                    raise
                logger.warning(
                    "%s: uploads that were broken off are not removed, since the store does not "
                    "list them (%s); let a rule of its own remove them",
                    self.url,
                    error,
                )

    def leftovers(self) -> list[str]:
        """Data in the store that do not count: uploads of killed machines, or under way.

        Returns:
            the paths of those that may be under way; older ones are removed.
        """
        with explaining(self.url):
            data = f"{self._path}/data"
            there = {
                path: info
                for path, info in list_objects(self._fs, data)
                if _DATA.fullmatch(path.removeprefix(f"{data}/"))
            }
            written: dict[str, datetime] = {}  # last
            for path, info in there.items():
                key = _abandoned_with(path)
                written[key] = max(info["LastModified"], written.get(key, info["LastModified"]))
            self.read()  # after the listing: what it names may have been uploaded meanwhile
            for path in self._named():
                there.pop(path, None)
            start = time_of(self._fs, self._path) - ABANDONED_AFTER
            old = [path for path in there if written[_abandoned_with(path)] < start]
            remove_objects(self._fs, old)
        return sorted(there.keys() - set(old))

    def _named(self) -> Iterator[str]:
        """The paths of all data that count."""
        for dump in self.dumps().values():
            yield from self._paths_of(dump)
        if content := self._objects.get(_CONTENT):
            yield f"{self._path}/data/content/{content.said['file']}"


class _FullError(Exception):
    """The disk of the home is full."""


class _MissingError(Exception):
    """An object that the state names is not there."""

    def __init__(self, what: str, named_by: str) -> None:
        super().__init__(what)
        self.named_by = named_by


def _names_in(dump: LakeDump | None) -> set[str]:
    """The names of a dump's data in their folder."""
    return {PurePosixPath(part).name for part in (*dump.lines, dump.files)} if dump else set()


def _name_of(day: date) -> str:
    return f"dt={day}.json"


def _abandoned_with(path: str) -> str:
    """What is written together: the folder of a dump's data, or a file of the content."""
    folder, _, _ = path.rpartition("/")
    return path if folder.endswith("/content") else folder


def _day_of(name: str) -> date:
    return date.fromisoformat(name.removeprefix("dt=").removesuffix(".json"))


def _asked(request: Request) -> tuple[object, ...]:
    """What does not change of a request."""
    return (request.person, request.system_id, request.is_removal, request.key)


def _do_all(work: Callable[[_Item], _Result], items: Sequence[_Item]) -> None:
    """Do the same to many, some at a time; the first error ends it."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            for future in futures:
                future.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
