"""The raw layer on disk: typed Parquet by dump date, each dump replaced as a whole.

A dump's folder holds its data in a folder named by the dump's fingerprint, and `dump.json`, which
names the files that count. Replacing `dump.json` is what replaces a dump: readers that follow it
see the old content or the new, whatever is killed when.

    <lake>/schema/lines.parquet, files.parquet        no rows, only the types
    <lake>/dumps/dt=2026-03-01/dump.json
    <lake>/dumps/dt=2026-03-01/<fingerprint>/…        lines-….parquet, files.parquet
    <lake>/content/items.parquet, content.json        the content catalogue
    <lake>-of-format-0/…                              an older lake, until its dumps are read again
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.replacing import replace_text
from dagster_project.words import counted

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from dagster_project.ingest.shared_parts import SharedParts

logger = logging.getLogger("walkhouse")

FORMAT_VERSION = 3
"""Version of this layout. A lake of another version is read again from the landing, or refused by
name; it is never misread."""


class LakeVersionError(RuntimeError):
    """The lake was written by another version of Walkhouse; the message says what to do."""


class LakeChangedError(Exception):
    """Another machine was quicker: what was to be replaced is no longer what was read.

    Attributes:
        dump: the dump that counts now; None where there is none, or it was something else.
    """

    def __init__(self, what: str, dump: LakeDump | None = None) -> None:
        super().__init__(f"{what}: another machine replaced it meanwhile")
        self.dump = dump


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
        content_bytes: bytes of its files, uncompressed.
        quarantined_bytes: of them, those of quarantined lines.
        treatment: digest of what was done to personal data; empty where nothing was.
        requests_known: how many people, in all, were to be forgotten when it was read.
        forgotten_by: digest of these requests, where it held any of them; otherwise empty.
        forgotten_events: events of theirs by the number of the request, those left out included.
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
    content_bytes: int = 0
    quarantined_bytes: int = 0
    treatment: str = ""
    requests_known: int = 0
    forgotten_by: str = ""
    forgotten_events: Mapping[str, int] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """The name of the folder that holds its data, in the dump's folder."""
        return Path(self.files).parent.name or self.fingerprint

    @property
    def quarantined_share(self) -> float:
        """The share of its lines, or of its bytes, that is quarantined, whichever is larger."""
        return max(self._shares)

    @property
    def quarantined(self) -> str:
        """The same in words; bytes are named only where they weigh more than lines."""
        by_lines, by_bytes = self._shares
        lines, quarantined = sum(self.outcomes.values()), self.outcomes.get("quarantined", 0)
        said = f"{quarantined:,} of {counted(lines, 'line')} ({by_lines:.2%})"
        if by_bytes > by_lines:
            said += f", {self.quarantined_bytes:,} of {self.content_bytes:,} bytes ({by_bytes:.2%})"
        return said

    @property
    def _shares(self) -> tuple[float, float]:
        """The quarantined share of lines and of bytes."""
        return (
            self.outcomes.get("quarantined", 0) / max(1, sum(self.outcomes.values())),
            self.quarantined_bytes / max(1, self.content_bytes),
        )


