"""What a landed file is: compression, format and form, told by its content and not by its name.

Also the forgiving way to read one: line by line, as far as it can be read.
"""

from __future__ import annotations

import csv
import io
import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from dagster_project.ingest.compression import (
    PARQUET,
    Compression,
    Damage,
    PackedError,
    compression_of,
    open_unpacked,
    promised_compression,
    unpacked,
)
from dagster_project.ingest.envelopes import TABULAR_COLUMNS, Form, form_of_object

Format = Literal["ndjson", "csv", "parquet"]

UTF8_BOM = b"\xef\xbb\xbf"
_ENCRYPTED = {"gpg", "pgp", "age", "enc"}
_LINES_TO_LOOK_AT = 1_000
_LONGEST_LINE_TO_LOOK_AT = 1 << 20


class UnreadableFileError(Exception):
    """A file of which nothing can be read; the message names it and says what was found."""


@dataclass(frozen=True)
class FileKind:
    """What a landed file is.

    Attributes:
        header: column names of a CSV file, as written; empty for the other formats.
        is_recognised: false where neither content nor name says what the file is.
    """

    format: Format
    compression: Compression
    form: Form
    header: tuple[str, ...] = ()
    is_recognised: bool = True


@dataclass(frozen=True)
class Record:
    r"""One line of a text file: an NDJSON line, or a CSV record (over several lines if quoted).

    Attributes:
        row: counted from 1; blank lines and a CSV's header do not count.
        text: as it stands in the file; bytes that are no UTF-8 are written as ``\xNN``.
        json: the record as JSON text, null where it is malformed.
        problem: what is wrong with a malformed record.
    """

    row: int
    text: str
    json: str | None
    problem: str | None = None


def kind_of_file(path: Path, name: str) -> FileKind:
    """Tell compression, format and form of a file.

    Raises:
        UnreadableFileError: it is packed in a way that is not read, or is not what it is called.
        OSError: the file cannot be opened.
    """
    try:
        compression = compression_of(path)
    except PackedError as error:
        raise UnreadableFileError(str(error)) from error
    with path.open("rb") as file:
        if file.read(len(PARQUET)) == PARQUET:
            return FileKind("parquet", "none", "tabular")
    extensions = {part.lower() for part in name.rsplit("/", 1)[-1].split(".")[1:]}
    header: tuple[str, ...] = ()
    form: Form | None = None
    looks_like_json = False
    for number, line in enumerate(_first_lines(path, compression)):
        parsed = _json_object(line)
        if parsed is not None:
            looks_like_json = True
            form = None if parsed.get("_static") is True else form_of_object(parsed)
            if form is not None:
                break
        elif number == 0:
            header = _csv_header(line)
    is_csv_name = "csv" in extensions
    is_json_name = not extensions.isdisjoint({"ndjson", "jsonl", "json"})
    names = {column.strip().lower() for column in header}
    looks_like_csv = len(names & set(TABULAR_COLUMNS)) > 1
    if not (looks_like_json or looks_like_csv):
        _check_promises(name, compression, extensions)
    if not looks_like_json and header and (looks_like_csv or is_csv_name):
        return FileKind("csv", compression, "tabular", header)
    return FileKind(
        "ndjson",
        compression,
        form or ("tabular" if is_csv_name else "player"),
        is_recognised=looks_like_json or is_json_name or is_csv_name,
    )


def _check_promises(name: str, compression: Compression, extensions: set[str]) -> None:
    """Refuse a file that neither holds lines nor is what its name says.

    Raises:
        UnreadableFileError: the name promises another kind of file.
    """
    promised = promised_compression(name)
    if promised and compression == "none":
        raise UnreadableFileError(
            f"its name says {promised}, and its content is neither that nor JSON or CSV; deliver it"
            " again"
        )
    if "parquet" in extensions:
        raise UnreadableFileError("it does not begin as a Parquet file does; deliver it again")
    if not extensions.isdisjoint(_ENCRYPTED):
        raise UnreadableFileError("its name says that it is encrypted; deliver it decrypted")


