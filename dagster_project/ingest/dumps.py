"""Takes dumps from the landing into the lake: what is pending, and how one dump is read.

A dump is loaded as a whole or not at all, and is read again when its files changed or when the
definitions or the code that read it did.
"""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import duckdb

from dagster_project.ingest.classification import LINE_COLUMNS, prepare_connection, quoted
from dagster_project.ingest.files import UnreadableFileError
from dagster_project.ingest.lake import Lake, LakeDump
from dagster_project.ingest.landing import LandedDump, LandedFile, Landing, manifest_entries
from dagster_project.ingest.lines import DumpReader, FileLines, FileRead
from dagster_project.object_store import ObjectStoreError
from dagster_project.registry import Definitions
from dagster_project.replacing import replacing

logger = logging.getLogger("walkhouse")

READER_VERSION = 4
"""Raise it with every change to how lines are read: all dumps are then read again."""

FILE_COLUMNS = {
    "dump_date": "date",
    "source_file": "varchar",
    "form": "varchar",
    "format": "varchar",
    "compression": "varchar",
    "bytes": "bigint",
    "sha256": "varchar",
    "lines": "bigint",
    "control": "bigint",
    "ignored": "bigint",
    "quarantined": "bigint",
    "events": "bigint",
    "unknown_keys": "varchar",
    "damage": "varchar",
}
"""Columns of the raw layer's `files` and their types."""


class DumpError(Exception):
    """A dump that is not loaded; the message names the file, what was found and what to do.

    Attributes:
        can_pass: whether the same files may be readable later: the landing failed, not the dump.
    """

    def __init__(self, message: str, *, can_pass: bool = False) -> None:
        super().__init__(message)
        self.can_pass = can_pass


@dataclass(frozen=True)
class Pending:
    """The difference between the landing and the lake.

    Attributes:
        new: dumps that are not in the lake.
        changed: dumps whose files, or whose definitions, are no longer those that were read.
        withdrawn: dumps in the lake that left the landing.
    """

    new: tuple[date, ...]
    changed: tuple[date, ...]
    withdrawn: tuple[date, ...]

    @property
    def dates(self) -> tuple[date, ...]:
        """All of them, in order."""
        return tuple(sorted({*self.new, *self.changed, *self.withdrawn}))

    def without(self, days: Collection[date]) -> Pending:
        """The same but for these days."""
        return Pending(
            new=tuple(day for day in self.new if day not in days),
            changed=tuple(day for day in self.changed if day not in days),
            withdrawn=tuple(day for day in self.withdrawn if day not in days),
        )


@dataclass(frozen=True)
class DayTaken:
    """What came of taking in one day.

    Attributes:
        dump: what the lake now holds; None where there is no dump, or it could not be read.
        failure: why it could not be read.
        was_there: whether the lake knew of the day before.
        seconds: how long it took.
    """

    day: date
    dump: LakeDump | None
    failure: DumpError | None
    was_there: bool
    seconds: float


def reader_digest(definitions: Definitions) -> str:
    """Changes when the same file could be read differently."""
    return hashlib.sha256(f"{READER_VERSION} {definitions.digest}".encode()).hexdigest()


def pending_dumps(
    landed: Mapping[date, LandedDump], loaded: Mapping[date, LakeDump], *, reader: str
) -> Pending:
    """What a run has to take up."""
    return Pending(
        new=tuple(sorted(landed.keys() - loaded.keys())),
        changed=tuple(
            sorted(
                day
                for day in landed.keys() & loaded.keys()
                if _is_pending(landed[day], loaded[day], reader)
            )
        ),
        withdrawn=tuple(sorted(loaded.keys() - landed.keys())),
    )


def _is_pending(landed: LandedDump, loaded: LakeDump, reader: str) -> bool:
    return loaded.signature != landed.signature or loaded.reader != reader


@contextmanager
def ingest_connection(
    definitions: Definitions, *, threads: int, memory_limit: str, scratch: Path
) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory DuckDB that reads dumps."""
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="reader-", dir=scratch) as spilled:
        config: dict[str, Any] = {
            "threads": threads,
            "memory_limit": memory_limit,
            "temp_directory": spilled,  # processes that share one would meet in its files
        }
        with duckdb.connect(config=config) as connection:
            connection.execute("set enable_progress_bar = false")
            prepare_connection(connection, definitions)
            yield connection


def write_schema(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Write the empty Parquet files from which dbt knows the types of a lake without dumps."""
    for name, columns in (("lines", LINE_COLUMNS), ("files", FILE_COLUMNS)):
        nulls = ", ".join(f"null::{data_type} as {column}" for column, data_type in columns.items())
        target = lake.root / "schema" / f"{name}.parquet"
        with replacing(target) as new:
            connection.execute(
                f"copy (select {nulls} where false) to {quoted(new)} (format parquet)"
            )


