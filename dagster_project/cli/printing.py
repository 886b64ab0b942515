"""Where the command line prints, and how a command ends that cannot go on."""

from __future__ import annotations

import logging
import sys
from typing import NoReturn

from rich.console import Console

from dagster_project.settings import Settings, SettingsError

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def settings_or_fail() -> Settings:
    """The settings in force; the process ends where they cannot be used."""
    try:
        return Settings.from_environment()
    except SettingsError as error:
        fail(str(error), code=2)


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
