"""What files are packed in: unpacked as it stands, or refused by name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import pytest
import zstandard

from dagster_project.ingest.compression import Damage, PackedError, compression_of, unpacked
from dagster_project.ingest.files import UnreadableFileError, kind_of_file

TEXT = b'{"a": 1}\n' * 30_000
START, REST = TEXT[:900], TEXT[900:]
SKIPPABLE = b"\x5a\x2a\x4d\x18\x04\x00\x00\x00some"


def zstd(content: bytes, *, window_log: int = 0) -> bytes:
    parameters = zstandard.ZstdCompressionParameters(window_log=window_log)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    return packer.compress(content) + packer.flush()


def tar(content: bytes, form: int = tarfile.PAX_FORMAT) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as archive:
        member = tarfile.TarInfo("a.ndjson")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return packed.getvalue()


def zipped(content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.ndjson", content)
    return packed.getvalue()


def read(path: Path) -> tuple[bytes, Damage]:
    damage = Damage()
    return b"".join(unpacked(path, compression_of(path), damage)), damage


@pytest.mark.parametrize(
    "packed",
    [
        TEXT,
        gzip.compress(TEXT),
        gzip.compress(START) + gzip.compress(REST),
        b"".join(gzip.compress(TEXT[at : at + 90]) for at in range(0, len(TEXT), 90)),
        gzip.compress(START) + bytes(512) + gzip.compress(b"") + gzip.compress(REST) + bytes(3_000),
        zstd(TEXT),
        zstd(START) + SKIPPABLE + zstd(REST) + SKIPPABLE,
        SKIPPABLE + zstd(TEXT),
        b"".join(zstd(TEXT[at : at + 9_000]) for at in range(0, len(TEXT), 9_000)),
        zstd(TEXT, window_log=29),
    ],
)
def test_members_frames_padding_and_windows_are_read_through(tmp_path: Path, packed: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(packed)
    content, damage = read(path)
    assert content == TEXT
    assert damage.text is None
    assert damage.content_bytes == len(TEXT)


@pytest.mark.parametrize(
    ("packed", "says"),
    [
        (gzip.compress(TEXT)[:-2], "the gzip stream ends early"),
        (gzip.compress(TEXT) + b"then text", "something else follows"),
        (gzip.compress(START) + gzip.compress(REST)[:-300], "the gzip stream ends early"),
        (zstd(TEXT)[:-2], "the zstd stream ends early"),
        (zstd(START) + b"then text", "the zstd stream is damaged"),
    ],
)
def test_where_a_stream_breaks_off_is_told(tmp_path: Path, packed: bytes, says: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(packed)
    content, damage = read(path)
    assert TEXT.startswith(content)
    assert says in (damage.text or "")


@pytest.mark.parametrize(
    ("packed", "says"),
    [
        (bz2.compress(TEXT), "compressed with bzip2"),
        (lzma.compress(TEXT), "compressed with xz"),
        (zipped(TEXT), "zip archive"),
        (tar(TEXT), "a tar archive"),
        (tar(TEXT, tarfile.USTAR_FORMAT), "a tar archive"),
        (gzip.compress(tar(TEXT)), "inside gzip it is a tar archive"),
        (zstd(tar(TEXT)), "inside zstd it is a tar archive"),
        (gzip.compress(zipped(TEXT)), "inside gzip it is a zip archive"),
        (gzip.compress(gzip.compress(TEXT)), "compressed twice"),
        (zstd(gzip.compress(TEXT)), "compressed twice"),
        (gzip.compress(b"PAR1" + bytes(90) + b"PAR1"), "Parquet file inside gzip"),
        (b"7z\xbc\xaf\x27\x1c" + bytes(90), "a 7z archive"),
        (b"-----BEGIN PGP MESSAGE-----\n", "encrypted with PGP"),
        (b"\x85\x01\x0c\x03" + bytes(range(90)), "encrypted with PGP"),
        (b"\x8c\x0d\x04\x09\x03\x02" + bytes(range(90)), "encrypted with PGP"),
    ],
    # Bytes of gzip hold the time: they name no test.
    ids=lambda value: value if isinstance(value, str) else "packed",
)
def test_what_is_packed_otherwise_is_refused_by_name(
    tmp_path: Path, packed: bytes, says: str
) -> None:
    path = tmp_path / "a.ndjson"
    path.write_bytes(packed)
    with pytest.raises(PackedError, match=says):
        compression_of(path)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.ndjson.gz", bytes(range(256)), "its name says gzip"),
        ("a.csv.zst", bytes(range(256)), "its name says zstd"),
        ("a.ndjson.gz", b"", "its name says gzip"),
        ("a.parquet", bytes(range(256)), "does not begin as a Parquet file"),
        ("a.ndjson.gpg", bytes(range(64)), "its name says that it is encrypted"),
    ],
)
def test_a_file_that_is_not_what_it_is_called_nor_anything_else_is_refused(
    tmp_path: Path, name: str, content: bytes, says: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableFileError, match=says):
        kind_of_file(path, name)


def test_a_file_with_the_name_of_another_kind_is_what_it_holds(tmp_path: Path) -> None:
    for name, content, found in (
        ("a.csv.gz", TEXT, ("ndjson", "none")),
        ("a.parquet", gzip.compress(TEXT), ("ndjson", "gzip")),
        ("a.ndjson", zstd(b"session_id,event\n1,2\n"), ("csv", "zstd")),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        kind = kind_of_file(path, name)
        assert (kind.format, kind.compression) == found