def ingest_dump(
    landing: Landing,
    lake: Lake,
    landed: LandedDump,
    connection: duckdb.DuckDBPyConnection,
    definitions: Definitions,
    *,
    scratch: Path,
) -> LakeDump:
    """Read a dump and make it the one that counts in the lake.

    A dump that was delivered again with the same content and no manifest is not read again.

    Returns:
        what the lake now says of the dump.

    Raises:
        DumpError: the manifest does not match or a file cannot be read; the lake keeps what it had.
    """
    day = landed.dump_date
    version = reader_digest(definitions)
    scratch.mkdir(parents=True, exist_ok=True)
    lake_folder = lake.dump_folder(day)
    lake_folder.mkdir(parents=True, exist_ok=True)
    manifest = _manifest(landing, landed)
    before = lake.dump(day)
    # With a manifest everything is read, since hashes and rows have to be held against it.
    if before and before.reader == version and manifest is None:
        found = _hashes(landing, landed, scratch)
        if before.fingerprint == fingerprint(found, version):
            return lake.note_signature(before, landed.signature)
    for left_behind in lake_folder.glob("building-*"):
        shutil.rmtree(left_behind)
    building = Path(tempfile.mkdtemp(prefix="building-", dir=lake_folder))
    try:
        reader = DumpReader(
            connection, dump_date=day, max_late_days=definitions.max_late_days, target=building
        )
        hashes: dict[str, str] = {}
        files: list[tuple[LandedFile, FileRead]] = []
        left_alone: list[str] = []
        for file in landed.files:
            try:
                with landing.local_copy(file, scratch=scratch) as path:
                    hashes[file.name] = _sha256(path)
                    _check_hash(manifest, file, hashes[file.name])
                    read = reader.read(path, file.name)
            except (UnreadableFileError, OSError) as error:
                raise _failed(day, file.name, error) from error
            if read is None:
                left_alone.append(file.name)
                logger.warning("dump %s, %s: no dump file, left alone", day, file.name)
            else:
                files.append((file, read))
        parts, lines = reader.finish()
        ledger = [
            _ledger_row(day, file, hashes[file.name], read, lines.get(file.name, FileLines()))
            for file, read in files
        ]
        _check_rows(manifest, ledger, day)
        _write_ledger(connection, ledger, building / "files.parquet")
        identity = fingerprint(hashes, version)
        dump = LakeDump(
            dump_date=day.isoformat(),
            fingerprint=identity,
            signature=landed.signature,
            reader=version,
            lines=tuple(f"{identity}/{part.name}" for part in parts),
            files=f"{identity}/files.parquet",
            outcomes={
                outcome: sum(row[outcome] for row in ledger)
                for outcome in ("control", "ignored", "quarantined", "events")
            },
            bytes=sum(file.bytes for file in landed.files),
            event_dates=_event_dates(connection, parts),
            left_alone=tuple(left_alone),
        )
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    lake.replace_dump(dump, building)
    return dump


def take_in_dump(
    landing: Landing,
    lake: Lake,
    landed: LandedDump | None,
    day: date,
    connection: duckdb.DuckDBPyConnection,
    definitions: Definitions,
    *,
    scratch: Path,
) -> LakeDump | None:
    """Make the lake hold what the landing holds for one day: read, keep or withdraw a dump.

    Returns:
        what the lake now says of the dump; None where there is no dump on that day.

    Raises:
        DumpError: see `ingest_dump`; the failure is noted in the lake until it is resolved.
    """
    if landed is None:
        if lake.dump_folder(day).exists() or day in lake.awaited():
            lake.remove_dump(day)
            logger.info("dump %s: withdrawn", day)
        return None
    loaded = lake.dump(day)
    if loaded and not _is_pending(landed, loaded, reader_digest(definitions)):
        lake.forget_failure(day)
        return loaded
    try:
        return ingest_dump(landing, lake, landed, connection, definitions, scratch=scratch)
    except DumpError as error:
        lake.note_failure(day, str(error))
        raise


@contextmanager
def taking_in_dumps(
    landing: Landing,
    lake: Lake,
    landed: Mapping[date, LandedDump],
    days: Sequence[date],
    connection: duckdb.DuckDBPyConnection,
    definitions: Definitions,
    *,
    scratch: Path,
    at_once: int,
    hold: Callable[[date], AbstractContextManager[None]],
) -> Iterator[Iterator[DayTaken]]:
    """Take in the dumps of many days, some at a time: one file does not keep a machine busy.

    Whoever leaves early, or is interrupted, waits for the dumps that are being read, and no others.

    Args:
        landing: where the dumps lie.
        lake: where they are taken.
        landed: the dumps that were found in the landing.
        days: the days; dumps that have left the landing are withdrawn.
        definitions: those of the connection.
        scratch: for copies of files that lie elsewhere.
        connection: from `ingest_connection`.
        at_once: how many dumps are read at a time.
        hold: is held while a day is taken in.

    Yields:
        the days in the order given, each as soon as it and those before it are done.
    """
    readers: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
    workers = max(1, min(at_once, len(days)))
    for _ in range(workers):
        reader = connection.cursor()
        prepare_connection(reader, definitions)
        readers.put(reader)

    def take_in(day: date) -> DayTaken:
        reader = readers.get()
        began = time.monotonic()
        was_there = lake.dump_folder(day).exists()
        dump: LakeDump | None = None
        failure: DumpError | None = None
        try:
            with hold(day):
                dump = take_in_dump(
                    landing, lake, landed.get(day), day, reader, definitions, scratch=scratch
                )
        except DumpError as error:
            failure = error
        finally:
            readers.put(reader)
        return DayTaken(day, dump, failure, was_there, time.monotonic() - began)

    pool = ThreadPoolExecutor(workers, thread_name_prefix="dump")
    try:
        yield pool.map(take_in, days)
    finally:
        pool.shutdown(cancel_futures=True)