def read_records(
    path: Path, kind: FileKind, damage: Damage, *, is_known: Callable[[int], bool]
) -> Iterator[Record]:
    """The records of an NDJSON or CSV file but the known rows, as far as the file can be read.

    Malformed records are among them. A stream that breaks off, or is followed by something else,
    ends the records; `damage` then says so once they are exhausted.
    """
    lines = _lines(_chunks(path, kind.compression, damage))
    if kind.format == "csv":
        yield from _csv_records(lines, is_known, damage)
    else:
        yield from _ndjson_records(lines, is_known)


def write_well_formed(path: Path, kind: FileKind, target: Path) -> None:
    """Copy a CSV file, uncompressed, with an empty record in the place of each malformed one.

    So all records keep their numbers. A stream that breaks off ends the copy.
    """
    damage = Damage()
    empty = b",".join([b'""'] * len(kind.header)) + b"\n"
    with target.open("wb") as file:
        for raw, problem in _csv_rows(_lines(_chunks(path, kind.compression, damage)), damage):
            file.write(empty if problem else raw if raw.endswith(b"\n") else raw + b"\n")


def count_lines(path: Path, kind: FileKind, damage: Damage) -> int:
    """The number of line ends, blank lines included: a quick upper bound for the records.

    Reads the whole file, so `damage` is complete afterwards.
    """
    lines, last = 0, b"\n"
    for chunk in _chunks(path, kind.compression, damage):
        lines += chunk.count(b"\n")
        last = chunk[-1:]
    return lines + (last != b"\n")


def strict_json_problem(text: str) -> str | None:
    """Why a text is not one JSON object; None where it is. DuckDB alone is more lenient."""
    try:
        parsed = json.loads(text)
    except RecursionError:
        # Nested very deeply, which is no fault in itself; DuckDB has the last word.
        return None if text.startswith("{") else "JSON, but not an object"
    except ValueError as error:
        return f"not JSON: {error}"
    return None if isinstance(parsed, dict) else "JSON, but not an object"


def _ndjson_records(lines: Iterator[bytes], is_known: Callable[[int], bool]) -> Iterator[Record]:
    row = 0
    for line in lines:
        stripped = line.strip()
        if not stripped:
            continue
        row += 1
        if is_known(row):
            continue
        text, problem = _decoded(stripped)
        problem = problem or strict_json_problem(text)
        yield Record(row, text, None if problem else text, problem)


def _csv_records(
    lines: Iterator[bytes], is_known: Callable[[int], bool], damage: Damage
) -> Iterator[Record]:
    header: list[str] | None = None
    row = 0
    for raw, problem in _csv_rows(lines, damage):
        if header is None:
            header = [] if problem else [field.strip().lower() for field in _fields(raw)]
            continue
        row += 1
        if problem is None and is_known(row):
            continue
        text, _ = _decoded(raw.rstrip(b"\r\n"))
        fields = None if problem else json.dumps(dict(zip(header, _fields(raw), strict=True)))
        yield Record(row, text, fields, problem)


def _csv_rows(lines: Iterator[bytes], damage: Damage) -> Iterator[tuple[bytes, str | None]]:
    """The header and the records of a CSV file as they stand there, with what is wrong with them.

    A record that does not close properly costs its first line only.
    """
    ahead: deque[bytes] = deque()
    columns: int | None = None
    while ahead or _fetch(lines, ahead):
        if not ahead[0].strip():
            ahead.popleft()
            continue
        if columns and _is_plain(ahead[0], columns):
            yield ahead.popleft(), None
            continue
        length = _lines_of_record(ahead, lines)
        raw = b"".join(islice(ahead, length))
        problem = _csv_problem(raw, columns, damage)
        if problem and length > 1 and columns is not None:
            length, raw = 1, ahead[0]
            problem = _csv_problem(raw, columns, damage)
        if columns is None:
            columns = 0 if problem else len(_fields(raw))
        yield raw, problem
        for _ in range(length):
            ahead.popleft()


