"""The records of a CSV file: how it is written, told by its header, and its rows.

This is the only reader of CSV, whatever a file's size.
"""

from __future__ import annotations

import codecs
import csv
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from dagster_project.ingest.blocks import Places, is_utf8, line_ends, places_of
from dagster_project.ingest.compression import Damage
from dagster_project.ingest.envelopes import REQUIRED_COLUMNS, TABULAR_COLUMNS
from dagster_project.ingest.json_records import not_utf8, readable, utf8

Mask = np.ndarray[Any, np.dtype[np.bool_]]

csv.field_size_limit(sys.maxsize)  # of the process: a field may be as long as it is

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_MOST_LINES_OF_A_RECORD = 1_000
_NULL = "\\N"
_BOM = "\ufeff"
_SHOWN = 100
_COLUMNS = frozenset(TABULAR_COLUMNS)


class NoHeaderError(Exception):
    """A file that should be a table does not say which columns it has."""


@dataclass(frozen=True)
class CsvDialect:
    """How a CSV file is written.

    Attributes:
        separator: between the fields.
        header: names of the columns, as written.
    """

    separator: str
    header: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names without blanks around them, in lower case."""
        return tuple(_column(name) for name in self.header)


@dataclass(frozen=True)
class CsvRows:
    """Some rows of a file.

    Attributes:
        rows: counted from 1; blank lines and the header do not count.
        texts: as they stand in the file, perhaps with their line ends.
        fields: by column, the last of those that are called so; null where there is nothing.
        problems: what is wrong with malformed ones.
        controls: whether they only say something of the file.
    """

    rows: pa.Array
    texts: pa.Array
    fields: dict[str, pa.Array]
    problems: pa.Array
    controls: pa.Array


@dataclass
class _Odd:
    """Rows that were looked at one by one, as lists."""

    rows: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    fields: list[Sequence[str | None]] = field(default_factory=list)
    problems: list[str | None] = field(default_factory=list)
    controls: list[bool] = field(default_factory=list)


def dialect_of(head: bytes, *, is_expected: bool) -> CsvDialect | None:
    """How a CSV file is written that begins so; None where it is none.

    Args:
        head: the first lines.
        is_expected: whether the file is called a CSV file.

    Raises:
        NoHeaderError: it is called a CSV file, and its first line is no header.
    """
    first = _first_line(head)
    best, most = None, 0
    for separator in _SEPARATORS:
        fields = _fields(first, separator) or []
        known = len({_column(name) for name in fields} & set(TABULAR_COLUMNS))
        if known > most:
            best, most = CsvDialect(separator, tuple(fields)), known
    if most > 1 or (best is not None and is_expected):
        return best
    if is_expected:
        raise NoHeaderError(_no_header(head))
    return None


def rows_of(blocks: Iterator[bytes], dialect: CsvDialect, damage: Damage) -> Iterator[CsvRows]:
    """The rows of a CSV file, some at a time.

    Args:
        blocks: the content as UTF-8, in whole lines.
        dialect: how it is written.
        damage: says, once the blocks are exhausted, whether the last record may be torn.
    """
    reader = _Rows(dialect)
    for block in blocks:
        yield from reader.read(block)
    yield from reader.rest(damage)


class _Lines:
    """The lines of a block with their ends: LF, CRLF or CR."""

    def __init__(self, block: bytes) -> None:
        self.block = block
        self.has_cr = b"\r" in block and b"\r" in block.replace(b"\r\n", b"")
        if self.has_cr:
            ends = np.cumsum([len(line) for line in block.splitlines(keepends=True)])
        else:
            ends = line_ends(block)
            if block and not block.endswith(b"\n"):
                ends = np.append(ends, len(block))
        self.ends: Places = ends

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, number: int) -> bytes:
        return self.block[self.start(number) : self.ends[number]]

    def start(self, number: int) -> int:
        """Where a line begins, also the one after the last."""
        return int(self.ends[number - 1]) if number else 0

    def some(self, number: int, length: int) -> bytes:
        """So many lines from one on."""
        return self.block[self.start(number) : self.start(number + length)]

    def which(self, wanted: Mask) -> tuple[bytes, Places]:
        """The wanted lines by themselves, and where each of them ends."""
        ends = np.cumsum(np.diff(self.ends, prepend=0)[wanted])
        edges = np.flatnonzero(np.diff(wanted, prepend=False, append=False)).reshape(-1, 2)
        return b"".join(self.some(start, end - start) for start, end in edges.tolist()), ends


class _Rows:
    """Reads blocks of lines, and keeps what goes on in the next one.

    A line without quotes that has as many fields as there are columns is a plain record, whoever
    reads it; Arrow does so fastest. All others are looked at one by one.
    """

    def __init__(self, dialect: CsvDialect) -> None:
        self._dialect = dialect
        self._columns = dialect.columns
        self._width = len(dialect.columns)
        self._row = 0
        self._has_header = False
        self._rest = b""

    def read(self, block: bytes) -> Iterator[CsvRows]:
        """The rows of a block, but for a record at its end that may go on in the next one."""
        yield from self._read(_Lines(self._rest + block), is_last=False, damage=None)

    def rest(self, damage: Damage) -> Iterator[CsvRows]:
        """The rows that no further line can complete."""
        yield from self._read(_Lines(self._rest), is_last=True, damage=damage)

    def _read(self, lines: _Lines, *, is_last: bool, damage: Damage | None) -> Iterator[CsvRows]:
        is_plain = self._plainness(lines)
        odd_places = np.append(np.flatnonzero(~is_plain), len(lines))
        rows = np.zeros(len(lines), dtype=np.int64)
        odd = _Odd()
        position = 0
        while position < len(lines):
            place = position
            if self._has_header:
                place = int(odd_places[np.searchsorted(odd_places, position)])
                rows[position:place] = np.arange(place - position) + (self._row + 1)
                self._row += place - position
                position = place
                if place == len(lines):
                    break
            length = self._read_one(lines, place, odd, is_last=is_last, damage=damage)
            if not length:
                break
            position = place + length
            is_plain[place:position] = False
        is_plain[position:] = False
        self._rest = lines.block[lines.start(position) :]
        if is_plain.any():
            yield self._plain_rows(rows[is_plain], *lines.which(is_plain))
        if odd.rows:
            yield self._odd_rows(odd)

    def _plainness(self, lines: _Lines) -> Mask:
        """By line, whether it is plain; fewer things have to be asked where none can be in it."""
        block = lines.block
        separator, most = self._dialect.separator.encode(), self._width - 1
        first = next(column for column in self._columns if column).encode()
        is_strange = (
            lines.has_cr
            or codecs.BOM_UTF8 in block
            or first in block.lower()
            or (most == 0 or separator == b"\t")
            or not block.endswith(b"\n")
            or not is_utf8(block)
        )
        if not is_strange:
            ends = lines.ends
            separators = np.diff(np.searchsorted(places_of(separator, block), ends), prepend=0)
            is_plain: Mask = separators == most
            is_plain[np.searchsorted(ends, places_of(b'"', block), side="right")] = False
            return is_plain

        def is_plain_line(line: bytes) -> bool:
            return (
                line.count(separator) == most
                and b'"' not in line
                and line.endswith(b"\n")
                and b"\r" not in line[:-2]
                and codecs.BOM_UTF8 not in line
                and first not in line.lower()
                and (line.isascii() or utf8(line) is not None)
                and bool(line.strip())
            )

        return np.array([is_plain_line(lines[n]) for n in range(len(lines))], dtype=bool)

    def _plain_rows(self, rows: Places, data: bytes, ends: Places) -> CsvRows:
        names = [str(number) for number in range(self._width)]
        wanted = {column: names[n] for n, column in enumerate(self._columns) if column in _COLUMNS}
        has_nulls = _NULL.encode() in data
        table = pa_csv.read_csv(
            pa.BufferReader(data),
            read_options=pa_csv.ReadOptions(
                column_names=names, use_threads=False, block_size=max(len(data), 1 << 20)
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=self._dialect.separator,
                quote_char=False,
                double_quote=False,
                ignore_empty_lines=False,
            ),
            convert_options=pa_csv.ConvertOptions(
                check_utf8=False,  # which plain lines are
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=[*wanted.values()],
                null_values=[_NULL],
                strings_can_be_null=has_nulls,  # empty ones become null later
            ),
        )
        offsets = np.concatenate(([0], ends)).astype(np.int32)
        buffers = [None, pa.py_buffer(offsets), pa.py_buffer(data)]
        count = len(rows)
        return CsvRows(
            rows=pa.array(rows, pa.int64()),
            texts=pa.Array.from_buffers(pa.string(), count, buffers),
            fields={column: table[name].combine_chunks() for column, name in wanted.items()},
            problems=pa.nulls(count, pa.string()),
            controls=pa.repeat(pa.scalar(False), count),
        )

    def _odd_rows(self, odd: _Odd) -> CsvRows:
        by_column = dict(zip(self._columns, zip(*odd.fields, strict=True), strict=True))
        return CsvRows(
            rows=pa.array(odd.rows, pa.int64()),
            texts=pa.array(odd.texts, pa.string()),
            fields={
                column: pa.array(values, pa.string())
                for column, values in by_column.items()
                if column in _COLUMNS
            },
            problems=pa.array(odd.problems, pa.string()),
            controls=pa.array(odd.controls, pa.bool_()),
        )

    def _read_one(
        self, lines: _Lines, place: int, rows: _Odd, *, is_last: bool, damage: Damage | None
    ) -> int:
        """Read the record that begins in a line; how many lines it takes.

        0 where it may go on in the next block.
        """
        line = lines[place]
        if not is_last and place == len(lines) - 1 and not line.endswith(b"\n"):
            return 0
        if _is_blank(line, self._dialect.separator):
            return 1
        length = self._lines_of_record(lines, place, is_last=is_last)
        if length is None:
            return 0
        raw = lines.some(place, length)
        fields, problem = self._judged(raw, damage)
        if problem and length > 1:
            length, raw = 1, line
            fields, problem = self._judged(raw, damage)
        self._add(rows, raw, fields, problem)
        return length

    def _add(self, rows: _Odd, raw: bytes, fields: list[str] | None, problem: str | None) -> None:
        text = readable(raw).rstrip("\r\n").removeprefix(_BOM)
        is_control = False
        if _is_separator_line(text):
            is_control, fields, problem = True, None, None
        elif fields is not None and tuple(map(_column, fields)) == self._columns:
            if not self._has_header:
                self._has_header = True
                return
            is_control = True
        self._row += 1
        rows.rows.append(self._row)
        rows.texts.append(text)
        nothing: Sequence[str | None] = [None] * self._width
        is_read = fields is not None and problem is None and not is_control
        rows.fields.append(
            [None if each == _NULL else each for each in fields or ()] if is_read else nothing
        )
        rows.problems.append(problem)
        rows.controls.append(is_control)

    def _judged(self, raw: bytes, damage: Damage | None) -> tuple[list[str] | None, str | None]:
        """The fields of a record, and why it is none."""
        try:
            text = raw.decode("utf-8").removeprefix(_BOM)
        except UnicodeDecodeError:
            return None, not_utf8(raw)
        ended = text.rstrip("\r\n")
        fields = _fields(ended, self._dialect.separator)
        if fields is None:
            return None, "a quoted field does not end, or something follows its end"
        if len(ended) == len(text) and damage is not None and damage.text:
            return None, f"torn: {damage.text}"
        fields = self._fitted(fields)
        if len(fields) != self._width:
            return None, f"{len(fields)} fields in a file of {self._width} columns"
        return fields, None

    def _fitted(self, fields: list[str]) -> list[str]:
        """Fields without, or with, the empty one that a separator at the end of a line makes."""
        if len(fields) == self._width + 1 and not fields[-1]:
            return fields[:-1]
        if len(fields) == self._width - 1 and not self._columns[-1]:
            return [*fields, ""]
        return fields

    def _lines_of_record(self, lines: _Lines, place: int, *, is_last: bool) -> int | None:
        """How many lines the record takes that begins in one: until its quotes are paired.

        1 where they never are; None where that depends on lines that are not at hand.
        """
        at_hand = len(lines) - place
        quotes = 0
        for length in range(1, min(at_hand, _MOST_LINES_OF_A_RECORD) + 1):
            quotes += lines[place + length - 1].count(b'"')
            if quotes % 2 == 0:
                return length
        return None if not is_last and at_hand < _MOST_LINES_OF_A_RECORD else 1


def _first_line(head: bytes) -> str:
    """The first line that is neither blank nor says which separator is used."""
    for line in head.splitlines():
        text = readable(line).removeprefix(_BOM)
        if text.strip() and not _is_separator_line(text):
            return text
    return ""


def _is_separator_line(text: str) -> bool:
    written = text.strip().strip('"').lower()
    return written.startswith("sep=") and len(text.strip().strip('"')) <= len("sep=") + 1


def _is_blank(line: bytes, separator: str) -> bool:
    blanks = b" \t\r\n".replace(separator.encode(), b"")
    return not line.strip(blanks)


def _column(name: str) -> str:
    return name.strip().lower()


def _fields(text: str, separator: str) -> list[str] | None:
    """The fields of one record; None where a quote stays open or is misplaced."""
    if '"' not in text and "\r" not in text and "\n" not in text:
        return text.split(separator)
    try:
        records = list(csv.reader(_lines(text), delimiter=separator, strict=True))
    except csv.Error:
        return None
    return records[0] if len(records) == 1 else None


def _lines(text: str) -> Iterator[str]:
    """Lines that end with LF only, as the reader of CSV takes them."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def _no_header(head: bytes) -> str:
    """Why a file has no header; its first line may be a row, so it is not quoted."""
    if b"\x00" in head[:_SHOWN]:
        return (
            "it has zero bytes, as UTF-16 without its byte order mark does; deliver it as UTF-8, "
            "or as UTF-16 with the mark"
        )
    names = ", ".join(REQUIRED_COLUMNS)
    return (
        f"it has no header: its first line names no column ({names}, …) between separators that "
        f"are known ({', '.join(_SEPARATORS.values())}); deliver it with the names of its columns "
        "in the first line"
    )
