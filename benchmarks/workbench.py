"""Runs programs and clocks them, simulates landings once, and measures what lies on disk."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

CHECKOUT = Path(__file__).resolve().parents[1]
_FEWEST_EVENTS = 500


class RunFailedError(Exception):
    """A program ended with an error; the message names it and where it says why."""


@dataclass(frozen=True)
class Run:
    """What one program took.

    Attributes:
        seconds: wall clock, from before the process starts until it has ended.
        peak_bytes: peak resident memory of its largest process (Walkhouse has one only).
        processor_seconds: of it and of what it waited for, on all cores.
    """

    seconds: float
    peak_bytes: int
    processor_seconds: float


@dataclass(frozen=True)
class Installation:
    """A landing and a home of Walkhouse."""

    landing: Path
    home: Path

    @property
    def published(self) -> Path:
        """The file that readers open."""
        return self.home / "published" / "walkhouse.duckdb"

    @property
    def events(self) -> int:
        """Events in what is published."""
        with duckdb.connect(str(self.published), read_only=True) as release:
            row = release.execute("select events from meta.release").fetchone()
        return int(row[0]) if row else 0


@dataclass(frozen=True)
class Workbench:
    """Where and at what size to measure.

    Attributes:
        data: folder for landings, installations and logs; may grow to many GB.
        scale: factor on the number of events, 1 for the sizes that the targets are meant for.
        history_days: dumps in a long history.
        threads: for Walkhouse and for whatever it is compared with.
        memo: what was measured in this process and is used by more than one measure.
    """

    data: Path
    scale: float = 1.0
    history_days: int = 365
    threads: int = os.cpu_count() or 2
    memo: dict[object, Any] = field(default_factory=dict)

    def events(self, number: int) -> int:
        """A number of events at this bench's scale."""
        return max(_FEWEST_EVENTS, int(number * self.scale))

    def landing(self, *, start: date, days: int, events_per_day: int, **knobs: object) -> Path:
        """A simulated landing; the simulator leaves what is there already.

        Args:
            start: first dump date.
            days: number of dumps.
            events_per_day: before scaling; what a working day has.
            knobs: further options of `walkhouse simulate`.
        """
        options: dict[str, object] = {
            "start": start,
            "days": days,
            "events-per-day": self.events(events_per_day),
            **{name.replace("_", "-"): value for name, value in sorted(knobs.items())},
        }
        name = "-".join(str(value) for value in options.values())
        landing = self.data / "landings" / name
        if landing in self.memo:
            return landing
        arguments = [part for key, value in options.items() for part in (f"--{key}", str(value))]
        self.walkhouse(
            Installation(landing, self.data / "simulate"), "simulate", *arguments, log=name
        )
        self.memo[landing] = True
        return landing

    def installation(self, name: str, *, landing: Path | None = None) -> Installation:
        """An empty installation, with a landing of its own unless one is given."""
        folder = self.data / "installations" / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return Installation(landing or folder / "landing", folder / "home")

    def walkhouse(
        self,
        installation: Installation,
        *arguments: str,
        log: str,
        variables: Mapping[str, str] | None = None,
    ) -> Run:
        """Run the real command line, with further variables; its output is in `logs/<log>.log`."""
        command = [sys.executable, "-m", "dagster_project.cli", *arguments]
        environment = self.environment(installation) | dict(variables or {})
        return self.execute(command, environment=environment, log=log)

    def program(
        self,
        name: str,
        *,
        log: str,
        python: str = sys.executable,
        variables: Mapping[str, str] | None = None,
        **arguments: object,
    ) -> Run:
        """Run one of `benchmarks.programs` with keyword arguments and further variables."""
        path = CHECKOUT / "benchmarks" / "programs" / f"{name}.py"
        return self.execute(
            [python, str(path), json.dumps(arguments, default=str)],
            environment=dict(os.environ) | dict(variables or {}),
            log=log,
        )

    def execute(
        self, command: Sequence[str], *, log: str, environment: Mapping[str, str] | None = None
    ) -> Run:
        """Run a program to its end and clock it.

        Raises:
            RunFailedError: it ended with an error.
        """
        logs = self.data / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        path = logs / f"{log}.log"
        with path.open("wb") as output:
            started = time.perf_counter()
            process = subprocess.Popen(
                command, cwd=CHECKOUT, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
            # `wait4` knows the peak memory of this one child; `Popen.wait` does not.
            try:
                _, status, usage = os.wait4(process.pid, 0)
            except BaseException:
                process.kill()
                process.wait()
                raise
            seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RunFailedError(f"{log} ended with {process.returncode}, see {path}")
        unit = 1 if sys.platform == "darwin" else 1024
        return Run(seconds, usage.ru_maxrss * unit, usage.ru_utime + usage.ru_stime)

    def environment(self, installation: Installation) -> dict[str, str]:
        """Variables by which programs find an installation; none of the caller's own settings."""
        outside = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("WALKHOUSE", "DAGSTER"))
        }
        return outside | {
            "WALKHOUSE_LANDING": str(installation.landing),
            "WALKHOUSE_HOME": str(installation.home),
            "WALKHOUSE_THREADS": str(self.threads),
        }


def event_files(landing: Path) -> list[Path]:
    """The files of all dumps of a landing."""
    return sorted(path for path in (landing / "events").rglob("*") if path.is_file())


def bytes_of(path: Path) -> int:
    """Size of a file, or of all files of a folder, without the holes in them."""
    files = [path] if path.is_file() else path.rglob("*")
    found = [file.stat() for file in files if file.is_file() and not file.is_symlink()]
    return sum(min(file.st_size, 512 * file.st_blocks) for file in found)


def warm(files: Sequence[Path]) -> None:
    """Read files once, so that whoever comes first does not pay for the disk alone."""
    for path in files:
        with path.open("rb") as file:
            while file.read(1 << 22):
                pass
