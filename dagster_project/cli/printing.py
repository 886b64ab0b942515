"""Where the command line prints, and how a command ends that cannot go on."""

from __future__ import annotations

import logging
import os
import sys
from typing import NoReturn

from rich.console import Console

from dagster_project.rights import withhold_from_others
from dagster_project.settings import Settings, SettingsError

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def settings_or_fail() -> Settings:
    """The settings in force; the process ends where they cannot be used."""
    try:
        return Settings.from_environment()
    except SettingsError as error:
        fail(str(error), code=2)


def writable_home_or_fail(settings: Settings) -> None:
    """Begin to write in the home: what others may not read is withheld from them.

    The process ends where it may not write there: somebody else's, or a read-only disk.
    """
    home = settings.home
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    parts = [
        *(settings.lake, settings.warehouse, settings.published, settings.dagster_home),
        *(settings.deployed, home / "locks"),
    ]
    for path in [existing, *(part for part in parts if part.exists())]:
        if os.access(path, os.W_OK):
            continue
        try:
            owner = path.owner()
        except KeyError:
            owner = f"number {path.stat().st_uid}"
        fail(
            f"{path} cannot be written to: it is of user {owner}, or on a read-only disk; run this "
            "as that user, or set WALKHOUSE_HOME to a folder of yours"
        )
    withhold_from_others(settings)


def fail(message: str, *, code: int = 1) -> NoReturn:
    """End the process with a sentence and an exit code."""
    errors.print(f"walkhouse: {message}", markup=False, style="red")
    sys.exit(code)


def log_to_console() -> None:
    """Show what Walkhouse logs, with the time of day."""
    logger = logging.getLogger("walkhouse")
    logger.setLevel(logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    logger.addHandler(handler)
    logger.propagate = False


def say(message: str) -> None:
    """Show progress, on standard error."""
    errors.print(message, markup=False)
