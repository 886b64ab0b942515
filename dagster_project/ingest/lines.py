"""Reads the lines of a dump's files into typed, classified rows of the raw layer.

Python finds the records; DuckDB reads what is in them and classifies it, many at a time, of one
file or of many. Of JSON it does so alone where a line is one record that no reader could understand
otherwise; any other is read in Python first and written plainly. So a row comes out the same
whatever the file's size, its neighbours and its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from dagster_project.ingest import csv_records, parquet_rows
from dagster_project.ingest.ahead import made_ahead
from dagster_project.ingest.classification import (
    FORGOTTEN,
    FORGOTTEN_BY,
    IS_TOUCHED,
    LINE_BYTES,
    LINE_COLUMNS,
    classification,
    columns_source,
    file_pattern,
    folder_names,
    keys_of,
    keys_of_columns,
    lines_of_parts,
    lines_source,
    look_at_lines,
    parents_and_keys,
    second_look_source,
)
from dagster_project.ingest.compression import Damage
from dagster_project.ingest.envelopes import TABULAR_COLUMNS, Form, plain_json, unknown_keys
from dagster_project.ingest.files import (
    FileKind,
    Record,
    UnreadableFileError,
    blocks_of_lines,
    content,
    found_records,
    kind_of_file,
    record_of,
)
from dagster_project.ingest.json_lines import (
    BLOCK_BYTES,
    NO_ROW,
    Block,
    Lines,
    Segment,
    Shape,
    in_chunks,
)
from dagster_project.ingest.json_records import Found, parsed
from dagster_project.quoting import literal
from dagster_project.stopping import go_on_or_stop
from dagster_project.treatment import UNTREATED, Treatment

_BATCH_BYTES = 80 * 1024 * 1024
_BLOCKS_AHEAD = 8
_BATCH_ROWS = 100_000
_CSV_BYTES = 4 * 1024 * 1024
_SECOND_LOOK_RECORDS = 20_000
_SECOND_LOOK_CHARACTERS = 64 * 1024 * 1024
MOST_PARTS = 128
# Higher levels take longer, and save little after Parquet's own encodings. A dictionary of more
# values takes longer, and saves nothing. Version 2 writes the other texts in less room.
_FORMAT = (
    "format parquet, parquet_version v2, compression zstd, compression_level 1,"
    " dictionary_size_limit 5000"
)


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
    """Reads the files of one dump into Parquet parts of `LINE_COLUMNS`.

    Attributes:
        forgotten_events: how many events were recognised, by the number of the request.
        forgot_somebody: whether anything was emptied for anybody.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        dump_date: date,
        max_late_days: int,
        target: Path,
        treatment: Treatment = UNTREATED,
        most_parts: int = MOST_PARTS,
    ) -> None:
        """Read into a folder that exists, with a connection from `prepare_connection`.

        Args:
            connection: of the thread that reads.
            dump_date: of the dump.
            max_late_days: how old an event may be.
            target: the folder.
            treatment: of personal data.
            most_parts: more of them are put together.

        Raises:
            ValueError: values are to be treated, and the connection has no key for it.
        """
        if treatment.needs_key and treatment.key is None:
            raise ValueError("a treatment without a key")
        self._treatment = treatment
        self._connection = connection
        self._dump_date = dump_date
        self._max_late_days = max_late_days
        self._target = target
        self._most_parts = most_parts
        self._parts: list[Path] = []
        self._lines: dict[Form, list[Segment]] = {}
        self._records: dict[Form, _Records] = {}
        self._rows: list[pa.Table] = []
        self._shapes: dict[Form, dict[int, Shape]] = {}
        self._forms: dict[str, Form] = {}
        self.forgotten_events: dict[int, int] = {}
        self.forgot_somebody = False

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
        if kind.format == "parquet":
            self._read_parquet(path, name)
        elif kind.format == "csv":
            self._read_csv(path, name, kind, damage)
        elif kind.is_array:
            pieces = content(path, kind.compression, damage)
            found = found_records(pieces, damage, is_array=True)
            self._take(name, kind.form, enumerate(found, start=1))
        else:
            self._read_lines(path, name, kind, damage)
        if damage.text and not damage.content_bytes:
            raise UnreadableFileError(f"no line can be read: {damage.text}; deliver it again")
        return FileRead(kind, damage.text, damage.content_bytes)

    def finish(self) -> tuple[list[Path], dict[str, FileLines]]:
        """Write what is waiting; returns the parts, and the lines of every file that has any."""
        for form in tuple(self._lines):
            self._classify_lines(form, self._lines.pop(form))
        for form in tuple(self._records):
            self._classify_records(form)
        self._classify_rows()
        lines = self._count_lines()
        if len(self._parts) > self._most_parts:
            self._put_together()
        return self._parts, lines

    def _read_lines(self, path: Path, name: str, kind: FileKind, damage: Damage) -> None:
        """Read a file of JSON lines."""
        segment = Segment(name)
        waiting = self._lines.setdefault(kind.form, [])
        waiting.append(segment)
        size = sum(each.size for each in waiting)
        pieces = blocks_of_lines(content(path, kind.compression, damage), at_least=BLOCK_BYTES)
        with made_ahead(map(Block.of, pieces), at_most=_BLOCKS_AHEAD) as blocks:
            for block in blocks:
                go_on_or_stop()
                segment.add(block)
                size += len(block.data)
                if size >= _BATCH_BYTES:
                    segment.is_last = False
                    segment = self._classify_lines(kind.form, waiting)
                    size = segment.size
                    waiting[:] = [segment]

    def _classify_lines(self, form: Form, segments: Sequence[Segment]) -> Segment:
        """Classify what segments hold; returns what is left of the last one, if it goes on."""
        lines = Lines(segments)
        known = self._shapes.setdefault(form, {})
        self._connection.register("landed", lines.table())
        try:
            looked_at = look_at_lines(self._connection, form)
            shapes = np.zeros(len(lines), dtype=np.uint64)
            shapes[looked_at["place"]] = looked_at["shape"]
            first_places = dict(zip(*np.unique(shapes, return_index=True), strict=True))
        finally:
            self._connection.unregister("landed")
        new = {int(place): int(s) for s, place in first_places.items() if s and s not in known}
        if new:
            examples = {place: lines[place].decode("utf-8") for place in new}
            for place, keys in keys_of(self._connection, form, examples).items():
                known[new[place]] = Shape.of(form, keys)
        left = lines.find_records(shapes)
        for name, row, found in lines.found:
            self._take(name, form, [(row, found)])
        if lines.keep_plain(known):
            self._connection.register("landed", lines.single_records(known))
            try:
                part = self._classify(lines_source(form), form)
            finally:
                self._connection.unregister("landed")
            lines.set_aside(self._without_outcome(part))
        for name, row, text in lines.aside():
            self._take_again(name, form, row, text)
        return left

    def _take_again(self, name: str, form: Form, row: int, text: str) -> None:
        """Read a line in Python that DuckDB could read otherwise."""
        try:
            plain = plain_json(form, parsed(text))
        except RecursionError:
            plain = text  # it is nested too deeply for Python, though it is JSON
        self._add(name, form, Record(row, text.strip(" \t\r\n"), plain))

    def _take(self, name: str, form: Form, found: Iterable[tuple[int, Found]]) -> None:
        for row, each in found:
            self._add(name, form, record_of(each, row, form))

    def _add(self, name: str, form: Form, record: Record) -> None:
        records = self._records.setdefault(form, _Records())
        records.add(name, record)
        if records.is_full:
            self._classify_records(form)

    def _classify_records(self, form: Form) -> None:
        self._classify_table(self._records.pop(form).table(), second_look_source(form), form)

    def _read_csv(self, path: Path, name: str, kind: FileKind, damage: Damage) -> None:
        dialect = kind.csv
        if dialect is None:
            raise ValueError("a CSV file without a dialect")
        pieces = content(path, kind.compression, damage)
        blocks = blocks_of_lines(pieces, at_least=_CSV_BYTES)
        rows_of = csv_records.rows_of(blocks, dialect, damage)
        with made_ahead(rows_of, at_most=_BLOCKS_AHEAD) as some:
            for rows in some:
                go_on_or_stop()
                self._rows.append(
                    _table_of_columns(
                        name,
                        dialect.columns,
                        rows=rows.rows,
                        lines=rows.texts,
                        problems=rows.problems,
                        controls=rows.controls,
                        texts=rows.fields,
                    )
                )
                if sum(len(each) for each in self._rows) >= _BATCH_ROWS:
                    self._classify_rows()

    def _classify_rows(self) -> None:
        if self._rows:
            table = pa.concat_tables(self._rows)
            self._rows = []
            self._classify_table(table, columns_source(TABULAR_COLUMNS), "tabular")

    def _read_parquet(self, path: Path, name: str) -> None:
        try:
            columns = tuple(column.strip().lower() for column in parquet_rows.columns_of(path))
            whole = parquet_rows.whole_batches(path, columns)
            with made_ahead(parquet_rows.rows_of(path), at_most=1) as some:
                for rows in some:
                    self._classify_parquet(name, columns, rows, next(whole, None))
        except (pa.ArrowException, OSError, ValueError) as error:
            said = "" if self._treatment.needs_key else f": {error}"  # which may repeat a value
            raise UnreadableFileError(f"not readable as Parquet{said}; deliver it again") from error

    def _classify_parquet(
        self,
        name: str,
        columns: Sequence[str],
        rows: parquet_rows.ParquetRows,
        whole: pa.RecordBatch | None,
    ) -> None:
        count = rows.batch.num_rows
        problems = pa.nulls(count, pa.string())
        if rows.problems:
            problems = pa.array([rows.problems.get(n) for n in range(count)], pa.string())
        table = _table_of_columns(
            name,
            columns,
            rows=pa.array(np.arange(rows.first_row, rows.first_row + count)),
            lines=pa.nulls(count, pa.string()),
            problems=problems,
            controls=pa.repeat(pa.scalar(False), count),
            texts=rows.texts,
        )
        source = columns_source([*rows.texts])
        part = self._classify_table(table, source, "tabular")
        # Only what is no event needs its text.
        odd = [row - rows.first_row for _, row in self._without_outcome(part)]
        if not odd:
            return
        shown = rows.batch if whole is None or whole.num_rows != count else whole
        texts = pa.array([parquet_rows.row_as_json(shown, place) for place in odd], pa.string())
        again = table.take(pa.array(odd))
        again = again.set_column(again.schema.get_field_index("line"), "line", texts)
        self._classify_table(again, source, "tabular")

    def _classify_table(self, table: pa.Table, source: str, form: Form) -> Path:
        self._connection.register("landed", in_chunks(table))
        try:
            return self._classify(source, form)
        finally:
            self._connection.unregister("landed")

    def _without_outcome(self, part: Path) -> list[tuple[str, int]]:
        """File and row of the lines of a part that have to be looked at again."""
        return self._connection.execute(
            "select source_file, source_row from read_parquet(?)"
            " where outcome is null and source_row <> ? order by source_file, source_row",
            [file_pattern(part), NO_ROW],
        ).fetchall()

    def _classify(self, source: str, form: Form) -> Path:
        """Write a part with the classified lines of a source over the table `landed`."""
        go_on_or_stop()
        part = self._target / f"lines-{len(self._parts):04d}.parquet"
        rows = classification(
            source,
            form=form,
            dump_date=self._dump_date,
            max_late_days=self._max_late_days,
            treatment=self._treatment,
        )
        is_treated = self._treatment.needs_key
        columns = ", ".join([*LINE_COLUMNS, *([LINE_BYTES] if is_treated else [])])
        query = f"{rows} select {columns} from rows_of_the_raw_layer"
        try:
            if self._treatment.forgets:
                query = self._without_whose_they_are(rows, columns)
            self._connection.execute(f"copy ({query}) to {literal(part)} ({_FORMAT})")
        except duckdb.Error:
            part.unlink(missing_ok=True)
            raise
        self._parts.append(part)
        return part

    def _without_whose_they_are(self, rows: str, columns: str) -> str:
        """The query for rows without whose they are, which is counted and kept nowhere."""
        self._connection.execute(
            f"create or replace temp table recognised_rows as {rows}"
            f" select {columns}, {FORGOTTEN_BY}, {IS_TOUCHED} from rows_of_the_raw_layer"
        )
        counted = self._connection.execute(
            f"select {FORGOTTEN_BY}, count(*) filter (where outcome = 'event' or reason = ?),"
            f" bool_or({IS_TOUCHED}) from recognised_rows where outcome is not null group by all",
            [FORGOTTEN],
        ).fetchall()
        for request, events, is_touched in counted:
            self.forgot_somebody |= is_touched
            if request is not None:
                self.forgotten_events[request] = self.forgotten_events.get(request, 0) + events
        return f"select {columns} from recognised_rows"

    def _count_lines(self) -> dict[str, FileLines]:
        if not self._parts:
            return {}
        shapes = self._connection.execute(
            "select source_file, outcome, keys, count(*)"
            f" from ({lines_of_parts('?')}) group by all",
            [[file_pattern(part) for part in self._parts]],
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
            f"copy ({lines_of_parts('?', all_columns=True)}) to {literal(together)} ({_FORMAT})",
            [[file_pattern(part) for part in self._parts]],
        )
        for part in self._parts:
            part.unlink()
        self._parts = [together]


