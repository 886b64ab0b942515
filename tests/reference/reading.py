"""From a landing folder to lines: which files a dump has, and what lines each file holds.

Rules from getting-data-in.md ("The three forms", "What happens to a line"). What a line
means is decided in `events.py`; here it is only a record, or malformed.
"""

import csv
import datetime as dt
import decimal
import hashlib
import io
import json
import math
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet
import zstandard

Record = dict[str, Any]

EXTENSIONS = (
    *(
        extension + compression
        for extension in (".ndjson", ".jsonl", ".json", ".csv")
        for compression in ("", ".gz", ".zst")
    ),
    ".parquet",
)

# The columns of `fct_item_events` as data-dictionary.md has them, and the optional `event_id`.
TABULAR_COLUMNS = (
    "event_key",
    "occurred_at",
    "event_date",
    "system_id",
    "environment",
    "session_id",
    "end_user_id",
    "end_user_id_source",
    "item_type",
    "event",
    "engagement",
    "item_id",
    "item_name",
    "parent_item_id",
    "parent_item_type",
    "parent_item_name",
    "play_id",
    "initiator",
    "initiator_item_id",
    "is_user_initiated",
    "value",
    "interaction_guid",
    "visit_id",
    "page_host",
    "page_path",
    "page_title",
    "is_iframe",
    "browser",
    "os",
    "is_mobile",
    "utc_offset_minutes",
    "language",
    "user_name",
    "user_role",
    "user_type",
    "user_status",
    "user_info",
    "dump_date",
    "source_file",
    "source_row",
    "event_id",
)

NESTED_MARKS = {"data", "wm", "env", "ctx", "time", "sId", "type"}
FLAT_MARKS = {"created_at", "oId", "oName"}
TABULAR_MARKS = set(TABULAR_COLUMNS) - {"value"}
FLAT_KEY = r"(data|wm|env|ctx)[._].+|.+\..+"


class Number(float):
    """A number of JSON that is not written as a whole one; `written` is how it is."""

    written: str


@dataclass(frozen=True)
class Line:
    """One line as the ledger counts them.

    `text` is None where there is none (Parquet) or where it is not UTF-8; `record` is None where
    the line is malformed.
    """

    number: int
    text: str | None
    record: Record | None


@dataclass(frozen=True)
class LandedFile:
    """One file of a dump. `form` is None where the file does not show one."""

    dump_date: dt.date
    path: str
    form: str | None
    format: str
    compression: str
    size: int
    sha256: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Dump:
    """One dump. `refusals` is what its manifest and its files disagree on."""

    dump_date: dt.date
    files: tuple[LandedFile, ...]
    refusals: tuple[str, ...]


def read_dumps(landing: Path) -> list[Dump]:
    """Every dump of the landing folder, by date."""
    return [
        read_dump(folder, dt.date.fromisoformat(folder.name.removeprefix("dt=")))
        for folder in sorted((landing / "events").glob("dt=*"))
        if folder.is_dir() and re.fullmatch(r"dt=\d{4}-\d{2}-\d{2}", folder.name)
    ]


def read_dump(folder: Path, dump_date: dt.date) -> Dump:
    """The dump in one folder, nested folders included; files in byte order of their paths."""
    paths = sorted(
        (
            path.relative_to(folder).as_posix()
            for path in folder.rglob("*")
            if path.is_file() and path.name.lower().endswith(EXTENSIONS)
        ),
        key=lambda path: path.encode(),
    )
    files = tuple(
        read_file((folder / path).read_bytes(), dump_date=dump_date, path=path)
        for path in paths
        if path != "_manifest.json"
    )
    manifest = folder / "_manifest.json"
    refusals = check_manifest(manifest.read_text(), files) if manifest.exists() else ()
    return Dump(dump_date=dump_date, files=files, refusals=refusals)


def check_manifest(manifest: str, files: tuple[LandedFile, ...]) -> tuple[str, ...]:
    """What differs between the manifest and the files: missing, extra, wrong hash, wrong count."""
    promised = {entry["name"]: entry for entry in json.loads(manifest)["files"]}
    landed = {file.path: file for file in files}
    refusals = [f"{name}: promised, not landed" for name in sorted(promised.keys() - landed)]
    refusals += [f"{name}: landed, not promised" for name in sorted(landed.keys() - promised)]
    for name in sorted(promised.keys() & landed):
        entry, file = promised[name], landed[name]
        if entry["sha256"].lower() != file.sha256:
            refusals.append(f"{name}: sha256 promised {entry['sha256']}, landed {file.sha256}")
        if entry["rows"] != len(file.lines):
            refusals.append(f"{name}: rows promised {entry['rows']}, landed {len(file.lines)}")
    return tuple(refusals)


