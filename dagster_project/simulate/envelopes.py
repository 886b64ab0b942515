"""The forms of records (docs/getting-data-in.md): writes events down, and spoils some.

An envelope turns the events of a session into rows (one line of text, or one tuple of values),
and rows into the bytes of a file.
"""

from __future__ import annotations

import csv
import io
import json
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from random import Random
from typing import Any

from dagster_project.simulate.definitions import Pair
from dagster_project.simulate.items import escaped
from dagster_project.simulate.sessions import DAY, Event, Session

Row = Any  # str for the JSON forms, tuple for CSV and Parquet

# The columns of `fct_item_events` that a dump can know.
COLUMNS = (
    "occurred_at",
    "system_id",
    "environment",
    "session_id",
    "end_user_id",
    "end_user_id_source",
    "item_type",
    "event",
    "item_id",
    "item_name",
    "parent_item_id",
    "parent_item_type",
    "parent_item_name",
    "play_id",
    "initiator",
    "initiator_item_id",
    "value",
    "interaction_guid",
    "visit_id",
    "page_host",
    "page_path",
    "page_title",
    "is_iframe",
    "browser",
    "os",
    "is_mobile",
    "utc_offset_minutes",
    "language",
    "user_name",
    "user_role",
    "user_type",
    "user_status",
    "user_info",
)
REQUIRED = ("occurred_at", "session_id", "end_user_id", "item_type", "event")

# Webhooks of these pairs go to a folder of their own and say neither type nor object type.
HOOKED_PAIRS: tuple[Pair, ...] = (("Survey Question", "Submitted"), ("Task", "Complete"))


@dataclass(frozen=True)
class Envelope:
    """One form of a dump's file.

    Attributes:
        stem: the file's name up to its number.
        extension: without the compression.
        paths: the path of keys of each required column, for JSON forms.
        render: rows of `events[low:high]` of a session.
        header: the bytes that a file begins with.
        encode: bytes of rows.
    """

    name: str
    stem: str
    extension: str
    paths: Mapping[str, tuple[str, ...]]
    render: Callable[[Session, int, int], list[Row]]
    encode: Callable[[Sequence[Row]], bytes]
    header: bytes = b""


def encode_lines(rows: Sequence[str]) -> bytes:
    """Lines of text, each with its line end."""
    # In small groups: one character beyond Latin-1 makes a whole Python text twice as wide.
    return b"".join(
        ("\n".join(rows[start : start + 32]) + "\n").encode(errors="surrogateescape")
        for start in range(0, len(rows), 32)
    )


# --- player envelope ----------------------------------------------------------------------------


def render_player(session: Session, low: int, high: int) -> list[Row]:
    """Lines as the player sends them.

    Most of the simulator's time is spent here, so it writes text without a JSON library.
    """
    system, user = session.system, session.user
    environment = "" if session.environment is None else f'"env":{session.environment},'
    novel = '"rollout":{"group":"b"},' if session.novel_key else ""

    def head_at(at: int) -> str:
        user_id, source = session.user_id_at(at)
        return (
            f'{novel}"sId":"{session.session_id}","wm":{{"uId":"{system.system_id}",'
            f'"euId":"{user_id}","euIdSource":"{source}",{environment}"interactionGuid":"'
        )

    prefix, base = session.guid_parts
    login_at = session.login_at
    head = head_at(session.events[low][0])
    tails: dict[int, str] = {}
    lines = []
    number = base + low
    for at, template, play, value, visit in session.events[low:high]:
        if login_at and at >= login_at:
            login_at = 0
            head = head_at(at)
        tail = tails.get(visit)
        if tail is None:
            page, visit_id = session.visits[visit]
            tail = tails[visit] = f'",{user.user_vars}{page.json}{visit_id}"}}}}'
        play_json = f',"pId":"{play}"' if play else ""
        end = template.end if value is None else f',"value":{escaped(value)}}},'
        lines.append(
            f'{{"time":{at},{template.head}{play_json}{template.tail}{end}'
            f"{head}{prefix}{number:012x}{tail}"
        )
        number += 1
    return lines


# --- flat envelope ------------------------------------------------------------------------------


def render_flat(session: Session, low: int, high: int) -> list[Row]:
    """Lines as webhooks deliver them: dotted keys."""
    return [
        json.dumps(_flat(session, ordinal, event), ensure_ascii=False)
        for ordinal, event in enumerate(session.events[low:high], start=low)
    ]


