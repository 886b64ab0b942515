"""Measures of an installation that has a history, to which dumps are added one after the other.

A long history takes hours, so each step is written down when it is done, beside the installation;
a later run of the benchmarks goes on from there, unless the program has changed meanwhile.

All days that are added are working days of the same size. No event of an ordinary one is late: both
sides of a ratio touch the same dates, but for the late dump, which is about just that.
"""

from __future__ import annotations

import gzip
import json
import re
import shutil
import zlib
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path

from benchmarks.conditions import code_digest
from benchmarks.days import Reading, first_load
from benchmarks.workbench import Installation, Workbench, event_files, warm

_EVENTS = 100_000
_MONDAY = date(2026, 3, 2)
# What is added to a history that ends on that Monday: one dump a step, in this order.
_STEPS = {
    "next": date(2026, 3, 3),
    "ordinary": date(2026, 3, 4),
    "late": date(2026, 3, 5),
    "release": date(2026, 3, 6),
}
_OLD_DATES = 5
# Every 25th session goes to each old date: a fifth of the dump is late.
_SHARES = 25
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class Step:
    """A step that is done.

    Attributes:
        seconds: of the run that took it in.
        peak_bytes: peak memory of that run.
        events: in the release after it.
    """

    seconds: float
    peak_bytes: int
    events: int


