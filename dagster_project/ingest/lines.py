"""Reads the lines of a dump's files into typed, classified rows of the raw layer.

DuckDB reads and classifies a file in one pass. What it cannot read, or reads more leniently than
the contract allows, gets a second look: read record by record in Python, then classified by the
same SQL. Small files get the second look only, many of them at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from dagster_project.ingest.classification import (
    LINE_COLUMNS,
    classification,
    csv_source,
    folder_names,
    header_is_plain,
    lines_of_parts,
    ndjson_source,
    note_usual_keys,
    parents_and_keys,
    parquet_source,
    quoted,
    second_look_source,
)
from dagster_project.ingest.compression import Damage
from dagster_project.ingest.envelopes import Form, unknown_keys
from dagster_project.ingest.files import (
    FileKind,
    Record,
    UnreadableFileError,
    count_lines,
    kind_of_file,
    read_records,
    write_well_formed,
)
from dagster_project.stopping import go_on_or_stop

_REFUSALS = (duckdb.IOException, duckdb.InvalidInputException)
_Rows = np.ndarray[Any, np.dtype[np.int64]]

_SMALL_FILE_BYTES = 128 * 1024
_SECOND_LOOK_RECORDS = 20_000
_SECOND_LOOK_CHARACTERS = 64 * 1024 * 1024
_MOST_PARTS = 16
# Higher levels take longer, and save little after Parquet's own encodings.
_FORMAT = "format parquet, compression zstd, compression_level 1"


@dataclass(frozen=True)
class FileRead:
    """What a file turned out to be, and what was wrong with it as a whole.

    Attributes:
        content_bytes: of its content, uncompressed, as far as it could be read; 0 for Parquet.
    """

    kind: FileKind
    damage: str | None
    content_bytes: int


@dataclass(frozen=True)
class FileLines:
    """The lines of one file: by outcome, and the keys in them that no document mentions."""

    lines: int = 0
    outcomes: Mapping[str, int] = field(default_factory=dict)
    unknown_keys: Mapping[str, int] = field(default_factory=dict)


class DumpReader:
    """Reads the files of one dump into Parquet parts of `LINE_COLUMNS`."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        dump_date: date,
        max_late_days: int,
        target: Path,
    ) -> None:
        """Read into a folder that exists, with a connection from `prepare_connection`."""
        self._connection = connection
        self._dump_date = dump_date
        self._max_late_days = max_late_days
        self._target = target
        self._parts: list[Path] = []
        self._waiting: dict[Form, _Batch] = {}
        self._forms: dict[str, Form] = {}

    def read(self, path: Path, name: str) -> FileRead | None:
        """Read one file, which has that name within the dump.

        Returns:
            what it is; None for a file that is no dump file by name nor by content, which is
            left alone.

        Raises:
            UnreadableFileError: nothing of the file can be read.
            OSError: the file cannot be opened.
        """
        kind = kind_of_file(path, name)
        if not kind.is_recognised:
            return None
        self._forms[name] = kind.form
        damage = Damage()
        if kind.format != "parquet" and path.stat().st_size <= _SMALL_FILE_BYTES:
            found = self._take(name, kind, read_records(path, kind, damage, is_known=_none_known))
        else:
            found = self._read_whole(path, name, kind, damage)
        if damage.text and not found:
            raise UnreadableFileError(f"no line can be read: {damage.text}; deliver it again")
        return FileRead(kind, damage.text, damage.content_bytes)

    def finish(self) -> tuple[list[Path], dict[str, FileLines]]:
        """Write what is waiting; returns the parts, and the lines of every file that has any."""
        for form in tuple(self._waiting):
            self._classify_waiting(form)
        lines = self._count_lines()
        if len(self._parts) > _MOST_PARTS:
            self._put_together()
        return self._parts, lines

    def _read_whole(self, path: Path, name: str, kind: FileKind, damage: Damage) -> int:
        with ThreadPoolExecutor(max_workers=1) as beside:
            counting = None
            if kind.format != "parquet":
                counting = beside.submit(count_lines, path, kind, damage)
            rows = self._read_with_duckdb(path, name, kind)
            line_ends = counting.result() if counting else len(rows)
        if damage.text and kind.format == "csv" and len(rows):
            # A torn record may look whole; only reading line by line tells where the stream ended.
            self._parts.pop().unlink()
            rows = rows[:0]
        headers = 1 if kind.format == "csv" else 0
        if line_ends == len(rows) + headers:
            return len(rows)
        known = np.zeros(max(line_ends, int(rows.max(initial=0))) + 2, dtype=bool)
        known[rows] = True
        records = read_records(path, kind, damage, is_known=lambda row: bool(known[row]))
        return len(rows) + self._take(name, kind, records)

    def _read_with_duckdb(self, path: Path, name: str, kind: FileKind) -> _Rows:
        """Read what DuckDB can read by itself; returns the rows that need no second look."""
        nothing = np.empty(0, dtype=np.int64)
        if kind.format == "csv" and not header_is_plain(kind):
            return nothing
        try:
            with _plain_name(path, self._target) as plain:
                if kind.format == "parquet":
                    source = parquet_source(self._connection, plain, name)
                elif kind.format == "ndjson":
                    note_usual_keys(self._connection, plain, kind)
                    source = ndjson_source(plain, kind, name)
                else:
                    source = csv_source(plain, kind, name)
                part = self._classify(source, kind.form)
        except _REFUSALS as error:
            if kind.format == "parquet":
                raise UnreadableFileError(f"not readable as Parquet: {error}") from error
            if kind.format == "ndjson":
                return nothing
            whole = self._classify_well_formed(path, name, kind)
            if whole is None:
                return nothing
            part = whole
        rows = self._connection.execute(
            f"select source_row from ({lines_of_parts('?')})", [str(part)]
        ).fetchnumpy()
        return np.asarray(rows["source_row"], dtype=np.int64)

    def _classify_well_formed(self, path: Path, name: str, kind: FileKind) -> Path | None:
        """Classify a CSV file of which DuckDB refuses some records; None if it refuses others."""
        copy = self._target / "well-formed.csv"
        try:
            write_well_formed(path, kind, copy)
            return self._classify(
                csv_source(copy, replace(kind, compression="none"), name), kind.form
            )
        except _REFUSALS:
            return None
        finally:
            copy.unlink(missing_ok=True)

    def _take(self, name: str, kind: FileKind, records: Iterator[Record]) -> int:
        """Put records where the second look takes them from; returns how many there were."""
        taken = 0
        while some := list(islice(records, _SECOND_LOOK_RECORDS)):
            go_on_or_stop()
            taken += len(some)
            batch = self._waiting.setdefault(kind.form, _Batch())
            batch.add(name, some)
            if batch.is_full:
                self._classify_waiting(kind.form)
        return taken

    def _classify_waiting(self, form: Form) -> None:
        self._connection.register("second_look", self._waiting.pop(form).table())
        try:
            self._classify(second_look_source(form), form)
        finally:
            self._connection.unregister("second_look")

    def _classify(self, source: str, form: Form) -> Path:
        """Write a part with the classified lines of a source, in its order."""
        part = self._target / f"lines-{len(self._parts):04d}.parquet"
        rows = classification(
            source, form=form, dump_date=self._dump_date, max_late_days=self._max_late_days
        )
        columns = ", ".join(LINE_COLUMNS)
        try:
            self._connection.execute(
                f"copy ({rows} select {columns} from rows_of_the_raw_layer)"
                f" to {quoted(part)} ({_FORMAT})"
            )
        except duckdb.Error:
            part.unlink(missing_ok=True)
            raise
        self._parts.append(part)
        return part

    def _count_lines(self) -> dict[str, FileLines]:
        if not self._parts:
            return {}
        shapes = self._connection.execute(
            "select source_file, outcome, keys, count(*)"
            f" from ({lines_of_parts('?')}) group by all",
            [[str(part) for part in self._parts]],
        ).fetchall()
        outcomes: dict[str, dict[str, int]] = {}
        unknown: dict[str, dict[str, int]] = {}
        for name, outcome, keys, count in shapes:
            of_file = outcomes.setdefault(name, {})
            of_file[outcome] = of_file.get(outcome, 0) + count
            form = self._forms[name]
            for key in unknown_keys(form, parents_and_keys(form, keys)):
                of_keys = unknown.setdefault(name, {})
                of_keys[key] = of_keys.get(key, 0) + count
        return {
            name: FileLines(
                lines=sum(counts.values()),
                outcomes=counts,
                unknown_keys=dict(sorted(unknown.get(name, {}).items())),
            )
            for name, counts in outcomes.items()
        }

    def _put_together(self) -> None:
        """Put many parts into one, since every query opens every part."""
        together = self._target / "lines.parquet"
        self._connection.execute(
            f"copy ({lines_of_parts('?')}) to {quoted(together)} ({_FORMAT})",
            [[str(part) for part in self._parts]],
        )
        for part in self._parts:
            part.unlink()
        self._parts = [together]


