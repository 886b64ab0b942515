"""Takes dumps from the landing into the lake: what is pending, and how one dump is read.

A dump is loaded as a whole or not at all, and is read again when its files changed or when the
definitions or the code that read it did.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.crew import crew
from dagster_project.ingest.classification import LINE_BYTES, LINE_COLUMNS, prepare_connection
from dagster_project.ingest.files import UnreadableFileError
from dagster_project.ingest.lake import Lake, LakeChangedError, LakeDump
from dagster_project.ingest.landing import LandedDump, LandedFile, Landing
from dagster_project.ingest.lines import MOST_PARTS, DumpReader, FileLines, FileRead
from dagster_project.ingest.listing import shown
from dagster_project.ingest.manifest import Entry, ManifestError, matched, read_manifest
from dagster_project.ingest.parts import PartRead, parts_of, plan_of, together
from dagster_project.object_store import ObjectStoreError
from dagster_project.quoting import literal
from dagster_project.registry import Definitions
from dagster_project.replacing import replacing
from dagster_project.stopping import go_on_or_stop
from dagster_project.treatment import UNTREATED, Treatment

logger = logging.getLogger("walkhouse")

READER_VERSION = 4
"""Raise it with every change to how lines are read: all dumps are then read again."""

FILES = "files.parquet"
"""The file of a dump's data that holds its ledger."""

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
    "content_bytes": "bigint",
    "quarantined_bytes": "bigint",
}
"""Columns of the raw layer's `files` and their types."""


class DumpError(Exception):
    """A dump that is not loaded; the message names the file, what was found and what to do.

    Attributes:
        can_pass: whether the same files may be readable soon: the landing failed, not the dump.
        is_conclusive: whether the same files will fail again, however often they are read.
    """

    def __init__(
        self, message: str, *, can_pass: bool = False, is_conclusive: bool | None = None
    ) -> None:
        super().__init__(message)
        self.can_pass = can_pass
        self.is_conclusive = not can_pass if is_conclusive is None else is_conclusive


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
    parts = (str(READER_VERSION), definitions.digest, definitions.treatment.digest)
    return hashlib.sha256(" ".join(filter(None, parts)).encode()).hexdigest()


def pending_dumps(
    landed: Mapping[date, LandedDump],
    loaded: Mapping[date, LakeDump],
    *,
    reader: str,
    treatment: Treatment = UNTREATED,
) -> Pending:
    """What a run has to take up."""
    return Pending(
        new=tuple(sorted(landed.keys() - loaded.keys())),
        changed=tuple(
            sorted(
                day
                for day in landed.keys() & loaded.keys()
                if _is_pending(landed[day], loaded[day], reader, treatment)
            )
        ),
        withdrawn=tuple(sorted(loaded.keys() - landed.keys())),
    )


def _is_pending(landed: LandedDump, loaded: LakeDump, reader: str, treatment: Treatment) -> bool:
    return (
        loaded.signature != landed.signature
        or loaded.reader != reader
        or shows_the_forgotten(loaded, treatment)
    )


