"""From a line to its place: control, ignored, quarantined with a reason, or event.

Rules from getting-data-in.md: the three forms, the order of judging a line, the identity of an
event. Whether an event is a duplicate is decided over all dumps together, in `tables.py`.
"""

import datetime as dt
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tests.reference.definitions import Definitions, normalised
from tests.reference.reading import TABULAR_COLUMNS, LandedFile, Line, Number, Record

Row = dict[str, Any]

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC).replace(tzinfo=None)
DAY_MS = 24 * 60 * 60 * 1000

# Column of `fct_item_events` ← path in the player envelope.
PLAYER_PATHS = {
    "occurred_at": "time",
    "system_id": "wm.uId",
    "environment": "wm.env",
    "session_id": "sId",
    "end_user_id": "wm.euId",
    "end_user_id_source": "wm.euIdSource",
    "item_type": "data.type",
    "event": "type",
    "item_id": "data.oId",
    "item_name": "data.oName",
    "parent_item_id": "data.owId",
    "parent_item_type": "data.owType",
    "parent_item_name": "data.owName",
    "play_id": "data.pId",
    "initiator": "data.pInit.type",
    "initiator_item_id": "data.pInit.objectId",
    "value": "data.value",
    "interaction_guid": "wm.interactionGuid",
    "visit_id": "ctx.visitId",
    "page_host": "ctx.location.hostname",
    "page_path": "ctx.location.pathname",
    "page_title": "ctx.title",
    "is_iframe": "ctx.isIframe",
    "browser": "env.browser.name",
    "os": "env.os.name",
    "is_mobile": "env.mobile",
    "utc_offset_minutes": "env.timezone",
    "language": "wm.language",
    "user_name": "wm.userVars.name",
    "user_role": "wm.userVars.role",
    "user_type": "wm.userVars.type",
    "user_status": "wm.userVars.status",
    "user_info": "wm.userVars.info",
}

PLAYER_KEYS = {column: path.split(".") for column, path in PLAYER_PATHS.items()}

# Keys that the flat envelope has in place of those of the player.
FLAT_KEYS = {"occurred_at": "created_at", "item_id": "oId", "item_name": "oName", "value": "value"}

# Paths that are known and lead to no column (player events of other features; getting-data-in.md).
OTHER_PATHS = {
    "data.aoId",
    "data.oType",
    "data.total",
    "data.status",
    "data.pInit.appType",
    "wm.cseuId",
    "wm.permId",
    "wm.platform",
    "env.browser.version",
    "env.os.version",
    "env.screen.height",
    "env.screen.width",
    "ctx.location.protocol",
    "ctx.location.port",
    "ctx.referrer",
    "visions.sId",
    "version.lib",
    "version.pe",
    "_static",
    "Wm-Client-Timestamp",
}

LEAVES = {*PLAYER_PATHS.values(), *FLAT_KEYS.values(), *OTHER_PATHS}
BRANCHES = {
    ".".join(parts[:length])
    for parts in (leaf.split(".") for leaf in LEAVES)
    for length in range(1, len(parts))
}
TABULAR_KEYS = {*TABULAR_COLUMNS, "_static", "Wm-Client-Timestamp"}

TRUE, FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
REQUIRED = ("occurred_at", "session_id", "end_user_id", "item_type", "event")

IDENTITY = (
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
    "event_id",
)

# Columns of names: a text of digits in them is no number.
NAMES = (
    "end_user_id_source",
    "item_type",
    "event",
    "item_name",
    "parent_item_type",
    "parent_item_name",
    "page_host",
    "page_path",
    "page_title",
    "browser",
    "os",
    "language",
)

UNDERSCORED = {path.replace(".", "_"): path for path in LEAVES | BRANCHES if "." in path}

ISO_8601 = re.compile(
    r"(?P<date>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?P<hour>\d{2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d+))?)?"
    r"(?:(?P<offset>Z|[+-]\d{2}(?::?\d{2})?)| UTC)?)?",
    flags=re.ASCII,
)


@dataclass(frozen=True)
class Judged:
    """A line and its place. `event` holds the columns of the fact for the outcome 'event'."""

    file: LandedFile
    line: Line
    outcome: str
    reason: str | None = None
    event: Row | None = None


