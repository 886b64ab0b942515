"""What is built under policies of personal data holds nothing that was read under others.

DuckDB leaves rows in its file that were deleted, until it uses their space again, and a release
begins as a copy of the file. So a warehouse is begun anew where the policies, or the key, are other
ones than it was built with; `<home>/warehouse.treatment` says with which it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from dagster_project.ingest.lake import LakeDump
from dagster_project.replacing import replace_text
from dagster_project.words import counted

_NOTE = "warehouse.treatment"
_SHOWN_DATES = 3


def treated_otherwise(dumps: Mapping[date, LakeDump], treatment: str) -> str | None:
    """Why nothing can be built from a lake yet; None where all of it was read as it is to be.

    Args:
        dumps: the dumps in the lake.
        treatment: digest of what is done to personal data now.
    """
    days = sorted(day for day, dump in dumps.items() if dump.treatment != treatment)
    if not days:
        return None
    shown = ", ".join(map(str, days[:_SHOWN_DATES])) + (", …" if len(days) > _SHOWN_DATES else "")
    return (
        f"the lake has {counted(len(days), 'dump')} ({shown}) from before the policies of personal "
        "data were changed: nothing is built before all are read again; `walkhouse run` does that"
    )


def begin_anew(warehouse: Path, treatment: str) -> bool:
    """Remove a warehouse that was built under another treatment; whether there was one.

    Nobody may be writing to it.
    """
    note = warehouse.with_name(_NOTE)
    if _noted(note) == treatment:
        return False
    was_there = warehouse.exists()
    for file in (warehouse, warehouse.with_name(f"{warehouse.name}.wal")):
        file.unlink(missing_ok=True)
    replace_text(note, treatment)
    return was_there


def _noted(note: Path) -> str:
    try:
        return note.read_text(encoding="ascii")
    except FileNotFoundError:
        return ""
