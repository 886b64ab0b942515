"""The parts that a large dump is read in where machines share a lake.

A part is some files of a dump. What its files hold is the same whoever reads it, and whatever else
the dump has: so machines read different parts, and any of them puts together what all have found.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from dagster_project.ingest.landing import LandedDump, LandedFile
from dagster_project.treatment import Treatment

PART_BYTES = 32 * 1024 * 1024
"""Bytes of the files of one part: some 15 seconds of one core where they are compressed, one or
two where they are not. A dump of no more is read by one machine."""

_MOST_PARTS = 64  # of a dump, or twice as many where files are large
_FORMAT = 1  # raise it with every change to what is read of a part or to how it is kept


@dataclass(frozen=True)
class PartRead:
    """What some files of a dump hold.

    Attributes:
        lines: names of the Parquet files with their lines.
        ledger: a row for each file that is a dump file, in their order.
        hashes: of all files, by their names.
        left_alone: names of those that are no dump files.
        event_dates: how many events they hold by event date.
        forgot_somebody: whether anything was emptied for anybody.
        forgotten_events: events of people who are forgotten by the number of the request.
    """

    lines: tuple[str, ...]
    ledger: tuple[Mapping[str, Any], ...]
    hashes: Mapping[str, str]
    left_alone: tuple[str, ...]
    event_dates: Mapping[str, int]
    forgot_somebody: bool
    forgotten_events: Mapping[str, int]

    @property
    def text(self) -> str:
        """The same as JSON, which `part_read` reads."""
        return json.dumps(asdict(self))


def part_read(text: str | bytes) -> PartRead:
    """What files hold, from its JSON.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    said = json.loads(text)
    tuples = {name: tuple(said[name]) for name in ("lines", "ledger", "left_alone")}
    return PartRead(**{**{field.name: said[field.name] for field in fields(PartRead)}, **tuples})


def together(parts: Sequence[PartRead]) -> PartRead:
    """What all files of a dump hold, given its parts in their order."""
    event_dates: Counter[str] = Counter()
    forgotten_events: Counter[str] = Counter()
    for part in parts:
        event_dates.update(part.event_dates)
        forgotten_events.update(part.forgotten_events)
    return PartRead(
        lines=tuple(name for part in parts for name in part.lines),
        ledger=tuple(row for part in parts for row in part.ledger),
        hashes={name: digest for part in parts for name, digest in part.hashes.items()},
        left_alone=tuple(name for part in parts for name in part.left_alone),
        event_dates=dict(sorted(event_dates.items())),
        forgot_somebody=any(part.forgot_somebody for part in parts),
        forgotten_events=dict(sorted(forgotten_events.items(), key=lambda each: int(each[0]))),
    )


def parts_of(files: Sequence[LandedFile]) -> list[tuple[LandedFile, ...]]:
    """Cut the files of a dump into parts, by their sizes and in their order.

    One file is in one part, however large it is.
    """
    size = max(PART_BYTES, sum(file.bytes for file in files) // _MOST_PARTS)
    parts: list[list[LandedFile]] = []
    room = 0
    for file in files:
        if not parts or file.bytes > room:
            parts.append([])
            room = size
        parts[-1].append(file)
        room -= file.bytes
    return [tuple(part) for part in parts]


def plan_of(
    landed: LandedDump, parts: Sequence[Sequence[LandedFile]], reader: str, treatment: Treatment
) -> str:
    """Changes whenever a part could be another, or hold anything else.

    Args:
        landed: the dump as it was listed.
        parts: of it.
        reader: digest of the code and the definitions that read it.
        treatment: with the list of who is forgotten.
    """
    known = len(treatment.requests)
    key = treatment.key.fingerprint if treatment.key is not None else ""
    said = [
        *(_FORMAT, landed.dump_date.isoformat(), landed.signature, reader),
        *(key, known, treatment.forgotten_by(known)),
        [[file.name for file in part] for part in parts],
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
