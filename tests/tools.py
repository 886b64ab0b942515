"""Programs of the operating system that some tests need, and that pip cannot bring."""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest


def program(name: str, *, among: str = "") -> str:
    """The path of a program; without it the test is skipped, and fails where `CI` is set.

    Args:
        name: of the program.
        among: folders to search beside those of PATH, separated as there.
    """
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), among]))
    if not found:
        missing(name)
    return found


def missing(name: str) -> NoReturn:
    """Skip the test, or fail it where `CI` is set, for want of a program."""
    message = f"{name} is not installed: `make test-tools` installs it"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