def shows_the_forgotten(loaded: LakeDump, treatment: Treatment) -> bool:
    """Whether a dump in the lake holds somebody who was to be forgotten after it was read."""
    return treatment.is_pending(
        date.fromisoformat(loaded.dump_date),
        known=loaded.requests_known,
        forgotten_by=loaded.forgotten_by,
    )


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
                f"copy (select {nulls} where false) to {literal(new)} (format parquet)"
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
        DumpError: its folder or a file cannot be read, or the manifest does not match; the lake
            keeps what it had.
    """
    day = landed.dump_date
    if landed.problem is not None:
        raise DumpError(f"dump {day}, {landed.problem}; mend that, and run again")
    version = reader_digest(definitions)
    scratch.mkdir(parents=True, exist_ok=True)
    lake_folder = lake.dump_folder(day)
    lake_folder.mkdir(parents=True, exist_ok=True)
    manifest = _manifest(landing, landed)
    before = lake.dump(day)
    # With a manifest everything is read, since hashes and rows have to be held against it.
    if (
        before
        and before.reader == version
        and manifest is None
        and not shows_the_forgotten(before, definitions.treatment)
    ):
        found = _hashes(landing, landed, scratch)
        if before.fingerprint == fingerprint(found, version, before.forgotten_by):
            return lake.note_signature(before, landed.signature)
    for left_behind in lake_folder.glob("building-*"):
        shutil.rmtree(left_behind)
    building = lake_folder / f"building-{uuid.uuid4().hex}"
    building.mkdir()
    parts = parts_of(landed.files)
    plan = plan_of(landed, parts, version, definitions.treatment)

    def read_part(number: int, target: Path) -> PartRead:
        return _read_part(
            *(landing, replace(landed, files=parts[number]), manifest, connection, definitions),
            scratch=scratch,
            target=target,
            most_parts=max(1, MOST_PARTS // len(parts)),
        )

    def dump_of(read: PartRead, *, folder: str | None = None) -> LakeDump:
        _check_rows(manifest, read.ledger, day)
        _write_ledger(connection, read.ledger, building / FILES)
        return _dump_of(landed, read, version, definitions.treatment, folder=folder)

    try:
        if len(parts) > 1 and (others := lake.shared_parts(day, plan)) is not None:
            with others as shared:
                read = together(shared.complete(len(parts), read_part, scratch=building))
                return lake.replace_dump(dump_of(read, folder=shared.folder), building, shared)
        read = _read_part(
            landing, landed, manifest, connection, definitions, scratch=scratch, target=building
        )
        return lake.replace_dump(dump_of(read), building)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _dump_of(
    landed: LandedDump,
    read: PartRead,
    reader: str,
    treatment: Treatment,
    *,
    folder: str | None,
) -> LakeDump:
    """What the lake is to say of a dump.

    Args:
        landed: the dump.
        read: what all its files hold.
        reader: digest of the code and the definitions that read it.
        treatment: of its values.
        folder: where its data are; by default one that is named by its fingerprint.
    """
    known = len(treatment.requests)
    forgotten_by = treatment.forgotten_by(known) if read.forgot_somebody else ""
    identity = fingerprint(read.hashes, reader, forgotten_by)
    folder = folder or identity
    return LakeDump(
        dump_date=landed.dump_date.isoformat(),
        fingerprint=identity,
        signature=landed.signature,
        reader=reader,
        lines=tuple(f"{folder}/{name}" for name in read.lines),
        files=f"{folder}/{FILES}",
        outcomes={
            outcome: sum(row[outcome] for row in read.ledger)
            for outcome in ("control", "ignored", "quarantined", "events")
        },
        bytes=sum(file.bytes for file in landed.files),
        event_dates=read.event_dates,
        left_alone=read.left_alone,
        content_bytes=sum(row["content_bytes"] for row in read.ledger),
        quarantined_bytes=sum(row["quarantined_bytes"] for row in read.ledger),
        treatment=treatment.digest,
        requests_known=known,
        forgotten_by=forgotten_by,
        forgotten_events=read.forgotten_events,
    )


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
        DumpError: see `ingest_dump`, or anything else that happened to this dump; the failure is
            noted in the lake until it is resolved.
    """
    try:
        return _take_in(landing, lake, landed, day, connection, definitions, scratch=scratch)
    except Exception as error:
        go_on_or_stop()  # what was interrupted says nothing of the dump
        failure = error if isinstance(error, DumpError) else _failed(day, None, error)
        with suppress(OSError):  # a full disk, perhaps, which the failure says then
            lake.note_failure(day, str(failure))
        if failure is error:
            raise
        raise failure from error


