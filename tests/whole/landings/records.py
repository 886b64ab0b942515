"""Records in each form, and how files, manifests and dumps of them are written."""

import csv
import datetime as dt
import hashlib
import io
import json
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

Record = dict[str, Any]

SYSTEM = "0f0e0d0c0b0a09080706050403020100"
OTHER_SYSTEM = "ffeeddccbbaa99887766554433221100"

# Every pair by its raw names, as the seed `raw_names` has them.
RAW_PAIRS = {
    "bizFlow": ["play", "playFailed"],
    "bizFlowStep": ["play"],
    "wt": ["play", "playFailed"],
    "step": ["play"],
    "task": ["play", "complete"],
    "shoutout": ["play", "click", "close"],
    "action": ["click", "close"],
    "uiAction": ["click", "close"],
    "launcher": ["play", "click"],
    "resource": ["play"],
    "shuttle": ["play"],
    "survey": ["play", "submitted", "close"],
    "question": ["submitted"],
    "smartTip": ["play", "visible", "passed", "failed", "click"],
    "player": ["open"],
    "widgetSearch": ["search", "click"],
    "openTicket": ["play"],
    "liveChat": ["click"],
    "actionBot": ["chatOpened", "endUserEngaged", "chatClosed", "conversationSearch"],
    "actionBotConversation": ["conversationStarted", "conversationEnded"],
    "actionBotNode": [
        "conversationActionTriggered",
        "conversationQuestionAnswered",
        "conversationNodeServed",
    ],
    "teachMe": ["visible", "open", "teachMeStepStarted"],
    "quiz": ["play", "submitted", "passed", "failed"],
    "quizQuestion": ["submitted"],
}

IGNORED_VERBS = (
    "pageChange sessionPing loaded draw mouseenter focus blur custom goalReach progressUpdate"
    " teachMeStepCompletion teachMeCourseCompletion teachMeCompletionUpdate"
)


def at(moment: str) -> int:
    """Epoch ms of an ISO 8601 moment in UTC."""
    since = dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC)
    return (since - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)


def player(time: Any, pair: str, *, session: Any, user: Any = "u-1", **paths: Any) -> Record:
    """One event in the player envelope; `pair` is 'object/verb'.

    `paths` sets further paths, with `__` for the dots: `data__oId=4711`.
    """
    object_type, verb = pair.split("/")
    record: Record = {
        "time": time,
        "type": verb,
        "data": {"type": object_type},
        "sId": session,
        "wm": {"uId": SYSTEM, "euId": user, "env": 0},
    }
    for path, value in paths.items():
        *branches, leaf = path.split("__")
        place = record
        for branch in branches:
            place = place.setdefault(branch, {})
        place[leaf] = value
    return record


def flat(time: Any, *, session: Any, user: Any = "u-1", **keys: Any) -> Record:
    """One event in the flat envelope; `keys` sets further keys, with `__` for the dots."""
    return {
        "created_at": time,
        "sId": session,
        "wm.uId": SYSTEM,
        "wm.euId": user,
        "wm.env": 0,
    } | {key.replace("__", "."): value for key, value in keys.items()}


def tabular(time: Any, pair: str, *, session: Any, user: Any = "u-1", **columns: Any) -> Record:
    """One event in the tabular form; `pair` is 'item type/event'."""
    item_type, event = pair.split("/")
    return {
        "occurred_at": time,
        "system_id": SYSTEM,
        "session_id": session,
        "end_user_id": user,
        "item_type": item_type,
        "event": event,
    } | columns


def ndjson(records: Iterable[Record]) -> bytes:
    """One JSON object a line."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def csv_table(records: list[Record]) -> bytes:
    """A CSV with the columns of the first record."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue().encode()


def parquet_table(columns: dict[str, Any]) -> bytes:
    """A Parquet file with these columns."""
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), out)
    return out.getvalue()


def cut_gzip(data: bytes) -> bytes:
    """A gzip stream of which exactly `data` can be read, and then it ends."""
    stream = zlib.compressobj(wbits=31)
    return stream.compress(data) + stream.flush(zlib.Z_FULL_FLUSH)


def put(landing: Path, dump_date: str, name: str, content: bytes | list[Record]) -> bytes:
    """Write one file of a dump; a list of records becomes NDJSON. Gives the bytes written."""
    path = landing / "events" / f"dt={dump_date}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else ndjson(content)
    path.write_bytes(data)
    return data


def put_manifest(landing: Path, dump_date: str, entries: list[Record]) -> None:
    """Write the manifest of a dump."""
    put(landing, dump_date, "_manifest.json", json.dumps({"files": entries}).encode())


def entry(name: str, content: bytes, rows: int) -> Record:
    """The right entry of a manifest for a file."""
    return {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "rows": rows}