class History:
    """An installation with the dumps of many days, and how far the steps on it have come."""

    def __init__(self, bench: Workbench, *, days: int) -> None:
        self.bench = bench
        self.days = days
        self.name = f"history-{days}-days-{bench.events(_EVENTS)}"
        folder = bench.data / "installations" / self.name
        self.installation = Installation(folder / "landing", folder / "home")
        self._record = folder / "steps.json"
        self._code = code_digest()

    def step(self, name: str) -> Step:
        """A step, taken now (with those before it) unless it was taken already."""
        if name != "load":
            self.come_before(name)
        done = self._done()
        if name not in done:
            done[name] = self._load() if name == "load" else self._take_in(name)
            document = {
                "code": self._code,
                "steps": {known: asdict(step) for known, step in done.items()},
            }
            self._record.write_text(json.dumps(document, indent=1), encoding="utf-8")
        return done[name]

    def come_before(self, name: str) -> None:
        """Take all steps before a step, and undo what was begun of it and not finished."""
        order = ["load", *_STEPS]
        before = order[: order.index(name)]
        for earlier in before[-1:]:
            self.step(earlier)
        if name in self._done():
            return
        for later in order[order.index(name) :]:
            shutil.rmtree(self._folder(_STEPS[later]), ignore_errors=True)
        self.bench.walkhouse(self.installation, "run", log=f"{self.name}-before-{name}")
        warm([self.installation.home / "warehouse.duckdb"])

    def deliver(self, name: str) -> None:
        """Put the dump of a step into the landing."""
        day = _STEPS[name]
        folder = self._folder(day)
        shutil.copytree(self._simulated(day), folder)
        if name == "late":
            for path in event_files(self.installation.landing):
                if path.is_relative_to(folder):
                    make_late(path, days_ago=self._ages())
        warm([path for path in folder.rglob("*") if path.is_file()])

    def _take_in(self, name: str) -> Step:
        self.deliver(name)
        return self._run(f"{self.name}-{name}")

    def _load(self) -> Step:
        shutil.rmtree(self._record.parent, ignore_errors=True)
        for back in range(self.days):
            day = _MONDAY - timedelta(days=back)
            shutil.copytree(self._simulated(day), self._folder(day))
        source = self._source()
        shutil.copytree(source / "content", self.installation.landing / "content")
        warm(event_files(self.installation.landing))
        return self._run(f"{self.name}-load")

    def _run(self, log: str) -> Step:
        run = self.bench.walkhouse(self.installation, "run", log=log)
        return Step(run.seconds, run.peak_bytes, self.installation.events)

    def _done(self) -> dict[str, Step]:
        if not self._record.exists():
            return {}
        document = json.loads(self._record.read_text(encoding="utf-8"))
        if document["code"] != self._code:
            return {}
        return {name: Step(**step) for name, step in document["steps"].items()}

    def _ages(self) -> list[int]:
        """How many days ago the old dates are: spread over the history."""
        dates = min(_OLD_DATES, self.days)
        since = (_STEPS["late"] - _MONDAY).days
        return [since + self.days * number // dates for number in range(dates)]

    def _source(self) -> Path:
        # Every history is the end of the longest one, so that all add the same dumps.
        longest = max(self.days, self.bench.history_days)
        return self.bench.landing(
            start=_MONDAY - timedelta(days=longest - 1),
            days=longest + (max(_STEPS.values()) - _MONDAY).days,
            events_per_day=_EVENTS,
            form="player",
            late=0,
        )

    def _simulated(self, day: date) -> Path:
        return self._source() / "events" / f"dt={day}"

    def _folder(self, day: date) -> Path:
        return self.installation.landing / "events" / f"dt={day}"


def long_history(bench: Workbench) -> History:
    """The history that the targets are about."""
    return History(bench, days=bench.history_days)


def next_day(bench: Workbench) -> Reading:
    """Seconds of one more day after a long history over those after one day."""
    history = long_history(bench)
    # Loading it takes long, and a machine is not always as fast: both days are measured after it.
    history.step("load")
    short = History(bench, days=1).step("next")
    long = history.step("next")
    return Reading(
        long.seconds / short.seconds,
        f"{long.seconds:.1f} s after {history.days} days, {short.seconds:.1f} s after 1",
    )


def late_dump(bench: Workbench) -> Reading:
    """Seconds of a dump that touches old dates over those of an ordinary one of its size."""
    history = long_history(bench)
    ordinary, late = history.step("ordinary"), history.step("late")
    return Reading(
        late.seconds / ordinary.seconds,
        f"{late.seconds:.1f} s; ordinary {ordinary.seconds:.1f} s;"
        f" after {history.days} days, {min(_OLD_DATES, history.days)} old dates",
    )


def all_at_once(bench: Workbench) -> Reading:
    """Events per second of a history that is loaded at once over those of one large day."""
    day = first_load(bench, form="player", files=1)
    history = long_history(bench)
    loaded = history.step("load")
    day_rate = day.events / day.run.seconds
    history_rate = loaded.events / loaded.seconds
    return Reading(
        history_rate / day_rate,
        f"{loaded.events:,} events of {history.days} days in {loaded.seconds:.1f} s:"
        f" {history_rate:,.0f} a second; the day {day_rate:,.0f} a second",
    )


def make_late(path: Path, *, days_ago: list[int]) -> None:
    """Move some sessions of a gzipped player-envelope file back to old dates, each as a whole.

    TeachMe items that become visible are left out of them: their user may have seen them on that
    day already, which would break a cap.
    """
    lines = [
        moved
        for line in gzip.decompress(path.read_bytes()).splitlines()
        if (moved := _moved(line, days_ago)) is not None
    ]
    path.write_bytes(gzip.compress(b"\n".join(lines) + b"\n", compresslevel=1))


def _moved(line: bytes, days_ago: list[int]) -> bytes | None:
    try:
        record = json.loads(line)
        share = zlib.crc32(record["sId"].encode()) % _SHARES
        if share >= len(days_ago):
            return line
        if record["type"] == "visible" and record["data"]["type"] == "teachMe":
            return None
        back = days_ago[share] * _DAY_MS
        record["time"] -= back
        play = record["data"].get("pId")
        if play and (leading := re.match(r"\d{13}", play)):
            record["data"]["pId"] = f"{int(leading[0]) - back}{play[13:]}"
    except (ValueError, KeyError, TypeError, AttributeError):
        # Lines without a session or a time are in every dump; they stay as they are.
        return line
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()
