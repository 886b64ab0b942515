"""What a landed file is: compression, format and form, told by its content and not by its name.

Also its content as UTF-8, in blocks of whole lines, and the records of a JSON file one by one.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from dagster_project.ingest.compression import (
    PARQUET,
    Compression,
    Damage,
    PackedError,
    compression_of,
    promised_compression,
    unpacked,
)
from dagster_project.ingest.csv_records import CsvDialect, NoHeaderError, dialect_of
from dagster_project.ingest.envelopes import Form, form_of_object, plain_json
from dagster_project.ingest.json_records import (
    Found,
    begins_an_array,
    records_in_array,
    records_in_lines,
)

Format = Literal["ndjson", "csv", "parquet"]

UTF8_BOM = codecs.BOM_UTF8
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ENCRYPTED = {"gpg", "pgp", "age", "enc"}
_BYTES_TO_LOOK_AT = (1 << 16, 1 << 20)  # the first do nearly always
_RECORDS_TO_LOOK_AT = 1_000


class UnreadableFileError(Exception):
    """A file of which nothing can be read; the message names it and says what was found."""


@dataclass(frozen=True)
class FileKind:
    """What a landed file is.

    Attributes:
        csv: how a CSV file is written; None for the other formats.
        is_array: whether a JSON file is one array of records.
        is_recognised: false where neither content nor name says what the file is.
    """

    format: Format
    compression: Compression
    form: Form
    csv: CsvDialect | None = None
    is_array: bool = False
    is_recognised: bool = True


@dataclass(frozen=True)
class Record:
    r"""One record of a JSON file.

    Attributes:
        row: counted from 1; blank lines do not count.
        text: as it stands in the file; bytes that are no UTF-8 are written as ``\xNN``.
        json: the record as plain JSON, null where it is malformed (`envelopes.plain_json`).
        problem: what is wrong with a malformed record.
    """

    row: int
    text: str
    json: str | None
    problem: str | None = None


def kind_of_file(path: Path, name: str) -> FileKind:
    """Tell compression, format and form of a file.

    Raises:
        UnreadableFileError: it is packed in a way that is not read, is not what it is called, or is
            a table without a header.
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
    is_csv_name = not extensions.isdisjoint({"csv", "tsv"})
    is_json_name = not extensions.isdisjoint({"ndjson", "jsonl", "json"})
    for size in _BYTES_TO_LOOK_AT:
        head = _head(path, compression, size)
        is_array = begins_an_array(head)
        looks_like_json, form = _form_of_head(head, is_array=is_array)
        if form is not None:
            break
    if not looks_like_json and head.strip() and not head.lstrip().startswith((b"{", b"[")):
        try:
            csv = dialect_of(head, is_expected=is_csv_name)
        except NoHeaderError as error:
            _check_promises(name, compression, extensions)
            raise UnreadableFileError(str(error)) from error
        if csv is not None:
            return FileKind("csv", compression, "tabular", csv)
    if not looks_like_json:
        _check_promises(name, compression, extensions)
    return FileKind(
        "ndjson",
        compression,
        form or ("tabular" if is_csv_name else "player"),
        is_array=is_array,
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


def content(path: Path, compression: Compression, damage: Damage) -> Iterator[bytes]:
    """The content of a text file as UTF-8 without its mark, in pieces, as far as it can be read.

    What cannot be read is told in `damage`.
    """
    pieces = unpacked(path, compression, damage)
    first = next(pieces, b"")
    while 0 < len(first) < len(UTF8_BOM) and (more := next(pieces, b"")):
        first += more
    if not first.startswith(_UTF16_BOMS):
        yield first.removeprefix(UTF8_BOM)
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
    yield decoder.decode(first).encode()
    for piece in pieces:
        yield decoder.decode(piece).encode()
    yield decoder.decode(b"", final=True).encode()


def blocks_of_lines(pieces: Iterator[bytes], *, at_least: int = 1 << 20) -> Iterator[bytes]:
    """Pieces put together so that each ends with a line; the last one may not.

    A CR alone ends no line here: what is split by it stays together.
    """
    parts: list[bytes] = []
    size = 0
    for piece in pieces:
        cut = piece.rfind(b"\n") + 1
        if cut and size + cut >= at_least:
            yield b"".join((*parts, piece[:cut]))
            parts, size = [piece[cut:]], len(piece) - cut
        else:
            parts.append(piece)
            size += len(piece)
    if size:
        yield b"".join(parts)


def read_records(path: Path, kind: FileKind, damage: Damage) -> Iterator[Record]:
    """The records of a JSON file, malformed ones among them, as far as the file can be read.

    A stream that breaks off, or is followed by something else, ends the records; `damage` then says
    so once they are exhausted.
    """
    pieces = content(path, kind.compression, damage)
    for row, found in enumerate(found_records(pieces, damage, is_array=kind.is_array), start=1):
        yield record_of(found, row, kind.form)


def found_records(pieces: Iterator[bytes], damage: Damage, *, is_array: bool) -> Iterator[Found]:
    """The records of a JSON file, one by one."""
    if is_array:
        yield from records_in_array(pieces, damage)
        return
    lines: list[bytes] = []
    for block in blocks_of_lines(pieces):
        lines += block.split(b"\n")
        rest = lines.pop()
        yield from _records_of(lines, is_last=False)
        if rest:
            lines.append(rest)
    yield from _records_of(lines, is_last=True)


def _records_of(lines: list[bytes], *, is_last: bool) -> Iterator[Found]:
    """The records of lines; those that more lines may complete are left in the list."""
    position = 0
    while position < len(lines):
        known = records_in_lines(lines, position, is_last=is_last)
        if known is None:
            break
        found, position = known
        yield from found
    del lines[:position]


def record_of(found: Found, row: int, form: Form) -> Record:
    """A record as it is handed on."""
    if found.value is None:
        return Record(row, found.text, None, found.problem)
    try:
        return Record(row, found.text, plain_json(form, found.value))
    except RecursionError:
        return Record(row, found.text, None, "JSON that is nested too deeply")


def _head(path: Path, compression: Compression, size: int) -> bytes:
    """The first bytes of the content."""
    head = b""
    for piece in content(path, compression, Damage()):
        head += piece
        if len(head) >= size:
            break
    return head[:size]


def _form_of_head(head: bytes, *, is_array: bool) -> tuple[bool, Form | None]:
    """Whether there is a JSON record in the first bytes of a file, and which form they show."""
    looks_like_json = False
    for found in islice(
        found_records(iter([head]), Damage(), is_array=is_array), _RECORDS_TO_LOOK_AT
    ):
        if found.value is not None:
            looks_like_json = True
            form = None if found.value.get("_static") is True else form_of_object(found.value)
            if form is not None:
                return True, form
    return looks_like_json, None