class Lake:
    """Reads and replaces dumps of the raw layer at a local path.

    `shared_lake.SharedLake` does the same in an object store that many machines write to. Some
    methods have something to do there only.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self) -> None:
        """Take notice of what the lake holds now; here it is always asked anew."""

    def bring_here(self) -> None:
        """Have the data of all dumps on this machine; here they are.

        Nobody may be building or taking in dumps.
        """

    def in_order(self, days: Sequence[date]) -> list[date]:
        """Days in the order in which to take in their dumps."""
        return list(days)

    def knows(self, dump_date: date) -> bool:
        """Whether there is a dump of a day, or a note on why there is none."""
        return self.dump_folder(dump_date).exists()

    def look_again(self, dump_date: date) -> None:
        """See whether a dump is still what it was when the lake was read.

        Raises:
            LakeChangedError: it is not.
        """

    def shared_parts(
        self, dump_date: date, plan: str
    ) -> AbstractContextManager[SharedParts] | None:
        """The parts of a dump that machines read by a plan; None where they share nothing.

        Raises:
            LakeChangedError: in the block, see `look_again`.
        """
        del dump_date, plan
        return None

    def check(self) -> int | None:
        """The version of the layout that is there; None where there is none.

        Raises:
            LakeVersionError: the lake has another format.
        """
        version = self._version()
        if version is not None and version != FORMAT_VERSION:
            raise LakeVersionError(
                f"{self.root}: written in format {version} by another Walkhouse, this one reads "
                f"format {FORMAT_VERSION}; install that one again, or move the folder away and run "
                "`walkhouse run`, which reads the dumps of the landing again"
            )
        return version

    def prepare(self) -> None:
        """Create the layout, or check that an existing one is of this version.

        Raises:
            LakeVersionError: the lake has another format.
        """
        version = self.check()
        (self.root / "schema").mkdir(parents=True, exist_ok=True)
        (self.root / "dumps").mkdir(exist_ok=True)
        (self.root / "content").mkdir(exist_ok=True)
        if version is None:
            replace_text(self._marker, json.dumps({"format_version": FORMAT_VERSION}))

    def is_older(self, landed: Collection[date]) -> bool:
        """Whether the lake was written in an older format, and can be read again.

        Args:
            landed: the dumps in the landing.

        Raises:
            LakeVersionError: it holds dumps that the landing does not.
        """
        version = self._version()
        if version is None or version >= FORMAT_VERSION:
            return False
        if only_here := sorted(set(self.dump_dates()) - set(landed)):
            days = ", ".join(str(day) for day in only_here[:5])
            more = f" and {len(only_here) - 5} more" if len(only_here) > 5 else ""
            raise LakeVersionError(
                f"{self.root}: written in format {version}, this Walkhouse reads format "
                f"{FORMAT_VERSION} and would read all dumps again, but the landing no longer has "
                f"those of {days}{more}; put them there, or remove their folders from "
                f"{self.root / 'dumps'} if they are to be withdrawn, and run again"
            )
        return True

    def set_aside(self) -> None:
        """Begin a new lake; the older one stays beside it until all its dumps are read again.

        Nobody may be taking in dumps or building.
        """
        version = self._version()
        logger.info(
            "the lake has format %s, this Walkhouse reads format %s: all dumps are read again",
            version,
            FORMAT_VERSION,
        )
        self.root.rename(self.root.with_name(f"{self.root.name}-of-format-{version}"))
        self.prepare()

    def awaited(self) -> set[date]:
        """The dumps of an older lake that were neither read again nor withdrawn."""
        return {day for older in self._older() for day in _dates(older)}

    def _no_longer_await(self, dump_date: date) -> None:
        for older in self._older():
            shutil.rmtree(older / "dumps" / f"dt={dump_date}", ignore_errors=True)
            if not _dates(older):
                shutil.rmtree(older)

    def _older(self) -> list[Path]:
        return sorted(self.root.parent.glob(f"{self.root.name}-of-format-*"))

    @property
    def _marker(self) -> Path:
        return self.root / "version.json"

    def _version(self) -> int | None:
        if not self._marker.exists():
            return None
        return int(json.loads(self._marker.read_text(encoding="utf-8"))["format_version"])

    def dump_folder(self, dump_date: date) -> Path:
        """Where a dump's data and its `dump.json` are."""
        return self.root / "dumps" / f"dt={dump_date}"

    def parts(self, dump_date: date, dump: LakeDump) -> list[str]:
        """The paths of the files that hold a dump's lines."""
        return [str(self.dump_folder(dump_date) / part) for part in dump.lines]

    def dump_dates(self) -> list[date]:
        """The days of the dumps that are loaded; a lake of any format can be asked."""
        return _dates(self.root)

    def dumps(self) -> dict[date, LakeDump]:
        """The dumps that are loaded, by date."""
        return {day: dump for day in self.dump_dates() if (dump := self.dump(day)) is not None}

    def dump(self, dump_date: date) -> LakeDump | None:
        """A dump, if it is loaded."""
        path = self.dump_folder(dump_date) / "dump.json"
        if not path.exists():
            return None
        return lake_dump(json.loads(path.read_text(encoding="utf-8")))

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

    def replace_dump(
        self, dump: LakeDump, data: Path, parts: SharedParts | None = None
    ) -> LakeDump:
        """Make a dump's new data, a folder on the same disk, the one that counts.

        Args:
            dump: names its data.
            data: the folder.
            parts: where all its lines are already, and only the ledger is in the folder.

        Returns:
            what the lake now says of the dump.

        Raises:
            LakeChangedError: it is no longer what it was when the lake was read.
        """
        del parts  # there are none
        folder = self.dump_folder(date.fromisoformat(dump.dump_date))
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / dump.folder
        if target.exists():
            shutil.rmtree(target)  # left behind by a run that was killed before dump.json
        data.rename(target)
        replace_text(folder / "dump.json", json.dumps(asdict(dump), indent=1, sort_keys=True))
        self.forget_failure(date.fromisoformat(dump.dump_date))
        self._no_longer_await(date.fromisoformat(dump.dump_date))
        for other in folder.iterdir():
            if other.is_dir() and other != target:
                shutil.rmtree(other)
        return dump

    def note_signature(self, dump: LakeDump, signature: str) -> LakeDump:
        """Remember that files were delivered again with the same content.

        Raises:
            LakeChangedError: see `replace_dump`.
        """
        changed = replace(dump, signature=signature)
        self.note(changed)
        self.forget_failure(date.fromisoformat(dump.dump_date))
        return changed

    def note(self, dump: LakeDump) -> None:
        """Replace what the lake says of a dump, whose data stay.

        Raises:
            LakeChangedError: see `replace_dump`.
        """
        folder = self.dump_folder(date.fromisoformat(dump.dump_date))
        replace_text(folder / "dump.json", json.dumps(asdict(dump), indent=1, sort_keys=True))

    def remove_dump(self, dump_date: date) -> None:
        """Withdraw a dump: first from what counts, then from the disk.

        Raises:
            LakeChangedError: see `replace_dump`.
        """
        folder = self.dump_folder(dump_date)
        (folder / "dump.json").unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        self._no_longer_await(dump_date)

    def catalogue(self) -> dict[str, Any] | None:
        """What is said of the content catalogue that the lake holds; None where it holds none."""
        path = self.root / "content" / "content.json"
        if not path.exists():
            return None
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return content

    def replace_catalogue(self, said: Mapping[str, Any], items: Path) -> None:
        """Replace the content catalogue by a file on the same disk.

        Raises:
            LakeChangedError: see `replace_dump`.
        """
        items.replace(self.root / "content" / "items.parquet")
        replace_text(self.root / "content" / "content.json", json.dumps(said, indent=1))

    def leftovers(self) -> list[str]:
        """Data of the lake that do not count, and that nobody may remove yet; here there are none.

        Old ones are removed.
        """
        return []

    def remove_leftovers(self) -> None:
        """Remove what does not count: data that killed runs left, or did not come to remove.

        Nobody may be taking in dumps.
        """
        for part in ("schema", "content"):
            for path in (self.root / part).glob(".*"):
                path.unlink()
        for folder in (self.root / "dumps").glob("dt=*"):
            dump = self.dump(date.fromisoformat(folder.name.removeprefix("dt=")))
            counts = {"dump.json", "failure.txt", dump.folder if dump else None}
            for path in [path for path in folder.iterdir() if path.name not in counts]:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            if not any(folder.iterdir()):
                folder.rmdir()


def _dates(lake: Path) -> list[date]:
    return [
        date.fromisoformat(path.parent.name.removeprefix("dt="))
        for path in sorted((lake / "dumps").glob("dt=*/dump.json"))
    ]


def lake_dump(content: Mapping[str, Any]) -> LakeDump:
    """A dump, from the content of its `dump.json`."""
    tuples = {name: tuple(content[name]) for name in ("lines", "left_alone")}
    return LakeDump(**{**content, **tuples})
