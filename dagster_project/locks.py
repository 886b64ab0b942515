"""Who may write what at the same time.

Locks are files that the operating system frees when their holder ends, however it ends: a killed
run leaves nothing behind that a person would have to clear.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger("walkhouse")

_POLL_SECONDS = 0.2
_REMIND_EVERY_SECONDS = 30.0


@contextmanager
def lake_writer(home: Path) -> Iterator[None]:
    """Held while dumps are taken in: many may, but not while the warehouse is built."""
    with _locked(home / "locks" / "lake", exclusive=False, purpose="taking in dumps"):
        yield


@contextmanager
def dump_writer(home: Path, dump_date: str) -> Iterator[None]:
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


@contextmanager
def running(home: Path) -> Iterator[str]:
    """Held by a process for as long as its runs are under way; gives its name for `has_ended`."""
    name = f"process-{os.getpid()}-{time.time_ns()}"
    path = home / "locks" / name
    with _locked(path, exclusive=True, purpose="running"):
        try:
            yield name
        finally:
            path.unlink(missing_ok=True)


def has_ended(home: Path, name: str) -> bool:
    """Whether the process that `running` named no longer runs, however it ended."""
    path = home / "locks" / name
    if not path.exists():
        return True
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    path.unlink(missing_ok=True)
    return True


@contextmanager
def _locked(path: Path, *, exclusive: bool, purpose: str) -> Iterator[None]:
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
            time.sleep(_POLL_SECONDS)
        else:
            return
