"""What a landed file is packed in, told by its first bytes, and its content without that.

gzip (any number of members, zero bytes between or after them) and zstd (any number of frames,
skippable ones and long windows) are unpacked. Everything else that holds files is refused by name:
nobody could tell what of it was meant.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Literal

import zstandard
from isal import isal_zlib

Compression = Literal["none", "gzip", "zstd"]

GZIP = b"\x1f\x8b"
ZSTD = b"\x28\xb5\x2f\xfd"
PARQUET = b"PAR1"
_BLOCK = 1 << 18
_SMALL = 1 << 12  # a block of zstd's that repeats one byte unpacks to 32,768 times its size
_MOST_UNPACKED_AT_ONCE = 1 << 20  # what the processor's cache holds is looked through quickest
_LARGEST_WINDOW = 1 << 31  # what `zstd --long=31` writes
_LOOKED_AT = 512  # bytes; a tar archive says what it is at the end of them
_ENDINGS = {"gz": "gzip", "gzip": "gzip", "zst": "zstd", "zstd": "zstd"}
_StreamErrors: tuple[type[Exception], ...] = (
    isal_zlib.error,  # type: ignore[assignment]  # an exception, for which it has no type
    zlib.error,
    zstandard.ZstdError,
    OverflowError,
)

_FOREIGN = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"PK\x07\x08", "a zip archive in parts"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ\x00", "compressed with xz"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a\x07", "a rar archive"),
    (b"LZIP", "compressed with lzip"),
    (b"\x04\x22\x4d\x18", "compressed with lz4"),
    (b"\xff\x06\x00\x00sNaPpY", "compressed with snappy"),
    (b"\x1f\x9d", "compressed with compress"),
    (b"\x1f\xa0", "compressed with compress"),
    (b"\x89LZO\x00", "compressed with lzop"),
    (b"MSCF", "a cabinet archive"),
    (b"!<arch>\n", "an ar archive"),
    (b"-----BEGIN PGP MESSAGE", "encrypted with PGP"),
    (b"age-encryption.org/", "encrypted with age"),
    (b"Salted__", "encrypted with OpenSSL"),
    (b"PARE", "an encrypted Parquet file"),
    (b"Obj\x01", "an Avro file"),
    (b"ORC", "an ORC file"),
    (b"ARROW1", "an Arrow file"),
    (b"FEA1", "a Feather file"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook"),
)


class PackedError(Exception):
    """A file is packed in a way that is not read; the message says which, and what to do."""


class Damage:
    """What became of unpacking a file.

    Attributes:
        text: what was found wrong with the file as a whole while it was read, if anything.
        content_bytes: how much content there was, as far as it could be read.
    """

    def __init__(self) -> None:
        self.text: str | None = None
        self.content_bytes = 0


def compression_of(path: Path) -> Compression:
    """How a file is compressed.

    Raises:
        PackedError: in a way that is not read, twice, or as a part of an archive.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as file:
        head = file.read(_LOOKED_AT)
    if problem := _foreign(head):
        raise PackedError(f"it is {problem}; deliver the files themselves, plain, gzip or zstd")
    compression = _compression(head)
    if compression != "none":
        inner = _head_of_content(path, compression)
        if problem := _foreign(inner):
            raise PackedError(
                f"inside {compression} it is {problem}; deliver the files themselves, plain, gzip "
                "or zstd"
            )
        if _compression(inner) != "none":
            raise PackedError(f"it is compressed twice, {compression} first; deliver it once")
        if inner.startswith(PARQUET):
            raise PackedError(
                f"it is a Parquet file inside {compression}; deliver it as it is, since Parquet "
                "compresses by itself"
            )
    return compression


def promised_compression(name: str) -> str | None:
    """The compression that a file's name promises, if it does."""
    return _ENDINGS.get(name.rpartition(".")[2].lower()) if "." in name else None


def unpacked(path: Path, compression: Compression, damage: Damage) -> Iterator[bytes]:
    """The content of a file, in pieces, as far as it can be read.

    A stream that breaks off, or is followed by something else, ends the pieces; `damage` then says
    so.

    Raises:
        OSError: the file cannot be read.
    """
    content_bytes = 0
    try:
        with path.open("rb") as file:
            blocks = iter(lambda: file.read(_BLOCK), b"")
            for piece in _unpacked(blocks, compression, damage):
                if piece:
                    content_bytes += len(piece)
                    yield piece
    except _StreamErrors as error:
        damage.text = f"the {compression} stream is damaged: {error}"
    finally:
        damage.content_bytes = max(damage.content_bytes, content_bytes)