def _flat(session: Session, ordinal: int, event: Event) -> dict[str, Any]:
    at, template, play, value, visit = event
    page, visit_id = session.visits[visit]
    user, item, device = session.user, template.item, session.user.device
    user_id, source = session.user_id_at(at)
    raw_types = session.system.definitions.raw_item_types
    record: dict[str, Any] = {
        "created_at": at,
        "type": template.raw[1],
        "data.type": template.raw[0],
        "oId": item.item_id or None,
        "oName": item.name,
        "sId": session.session_id,
        "wm.uId": session.system.system_id,
        "wm.euId": user_id,
        "wm.euIdSource": source,
        "wm.env": session.environment,
        "wm.interactionGuid": session.interaction_guid(ordinal),
        "wm.platform": 1,
        "wm.userVars.name": user.name,
        "wm.userVars.role": user.role,
        "wm.userVars.type": user.type,
        "wm.userVars.status": user.status,
        "wm.userVars.info": user.info,
        "env.browser.name": device.browser,
        "env.os.name": device.os,
        "env.mobile": device.is_mobile,
        "env.timezone": -device.utc_offset_minutes,
        "ctx.location.protocol": "https:",
        "ctx.location.hostname": session.system.host,
        "ctx.location.pathname": page.path,
        "ctx.isIframe": page.is_iframe,
        "ctx.visitId": visit_id,
        "ctx.title": page.title,
    }
    if item.parent:
        record["data.owId"] = item.parent.item_id
        record["data.owName"] = item.parent.name
        record["data.owType"] = raw_types.get(item.parent.item_type, item.parent.item_type)
    if play:
        record["data.pId"] = play
    if template.initiator:
        record["data.pInit.type"] = session.system.definitions.initiators[template.initiator]
        if template.initiator_item and template.initiator_item.item_id:
            record["data.pInit.objectId"] = template.initiator_item.item_id
    if value is not None:
        record["value"] = value
    if device.language:
        record["wm.language"] = device.language
    if session.novel_key:
        record["rollout.group"] = "b"
    return record


def hooked(line: str) -> str:
    """A flat line without the keys that its folder stands for."""
    record = json.loads(line)
    del record["type"], record["data.type"]
    return json.dumps(record, ensure_ascii=False)


# --- tabular ------------------------------------------------------------------------------------


def _columns(session: Session, ordinal: int, event: Event) -> tuple[Any, ...]:
    at, template, play, value, visit = event
    page, visit_id = session.visits[visit]
    user, item, device = session.user, template.item, session.user.device
    user_id, source = session.user_id_at(at)
    parent, by = item.parent, template.initiator_item
    environment, definitions = session.environment, session.system.definitions
    return (
        at,
        session.system.system_id,
        None if environment is None else definitions.environment_name(environment),
        session.session_id,
        user_id,
        source,
        *template.pair,
        item.item_id or None,
        item.name,
        parent.item_id if parent else None,
        parent.item_type if parent else None,
        parent.name if parent else None,
        play,
        template.initiator or None,
        (by.item_id or None) if by else None,
        value,
        session.interaction_guid(ordinal),
        visit_id,
        session.system.host,
        page.path,
        page.title,
        page.is_iframe,
        device.browser,
        device.os,
        device.is_mobile,
        device.utc_offset_minutes,
        device.language or None,
        user.name or None,
        user.role,
        user.type,
        user.status or None,
        user.info,
    )


def render_columns(session: Session, low: int, high: int) -> list[Row]:
    """Rows of `COLUMNS`, the time in epoch ms."""
    return [
        _columns(session, ordinal, event)
        for ordinal, event in enumerate(session.events[low:high], start=low)
    ]


def render_csv(session: Session, low: int, high: int) -> list[Row]:
    """Rows of `COLUMNS` and `event_id`, the time in ISO 8601 with the user's offset from UTC."""
    minutes = session.user.device.utc_offset_minutes
    return [
        (_iso(row[0], minutes), *row[1:], f"e-{session.session_id[:13]}-{ordinal}")
        for ordinal, row in enumerate(render_columns(session, low, high), start=low)
    ]


def render_keyed(session: Session, low: int, high: int) -> list[Row]:
    """Lines of JSON with the names of `COLUMNS` as keys, the time in ISO 8601 UTC."""
    lines = []
    for row in render_columns(session, low, high):
        record = dict(zip(COLUMNS, row, strict=True)) | {"occurred_at": _iso(row[0], 0)}
        lines.append(json.dumps(record, ensure_ascii=False))
    return lines


def _iso(at: int, offset_minutes: int) -> str:
    local = datetime.fromtimestamp((at + offset_minutes * 60_000) // 1000, UTC)
    sign = "-" if offset_minutes < 0 else "+"
    hours, minutes = divmod(abs(offset_minutes), 60)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}{sign}{hours:02d}:{minutes:02d}"