def read_file(content: bytes, *, dump_date: dt.date, path: str) -> LandedFile:
    """Tell compression, format and form by the content, never by the name, and read the lines."""
    compression, data, ends_early = decompress(content)
    form: str | None
    if data[:4] == b"PAR1" and data[-4:] == b"PAR1":
        format_, form, lines = "parquet", "tabular", list(_parquet_lines(data))
    else:
        data = as_utf8(data)
        table = table_of(data)
        if table is not None:
            format_, form, lines = "csv", "tabular", list(_csv_lines(data, *table))
        else:
            lines = list(_json_lines(data))
            format_, form = "ndjson", form_of([line.record for line in lines if line.record])
        if ends_early and format_ == "csv" and lines and not data.endswith((b"\n", b"\r")):
            # The last row was torn; that what is left of it has the right width would be chance.
            torn = lines.pop()
            lines.append(Line(number=torn.number, text=torn.text, record=None))
    return LandedFile(
        dump_date=dump_date,
        path=path,
        form=form,
        format=format_,
        compression=compression,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        lines=tuple(lines),
    )


def decompress(content: bytes) -> tuple[str, bytes, bool]:
    """Compression by magic bytes, what can be decompressed, whether the stream ends early."""
    if content[:2] == b"\x1f\x8b":
        return "gzip", *_gunzip(content)
    if content[:4] == b"\x28\xb5\x2f\xfd":
        return "zstd", *_unzstd(content)
    return "none", content, False


def _gunzip(content: bytes) -> tuple[bytes, bool]:
    data = b""
    while content:
        member = zlib.decompressobj(wbits=31)
        try:
            data += member.decompress(content)
        except zlib.error:
            return data, True
        if not member.eof:
            return data, True
        content = member.unused_data
    return data, False


def _unzstd(content: bytes) -> tuple[bytes, bool]:
    data = b""
    while content:
        frame = zstandard.ZstdDecompressor().decompressobj()
        try:
            data += frame.decompress(content)
        except zstandard.ZstdError:
            return data, True
        if not frame.eof:
            return data, True
        content = frame.unused_data
    return data, False


def as_utf8(data: bytes) -> bytes:
    """Text without its byte order mark, and in UTF-8 where the mark says that it is in UTF-16."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        data = data.decode("utf-16", errors="replace").encode()
    return data.removeprefix(b"\xef\xbb\xbf")


def form_of(records: list[Record]) -> str | None:
    """The form that the first telling record shows; player where only control lines stand."""
    for record in records:
        keys = set(record)
        if any(isinstance(record.get(key), dict) for key in ("data", "wm", "env", "ctx")):
            return "player"
        if keys & FLAT_MARKS or any(re.fullmatch(FLAT_KEY, key) for key in keys):
            return "flat"
        if {key.strip().lower() for key in keys} & TABULAR_MARKS:
            return "tabular"
        if keys & NESTED_MARKS:
            return "player"
    return "player" if records else None


def _json_lines(data: bytes) -> Iterator[Line]:
    """The records of a JSON file; what is none costs its line, or in an array its element."""
    text = (
        data.decode("utf-8", errors="surrogateescape").replace("\r\n", "\n").replace("\ufeff", "")
    )
    is_array = re.match(r"\s*\[\s*(\{|\]\s*$)", text)
    found = _array(text) if is_array else _records(text)
    for number, (shown, record) in enumerate(found, start=1):
        is_utf8 = re.search("[\udc80-\udcff]", shown) is None
        yield Line(number, shown if is_utf8 else None, record if is_utf8 else None)


def _records(text: str) -> Iterator[tuple[str, Record | None]]:
    position = 0
    while match := re.compile(r"[^ \t\r\n]").search(text, position):
        start = match.start()
        record, end = _object(text, start)
        behind = re.compile(r"[ \t\r]*").match(text, end)
        if record is None or (
            behind and text[behind.end() : behind.end() + 1] not in ("", "\n", "{")
        ):
            line = text.find("\n", start)
            record, end = None, len(text) if line < 0 else line
        elif "\n" in text[start:end] and re.search("[\udc80-\udcff]", text[start:end]):
            record, end = None, text.find("\n", start)
        yield text[start:end].rstrip(" \t\r\n"), record
        position = end


def _array(text: str) -> Iterator[tuple[str, Record | None]]:
    """The elements of an array, none of which is malformed in what the reference is used for."""
    position = text.index("[") + 1
    while match := re.compile(r"[^ \t\r\n,]").search(text, position):
        if text[match.start()] == "]":
            return
        record, position = _object(text, match.start())
        assert record is not None, "a malformed element"
        yield text[match.start() : position], record


def _object(text: str, start: int) -> tuple[Record | None, int]:
    """The JSON object at a position, and where it ends. Nesting has Python's limit."""
    decoder = json.JSONDecoder(parse_constant=_no_such_constant, parse_float=_number)
    try:
        value, end = decoder.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None, start
    return (value, end) if isinstance(value, dict) else (None, start)