def judge(file: LandedFile, line: Line, *, definitions: Definitions, max_late_days: int) -> Judged:
    """The place of one line: the first that applies, in the order of getting-data-in.md."""
    record = None if line.record is None else documented(file, line.record)
    if record is not None and record.get("_static") is True:
        return Judged(file, line, "control")
    if record is None:
        return Judged(file, line, "quarantined", "malformed")
    raw = raw_columns(file, record)
    item_type, event = text(raw["item_type"]), text(raw["event"])
    definition = definitions.pairs.get((normalised(item_type or ""), normalised(event or "")))
    if event is not None and definition is None and normalised(event) in definitions.ignored:
        return Judged(file, line, "ignored")
    for column in REQUIRED:
        if text(raw[column]) is None:
            return Judged(file, line, "quarantined", f"missing_{column}")
    time = epoch_ms(raw["occurred_at"])
    if time is None:
        return Judged(file, line, "quarantined", "bad_timestamp")
    dump_day = (file.dump_date - EPOCH.date()).days * DAY_MS
    if time > dump_day + DAY_MS + DAY_MS:
        return Judged(file, line, "quarantined", "future_timestamp")
    if time < dump_day - max_late_days * DAY_MS:
        return Judged(file, line, "quarantined", "too_old")
    if definition is None:
        return Judged(file, line, "quarantined", "undefined_event")
    row: Row = {
        column: text(raw[column]) if column in NAMES else whole(text(raw[column])) for column in raw
    }
    environment = _environment(row["environment"], definitions)
    initiator = _initiator(row["initiator"], definitions)
    user_initiated = definitions.user_initiated.get(initiator or "")
    engagement = definition.engagement
    if user_initiated is False and definition.engagement_when_system_initiated is not None:
        engagement = definition.engagement_when_system_initiated
    occurred_at = EPOCH + dt.timedelta(milliseconds=time)
    row |= {
        "occurred_at": occurred_at,
        "event_date": occurred_at.date(),
        "system_id": row["system_id"] or "unknown",
        "environment": environment,
        "item_type": definition.item_type,
        "event": definition.event,
        "engagement": engagement,
        "parent_item_type": _parent_type(row["parent_item_type"], definitions),
        "initiator": initiator,
        "is_user_initiated": user_initiated,
        "order_in_ms": definition.order_in_ms,
        "is_iframe": _boolean(raw["is_iframe"]),
        "is_mobile": _boolean(raw["is_mobile"]),
        "utc_offset_minutes": _whole_number(row["utc_offset_minutes"]),
        "dump_date": file.dump_date,
        "source_file": file.path,
        "source_row": line.number,
    }
    if file.form != "tabular" and row["utc_offset_minutes"] is not None:
        # The player has the sign of JavaScript: minutes from local time to UTC.
        row["utc_offset_minutes"] = -row["utc_offset_minutes"]
    return Judged(file, line, "event", event=row)


def documented(file: LandedFile, record: Record) -> Record:
    """A record with its keys as documented, and no types of a document store around its values."""
    keys = {}
    for key, value in record.items():
        if file.form == "tabular" and key.strip().lower() in TABULAR_KEYS:
            key = key.strip().lower()
        if file.form == "flat":
            key = UNDERSCORED.get(key, key)
        keys[key] = unwrapped(value)
    return keys


def unwrapped(value: Any) -> Any:
    """A value without the type that a document store wraps around it; U+FFFD for half a pair."""
    if isinstance(value, str):
        return re.sub("[\ud800-\udfff]", "\ufffd", value)
    if isinstance(value, list):
        return [unwrapped(each) for each in value]
    if isinstance(value, dict):
        for wrapper in ("$numberLong", "$numberInt", "$numberDouble", "$numberDecimal", "$date"):
            if list(value) == [wrapper]:
                inner = unwrapped(value[wrapper])
                return None if inner == "NaN" else inner
        return {unwrapped(key): unwrapped(each) for key, each in value.items()}
    return value


def raw_columns(file: LandedFile, record: Record) -> Row:
    """The values of a record by column of the fact, as they came; None where there is none."""
    if file.form == "tabular":
        raw = {column: record.get(column) for column in PLAYER_PATHS}
        return raw | {"event_id": record.get("event_id")}
    if file.form == "flat":
        raw = {column: record.get(path) for column, path in PLAYER_PATHS.items()}
        for column, key in FLAT_KEYS.items():
            if text(record.get(key)) is not None:
                raw[column] = record[key]
        for column in ("item_type", "event"):
            if text(raw[column]) is None:
                raw[column] = _folder_name(file.path, column)
        return raw | {"event_id": None}
    raw = {column: _at(record, keys) for column, keys in PLAYER_KEYS.items()}
    return raw | {"event_id": None}


