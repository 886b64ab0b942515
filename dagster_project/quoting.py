"""Values and names in the text of SQL statements, where no parameter can stand."""

from __future__ import annotations

from pathlib import Path


def literal(value: str | Path) -> str:
    """A text as an SQL literal."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(*names: str) -> str:
    """The name of a thing in SQL: its own, with those of what it is in before it."""
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)
