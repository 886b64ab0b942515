"""What a notebook does with a dump: read, normalise, deduplicate, sessions, daily counts."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

# At once all lines as dictionaries would not fit into memory.
_LINES_AT_ONCE = 100_000
_COLUMNS = {
    "time": "occurred_at",
    "type": "event",
    "data.type": "item_type",
    "data.oId": "item_id",
    "data.oName": "item_name",
    "data.owId": "parent_item_id",
    "data.pId": "play_id",
    "data.pInit.type": "initiator",
    "data.value": "value",
    "sId": "session_id",
    "wm.uId": "system_id",
    "wm.euId": "end_user_id",
    "wm.env": "environment",
    "wm.interactionGuid": "interaction_guid",
    "env.browser.name": "browser",
    "env.os.name": "os",
    "ctx.location.hostname": "page_host",
    "ctx.location.pathname": "page_path",
    "ctx.title": "page_title",
}
_IDENTITY = [
    "system_id",
    "environment",
    "session_id",
    "end_user_id",
    "item_type",
    "event",
    "item_id",
    "play_id",
    "occurred_at",
    "interaction_guid",
    "value",
]


def work(*, files: Sequence[str], target: str) -> None:
    """Write sessions and daily counts of player-envelope files into a folder, as Parquet."""
    events = pd.concat([_normalised(lines) for lines in _chunks(files)], ignore_index=True)
    events = events[events["session_id"].notna()]
    occurred_at = pd.to_datetime(
        pd.to_numeric(events["occurred_at"], errors="coerce"), unit="ms", errors="coerce"
    )
    events = events.assign(occurred_at=occurred_at).drop_duplicates(_IDENTITY)
    sessions = events.groupby(["system_id", "environment", "session_id"], dropna=False).agg(
        started_at=("occurred_at", "min"),
        ended_at=("occurred_at", "max"),
        events=("event", "size"),
        items=("item_id", "nunique"),
    )
    days = events.groupby(
        [events["occurred_at"].dt.floor("D"), "system_id", "item_type", "event"], dropna=False
    ).agg(
        events=("session_id", "size"),
        sessions=("session_id", "nunique"),
        end_users=("end_user_id", "nunique"),
    )
    folder = Path(target)
    folder.mkdir(parents=True, exist_ok=True)
    sessions.reset_index().to_parquet(folder / "sessions.parquet")
    days.reset_index().to_parquet(folder / "days.parquet")


def _chunks(files: Sequence[str]) -> Iterator[list[dict[str, Any]]]:
    lines: list[dict[str, Any]] = []
    for name in files:
        with gzip.open(name, "rb") as file:
            for line in file:
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                if isinstance(record, dict) and "_static" not in record:
                    lines.append(record)
                if len(lines) == _LINES_AT_ONCE:
                    yield lines
                    lines = []
    yield lines


def _normalised(lines: list[dict[str, Any]]) -> pd.DataFrame:
    """Text throughout: identifiers come as numbers and as strings."""
    wide = pd.json_normalize(lines).reindex(columns=list(_COLUMNS)).rename(columns=_COLUMNS)
    return wide.astype("string")


if __name__ == "__main__":
    work(**json.loads(sys.argv[1]))