def unknown_keys(file: LandedFile) -> Counter[str]:
    """Names never seen before, with the number of the file's lines that have them."""
    counts: Counter[str] = Counter()
    for line in file.lines:
        if line.record is None:
            continue
        record = documented(file, line.record)
        if file.form == "tabular":
            counts.update(key for key in record if key not in TABULAR_KEYS)
        else:
            counts.update(_unknown_paths(record, ""))
    return counts


def identity(event: Row) -> tuple[Any, ...]:
    """What makes two lines the same event (getting-data-in.md)."""
    return tuple(event[column] for column in IDENTITY)


def text(value: Any) -> str | None:
    """A value as text: numbers and strings alike, nested values as JSON, empty is None."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if isinstance(value, Number):
        return value.written if abs(value) == float("inf") else str(float(value))
    return str(value)


def whole(value: str | None) -> str | None:
    """A text that is a whole number, however it was written, as such."""
    match = re.fullmatch(r"(-?\d+)\.0+", value or "", flags=re.ASCII)
    return match[1] if match else value


def epoch_ms(value: Any) -> int | None:
    """Milliseconds since 1970 of an epoch time of any unit or ISO 8601; None for anything else."""
    if isinstance(value, bool | dict | list):
        return None
    value = value.written if isinstance(value, Number) else str(value)
    if match := re.fullmatch(r"([+-]?\d+)(\.0*)?", value, flags=re.ASCII):
        number = int(match[1])
        if abs(number) < 100_000_000_000:
            return number * 1000
        if abs(number) < 100_000_000_000_000:
            return number
        return number // (1_000 if abs(number) < 100_000_000_000_000_000 else 1_000_000)
    value = value.upper()
    match = ISO_8601.fullmatch(value)
    if match is None:
        return None
    offset = (match["offset"] or "Z").replace("Z", "+00").replace(":", "").ljust(5, "0")
    try:
        moment = dt.datetime.fromisoformat(
            f"{match['date']}T{match['hour'] or '00'}:{match['minute'] or '00'}"
            f":{match['second'] or '00'}{offset[:3]}:{offset[3:]}"
        )
    except ValueError:
        return None
    seconds = (moment - EPOCH.replace(tzinfo=dt.UTC)) // dt.timedelta(seconds=1)
    return seconds * 1000 + int((match["fraction"] or "").ljust(3, "0")[:3])


def _at(record: Record, keys: list[str]) -> Any:
    value: Any = record
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _folder_name(path: str, column: str) -> str | None:
    for folder in path.split("/")[:-1]:
        if folder.startswith(f"{column}="):
            return unquote(folder.removeprefix(f"{column}="))
    return None


def _environment(value: str | None, definitions: Definitions) -> str:
    name = (value or "").strip()
    if not name:
        return "production"
    names = {each.lower(): each for each in definitions.environments.values()}
    if re.fullmatch(r"-?\d+", name, flags=re.ASCII):
        return definitions.environments.get(name, f"environment_{name}")
    return names.get(name.lower(), name)


def _initiator(value: str | None, definitions: Definitions) -> str | None:
    if value is None or not re.fullmatch(r"-?\d+", value, flags=re.ASCII):
        return value
    return definitions.initiators.get(value, f"initiator_{value}")


def _parent_type(name: str | None, definitions: Definitions) -> str | None:
    return None if name is None else definitions.item_types.get(normalised(name), name)


def _boolean(value: Any) -> bool | None:
    name = (whole(text(value)) or "").lower()
    return True if name in TRUE else False if name in FALSE else None


def _whole_number(value: Any) -> int | None:
    number = text(value) or ""
    return int(number) if re.fullmatch(r"[+-]?\d+", number, flags=re.ASCII) else None


def _unknown_paths(record: Record, prefix: str) -> list[str]:
    unknown = []
    for key, value in record.items():
        path = prefix + key
        if path in BRANCHES:
            if isinstance(value, dict):
                unknown += _unknown_paths(value, path + ".")
        elif path not in LEAVES:
            unknown.append(path)
    return unknown
