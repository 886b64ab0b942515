"""What lies in a folder of the landing, and what of it could not be looked at.

Absence is only what a listing shows that was read to its end. So a listing says of everything that
it met whether it was read: files, what is left alone, and what could not be read, each with its
reason.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MANIFEST = "_manifest.json"

_LEFT_BEHIND = (
    *(".sha1", ".sha256", ".sha512", ".md5", ".crc", ".crc32"),
    *(".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp", ".temp", ".swp"),
    *(".bak", "~"),
)
"""Endings of checksums, of unfinished uploads and of copies that people and programs keep."""
_OF_SYSTEMS = ("thumbs.db", "desktop.ini")
_SPECIAL = (
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@dataclass(frozen=True)
class FoundFile:
    """A file, and what the file system says of it."""

    path: str
    info: Mapping[str, Any]


@dataclass
class Listing:
    """What a folder holds; every name is relative to it, with forward slashes.

    Attributes:
        files: by name.
        left_alone: what is no part of a landing by its name or kind, with the reason; of a folder
            nothing more is said.
        unread: what could not be looked at, with the reason; the folder itself is the empty name.
    """

    files: dict[str, FoundFile] = field(default_factory=dict)
    left_alone: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)


def list_folder(root: str) -> Listing:
    """List a folder of this machine and all below it; links are followed.

    Nothing is opened. A folder that does not exist is an empty one. One behind a folder that may
    not be entered is unread: nobody can say whether it exists.
    """
    listing = Listing()
    try:
        os.lstat(root)
    except FileNotFoundError:
        return listing
    except OSError as error:
        listing.unread[""] = _reason(error, root)
        return listing
    waiting: list[tuple[str, str, tuple[tuple[int, int], ...]]] = [(root, "", ())]
    while waiting:
        folder, name, above = waiting.pop()
        try:
            identity = _identity(Path(folder).stat())
            with os.scandir(folder) as scanned:
                entries = sorted(scanned, key=lambda entry: os.fsencode(entry.name))
        except OSError as error:
            listing.unread[name] = _reason(error, folder)
            continue
        if identity in above:
            listing.left_alone[name] = "a link back to a folder that it lies in"
            continue
        for entry in entries:
            found = f"{name}/{shown(entry.name)}" if name else shown(entry.name)
            if reason := reason_to_leave(found):
                listing.left_alone[found] = reason
                continue
            try:
                status = entry.stat()
            except OSError as error:
                listing.unread[found] = _reason(error, entry.path)
                continue
            if stat.S_ISDIR(status.st_mode):
                waiting.append((entry.path, found, (*above, identity)))
            elif not stat.S_ISREG(status.st_mode):
                kind = next((what for is_it, what in _SPECIAL if is_it(status.st_mode)), "special")
                listing.left_alone[found] = f"no file but {kind}"
            elif found in listing.files:
                listing.unread[found] = "two files have this name once it is text; rename one"
            else:
                listing.files[found] = FoundFile(
                    entry.path,
                    {
                        "size": status.st_size,
                        "mtime": status.st_mtime,
                        "created": status.st_ctime,
                        "ino": status.st_ino,
                    },
                )
    return listing


def list_store(root: str, objects: Iterable[tuple[str, Mapping[str, Any]]]) -> Listing:
    """The listing of a store's objects below a path, each with what the store says of it."""
    listing = Listing()
    for path, info in objects:
        name = path.removeprefix(f"{root}/")
        # Tools that show an object store as folders keep an empty object for each of them.
        if not name or name.endswith("/"):
            continue
        for above in _folders_and_itself(name):
            if reason := reason_to_leave(above):
                listing.left_alone[above] = reason
                break
        else:
            listing.files[name] = FoundFile(path, info)
    return listing


def reason_to_leave(name: str) -> str | None:
    """Why a file or folder is no part of a landing, by the last part of its name; None if it is."""
    folder, _, last = name.rpartition("/")
    if last == MANIFEST and folder.startswith("dt=") and "/" not in folder:
        return None
    if last.startswith((".", "_")):
        return f"its name begins with {last[0]}"
    if last.lower() in _OF_SYSTEMS:
        return "a file of the operating system"
    for ending in _LEFT_BEHIND:
        if last.lower().endswith(ending):
            return f"its name ends with {ending}"
    return None


def shown(name: str) -> str:
    r"""A name as text: bytes that are no UTF-8 are written as ``\xNN``."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _folders_and_itself(name: str) -> Iterator[str]:
    parts = name.split("/")
    for length in range(1, len(parts) + 1):
        yield "/".join(parts[:length])


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _reason(error: OSError, path: str) -> str:
    if isinstance(error, FileNotFoundError):
        if Path(path).is_symlink():
            return f"a link to {shown(str(Path(path).readlink()))}, which does not exist"
        return "it went away while the landing was listed"
    if isinstance(error, NotADirectoryError):
        return "it is no folder"
    return f"it cannot be read: {error.strerror or type(error).__name__}"