def open_unpacked(path: Path, compression: Compression) -> IO[bytes]:
    """The content of a file, as a file; where it is damaged, it ends.

    Raises:
        OSError: the file cannot be opened.
    """
    if compression == "none":
        return path.open("rb")
    return io.BufferedReader(_Pieces(unpacked(path, compression, Damage())), _BLOCK)


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # of one type only
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        length = min(len(buffer), len(self._rest))
        buffer[:length] = self._rest[:length]
        self._rest = self._rest[length:]
        return length


def _unpacked(blocks: Iterator[bytes], compression: Compression, damage: Damage) -> Iterator[bytes]:
    if compression == "gzip":
        return _inflated(blocks, damage)
    if compression == "zstd":
        return _unzstd(blocks, damage)
    return blocks


def _inflated(blocks: Iterator[bytes], damage: Damage) -> Iterator[bytes]:
    """All members of a gzip stream, checksums verified. ISA-L takes half of zlib's time for it."""
    inflater = isal_zlib.decompressobj(wbits=31)
    for block in blocks:
        data = block
        while data:
            if inflater.eof:
                data = data.lstrip(b"\x00")  # padding, as tapes and block devices have it
                if not data:
                    break
                if not data.startswith(GZIP[:1]):
                    damage.text = "something else follows the gzip stream"
                    return
                inflater = isal_zlib.decompressobj(wbits=31)
            yield inflater.decompress(data, _MOST_UNPACKED_AT_ONCE)
            while inflater.unconsumed_tail:
                yield inflater.decompress(inflater.unconsumed_tail, _MOST_UNPACKED_AT_ONCE)
            data = inflater.unused_data
    if not inflater.eof:
        yield inflater.flush()
        damage.text = "the gzip stream ends early"


def _unzstd(blocks: Iterator[bytes], damage: Damage) -> Iterator[bytes]:
    """All frames of a zstd stream."""
    frames = zstandard.ZstdDecompressor(max_window_size=_LARGEST_WINDOW)
    frame = frames.decompressobj()
    for data in _small(blocks):
        while data:
            if frame.eof:
                frame = frames.decompressobj()
            yield frame.decompress(data)
            data = frame.unused_data
    if not frame.eof:
        damage.text = "the zstd stream ends early"


def _small(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Blocks in pieces so small that none of them can unpack to more than memory holds."""
    for block in blocks:
        for start in range(0, len(block), _SMALL):
            yield block[start : start + _SMALL]


def _head_of_content(path: Path, compression: Compression) -> bytes:
    with open_unpacked(path, compression) as file:
        return file.read(_LOOKED_AT)


def _compression(head: bytes) -> Compression:
    if head.startswith(GZIP):
        return "gzip"
    is_skippable = head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] <= 0x5F
    return "zstd" if head.startswith(ZSTD) or is_skippable else "none"


def _foreign(head: bytes) -> str | None:
    """What a file is that is not read; None if its first bytes do not say so."""
    for magic, meaning in _FOREIGN:
        if head.startswith(magic):
            return meaning
    if _is_tar(head):
        return "a tar archive"
    return "encrypted with PGP" if _is_pgp(head) else None


def _is_tar(head: bytes) -> bool:
    """By the checksum in the header, which older archives have as well."""
    written = head[148:156].strip(b" \x00")
    if len(head) < _LOOKED_AT or not written.isdigit() or not head[0]:
        return False
    found = sum(head[:148]) + 8 * ord(" ") + sum(head[156:])
    return all(digit < ord("8") for digit in written) and int(written, 8) == found


def _is_pgp(head: bytes) -> bool:
    """Whether this begins with a session key, encrypted with a key or a password (RFC 4880)."""
    if len(head) < 4:
        return False
    version = {0x84: head[2], 0x85: head[3], 0xC1: head[2] if head[1] < 192 else head[3]}
    if head[0] in version:
        return version[head[0]] in (2, 3, 6)
    return head[0] in (0x8C, 0xC3) and head[1] < 64 and head[2] in (4, 5, 6)
