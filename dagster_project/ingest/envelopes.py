"""The three forms of a record and where each keeps what (`getting-data-in.md`, "Records").

One table, `PLACES`, says for every column of the raw layer where the player envelope, the flat
envelope and the tabular form hold it; everything that reads lines derives from it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dagster_project.ingest.json_records import Exponent, without_halves

Form = Literal["player", "flat", "tabular"]


@dataclass(frozen=True)
class Place:
    """Where a column comes from.

    Attributes:
        column: the raw column, named as in the tabular form.
        player: dotted path in the player envelope.
        flat: keys of the flat envelope, the first that is present and not null wins.
    """

    column: str
    player: str
    flat: tuple[str, ...]


def _place(column: str, player: str, *flat: str) -> Place:
    return Place(column, player, flat or (player,))


PLACES = (
    _place("occurred_at", "time", "created_at", "time"),
    _place("session_id", "sId"),
    _place("end_user_id", "wm.euId"),
    _place("item_type", "data.type"),
    _place("event", "type"),
    _place("system_id", "wm.uId"),
    _place("environment", "wm.env"),
    _place("end_user_id_source", "wm.euIdSource"),
    _place("item_id", "data.oId", "oId", "data.oId"),
    _place("item_name", "data.oName", "oName", "data.oName"),
    _place("parent_item_id", "data.owId"),
    _place("parent_item_type", "data.owType"),
    _place("parent_item_name", "data.owName"),
    _place("play_id", "data.pId"),
    _place("initiator", "data.pInit.type"),
    _place("initiator_item_id", "data.pInit.objectId"),
    _place("value", "data.value", "value", "data.value"),
    _place("interaction_guid", "wm.interactionGuid"),
    _place("visit_id", "ctx.visitId"),
    _place("page_host", "ctx.location.hostname"),
    _place("page_path", "ctx.location.pathname"),
    _place("page_title", "ctx.title"),
    _place("is_iframe", "ctx.isIframe"),
    _place("browser", "env.browser.name"),
    _place("os", "env.os.name"),
    _place("is_mobile", "env.mobile"),
    _place("utc_offset_minutes", "env.timezone"),
    _place("language", "wm.language"),
    _place("user_name", "wm.userVars.name"),
    _place("user_role", "wm.userVars.role"),
    _place("user_type", "wm.userVars.type"),
    _place("user_status", "wm.userVars.status"),
    _place("user_info", "wm.userVars.info"),
)

# Known to be sent by public evidence, and not needed for any table.
_UNUSED_PLAYER_PATHS = (
    "_static",
    "Wm-Client-Timestamp",
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
)

# Columns of fct_item_events that are derived here, whatever a tabular file says of them.
_DERIVED_COLUMNS = (
    "event_key",
    "event_date",
    "engagement",
    "is_user_initiated",
    "dump_date",
    "source_file",
    "source_row",
)

EVENT_ID = "event_id"
REQUIRED_COLUMNS = ("occurred_at", "session_id", "end_user_id", "item_type", "event")
TABULAR_COLUMNS = (*(place.column for place in PLACES), EVENT_ID)

KNOWN_PLAYER_PATHS = frozenset((*(place.player for place in PLACES), *_UNUSED_PLAYER_PATHS))
PLAYER_OBJECTS = tuple(
    sorted(
        {
            ".".join(parts[:depth])
            for parts in (path.split(".") for path in KNOWN_PLAYER_PATHS)
            for depth in range(len(parts))
        }
    )
)
"""Dotted paths of the objects of the player envelope, the line itself (an empty path) first."""

_KNOWN_KEYS: dict[Form, frozenset[str]] = {
    "player": KNOWN_PLAYER_PATHS | frozenset(PLAYER_OBJECTS),
    "flat": KNOWN_PLAYER_PATHS | {key for place in PLACES for key in place.flat},
    "tabular": frozenset((*TABULAR_COLUMNS, *_DERIVED_COLUMNS))
    | {"_static", "Wm-Client-Timestamp"},
}

_UNDERSCORED = {path.replace(".", "_"): path for path in KNOWN_PLAYER_PATHS if "." in path}
_TIME_KEYS: dict[Form, tuple[str, ...]] = {
    "player": ("time",),
    "flat": ("created_at", "time"),
    "tabular": ("occurred_at",),
}


def unknown_keys(form: Form, keys: Iterable[tuple[str, str]]) -> list[str]:
    """Of (object path, key) pairs of one line, the dotted names that no document mentions."""
    names = (f"{parent}.{key}" if parent else key for parent, key in keys)
    return sorted({name for name in names if name not in _KNOWN_KEYS[form]})


def form_of_object(line: Mapping[str, Any]) -> Form | None:
    """Tell the form of one record by its keys; None where nothing gives it away."""
    if any(isinstance(line.get(key), dict) for key in ("data", "wm", "env", "ctx")):
        return "player"
    if any("." in key or key in _UNDERSCORED for key in line):
        return "flat"
    if not {"created_at", "oId", "oName"}.isdisjoint(line):
        return "flat"
    columns = {key.strip().lower() for key in line}
    if not {*REQUIRED_COLUMNS, "system_id", "item_id"}.isdisjoint(columns):
        return "tabular"
    if not {"time", "sId", "type"}.isdisjoint(line):
        return "player"
    return None


def documented_key(form: Form, key: str) -> str:
    """A key of a record as it is documented; what is not documented stays as it is.

    The tabular form's may be written in any case, the flat envelope's with underscores for dots.
    """
    if form == "flat":
        return _UNDERSCORED.get(key, key)
    if form == "tabular":
        column = key.strip().lower()
        return column if column in _KNOWN_KEYS["tabular"] else key
    return key


def keys_are_plain(form: Form, keys: Sequence[str]) -> bool:
    """Whether none of an object's keys is there twice, or is written as it is not documented."""
    return len(set(keys)) == len(keys) and all(documented_key(form, key) == key for key in keys)