class _Batch:
    """Records of one form, of any number of files, that wait for their classification."""

    def __init__(self) -> None:
        self._columns: dict[str, list[Any]] = {
            "source_file": [],
            "folder_item_type": [],
            "folder_event": [],
            "source_row": [],
            "line": [],
            "json_text": [],
            "problem": [],
        }
        self._characters = 0

    def add(self, name: str, records: Sequence[Record]) -> None:
        folders = folder_names(name)
        columns = self._columns
        columns["source_file"] += [name] * len(records)
        columns["folder_item_type"] += [folders.get("item_type")] * len(records)
        columns["folder_event"] += [folders.get("event")] * len(records)
        columns["source_row"] += [record.row for record in records]
        columns["line"] += [record.text for record in records]
        columns["json_text"] += [record.json for record in records]
        columns["problem"] += [record.problem for record in records]
        self._characters += sum(len(record.text) for record in records)

    @property
    def is_full(self) -> bool:
        return (
            len(self._columns["line"]) >= _SECOND_LOOK_RECORDS
            or self._characters >= _SECOND_LOOK_CHARACTERS
        )

    def table(self) -> pa.Table:
        types = dict.fromkeys(self._columns, pa.string()) | {"source_row": pa.int64()}
        return pa.table(self._columns, schema=pa.schema(types))


def _none_known(_row: int) -> bool:
    return False


@contextmanager
def _plain_name(path: Path, folder: Path) -> Iterator[Path]:
    """A path to the same file that DuckDB does not take for a pattern."""
    if not any(character in str(path) for character in "*?[]{}"):
        yield path
        return
    link = folder / "landed"
    link.symlink_to(path)
    try:
        yield link
    finally:
        link.unlink()
