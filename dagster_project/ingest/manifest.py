"""What a dump's manifest says (`getting-data-in.md`), and which file each entry means."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

SHAPE = '{"files": [{"name", "sha256", "rows"}]}'


class ManifestError(ValueError):
    """A manifest that cannot be used; the message says what was found and what to do."""


@dataclass(frozen=True)
class Entry:
    """What a manifest says of one file; None where it says nothing."""

    name: str
    sha256: str | None
    rows: int | None


def read_manifest(content: bytes) -> tuple[Entry, ...]:
    """The entries of a manifest.

    Raises:
        ManifestError: it is none.
    """
    try:
        said = json.loads(content)
    except (ValueError, RecursionError, MemoryError) as error:
        raise ManifestError(f"not JSON of the shape {SHAPE} ({error}); deliver it again") from error
    listed = said.get("files") if isinstance(said, dict) else None
    if not isinstance(listed, list):
        raise ManifestError(f"not of the shape {SHAPE}; deliver it again")
    entries: dict[str, Entry] = {}
    for number, each in enumerate(listed, start=1):
        try:
            entry = _entry(each)
        except (ValueError, OverflowError) as error:
            raise ManifestError(f"entry {number}: {error}; deliver it again") from error
        if entries.setdefault(entry.name, entry) != entry:
            raise ManifestError(f"lists {entry.name!r} twice, and differently; deliver it again")
    return tuple(entries.values())


def normalized(name: str) -> str:
    """A name as names are compared: systems write the same letters in different ways."""
    return unicodedata.normalize("NFC", name)


def matched(
    entries: Collection[Entry], names: Collection[str], left_alone: Collection[str]
) -> dict[str, Entry]:
    """The entry of each file of a dump.

    Names that differ in nothing but their Unicode normalization are the same, unless the dump has
    files of both.

    Args:
        entries: of the manifest.
        names: of the dump's files.
        left_alone: names beside them that are no part of the dump; they may be listed.

    Raises:
        ManifestError: a file is missing, not listed, or could be meant by two entries.
    """
    by_name: dict[str, list[str]] = {}
    for file_name in names:
        by_name.setdefault(normalized(file_name), []).append(file_name)
    beside = {normalized(name) for name in left_alone}
    found: dict[str, Entry] = {}
    numbers = f"({len(entries)} files listed, {len(names)} found)"
    for entry in sorted(entries, key=lambda entry: entry.name):
        meant = by_name.get(normalized(entry.name), [])
        exact = [entry.name] if entry.name in meant else meant
        name = exact[0] if len(exact) == 1 else None
        if name is None and meant:
            raise ManifestError(
                f"lists {entry.name!r}, which could be any of {len(meant)} files whose names only "
                "differ in their Unicode normalization; rename them"
            )
        if name is None and normalized(entry.name) not in beside:
            raise ManifestError(
                f"lists {entry.name!r}, which is not in the dump {numbers}; deliver it, or correct "
                "the manifest"
            )
        if name is not None and found.setdefault(name, entry) is not entry:
            raise ManifestError(f"lists {name!r} twice; correct the manifest")
    if extra := sorted(set(names) - found.keys()):
        raise ManifestError(
            f"does not list {extra[0]!r}, which is in the dump {numbers}; remove it, or correct "
            "the manifest"
        )
    return found


def _entry(said: Any) -> Entry:
    if not isinstance(said, Mapping):
        raise ValueError(f"an object is expected, not {said!r:.60}")
    name, digest = said.get("name"), said.get("sha256")
    if not isinstance(name, str) or not name:
        raise ValueError(f"name: text is expected, not {name!r:.60}")
    if digest is not None and not isinstance(digest, str):
        raise ValueError(f"sha256: text is expected, not {digest!r:.60}")
    return Entry(
        name=name.removeprefix("./"),
        sha256=digest.strip().lower() if digest else None,
        rows=_rows(said.get("rows")),
    )


def _rows(said: Any) -> int | None:
    if said is None or said == "":
        return None
    if isinstance(said, str) and said.strip().isdecimal():
        return int(said)
    is_number = isinstance(said, int | float) and not isinstance(said, bool)
    if not is_number or said < 0 or said != int(said):
        raise ValueError(f"rows: a whole number is expected, not {said!r:.60}")
    return int(said)
