"""Who sends copies: the id of an installation, made once and kept in its home.

A home that is moved, or restored from a backup, stays the same installation.
"""

from __future__ import annotations

import uuid
from pathlib import Path

from dagster_project.replacing import replace_text

_FILE = "installation-id"


def installation_id(home: Path) -> str:
    """The id of the installation of a home; it is made by the first who asks.

    The caller holds `locks.copies_writer`, so that only one makes it.

    Raises:
        OSError: it cannot be read or written.
    """
    file = home / _FILE
    if not file.exists():
        replace_text(file, f"{uuid.uuid4()}\n")
    return file.read_text(encoding="utf-8").strip()
