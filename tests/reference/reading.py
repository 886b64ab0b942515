"""From a landing folder to lines: which files a dump has, and what lines each file holds.

Rules from landing.md ("Where", "Records", "Every line ends in exactly one place"). What a line
means is decided in `events.py`; here it is only a record, or malformed.
"""

import csv
import datetime as dt
import hashlib
import io
import json
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

# The columns of `fct_item_events` in the order of warehouse.md, and `event_id` of landing.md.
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

NESTED_MARKS = {"data", "wm", "env", "ctx", "time"}
FLAT_MARKS = {"created_at", "oId", "oName"}
TABULAR_MARKS = set(TABULAR_COLUMNS) - {"value"}


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
        data = data.removeprefix(b"\xef\xbb\xbf")
        if _is_csv(data):
            format_, form, lines = "csv", "tabular", list(_csv_lines(data))
        else:
            lines = list(_json_lines(data))
            format_, form = "ndjson", form_of([line.record for line in lines if line.record])
        if ends_early and lines and not data.endswith(b"\n"):
            # The last line was torn; that what is left of it can be parsed would be chance.
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


def form_of(records: list[Record]) -> str | None:
    """The form that the first telling record shows; player where only control lines stand."""
    for record in records:
        keys = set(record)
        if keys & TABULAR_MARKS:
            return "tabular"
        if keys & FLAT_MARKS or any("." in key for key in keys):
            return "flat"
        if keys & NESTED_MARKS:
            return "player"
    return "player" if records else None


def _json_lines(data: bytes) -> Iterator[Line]:
    filled = (line for line in data.split(b"\n") if line.strip())
    for number, line in enumerate(filled, start=1):
        text = _decoded(line.removesuffix(b"\r"))
        yield Line(number=number, text=text, record=None if text is None else _object(text))


def _decoded(line: bytes) -> str | None:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _object(text: str) -> Record | None:
    """The JSON object in `text`, None if it is something else. Nesting has Python's limit."""
    try:
        value = json.loads(text, parse_constant=_no_such_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _no_such_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _is_csv(data: bytes) -> bool:
    """Whether the first filled line is a header that names a column of the tabular form."""
    first = next((line for line in data.split(b"\n") if line.strip()), b"")
    text = _decoded(first.strip())
    if text is None or text.startswith("{"):
        return False
    try:
        header = next(csv.reader([text]), [])
    except csv.Error:
        return False
    return bool(TABULAR_MARKS & set(header))


def _csv_lines(data: bytes) -> Iterator[Line]:
    records = _csv_records(data)
    _, header = next(records)
    assert header is not None
    for number, (text, cells) in enumerate(records, start=1):
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            yield Line(number=number, text=None, record=None)
            continue
        record = None if cells is None else dict(zip(header, cells, strict=True))
        yield Line(number=number, text=text, record=record)


def _csv_records(data: bytes) -> Iterator[tuple[str, list[str] | None]]:
    """Each CSV record that is not blank: its text and its cells, the header first.

    A record that is broken (an open quote, another width than the header's) costs its first line
    only and has no cells; reading goes on with the next line.
    """
    csv.field_size_limit(2**31 - 1)
    lines = data.decode("utf-8", errors="surrogateescape").split("\n")
    lines = [line + "\n" for line in lines]
    width: int | None = None
    start = 0
    while start < len(lines):
        if not lines[start].strip():
            start += 1
            continue
        reader = csv.reader((lines[i] for i in range(start, len(lines))), strict=True)
        try:
            cells: list[str] | None = next(reader)
        except csv.Error:
            cells = None
        if cells is not None and width is None:
            width = len(cells)
        if cells is None or len(cells) != width:
            cells = None
        end = start + (1 if cells is None else reader.line_num)
        text = "".join(lines[start:end])
        yield text.removesuffix("\n").removesuffix("\r"), cells
        start = end


def _parquet_lines(data: bytes) -> Iterator[Line]:
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    for number, row in enumerate(table.to_pylist(), start=1):
        record = {column: _plain(value) for column, value in row.items()}
        yield Line(number=number, text=None, record=record)


def _plain(value: Any) -> Any:
    """A Parquet value as JSON would hold it: times as ISO 8601 text."""
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    return value