def _number(written: str) -> Number:
    number = Number(written)
    number.written = written
    return number


def _no_such_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def table_of(data: bytes) -> tuple[str, list[str]] | None:
    """Separator and columns of a CSV file; None where the first line is no header."""
    for line in re.split(rb"\r\n|\n|\r", data):
        text = line.decode("utf-8", errors="replace").removeprefix("\ufeff")
        if not text.strip() or re.fullmatch(r'"?sep=.?"?', text.strip(), flags=re.IGNORECASE):
            continue
        if text.startswith(("{", "[")):
            return None
        candidates = []
        for separator in ",;\t|":
            try:
                header = next(csv.reader([text], delimiter=separator), [])
            except csv.Error:
                continue
            columns = [name.strip().lower() for name in header]
            candidates.append((len(TABULAR_MARKS & set(columns)), separator, columns))
        known, separator, columns = max(candidates, key=lambda each: each[0], default=(0, ",", []))
        return (separator, columns) if known else None
    return None


def _csv_lines(data: bytes, separator: str, columns: list[str]) -> Iterator[Line]:
    number, is_header_due = 0, True
    for text, cells in _csv_records(data, separator, len(columns)):
        record: Record | None = None
        if re.fullmatch(r'"?sep=.?"?', text.strip(), flags=re.IGNORECASE):
            record = {"_static": True}
        elif cells is not None and [cell.strip().lower() for cell in cells] == columns:
            if is_header_due:
                is_header_due = False
                continue
            record = {"_static": True}
        elif cells is not None:
            values = [None if cell == r"\N" else cell for cell in cells]
            record = dict(zip(columns, values, strict=True))
        number += 1
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            yield Line(number=number, text=None, record=None)
        else:
            yield Line(number=number, text=text, record=record)


def _csv_records(data: bytes, separator: str, width: int) -> Iterator[tuple[str, list[str] | None]]:
    """Each CSV record that is not blank: its text and its cells, the header among them.

    A record that is broken (an open quote, another width than the header's) costs its first line
    only and has no cells; reading goes on with the next line.
    """
    csv.field_size_limit(2**31 - 1)
    text = data.decode("utf-8", errors="surrogateescape")
    lines = re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", text)
    blanks = " \t\r\n".replace(separator, "")
    start = 0
    while start < len(lines):
        if not lines[start].strip(blanks):
            start += 1
            continue
        lines[start] = lines[start].removeprefix("\ufeff")
        end, cells = start + 1, None
        quotes = [line.count('"') for line in lines[start : start + 1_000]]
        for length in range(1, len(quotes) + 1):
            if sum(quotes[:length]) % 2 == 0:
                cells = _cells("".join(lines[start : start + length]), separator, width)
                end = start + (length if cells is not None else 1)
                break
        if cells is None and end == start + 1:
            cells = _cells(lines[start], separator, width)
        yield "".join(lines[start:end]).rstrip("\r\n"), cells
        start = end


def _cells(text: str, separator: str, width: int) -> list[str] | None:
    """The cells of one record; None where it is broken or has another width."""
    try:
        text.encode("utf-8")
        records = list(csv.reader([text.rstrip("\r\n")], delimiter=separator, strict=True))
    except (csv.Error, UnicodeEncodeError):
        return None
    cells = records[0]
    if len(cells) == width + 1 and cells[-1] == "":
        cells = cells[:-1]
    return cells if len(cells) == width else None


def _parquet_lines(data: bytes) -> Iterator[Line]:
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    if not table.column_names:
        return
    for number, row in enumerate(table.to_pylist(), start=1):
        try:
            record = {column.strip().lower(): _plain(value) for column, value in row.items()}
        except UnicodeDecodeError:
            record = None
        yield Line(number=number, text=None, record=record)


def _plain(value: Any) -> Any:
    """A Parquet value as JSON would hold it: times as ISO 8601 text, NaN as null."""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if isinstance(value, float):
        return None if math.isnan(value) else int(value) if value.is_integer() else value
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else str(value)
    return value
