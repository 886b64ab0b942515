"""Who may write what at the same time.

Locks are files that the operating system frees when their holder ends, however it ends: a killed
run leaves nothing behind that a person would have to clear. Every step that writes begins with one,
so a process that was told to end is given none.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import IO

from dagster_project.stopping import go_on_or_stop

logger = logging.getLogger("walkhouse")

_POLL_SECONDS = 0.2
_REMIND_EVERY_SECONDS = 30.0


@contextmanager
def lake_writer(home: Path) -> Iterator[None]:
    """Held while dumps are taken in: many may, but not while the warehouse is built."""
    with _locked(home / "locks" / "lake", exclusive=False, purpose="taking in dumps"):
        yield


@contextmanager
def dump_writer(home: Path, dump_date: date) -> Iterator[None]:
    """Held while one dump is taken in."""
    purpose = f"taking in dump {dump_date}"
    with _locked(home / "locks" / f"dump-{dump_date}", exclusive=True, purpose=purpose):
        yield


@contextmanager
def warehouse_writer(home: Path) -> Iterator[None]:
    """Held while the warehouse is built or released: one at a time, and no dump is taken in."""
    with _locked(home / "locks" / "lake", exclusive=True, purpose="building or releasing"):
        yield


@contextmanager
def copies_writer(home: Path) -> Iterator[None]:
    """Held while copies of a release are sent, which is no reason to keep the warehouse waiting."""
    with _locked(home / "locks" / "copies", exclusive=True, purpose="sending copies"):
        yield


@contextmanager
def exclusively(path: Path, *, purpose: str) -> Iterator[None]:
    """Held by one process at a time, for what has a lock file of its own."""
    with _locked(path, exclusive=True, purpose=purpose):
        yield


def hold_run(home: Path, run_id: str) -> None:
    """Say that this process executes a run: from now until the process ends, however it ends."""
    path = _run_lock(home, run_id)
    if path in _HELD:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # The lock exists before its name does: nobody finds it free and takes the run for abandoned.
    unnamed = path.with_name(f".{path.name}.{os.getpid()}")
    file = unnamed.open("w", encoding="utf-8")
    fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    unnamed.replace(path)
    _HELD[path] = file


def held_runs(home: Path) -> set[str]:
    """The runs whose processes are alive."""
    return {run_id for run_id, is_alive in _runs(home) if is_alive}


def ended_runs(home: Path) -> set[str]:
    """The runs whose processes ended and that nobody has told `forget_run` of."""
    return {run_id for run_id, is_alive in _runs(home) if not is_alive}


def forget_run(home: Path, run_id: str) -> None:
    """What there was to do about the end of a run's process is done."""
    _run_lock(home, run_id).unlink(missing_ok=True)


_HELD: dict[Path, IO[str]] = {}  # open files, and with them the locks, for the life of the process


def _run_lock(home: Path, run_id: str) -> Path:
    return home / "locks" / f"run-{run_id}"


def _runs(home: Path) -> Iterator[tuple[str, bool]]:
    for path in sorted((home / "locks").glob("run-*")):
        with contextlib.suppress(FileNotFoundError), path.open(encoding="utf-8") as file:
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                yield path.name.removeprefix("run-"), True
            else:
                yield path.name.removeprefix("run-"), False


@contextmanager
def _locked(path: Path, *, exclusive: bool, purpose: str) -> Iterator[None]:
    go_on_or_stop()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        _wait_for(file.fileno(), path, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        if exclusive:
            file.truncate(0)
            file.write(f"process {os.getpid()} ({purpose})")
            file.flush()
        try:
            yield
        finally:
            if exclusive:
                file.truncate(0)
            fcntl.flock(file, fcntl.LOCK_UN)


def _wait_for(descriptor: int, path: Path, mode: int) -> None:
    said_at: float | None = None
    while True:
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            if said_at is None or time.monotonic() - said_at > _REMIND_EVERY_SECONDS:
                holder = path.read_text(encoding="utf-8") or "another process"
                logger.info("waiting for %s", holder)
                said_at = time.monotonic()
            go_on_or_stop(_POLL_SECONDS)
        else:
            return