def _take_in(
    landing: Landing,
    lake: Lake,
    landed: LandedDump | None,
    day: date,
    connection: duckdb.DuckDBPyConnection,
    definitions: Definitions,
    *,
    scratch: Path,
) -> LakeDump | None:
    loaded = lake.dump(day)
    reader, treatment = reader_digest(definitions), definitions.treatment
    try:
        if landed is None:
            if lake.knows(day) or day in lake.awaited():
                lake.remove_dump(day)
                logger.info("dump %s: withdrawn", day)
            return None
        if loaded and not _is_pending(landed, loaded, reader, treatment):
            lake.forget_failure(day)
            return loaded
        lake.look_again(day)  # another machine may have been quicker
        return ingest_dump(landing, lake, landed, connection, definitions, scratch=scratch)
    except LakeChangedError as error:
        if landed is None and error.dump is None:
            return None
        if landed and error.dump and not _is_pending(landed, error.dump, reader, treatment):
            logger.info("dump %s: another machine took it in", day)
            lake.forget_failure(day)
            return error.dump
        said = f"{error}; the next attempt looks at the landing again"
        raise DumpError(said, can_pass=True) from error


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

    Whoever leaves early waits for the dumps that are being read, and no others; an exception ends
    the reading of these as well.

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
    config = _config(connection)

    def attempt(reader: duckdb.DuckDBPyConnection, day: date) -> DayTaken:
        began = time.monotonic()
        was_there = lake.knows(day)
        dump: LakeDump | None = None
        failure: DumpError | None = None
        try:
            with hold(day):
                dump = take_in_dump(
                    landing, lake, landed.get(day), day, reader, definitions, scratch=scratch
                )
        except DumpError as error:
            failure = error
        except Exception as error:
            go_on_or_stop()
            failure = _failed(day, None, error)
        return DayTaken(day, dump, failure, was_there, time.monotonic() - began)

    def take_in(reader: duckdb.DuckDBPyConnection, day: date) -> DayTaken:
        taken = attempt(reader, day)
        if taken.failure is not None and not _is_usable(reader):
            # A fatal error ends the database that all readers share: of whichever dump it was,
            # each that met it is read again, in a database of its own.
            with closing(_database(definitions, config)) as own:
                taken = attempt(own, day)
        return taken

    size = max(1, min(at_once, len(days)))
    prepare = partial(prepare_connection, definitions=definitions)
    with crew(connection, size, name="dump", prepare=prepare) as workers:
        yield workers.map(take_in, days)


def fingerprint(landed_hashes: Mapping[str, str], reader: str, forgotten_by: str = "") -> str:
    """Identity of a dump's content as read: equal means equal rows."""
    forgotten = [forgotten_by] if forgotten_by else []
    content = json.dumps([sorted(landed_hashes.items()), reader, *forgotten])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _read_part(
    landing: Landing,
    landed: LandedDump,
    manifest: Mapping[str, Entry] | None,
    connection: duckdb.DuckDBPyConnection,
    definitions: Definitions,
    *,
    scratch: Path,
    target: Path,
    most_parts: int = MOST_PARTS,
) -> PartRead:
    """Read all files of a dump, or those of a part of it.

    Raises:
        DumpError: one of them cannot be read; the message names it.
    """
    arguments = landing, landed, connection, definitions
    try:
        return _read_files(
            *arguments, manifest=manifest, scratch=scratch, target=target, most_parts=most_parts
        )
    except DumpError:
        raise
    except Exception as error:
        go_on_or_stop()
        # Files are classified many at once, so that an error may be another file's.
        culprit = _file_that_fails(*arguments, scratch=scratch, target=target)
        raise _failed(landed.dump_date, culprit, error) from error