class _Records:
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
        self._name = ""
        self._folders: Mapping[str, str] = {}

    def add(self, name: str, record: Record) -> None:
        if name != self._name:
            self._name, self._folders = name, folder_names(name)
        columns = self._columns
        columns["source_file"].append(name)
        columns["folder_item_type"].append(self._folders.get("item_type"))
        columns["folder_event"].append(self._folders.get("event"))
        columns["source_row"].append(record.row)
        columns["line"].append(record.text)
        columns["json_text"].append(record.json)
        columns["problem"].append(record.problem)
        self._characters += len(record.text)

    @property
    def is_full(self) -> bool:
        return (
            len(self._columns["line"]) >= _SECOND_LOOK_RECORDS
            or self._characters >= _SECOND_LOOK_CHARACTERS
        )

    def table(self) -> pa.Table:
        types = dict.fromkeys(self._columns, pa.string()) | {"source_row": pa.int64()}
        return pa.table(self._columns, schema=pa.schema(types))


def _table_of_columns(
    name: str,
    columns: Sequence[str],
    *,
    rows: pa.Array,
    lines: pa.Array,
    problems: pa.Array,
    controls: pa.Array,
    texts: Mapping[str, pa.Array],
) -> pa.Table:
    """Rows of a file with columns, as `columns_source` takes them."""
    count = len(rows)
    found = ", ".join(column or "(without a name)" for column in columns)
    of_file = {"source_file": name, "keys": keys_of_columns(columns), "columns_found": found}
    indices = pa.array(np.zeros(count, dtype=np.int32))
    return pa.table(
        {
            **{
                key: pa.DictionaryArray.from_arrays(indices, pa.array([value], pa.string()))
                for key, value in of_file.items()
            },
            "source_row": rows,
            "line": lines,
            "problem": problems,
            "is_control": controls,
            **{
                column: texts[column] if column in texts else pa.nulls(count, pa.string())
                for column in TABULAR_COLUMNS
            },
        }
    )
