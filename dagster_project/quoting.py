"""Values in the text of SQL statements, where no parameter can stand."""

from __future__ import annotations

from pathlib import Path


def literal(value: str | Path) -> str:
    """A text as an SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"