def _read_files(
    landing: Landing,
    landed: LandedDump,
    connection: duckdb.DuckDBPyConnection,
    definitions: Definitions,
    *,
    manifest: Mapping[str, Entry] | None = None,
    scratch: Path,
    target: Path,
    most_parts: int = MOST_PARTS,
) -> PartRead:
    """Read files of a dump.

    Raises:
        DumpError: one of them cannot be read; the message names it.
        Exception: whatever one of them brought about that nobody foresaw.
    """
    day, treatment = landed.dump_date, definitions.treatment
    reader = DumpReader(
        connection,
        dump_date=day,
        max_late_days=definitions.max_late_days,
        target=target,
        treatment=treatment,
        most_parts=most_parts,
    )
    hashes: dict[str, str] = {}
    files: list[tuple[LandedFile, FileRead]] = []
    left_alone: list[str] = []
    for file in landed.files:
        go_on_or_stop()
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
    quarantined = _quarantined_bytes(
        connection,
        parts,
        LINE_BYTES if treatment.needs_key else "strlen(line)",
    )
    ledger = tuple(
        _ledger_row(
            day,
            file,
            hashes[file.name],
            read,
            lines.get(file.name, FileLines()),
            quarantined.get(file.name, 0),
        )
        for file, read in files
    )
    return PartRead(
        lines=tuple(part.name for part in parts),
        ledger=ledger,
        hashes=hashes,
        left_alone=tuple(left_alone),
        event_dates=_event_dates(connection, parts),
        forgot_somebody=reader.forgot_somebody,
        forgotten_events={str(n): events for n, events in sorted(reader.forgotten_events.items())},
    )


def _file_that_fails(
    landing: Landing,
    landed: LandedDump,
    connection: duckdb.DuckDBPyConnection,
    definitions: Definitions,
    *,
    scratch: Path,
    target: Path,
) -> str | None:
    """The first file of a dump that cannot be read by itself either; None if each of them can."""
    for file in landed.files:
        alone = replace(landed, files=(file,))
        if not _is_usable(connection):
            connection = _database(definitions, {"threads": 1})
        try:
            with tempfile.TemporaryDirectory(prefix="alone-", dir=target) as folder:
                _read_files(
                    landing, alone, connection, definitions, scratch=scratch, target=Path(folder)
                )
        except Exception as error:
            go_on_or_stop()
            logger.debug("dump %s, %s", landed.dump_date, file.name, exc_info=error)
            return file.name
    return None


def _is_usable(connection: duckdb.DuckDBPyConnection) -> bool:
    try:
        connection.execute("select 1")
    except duckdb.Error:
        return False
    return True


def _database(definitions: Definitions, config: dict[str, Any]) -> duckdb.DuckDBPyConnection:
    """A database of its own that reads dumps."""
    connection = duckdb.connect(config=config)
    prepare_connection(connection, definitions)
    return connection


def _config(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """What another database like this one is opened with."""
    names = ("threads", "memory_limit", "temp_directory")
    settings = ", ".join(f"current_setting('{name}')" for name in names)
    (values,) = connection.execute(f"select {settings}").fetchall()
    return dict(zip(names, values, strict=True))


def _manifest(landing: Landing, landed: LandedDump) -> dict[str, Entry] | None:
    """The entries of the dump's manifest by file name, its names checked; None without one."""
    if landed.manifest is None:
        return None
    name = landed.manifest.name
    try:
        entries = read_manifest(landing.read_bytes(landed.manifest))
        return matched(entries, [file.name for file in landed.files], landed.left_alone)
    except ManifestError as error:
        raise DumpError(f"dump {landed.dump_date}, {name}: {error}") from error
    except OSError as error:
        raise _failed(landed.dump_date, name, error) from error


def _check_hash(manifest: Mapping[str, Entry] | None, file: LandedFile, found: str) -> None:
    entry = (manifest or {}).get(file.name)
    if entry is not None and entry.sha256 is not None and entry.sha256 != found:
        raise UnreadableFileError(
            f"its sha256 is {found}, the manifest says {entry.sha256!r:.80}; deliver file and "
            "manifest again"
        )


def _check_rows(
    manifest: Mapping[str, Entry] | None, ledger: Sequence[Mapping[str, Any]], day: date
) -> None:
    for row in ledger:
        name, found = row["source_file"], row["lines"]
        entry = (manifest or {}).get(name)
        if entry is not None and entry.rows is not None and entry.rows != found:
            raise DumpError(
                f"dump {day}, {name}: it has {found} rows, the manifest says {entry.rows}; "
                "deliver file and manifest again"
            )


def _ledger_row(
    day: date,
    file: LandedFile,
    digest: str,
    read: FileRead,
    lines: FileLines,
    quarantined_bytes: int,
) -> dict[str, Any]:
    quarantined = lines.outcomes.get("quarantined", 0)
    if read.kind.format == "parquet":  # whose rows have no bytes of their own
        content_bytes = file.bytes
        quarantined_bytes = content_bytes * quarantined // max(1, lines.lines)
    else:
        content_bytes = read.content_bytes
        quarantined_bytes = min(quarantined_bytes, content_bytes)
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
        "quarantined": quarantined,
        "events": lines.outcomes.get("event", 0),
        "unknown_keys": json.dumps(dict(lines.unknown_keys), ensure_ascii=False),
        "damage": read.damage,
        "content_bytes": content_bytes,
        "quarantined_bytes": quarantined_bytes,
    }


