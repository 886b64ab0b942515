"""Dagster's instance of an installation: its configuration, and the version of its records."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from dagster_project.locks import exclusively
from dagster_project.replacing import replace_text
from dagster_project.settings import CHECKOUT

if TYPE_CHECKING:
    import dagster as dg

logger = logging.getLogger("walkhouse")

SHIPPED_CONFIGURATION = CHECKOUT / "dagster_project" / "dagster.yaml"


def prepare_instance_folder(folder: Path) -> None:
    """Create the instance, or bring that of an older version up to date.

    Its `dagster.yaml` follows the one that is shipped, unless a person changed it. What was last
    prepared stands in `walkhouse.json`.

    Raises:
        RuntimeError: a newer Dagster wrote it, or its records cannot be migrated.
    """
    now = {"dagster": version("dagster"), "configuration": _digest(SHIPPED_CONFIGURATION)}
    note = folder / "walkhouse.json"
    configuration = folder / "dagster.yaml"
    if configuration.exists() and _noted(note) == now:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with exclusively(folder / "prepare.lock", purpose="preparing Dagster's instance"):
        before = _noted(note)
        if not configuration.exists():
            shutil.copyfile(SHIPPED_CONFIGURATION, configuration)
        else:
            _follow_shipped(configuration, before.get("configuration"))
            _migrate(folder, before.get("dagster"), now["dagster"])
        replace_text(note, json.dumps(now, indent=1))


@contextlib.contextmanager
def records_kept_open(instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Spare SQLite a clean-up after each event of a run.

    Dagster opens its records anew for every event, and whoever closes a file of SQLite last moves
    its log into it and removes it, which takes several times as long as writing the event. While
    they are open here, too, that is done once. Nothing happens where the records lie elsewhere.
    """
    path_of = getattr(instance.event_log_storage, "path_for_shard", None)
    paths = [path_of("index"), path_of(run_id)] if path_of else []
    with contextlib.ExitStack() as held:
        for path in paths:
            connection = held.enter_context(contextlib.closing(sqlite3.connect(path)))
            # Whoever has read nothing has not opened the log.
            connection.execute("pragma journal_mode = wal")
            connection.execute("select count(*) from sqlite_master").fetchall()
        yield


@contextlib.contextmanager
def engines_kept() -> Iterator[None]:
    """Have Dagster's storage, if it is first imported within, use one engine for each database.

    It asks SQLAlchemy for an engine for every event, and a new engine compiles its statements anew:
    a tenth of the processor time of a small run. An engine without a pool keeps nothing open, so
    one is as good as many.
    """
    import sqlalchemy

    name, create = "create_engine", sqlalchemy.create_engine
    engines: dict[str, sqlalchemy.Engine] = {}

    def create_once(url: str, **options: Any) -> sqlalchemy.Engine:
        if options.get("poolclass") is not sqlalchemy.NullPool:
            return create(url, **options)
        key = f"{url} {sorted(options.items())}"
        if key not in engines:
            engines[key] = create(url, **options)
        return engines[key]

    setattr(sqlalchemy, name, create_once)
    try:
        yield
    finally:
        setattr(sqlalchemy, name, create)


def _follow_shipped(configuration: Path, copied: str | None) -> None:
    """Replace a configuration that is as it was copied; say so where a person changed it."""
    found = _digest(configuration)
    if found == _digest(SHIPPED_CONFIGURATION):
        return
    if found == copied:
        shutil.copyfile(SHIPPED_CONFIGURATION, configuration)
        logger.info("%s is brought up to date", configuration)
    else:
        logger.warning(
            "%s differs from what Walkhouse now ships, and stays: compare it with %s",
            configuration,
            SHIPPED_CONFIGURATION,
        )


def _migrate(folder: Path, before: str | None, now: str) -> None:
    if before == now:
        return
    if before is not None and Version(before) > Version(now):
        raise RuntimeError(
            f"{folder}: its records were written by Dagster {before}, this one is {now}; install "
            "the newer Walkhouse again, or move the folder away: a new one is begun, and the lake "
            "and the releases stay"
        )
    logger.info("Dagster's records in %s are migrated to version %s", folder, now)
    program = str(Path(sys.executable).with_name("dagster"))
    migrated = subprocess.run(
        [program, "instance", "migrate"],
        env={**os.environ, "DAGSTER_HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    if migrated.returncode:
        last_words = (migrated.stderr or migrated.stdout).strip().splitlines()[-1:]
        raise RuntimeError(
            f"{folder}: its records cannot be migrated to Dagster {now}: {' '.join(last_words)}; "
            "mend that, or move the folder away: a new one is begun"
        )


def _noted(note: Path) -> dict[str, str]:
    if not note.exists():
        return {}
    noted: dict[str, str] = json.loads(note.read_text(encoding="utf-8"))
    return noted


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