def _is_plain(line: bytes, columns: int) -> bool:
    """Whether a line is surely a record of so many columns; most are, and this is told fast."""
    if line.count(b",") != columns - 1 or b'"' in line or not line.endswith(b"\n"):
        return False
    return b"\r" not in line[:-2] and (line.isascii() or _decoded(line)[1] is None)


def _csv_problem(raw: bytes, columns: int | None, damage: Damage) -> str | None:
    """Why this is no record of so many columns, or no header where their number is not known."""
    text, problem = _decoded(raw.rstrip(b"\r\n"))
    if problem:
        return problem
    fields = _csv_fields(text)
    if fields is None:
        return "a quoted field does not end"
    if not raw.endswith(b"\n") and damage.text:
        return f"torn: {damage.text}"
    if columns is not None and len(fields) != columns:
        return f"{len(fields)} fields in a file of {columns} columns"
    return None


def _fields(raw: bytes) -> list[str]:
    """The fields of a record with which nothing is wrong."""
    return _csv_fields(raw.rstrip(b"\r\n").decode("utf-8")) or []


_MOST_LINES_OF_A_CSV_RECORD = 1_000


def _lines_of_record(ahead: deque[bytes], lines: Iterator[bytes]) -> int:
    """How many lines the first record of `ahead` takes: until its quotes are paired.

    Fetches further lines into `ahead` as needed; 1 where the quotes are never paired.
    """
    quotes = 0
    for length in range(1, _MOST_LINES_OF_A_CSV_RECORD + 1):
        if length > len(ahead) and not _fetch(lines, ahead):
            return 1
        quotes += ahead[length - 1].count(b'"')
        if quotes % 2 == 0:
            return length
    return 1


def _fetch(lines: Iterator[bytes], ahead: deque[bytes]) -> bool:
    """Move the next line to `ahead`; false where there is none."""
    line = next(lines, None)
    if line is not None:
        ahead.append(line)
    return line is not None


def _csv_fields(text: str) -> list[str] | None:
    """The fields of one record; None where a quote stays open or is misplaced."""
    try:
        records = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error:
        return None
    return records[0] if len(records) == 1 else None


def _decoded(line: bytes) -> tuple[str, str | None]:
    try:
        return line.decode("utf-8"), None
    except UnicodeDecodeError as error:
        return line.decode("utf-8", errors="backslashreplace"), f"not UTF-8: {error.reason}"


def _csv_header(line: bytes) -> tuple[str, ...]:
    text, problem = _decoded(line.rstrip(b"\r\n"))
    fields = None if problem else _csv_fields(text)
    return tuple(fields) if fields and all(field.strip() for field in fields) else ()


def _json_object(line: bytes) -> dict[str, Any] | None:
    try:
        parsed = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _first_lines(path: Path, compression: Compression) -> Iterator[bytes]:
    """The first lines that are not blank, very long ones cut, as far as they can be read."""
    with open_unpacked(path, compression) as file:
        line = file.readline(_LONGEST_LINE_TO_LOOK_AT).removeprefix(UTF8_BOM)
        found = 0
        while line and found < _LINES_TO_LOOK_AT:
            if line.strip():
                found += 1
                yield line
            line = file.readline(_LONGEST_LINE_TO_LOOK_AT)


def _chunks(path: Path, compression: Compression, damage: Damage) -> Iterator[bytes]:
    """The uncompressed content without its mark; what cannot be read is told in `damage`."""
    chunks = unpacked(path, compression, damage)
    first = next(chunks, b"")
    while 0 < len(first) < len(UTF8_BOM) and (more := next(chunks, b"")):
        first += more
    yield first.removeprefix(UTF8_BOM)
    yield from chunks


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Lines with their ends, the last one perhaps without."""
    parts: list[bytes] = []
    for chunk in chunks:
        pieces = chunk.split(b"\n")
        if len(pieces) == 1:
            parts.append(chunk)
            continue
        yield b"".join((*parts, pieces[0], b"\n"))
        for piece in pieces[1:-1]:
            yield piece + b"\n"
        parts = [pieces[-1]] if pieces[-1] else []
    if parts:
        yield b"".join(parts)