def fingerprint(landed_hashes: Mapping[str, str], reader: str) -> str:
    """Identity of a dump's content as read: equal means equal rows."""
    content = json.dumps([sorted(landed_hashes.items()), reader])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _manifest(landing: Landing, landed: LandedDump) -> dict[str, dict[str, Any]] | None:
    """The entries of the dump's manifest by file name, its names checked; None without one."""
    if landed.manifest is None:
        return None
    where = f"dump {landed.dump_date}, {landed.manifest.name}"
    try:
        content = landing.read_bytes(landed.manifest)
    except OSError as error:
        raise _failed(landed.dump_date, landed.manifest.name, error) from error
    try:
        manifest = manifest_entries(content)
    except (ValueError, KeyError, TypeError) as error:
        raise DumpError(
            f'{where}: not of the shape {{"files": [{{"name", "sha256", "rows"}}]}} ({error}); '
            "deliver it again"
        ) from error
    found = {file.name for file in landed.files}
    if missing := sorted(manifest.keys() - found):
        raise DumpError(
            f"{where}: lists {missing[0]!r}, which is not in the dump ({len(manifest)} files "
            f"listed, {len(found)} found); deliver it, or correct the manifest"
        )
    if extra := sorted(found - manifest.keys()):
        raise DumpError(
            f"{where}: does not list {extra[0]!r}, which is in the dump ({len(manifest)} files "
            f"listed, {len(found)} found); remove it, or correct the manifest"
        )
    return manifest


def _check_hash(
    manifest: Mapping[str, Mapping[str, Any]] | None, file: LandedFile, found: str
) -> None:
    expected = (manifest or {}).get(file.name, {}).get("sha256")
    if expected is not None and str(expected).lower() != found:
        raise UnreadableFileError(
            f"its sha256 is {found}, the manifest says {expected}; deliver file and manifest again"
        )


def _check_rows(
    manifest: Mapping[str, Mapping[str, Any]] | None, ledger: list[dict[str, Any]], day: date
) -> None:
    for row in ledger:
        name, found = row["source_file"], row["lines"]
        expected = (manifest or {}).get(name, {}).get("rows")
        if expected is not None and expected != found:
            raise DumpError(
                f"dump {day}, {name}: it has {found} rows, the manifest says {expected}; "
                "deliver file and manifest again"
            )


def _ledger_row(
    day: date, file: LandedFile, digest: str, read: FileRead, lines: FileLines
) -> dict[str, Any]:
    return {
        "dump_date": day.isoformat(),
        "source_file": file.name,
        "form": read.kind.form,
        "format": read.kind.format,
        "compression": read.kind.compression,
        "bytes": file.bytes,
        "sha256": digest,
        "lines": lines.lines,
        "control": lines.outcomes.get("control", 0),
        "ignored": lines.outcomes.get("ignored", 0),
        "quarantined": lines.outcomes.get("quarantined", 0),
        "events": lines.outcomes.get("event", 0),
        "unknown_keys": json.dumps(dict(lines.unknown_keys), ensure_ascii=False),
        "damage": read.damage,
    }


def _write_ledger(
    connection: duckdb.DuckDBPyConnection, ledger: list[dict[str, Any]], target: Path
) -> None:
    columns = ", ".join(f"{column} {data_type}" for column, data_type in FILE_COLUMNS.items())
    connection.execute(f"create or replace temp table ledger ({columns})")
    if ledger:
        marks = ", ".join("?" * len(FILE_COLUMNS))
        rows = [[row[column] for column in FILE_COLUMNS] for row in ledger]
        connection.executemany(f"insert into ledger values ({marks})", rows)
    connection.execute(f"copy ledger to {quoted(target)} (format parquet, compression zstd)")


def _event_dates(connection: duckdb.DuckDBPyConnection, parts: list[Path]) -> dict[str, int]:
    if not parts:
        return {}
    rows = connection.execute(
        "select event_date::varchar, count(*) from read_parquet(?)"
        " where outcome = 'event' group by event_date order by event_date",
        [[str(part) for part in parts]],
    ).fetchall()
    return dict(rows)


def _hashes(landing: Landing, landed: LandedDump, scratch: Path) -> dict[str, str]:
    hashes = {}
    for file in landed.files:
        try:
            with landing.local_copy(file, scratch=scratch) as path:
                hashes[file.name] = _sha256(path)
        except OSError as error:
            raise _failed(landed.dump_date, file.name, error) from error
    return hashes


def _failed(day: date, name: str, error: Exception) -> DumpError:
    can_pass = isinstance(error, ObjectStoreError) and error.can_pass
    return DumpError(f"dump {day}, {name}: {error}", can_pass=can_pass)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
