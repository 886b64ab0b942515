"""DuckDB alone, writing the events table of a release and nothing else: a floor for a first load.

It reads the columns of the contract, drops repeated events and writes the table to a DuckDB file
and to Parquet. Nothing is checked, quarantined, counted or named, and there is no other table.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.ingest.envelopes import column_expressions, json_structure


def work(*, files: Sequence[str], target: str) -> None:
    """Write the events of player-envelope files into a folder."""
    folder = Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    fields = column_expressions("player", "line")
    columns = ", ".join(f"{text} as {name}" for name, text in fields.items())
    whole = json.loads(json_structure("player"))
    structure = ", ".join(f'"{key}": {_kind(kind)!r}' for key, kind in whole.items())
    with duckdb.connect(str(folder / "events.duckdb")) as connection:
        connection.execute(
            f"""
            create temp table lines as
            select
                *,
                md5(concat_ws(
                    '|', system_id, environment, session_id, end_user_id, item_type, event, item_id,
                    play_id, occurred_at, interaction_guid, value
                )) as event_key,
                epoch_ms(try_cast(occurred_at as bigint)) as happened_at
            from (
                select {columns}
                from (
                    select {{{", ".join(f'"{key}": "{key}"' for key in whole)}}} as line
                    from read_ndjson(?, columns = {{{structure}}}, ignore_errors = true)
                )
            )
            where session_id is not null and end_user_id is not null and occurred_at is not null
            """,
            [list(files)],
        )
        connection.execute(
            "create table events as select * from lines where event_key not in "
            "(select event_key from lines group by event_key having count(*) > 1)"
        )
        connection.execute(
            f"copy events to '{folder / 'events.parquet'}'"
            " (format parquet, compression zstd, compression_level 1)"
        )


def _kind(kind: Any) -> str:
    """A type of DuckDB's from the notation of `json_structure`."""
    if isinstance(kind, str):
        return kind
    fields = ", ".join(f'"{key}" {_kind(inner)}' for key, inner in kind.items())
    return f"struct({fields})"


if __name__ == "__main__":
    work(**json.loads(sys.argv[1]))
