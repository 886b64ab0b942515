"""Writes the landing: each file whole or not at all; a file that is right already stays untouched.

Beside `events/` and `content/` stands `.simulation.json`, which remembers what was written and
for which scenario; readers of a landing do not look at it.
"""

from __future__ import annotations

import filecmp
import hashlib
import io
import json
import pickle
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dagster_project.simulate.chunks import Chunk, FileSpec, compressed
from dagster_project.simulate.envelopes import ENVELOPES, parquet_schema

MARKER = ".simulation.json"


class OverwriteError(Exception):
    """There is something where a simulation would write; nothing was written."""

    def __init__(self, folder: Path, *, is_foreign: bool) -> None:
        """Say what is in the way.

        Args:
            folder: the dump, or the folder of the catalogue.
            is_foreign: whether it is known to be nothing that a simulator wrote.
        """
        way_out = (
            "move it away, or name another landing (WALKHOUSE_LANDING) or other days (--start)"
            if is_foreign
            else "name another landing (WALKHOUSE_LANDING) or other days (--start), or have what "
            "an earlier simulation wrote there replaced (--replace)"
        )
        super().__init__(
            f"{folder}: holds files that a simulation with these arguments does not write, and "
            f"that stay; nothing was written: {way_out}"
        )


class Workshop:
    """A folder in which files are written before they move into the landing; a context manager."""

    def __init__(self, landing: Path) -> None:
        self.landing = landing
        # Beside the landing's own folders: a move within one file system is one step.
        self._folder = TemporaryDirectory(prefix=".simulation-", dir=landing)
        self.path = Path(self._folder.name)

    def __enter__(self) -> Workshop:
        return self

    def __exit__(self, *_: object) -> None:
        self._folder.cleanup()

    def write(self, name: str, chunks: Iterable[Chunk], file: FileSpec) -> Path:
        """Write a dump's file into the workshop."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if file.envelope == "parquet":
            _write_parquet(path, chunks)
            return path
        with path.open("wb") as stream:
            stream.write(compressed(ENVELOPES[file.envelope].header, file.compression))
            for chunk in chunks:
                stream.write(chunk.payload)
        return path

    def write_bytes(self, name: str, content: bytes) -> Path:
        """Write any file into the workshop."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def deliver_folder(self, names: Sequence[str], target: Path) -> int:
        """Move files into the folder `target`, as one step if it is new; how many were moved.

        Without files there is no folder: nothing happened on that day.
        """
        staged = self.path / target.name
        for name in names:
            (staged / name).parent.mkdir(parents=True, exist_ok=True)
            (self.path / name).rename(staged / name)
        if names and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            staged.rename(target)
            return len(names)
        return sum(deliver(staged / name, target / name) for name in names)


def deliver(path: Path, target: Path) -> bool:
    """Move a file to its place, unless the same bytes are there; returns whether it was moved."""
    if target.is_file() and filecmp.cmp(path, target, shallow=False):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)
    return True


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def manifest(files: Mapping[str, tuple[Path, int]]) -> bytes:
    """`_manifest.json`: files by name, each with where it is now and how many lines it has."""
    entries = [
        {"name": name, "sha256": sha256_of(path), "rows": rows}
        for name, (path, rows) in sorted(files.items())
    ]
    return json.dumps({"files": entries}, indent=1).encode() + b"\n"


def _write_parquet(path: Path, chunks: Iterable[Chunk]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = parquet_schema()
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for chunk in chunks:
            rows = list(chain.from_iterable(_unpickled(chunk.payload)))
            if not rows:
                continue
            columns = [
                pa.array(values, type=field.type)
                for values, field in zip(zip(*rows, strict=True), schema, strict=True)
            ]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema))


def _unpickled(payload: bytes) -> Iterable[list[tuple[Any, ...]]]:
    # One pickle for each block of rows that the unit wrote; see `envelopes.encode_tuples`.
    stream = io.BytesIO(payload)
    while stream.tell() < len(payload):
        yield pickle.load(stream)