def encode_csv(rows: Sequence[Row]) -> bytes:
    """Rows as CSV, quoted where needed."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def encode_tuples(rows: Sequence[Row]) -> bytes:
    """Rows for `writer`, which makes one Parquet file of them."""
    return pickle.dumps(list(rows), protocol=5)


_TABULAR_PATHS = {column: (column,) for column in REQUIRED}
ENVELOPES: Mapping[str, Envelope] = {
    envelope.name: envelope
    for envelope in (
        Envelope(
            "player",
            "part",
            "ndjson",
            {
                "occurred_at": ("time",),
                "session_id": ("sId",),
                "end_user_id": ("wm", "euId"),
                "item_type": ("data", "type"),
                "event": ("type",),
            },
            render_player,
            encode_lines,
        ),
        Envelope(
            "flat",
            "webhook",
            "ndjson",
            {
                "occurred_at": ("created_at",),
                "session_id": ("sId",),
                "end_user_id": ("wm.euId",),
                "item_type": ("data.type",),
                "event": ("type",),
            },
            render_flat,
            encode_lines,
        ),
        Envelope("keyed", "rows", "jsonl", _TABULAR_PATHS, render_keyed, encode_lines),
        Envelope(
            "csv",
            "report",
            "csv",
            {},
            render_csv,
            encode_csv,
            header=(",".join((*COLUMNS, "event_id")) + "\n").encode(),
        ),
        Envelope("parquet", "export", "parquet", {}, render_columns, encode_tuples),
    )
}


# --- spoilt and other lines ---------------------------------------------------------------------


def control_line(line: str) -> str:
    """The control line that the player sends before `line` (player envelope)."""
    return f'{{"_static":true,"Wm-Client-Timestamp":{line[8 : line.index(",", 8)]}}}'


def ignored_line(envelope: Envelope, line: str, verb: str) -> str:
    """An event that is no item event, at the time and place of `line` (player or flat)."""
    if envelope.name == "player":
        start = line.index(',"sId":')
        end = line.index('"interactionGuid":', start)
        rest = line.index(',"platform":', end)
        return f'{line[: line.index(",", 8)]},"type":"{verb}"{line[start : end - 1]}{line[rest:]}'
    kept = {
        key: value
        for key, value in json.loads(line).items()
        if not key.startswith(("data.", "oId", "oName", "value"))
    }
    return json.dumps(kept | {"type": verb}, ensure_ascii=False)


def spoil(
    envelope: Envelope, row: Row, reason: str, dump_day: int, pair: Pair, rng: Random
) -> Row | None:
    """A copy of `row` that must be quarantined for `reason`; None where the form cannot hold it.

    Args:
        envelope: the form of the row.
        row: a good row.
        reason: a quarantine reason.
        dump_day: days since 1970-01-01 of the dump.
        pair: item type and event that are not defined, for `undefined_event`.
        rng: decides between ways to be wrong.
    """
    if reason == "malformed":
        if envelope.name == "parquet":
            return None
        if isinstance(row, tuple):
            return row[: 3 + int(rng.random() * 20)]
        kind = rng.random()
        if kind < 0.15:
            return '["not", "an object"]'
        if kind < 0.3:
            # A lone byte 0xFF at the end of the last string: not UTF-8.
            end = row.rindex('"')
            return f"{row[:end]}\udcff{row[end:]}"
        return row[: 20 + int(rng.random() * (len(row) - 40))]
    changes: dict[str, Any] = {}
    if reason.startswith("missing_"):
        changes[reason.removeprefix("missing_")] = None
    elif reason == "bad_timestamp":
        if envelope.name == "parquet":
            return None
        changes["occurred_at"] = ("yesterday", "2026-13-45T99:00:00+00:00")[rng.random() < 0.5]
    elif reason == "future_timestamp":
        at = (dump_day + 2) * DAY + 1 + int(rng.random() * 30 * DAY)
        changes["occurred_at"] = _iso(at, 0) if envelope.name in ("csv", "keyed") else at
    elif reason == "too_old":
        at = (dump_day - 402) * DAY - int(rng.random() * 300 * DAY)
        changes["occurred_at"] = _iso(at, 0) if envelope.name in ("csv", "keyed") else at
    else:
        changes["item_type"], changes["event"] = pair
    if isinstance(row, tuple):
        position = {column: COLUMNS.index(column) for column in changes}
        values = list(row)
        for column, value in changes.items():
            values[position[column]] = value
        return tuple(values)
    record = json.loads(row)
    for column, value in changes.items():
        *path, key = envelope.paths[column]
        holder = record
        for name in path:
            holder = holder[name]
        if value is not None:
            holder[key] = value
        elif rng.random() < 0.4:
            del holder[key]
        else:
            holder[key] = None if rng.random() < 0.5 else ""
    return json.dumps(record, ensure_ascii=False)


@lru_cache(maxsize=1)
def parquet_schema() -> Any:
    """The Arrow schema of `COLUMNS`."""
    import pyarrow as pa

    types = {
        "occurred_at": pa.int64(),
        "is_iframe": pa.bool_(),
        "is_mobile": pa.bool_(),
        "utc_offset_minutes": pa.int32(),
    }
    return pa.schema([(column, types.get(column, pa.string())) for column in COLUMNS])
