"""The records of a CSV file: how it is written, told by its header, and its rows.

This is the only reader of CSV, whatever a file's size.
"""

from __future__ import annotations

import codecs
import csv
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from dagster_project.ingest.compression import Damage
from dagster_project.ingest.envelopes import REQUIRED_COLUMNS, TABULAR_COLUMNS
from dagster_project.ingest.json_records import not_utf8, readable, utf8

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
        self._ahead: deque[bytes] = deque()

    def read(self, block: bytes) -> Iterator[CsvRows]:
        """The rows of a block, but for a record at its end that may go on in the next one."""
        self._ahead.extend(block.splitlines(keepends=True))
        plain: list[bytes] = []
        rows: list[int] = []
        odd = _Odd()
        is_plain = self._plainness(block)
        while self._ahead:
            if self._has_header and is_plain(self._ahead[0]):
                self._row += 1
                rows.append(self._row)
                plain.append(self._ahead.popleft())
            elif not self._read_one(odd, is_last=False, damage=None):
                break
        if plain:
            yield self._plain_rows(rows, b"".join(plain))
        if odd.rows:
            yield self._odd_rows(odd)

    def rest(self, damage: Damage) -> Iterator[CsvRows]:
        """The rows that no further line can complete."""
        odd = _Odd()
        while self._ahead:
            self._read_one(odd, is_last=True, damage=damage)
        if odd.rows:
            yield self._odd_rows(odd)

    def _plainness(self, block: bytes) -> Callable[[bytes], bool]:
        """What tells plain lines; fewer things have to be asked if a block has none of them."""
        separator, most = self._dialect.separator.encode(), self._width - 1
        first = next(column for column in self._columns if column).encode()
        is_strange = (
            b"\r" in block.replace(b"\r\n", b"")
            or codecs.BOM_UTF8 in block
            or first in block.lower()
            or (most == 0 or separator == b"\t")
            or not block.endswith(b"\n")
            or utf8(block) is None
        )
        if not is_strange:
            return lambda line: line.count(separator) == most and b'"' not in line

        def is_plain(line: bytes) -> bool:
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

        return is_plain

    def _plain_rows(self, rows: list[int], data: bytes) -> CsvRows:
        names = [str(number) for number in range(self._width)]
        wanted = {column: names[n] for n, column in enumerate(self._columns) if column in _COLUMNS}
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
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=[*wanted.values()],
                null_values=["", _NULL],
                strings_can_be_null=True,
            ),
        )
        ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == ord("\n")) + 1
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

    def _read_one(self, rows: _Odd, *, is_last: bool, damage: Damage | None) -> bool:
        """Read the first record that is ahead; false where it may go on in the next block."""
        ahead = self._ahead
        if not is_last and len(ahead) == 1 and not ahead[0].endswith(b"\n"):
            return False
        line = ahead[0]
        if _is_blank(line, self._dialect.separator):
            ahead.popleft()
            return True
        length = self._lines_of_record(is_last=is_last)
        if length is None:
            return False
        raw = b"".join(islice(ahead, length))
        fields, problem = self._judged(raw, damage)
        if problem and length > 1:
            length, raw = 1, line
            fields, problem = self._judged(raw, damage)
        for _ in range(length):
            ahead.popleft()
        self._add(rows, raw, fields, problem)
        return True

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

    def _lines_of_record(self, *, is_last: bool) -> int | None:
        """How many lines the first record takes: until its quotes are paired.

        1 where they never are; None where that depends on lines that are not at hand.
        """
        quotes = 0
        for length, line in enumerate(islice(self._ahead, _MOST_LINES_OF_A_RECORD), start=1):
            quotes += line.count(b'"')
            if quotes % 2 == 0:
                return length
        return None if not is_last and len(self._ahead) < _MOST_LINES_OF_A_RECORD else 1


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
