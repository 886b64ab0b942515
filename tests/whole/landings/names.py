"""Names that mean something to shells, URLs, globs or SQL."""

from __future__ import annotations

from pathlib import Path

import duckdb

# A home is also the path of databases and of Dagster's settings, so it cannot be called everything.
HOME = "we ]rd 100% +'q\" é {a,b} $x;--!"
LANDING = f"*?[ir]#%20{HOME}"
FILES = ("a[1]", "a1", "b*", "bx", "c?", "cx", "d#%20e", "f 'q\" g", "h::i", "é+")
DAY = "2026-06-01"


def put_files(landing: Path) -> None:
    """A dump whose files have such names."""
    plain = landing.with_name("plain")
    for number, name in enumerate(FILES):
        _put_events(plain / f"{name}.parquet", number)
        _put_events(plain / f"{name}.csv", number + 20)
    plain.rename(landing / "events" / f"dt={DAY}")


def _put_events(file: Path, number: int) -> None:
    """Some events, of which every file has others."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = ", ".join(
        f"('{DAY}T08:{number:02}:{second:02}Z', 'named {number}', 'u', 'Menu', 'Open', 'm')"
        for second in range(number + 1)
    )
    duckdb.execute(
        f"copy (from (values {rows}) as"
        " events(occurred_at, session_id, end_user_id, item_type, event, item_id))"
        f" to '{file.with_name('new')}' (format {file.suffix[1:]})"
    )
    file.with_name("new").rename(file)
