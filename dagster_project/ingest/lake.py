"""The raw layer on disk: typed Parquet by dump date, each dump replaced as a whole.

A dump's folder holds its data in a folder named by the dump's fingerprint, and `dump.json`, which
names the files that count. Replacing `dump.json` is what replaces a dump: readers that follow it
see the old content or the new, whatever is killed when.

    <lake>/schema/lines.parquet, files.parquet        no rows, only the types
    <lake>/dumps/dt=2026-03-01/dump.json
    <lake>/dumps/dt=2026-03-01/<fingerprint>/…        lines-….parquet, files.parquet
    <lake>/content/items.parquet, content.json        the content catalogue
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

FORMAT_VERSION = 2
"""Version of this layout. A lake of another version is refused by name, never misread."""


class LakeVersionError(RuntimeError):
    """The lake was written by another version of Walkhouse; the message says what to do."""


@dataclass(frozen=True)
class LakeDump:
    """What `dump.json` says of a dump.

    Attributes:
        fingerprint: of the files' contents and of what read them.
        signature: of the landed files as listed, to see without reading whether they changed.
        reader: digest of the code and the definitions that read the dump.
        lines: Parquet files of its lines, relative to the dump's folder.
        files: the Parquet file of its ledger, relative to the dump's folder.
        outcomes: its lines by outcome.
        bytes: the landed bytes.
        event_dates: how many events it holds by event date.
        left_alone: files that are no dump files, by name nor by content.
    """

    dump_date: str
    fingerprint: str
    signature: str
    reader: str
    lines: tuple[str, ...]
    files: str
    outcomes: Mapping[str, int]
    bytes: int
    event_dates: Mapping[str, int]
    left_alone: tuple[str, ...]


class Lake:
    """Reads and replaces dumps of the raw layer at a local path."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def prepare(self) -> None:
        """Create the layout, or check that an existing one is of this version.

        Raises:
            LakeVersionError: the lake has another format.
        """
        marker = self.root / "version.json"
        if marker.exists():
            version = json.loads(marker.read_text(encoding="utf-8"))["format_version"]
            if version != FORMAT_VERSION:
                raise LakeVersionError(
                    f"{self.root}: written in format {version}, this Walkhouse reads format "
                    f"{FORMAT_VERSION}; remove the folder and run `walkhouse run`: it is rebuilt "
                    "from the landing"
                )
        (self.root / "schema").mkdir(parents=True, exist_ok=True)
        (self.root / "dumps").mkdir(exist_ok=True)
        (self.root / "content").mkdir(exist_ok=True)
        if not marker.exists():
            replace_text(marker, json.dumps({"format_version": FORMAT_VERSION}))

    def dump_folder(self, dump_date: date) -> Path:
        """Where a dump's data and its `dump.json` are."""
        return self.root / "dumps" / f"dt={dump_date}"

    def dumps(self) -> dict[date, LakeDump]:
        """The dumps that are loaded, by date."""
        days = (
            date.fromisoformat(path.parent.name.removeprefix("dt="))
            for path in sorted((self.root / "dumps").glob("dt=*/dump.json"))
        )
        return {day: dump for day in days if (dump := self.dump(day)) is not None}

    def dump(self, dump_date: date) -> LakeDump | None:
        """A dump, if it is loaded."""
        path = self.dump_folder(dump_date) / "dump.json"
        if not path.exists():
            return None
        return _lake_dump(json.loads(path.read_text(encoding="utf-8")))

    def failures(self) -> dict[date, str]:
        """The dumps that could not be loaded as they lie in the landing, and why."""
        return {
            date.fromisoformat(path.parent.name.removeprefix("dt=")): path.read_text("utf-8")
            for path in sorted((self.root / "dumps").glob("dt=*/failure.txt"))
        }

    def note_failure(self, dump_date: date, message: str) -> None:
        """Remember why a dump could not be loaded, until it can."""
        replace_text(self.dump_folder(dump_date) / "failure.txt", message)

    def forget_failure(self, dump_date: date) -> None:
        """The dump could be loaded after all, or lies in the landing as it did before."""
        (self.dump_folder(dump_date) / "failure.txt").unlink(missing_ok=True)

    def replace_dump(self, dump: LakeDump, data: Path) -> None:
        """Make a dump's new data, a folder on the same disk, the one that counts."""
        folder = self.dump_folder(date.fromisoformat(dump.dump_date))
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / dump.fingerprint
        if target.exists():
            shutil.rmtree(target)  # left behind by a run that was killed before dump.json
        data.rename(target)
        replace_text(folder / "dump.json", json.dumps(asdict(dump), indent=1, sort_keys=True))
        self.forget_failure(date.fromisoformat(dump.dump_date))
        for other in folder.iterdir():
            if other.is_dir() and other != target:
                shutil.rmtree(other)

    def note_signature(self, dump: LakeDump, signature: str) -> LakeDump:
        """Remember that files were delivered again with the same content."""
        folder = self.dump_folder(date.fromisoformat(dump.dump_date))
        changed = replace(dump, signature=signature)
        replace_text(folder / "dump.json", json.dumps(asdict(changed), indent=1, sort_keys=True))
        self.forget_failure(date.fromisoformat(dump.dump_date))
        return changed

    def remove_dump(self, dump_date: date) -> None:
        """Withdraw a dump: first from what counts, then from the disk."""
        folder = self.dump_folder(dump_date)
        (folder / "dump.json").unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)

    def remove_leftovers(self) -> None:
        """Remove what does not count: data that killed runs left, or did not come to remove.

        Nobody may be taking in dumps.
        """
        for folder in (self.root / "dumps").glob("dt=*"):
            dump = self.dump(date.fromisoformat(folder.name.removeprefix("dt=")))
            counts = {"dump.json", "failure.txt", dump.fingerprint if dump else None}
            for path in [path for path in folder.iterdir() if path.name not in counts]:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            if not any(folder.iterdir()):
                folder.rmdir()


def replace_text(path: Path, text: str) -> None:
    """Write a small file so that readers see the old text or the new, also after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def _lake_dump(content: dict[str, Any]) -> LakeDump:
    tuples = {name: tuple(content[name]) for name in ("lines", "left_alone")}
    return LakeDump(**{**content, **tuples})
