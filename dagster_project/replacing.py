"""Files that are replaced as a whole: readers see the old content or the new, never a part."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write what takes the place of `path`: readers see the old file or the new.

    Any number of writers may be at it at once; each has a path of its own, and the last one wins.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        yield new
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def flush_to_disk(folder: Path) -> None:
    """Have everything in a folder on the disk, or a power cut could leave half a file of it."""
    written = [path for path in folder.rglob("*") if path.is_dir() or path.stat().st_nlink == 1]
    for path in [*written, folder]:  # what is linked from elsewhere lies there already
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def replace_text(path: Path, text: str) -> None:
    """Write a small file as `replacing` does, also should the power be cut."""
    with replacing(path) as new, new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
