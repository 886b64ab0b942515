"""Turns rows into compressed pieces of files, and adds the lines that are no clean events.

These are control lines, ignored events, duplicates and spoilt copies, at random places beside the
good rows. They are counted, so that a test knows what the ledger must say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

import zstandard
from isal import isal_zlib

from dagster_project.simulate.envelopes import (
    ENVELOPES,
    REQUIRED,
    Envelope,
    Row,
    control_line,
    ignored_line,
    spoil,
)
from dagster_project.simulate.scenario import Compression
from dagster_project.simulate.world import World

_ROWS_PER_BLOCK = 400


@dataclass(frozen=True)
class FileSpec:
    """An event file of a dump.

    Attributes:
        name: path within the dump's folder.
        envelope: name of its form (`envelopes.ENVELOPES`).
    """

    name: str
    envelope: str
    compression: Compression


@dataclass
class Counts:
    """Numbers of lines, by the outcome that the ledger must give them."""

    control: int = 0
    ignored: int = 0
    quarantined: Counter[str] = field(default_factory=Counter)
    duplicate: int = 0
    accepted: int = 0

    def add(self, other: Counts) -> None:
        """Add the counts of another part of the same file."""
        self.control += other.control
        self.ignored += other.ignored
        self.quarantined.update(other.quarantined)
        self.duplicate += other.duplicate
        self.accepted += other.accepted


@dataclass(frozen=True)
class Chunk:
    """A unit's share of a file: compressed bytes (pickled rows for Parquet) and their counts."""

    day: int
    file: FileSpec
    payload: bytes
    counts: Counts


class Part:
    """The part of a file that is being written by a unit.

    Attributes:
        faulty: whether lines that must be quarantined stand in it.
        may_resend: whether some of its duplicates arrive in the next dump.
        resent: the rows that do.
    """

    def __init__(
        self,
        world: World,
        day: int,
        file: FileSpec,
        rng: Random,
        *,
        faulty: bool,
        may_resend: bool,
    ) -> None:
        self.world = world
        self.day = day
        self.file = file
        self.envelope: Envelope = ENVELOPES[file.envelope]
        self.rng = rng
        # If the folder names the event, no line can name another one.
        self.is_hooked = "/" in file.name
        self.faulty = faulty and not self.is_hooked
        self.may_resend = may_resend and not self.is_hooked
        self.resent: list[Row] = []
        self.counts = Counts()
        self.rows: list[Row] = []
        self.pieces: list[bytes] = []
        self.compress = _compressor(file.compression)

    def add(self, rows: list[Row]) -> None:
        """Add the rows of accepted events."""
        self.rows += rows
        if len(self.rows) >= _ROWS_PER_BLOCK:
            self.flush()

    def flush(self) -> None:
        """Put noise between the rows and write them."""
        if not self.rows:
            return
        self.counts.accepted += len(self.rows)
        self.pieces.append(self.compress.add(self.envelope.encode(self._with_noise())))
        self.rows = []

    def chunk(self) -> Chunk:
        """The finished chunk."""
        self.flush()
        payload = b"".join([*self.pieces, self.compress.end()])
        return Chunk(self.day, self.file, payload, self.counts)

    def _how_many(self, rate: float) -> int:
        return int(len(self.rows) * rate + self.rng.random()) if rate else 0

    def _with_noise(self) -> list[Row]:
        rows, rng, envelope, counts = self.rows, self.rng, self.envelope, self.counts
        scenario = self.world.scenario
        extra: list[tuple[int, Row]] = []

        def somewhere() -> int:
            return int(rng.random() * len(rows))

        if envelope.name == "player":
            for _ in range(self._how_many(scenario.control)):
                position = somewhere()
                extra.append((position, control_line(rows[position])))
                counts.control += 1
        verbs = self.world.definitions.ignored
        if verbs and envelope.name in ("player", "flat") and not self.is_hooked:
            for _ in range(self._how_many(scenario.ignored)):
                position = somewhere()
                verb = verbs[int(rng.random() * rng.random() * len(verbs))]
                extra.append((position, ignored_line(envelope, rows[position], verb)))
                counts.ignored += 1
        for _ in range(self._how_many(scenario.duplicate)):
            position = somewhere()
            if self.may_resend and rng.random() < 0.5:
                self.resent.append(rows[position])
                continue
            extra.append(
                (position + 1 + int(rng.random() * (len(rows) - position)), rows[position])
            )
            counts.duplicate += 1
        if self.faulty:
            for reason in self._reasons():
                position = somewhere()
                pair = self.world.undefined[int(rng.random() * len(self.world.undefined))]
                dump_day = self.world.day_number(self.day)
                spoilt = spoil(envelope, rows[position], reason, dump_day, pair, rng)
                if spoilt is not None:
                    extra.append((position, spoilt))
                    counts.quarantined[reason] += 1
        if not extra:
            return rows
        extra.sort(key=lambda entry: entry[0])
        merged: list[Row] = []
        last = 0
        for position, row in extra:
            merged += rows[last:position]
            merged.append(row)
            last = position
        return merged + rows[last:]

    def _reasons(self) -> Iterator[str]:
        scenario = self.world.scenario
        malformed = scenario.malformed
        if self.day < scenario.plant.get("quarantine_rate", 0):
            malformed += 0.03
        yield from ["malformed"] * self._how_many(malformed)
        for _ in range(self._how_many(scenario.missing)):
            yield f"missing_{REQUIRED[int(self.rng.random() * len(REQUIRED))]}"
        yield from ["bad_timestamp"] * self._how_many(scenario.bad_timestamp)
        yield from ["future_timestamp"] * self._how_many(scenario.future)
        yield from ["too_old"] * self._how_many(scenario.too_old)
        yield from ["undefined_event"] * self._how_many(scenario.undefined)


class _Gzip:
    def __init__(self) -> None:
        self.stream = isal_zlib.compressobj(1, isal_zlib.DEFLATED, 31)

    def add(self, data: bytes) -> bytes:
        return self.stream.compress(data)

    def end(self) -> bytes:
        return self.stream.flush()


class _Zstandard:
    def __init__(self) -> None:
        self.stream = zstandard.ZstdCompressor(level=1).compressobj()

    def add(self, data: bytes) -> bytes:
        return self.stream.compress(data)

    def end(self) -> bytes:
        return self.stream.flush()


class _Plain:
    def add(self, data: bytes) -> bytes:
        return data

    def end(self) -> bytes:
        return b""


def _compressor(compression: Compression) -> _Gzip | _Zstandard | _Plain:
    if compression == "gz":
        return _Gzip()
    return _Zstandard() if compression == "zst" else _Plain()


def compressed(data: bytes, compression: Compression) -> bytes:
    """Some bytes as a gzip member or Zstandard frame of their own; members can be chained."""
    stream = _compressor(compression)
    return stream.add(data) + stream.end() if data else b""