def _write_ledger(
    connection: duckdb.DuckDBPyConnection, ledger: Sequence[Mapping[str, Any]], target: Path
) -> None:
    columns = ", ".join(f"{column} {data_type}" for column, data_type in FILE_COLUMNS.items())
    connection.execute(f"create or replace temp table ledger ({columns})")
    if ledger:
        marks = ", ".join("?" * len(FILE_COLUMNS))
        rows = [[row[column] for column in FILE_COLUMNS] for row in ledger]
        connection.executemany(f"insert into ledger values ({marks})", rows)
    connection.execute(f"copy ledger to {literal(target)} (format parquet, compression zstd)")


def _event_dates(connection: duckdb.DuckDBPyConnection, parts: list[Path]) -> dict[str, int]:
    if not parts:
        return {}
    rows = connection.execute(
        "select event_date::varchar, count(*) from read_parquet(?)"
        " where outcome = 'event' group by event_date order by event_date",
        [[str(part) for part in parts]],
    ).fetchall()
    return dict(rows)


def _quarantined_bytes(
    connection: duckdb.DuckDBPyConnection, parts: list[Path], size: str
) -> dict[str, int]:
    """Bytes of the quarantined lines of each file that has any, given SQL for those of a line."""
    if not parts:
        return {}
    rows = connection.execute(
        f"select source_file, sum({size})::bigint from read_parquet(?)"
        f" where outcome = 'quarantined' and {size} is not null group by source_file",
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


_OUT_OF_MEMORY = (MemoryError, duckdb.OutOfMemoryException)


def _failed(day: date, name: str | None, error: Exception) -> DumpError:
    """What happened to a dump, or to a file of it, as its failure."""
    logger.debug("dump %s, %s", day, name, exc_info=error)
    where = f"dump {day}" if name is None else f"dump {day}, {name}"
    return DumpError(
        f"{where}: {_sentence(error)}",
        can_pass=isinstance(error, ObjectStoreError) and error.can_pass,
        # Disks are mended and memory is added without any change to the files.
        is_conclusive=not isinstance(error, (OSError, *_OUT_OF_MEMORY)),
    )


def _sentence(error: Exception) -> str:
    if isinstance(error, UnreadableFileError | ObjectStoreError):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return "it went away after it was listed; the next run looks again"
    if isinstance(error, OSError):
        reason = error.strerror or type(error).__name__
        where = f" {shown(str(error.filename))}" if error.filename else ""
        return f"it cannot be read: {reason}{where}; mend that, and run again"
    if isinstance(error, _OUT_OF_MEMORY):
        return (
            "it takes more memory than there is; raise WALKHOUSE_MEMORY_LIMIT, or deliver it in "
            "smaller files"
        )
    # Without what is quoted: messages of parsers repeat rows.
    said = re.split(r"[\"`\n]|(?<=\s)'", str(error), maxsplit=1)[0].strip(" :")
    said = "".join(character if character.isprintable() else "?" for character in said)
    return (
        f"it cannot be read ({type(error).__name__}: {said[:200]}); deliver it again, or take it "
        "out of the landing"
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