def plain_json(form: Form, record: Mapping[str, Any]) -> str:
    """A record as JSON that every reader understands alike.

    Its keys are as documented, a value that a document store has wrapped stands by itself, half a
    surrogate pair is U+FFFD. A time that is written with an exponent becomes text, as no number
    shows how it was written.
    """
    plain = {documented_key(form, key): _unwrapped(value) for key, value in record.items()}
    for key in _TIME_KEYS[form]:
        if isinstance(time := plain.get(key), Exponent):
            plain[key] = time.written
    return json.dumps(without_halves(plain), ensure_ascii=False, separators=(",", ":"))


def _unwrapped(value: Any) -> Any:
    """A value without what MongoDB's extended JSON says of its type."""
    if isinstance(value, list):
        return [_unwrapped(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, inner),) = value.items()
        if key in ("$numberLong", "$numberInt", "$numberDecimal", "$numberDouble"):
            return None if str(inner).lower() == "nan" else inner
        if key in ("$date", "$oid", "$symbol", "$uuid"):
            return _unwrapped(inner)
        if key == "$undefined":
            return None
    return {key: _unwrapped(inner) for key, inner in value.items()}


def json_structure(form: Form) -> str:
    """The keys to take from a line, in the notation of DuckDB's ``json_transform``, all as text."""
    if form == "player":
        tree: dict[str, Any] = {}
        for place in PLACES:
            *parents, leaf = place.player.split(".")
            node = tree
            for parent in parents:
                node = node.setdefault(parent, {})
            node[leaf] = "VARCHAR"
        return json.dumps(tree | {"_static": "VARCHAR"})
    keys = [*TABULAR_COLUMNS]
    if form == "flat":
        keys = list(dict.fromkeys([key for place in PLACES for key in place.flat] + [EVENT_ID]))
    return json.dumps(dict.fromkeys([*keys, "_static"], "VARCHAR"))


def column_expressions(form: Form, record: str) -> dict[str, str]:
    """SQL for each column of the raw layer, out of a struct of the shape of `json_structure`.

    Empty text is null, since the player sends it for what is not set.
    """
    expressions = {}
    for place in PLACES:
        paths = {
            "player": (place.player.split("."),),
            "flat": tuple([key] for key in place.flat),
            "tabular": ([place.column],),
        }[form]
        values = [
            f"nullif({record}.{'.'.join(chr(34) + part + chr(34) for part in path)}, '')"
            for path in paths
        ]
        expressions[place.column] = (
            values[0] if len(values) == 1 else f"coalesce({', '.join(values)})"
        )
    expressions[EVENT_ID] = (
        "null::varchar" if form == "player" else f"nullif({record}.\"event_id\", '')"
    )
    return expressions
