"""The SQL that turns the lines of a landed file into typed, classified rows of the raw layer.

Text only; `lines` runs it. A *source* is a query with one row a line: `source_file`, `source_row`,
`folder_item_type`, `folder_event`, `line` (its text, where that is at hand), `problem` (why it is
malformed, or null), `is_control`, `is_odd` (whether it has to be looked at again), `keys` (of its
objects; may be null where all are documented), `columns_found` (of a file that has columns), and
the text of every column of the tabular form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import numpy as np

from dagster_project.ingest.envelopes import (
    EVENT_ID,
    PLACES,
    PLAYER_OBJECTS,
    REQUIRED_COLUMNS,
    TABULAR_COLUMNS,
    Form,
    column_expressions,
    json_structure,
    keys_are_plain,
    unknown_keys,
)
from dagster_project.quoting import literal
from dagster_project.registry import Definitions, name_key
from dagster_project.treatment import NOT_A_NUMBER, UNTREATED, Treatment, of_session

LINE_COLUMNS = {
    "dump_date": "date",
    "source_file": "varchar",
    "source_row": "bigint",
    "outcome": "varchar",
    "reason": "varchar",
    "detail": "varchar",
    "line": "varchar",
    "event_key": "varchar",
    "occurred_at": "timestamp",
    "event_date": "date",
    **{
        column: {
            "is_iframe": "boolean",
            "is_mobile": "boolean",
            "utc_offset_minutes": "integer",
        }.get(column, "varchar")
        for column in (
            "system_id",
            "environment",
            "session_id",
            "end_user_id",
            "end_user_id_source",
            "item_type",
            "event",
            *(place.column for place in PLACES[8:]),
        )
    },
    "keys": "varchar",
}
"""Columns of the raw layer's `lines` and their types."""

LINE_BYTES = "line_bytes"
"""Beside them where lines are treated: how long the text was that is not kept."""

FORGOTTEN_BY, IS_TOUCHED = "forgotten_by", "is_touched"
"""Beside them until they are written, where people are forgotten: the number of the request that a
line's end user is forgotten by, and whether anything in it was emptied for anybody."""

FORGOTTEN = "forgotten"
"""The reason for which an event is ignored that is left out for a person who is forgotten."""

_NOT_KEPT = "(not kept)"

# The parts of an event's identity, in the order in which they are hashed (`getting-data-in.md`).
_IDENTITY = (
    "system_id",
    "environment",
    "session_id",
    "end_user_id",
    "item_type",
    "event",
    "item_id",
    "play_id",
    "epoch_ms",
    "interaction_guid",
    "value",
    EVENT_ID,
)

_SEPARATOR = "\x1f"
_BLANKS = " \t\n\r\x0b\x0c\u00a0\u3000"
_DAY_MS = 86_400_000
_LEAST_MS = 10**11  # a smaller number of milliseconds is one of seconds

# Names and texts; in all other columns a whole number may be written with a fraction of zeros.
_NO_NUMBERS = frozenset(
    (
        "occurred_at",
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
)
_NUMBERS = tuple(column for column in TABULAR_COLUMNS if column not in _NO_NUMBERS)


def prepare_connection(connection: duckdb.DuckDBPyConnection, definitions: Definitions) -> None:
    """Give a connection the names that the classification looks up, and the key if there is one."""
    connection.execute("set timezone = 'UTC'")
    definitions.treatment.give_to(connection)
    spelled = {
        _pair_key(p.written_item_type, p.written_event): (p.item_type, p.event)
        for p in definitions.pairs
    }
    loose = {
        _pair_key(name_key(p.written_item_type), name_key(p.written_event)): (p.item_type, p.event)
        for p in definitions.pairs
    }
    for number, column in enumerate(("item_type", "event")):
        _lookup(connection, f"{column}_as_written", {k: p[number] for k, p in spelled.items()})
        _lookup(connection, f"{column}_loosely", {k: p[number] for k, p in loose.items()})
    types = dict(definitions.item_types)
    _lookup(connection, "item_types_as_written", types)
    _lookup(connection, "item_types_loosely", {name_key(k): v for k, v in types.items()})
    _lookup(connection, "events", {name_key(p.written_event): p.event for p in definitions.pairs})
    ignored = {name_key(event): event for event in definitions.ignored_events}
    _lookup(connection, "ignored_events", ignored)
    names = {name.lower(): name for _, name in definitions.environments}
    _lookup(connection, "environments", names | dict(definitions.environments))
    _lookup(connection, "initiators", dict(definitions.initiators))


def look_at_lines(
    connection: duckdb.DuckDBPyConnection, form: Form
) -> Mapping[str, np.ndarray[Any, Any]]:
    """What can be told of the lines of the table `landed` without reading them.

    Returns:
        by line, in any order: its `place`, and as `shape` a number that stands for the sets of keys
        in it; 0 where it is not surely one JSON object, since DuckDB also takes commas before a
        closing bracket, NaN and Infinity for JSON.
    """
    constant = r"-?([nN][aA][nN]|[iI][nN][fF]([iI][nN][iI][tT][yY])?)\s*[,\]}]"
    # Each expression begins with a sign that can be searched for, which is ten times as fast.
    # Only `json_keys` parses a line. Where it fails on one, `try` goes through some two thousand
    # lines one by one, so torn lines are told first.
    found = connection.execute(
        rf"""
        select
            place,
            case
                when
                    starts_with(line, '{{')
                    and regexp_matches(line, '\}}\s*$')
                    and not regexp_matches(line, ',\s*([\]}}]|{constant})')
                    and not regexp_matches(line, ':\s*{constant}')
                    and not regexp_matches(line, '\[\s*{constant}')
                    then coalesce(try(hash({_json_keys(form, "line")})), 0)
                else 0
            end as shape
        from landed
        """
    ).fetchnumpy()
    return {column: np.asarray(found[column]) for column in ("place", "shape")}


def keys_of(
    connection: duckdb.DuckDBPyConnection, form: Form, lines: Mapping[int, str]
) -> dict[int, str]:
    """The keys of lines that are JSON, as the column `keys` has them, by the same numbers."""
    return dict(
        connection.execute(
            f"select place, to_json({_json_keys(form, 'line')})::varchar"
            " from (select unnest(?::bigint[]) as place, unnest(?::varchar[]) as line)",
            [[*lines], [*lines.values()]],
        ).fetchall()
    )


def shape_is_plain(form: Form, keys: str) -> bool:
    """Whether every reader understands the keys of a line alike."""
    return all(keys_are_plain(form, names or ()) for names in json.loads(keys))


def shape_is_documented(form: Form, keys: str) -> bool:
    """Whether all keys of a line are documented; they need not be kept then."""
    return not unknown_keys(form, parents_and_keys(form, keys))


def lines_source(form: Form) -> str:
    """The source over the table `landed`, of lines that are one JSON object each.

    A line is odd if another reader could understand a value in it otherwise.
    """
    # What holds other values begins with a bracket; comparing is faster than looking for it.
    columns = column_expressions(form, "")
    may_be_objects = " or ".join(f"{column} >= '{{'" for column in columns)
    objects = " or ".join(f"{column} between '{{' and '{{~'" for column in columns)
    lists = " or ".join(f"{column} between '[' and '[~'" for column in columns)
    return f"""
        select
            *,
            coalesce(case when {may_be_objects} then {objects} end, false)
            or coalesce(case when contains(line, '[') then {lists} end, false)
            or (
                not contains(occurred_at, ':')
                and (contains(occurred_at, '.') or contains(lower(occurred_at), 'e'))
            ) is true
                as is_odd
        from (
            select
                source_file,
                folder_item_type,
                folder_event,
                source_row,
                line,
                null::varchar as problem,
                null::varchar as columns_found,
                {_json_fields(form)},
                keys
            from (select *, {_json_record(form, "line")} as record from landed)
        )
    """


def second_look_source(form: Form) -> str:
    """The source over the table `landed`, of records that were read in Python."""
    return f"""
        select
            source_file,
            folder_item_type,
            folder_event,
            source_row,
            line,
            case
                when problem is not null then problem
                when json is null then 'not JSON, or nested too deeply'
            end as problem,
            null::varchar as columns_found,
            {_json_fields(form)},
            false as is_odd,
            to_json({_json_keys(form, "json")})::varchar as keys
        from (
            select *, {_json_record(form, "json")} as record
            from (select *, try_cast(json_text as json) as json from landed)
        )
    """


def columns_source(columns: Collection[str]) -> str:
    """The source over the table `landed`, which has these columns of the tabular form as text."""
    fields = [
        f"nullif({column}, '') as {column}" if column in columns else f"null::varchar as {column}"
        for column in TABULAR_COLUMNS
    ]
    return f"""
        select
            source_file,
            null::varchar as folder_item_type,
            null::varchar as folder_event,
            source_row,
            line,
            problem,
            is_control,
            false as is_odd,
            case when problem is null and not is_control then nullif(keys, '') end as keys,
            columns_found,
            {", ".join(fields)}
        from landed
    """


def _json_record(form: Form, document: str) -> str:
    """What is taken from a line, parsed once."""
    return f"json_transform({document}, {literal(json_structure(form))})"


def _json_keys(form: Form, document: str) -> str:
    """A list with the keys of each of a line's objects."""
    paths = ", ".join(literal("$." + path if path else "$") for path in _objects(form))
    return f"json_keys({document}, [{paths}])"


def _json_fields(form: Form) -> str:
    """The text of every column of lines that are JSON."""
    columns = column_expressions(form, "record")
    fields = [f"{expression} as {column}" for column, expression in columns.items()]
    fields.append("coalesce(record.\"_static\" = 'true', false) as is_control")
    return ",\n            ".join(fields)


def _objects(form: Form) -> tuple[str, ...]:
    """Dotted paths of the objects whose keys are kept; the line itself is the empty path."""
    return PLAYER_OBJECTS if form == "player" else ("",)


def parents_and_keys(form: Form, keys: str | None) -> Iterator[tuple[str, str]]:
    """The pairs of object and key in a line, from the JSON text of its column `keys`."""
    if keys is None:
        return
    for parent, names in zip(_objects(form), json.loads(keys), strict=True):
        for name in names or ():
            yield parent, name


def keys_of_columns(columns: Collection[str]) -> str:
    """What stands for the keys of each line of a file with columns; empty if all are documented."""
    is_documented = not unknown_keys("tabular", (("", column) for column in columns))
    return "" if is_documented else json.dumps([sorted(columns)])


def folder_names(name: str) -> dict[str, str]:
    """What the folders of a file say, such as ``{"item_type": "Launcher", "event": "Click"}``."""
    folders = (part.split("=", 1) for part in name.split("/")[:-1] if "=" in part)
    return {key: unquote(value) for key, value in folders}


def classification(
    source: str,
    *,
    form: Form,
    dump_date: date,
    max_late_days: int,
    treatment: Treatment = UNTREATED,
) -> str:
    """CTEs that end in `rows_of_the_raw_layer`: each line with its outcome (`getting-data-in.md`).

    A row without an outcome stands for a line that has to be looked at again; see `lines_of_parts`.
    Where values are treated, the rows have `LINE_BYTES` as well.
    """
    # One webhook carries one event, so its folder may be the only place that says which.
    item_type, event = (
        (f"coalesce({column}, folder_{column})" if form == "flat" else column)
        for column in ("item_type", "event")
    )
    midnight = int(datetime(dump_date.year, dump_date.month, dump_date.day, tzinfo=UTC).timestamp())
    latest_ms = midnight * 1000 + 2 * _DAY_MS
    earliest_ms = midnight * 1000 - max_late_days * _DAY_MS
    latest = dump_date + timedelta(days=2)
    environment = f"trim(environment, {literal(_BLANKS)})"
    judged = "judged"
    line = "case when outcome <> 'event' then trim(line, e' \\t\\r\\n') end as line"
    reason, is_event, beside = "reason", "is_defined", ""
    if treatment.forgets:
        judged = "forgotten"
        line = (
            "case when outcome <> 'event' and not is_emptied"
            f" then trim(line, e' \\t\\r\\n') end as line,\n        {_BYTES_OF_LINE}"
        )
        reason = f"case when is_left_out then {literal(FORGOTTEN)} else reason end as reason"
        is_event = "is_defined and not is_left_out"
        beside = f",\n        {FORGOTTEN_BY},\n        {IS_TOUCHED}"
    if treatment.is_needed:
        judged = "treated"
        line = f"null::varchar as line,\n        {_BYTES_OF_LINE}"
    return f"""
with

source_lines as ({source}),

source_events as (

    select
        * exclude (item_type, event)
            replace ({_whole_numbers()}),
        {item_type} as item_type,
        {event} as event,
        {_epoch_ms("occurred_at")} as epoch_ms

    from source_lines

),

as_written as (

    select
        *,
        {_looked_up("item_type_as_written", _pair_key_sql("item_type", "event"))}
            as item_type_as_written,
        {_looked_up("event_as_written", _pair_key_sql("item_type", "event"))} as event_as_written

    from source_events

),

-- Only what is not written as documented is compared without case, spaces and signs.
keyed as (

    select
        *,
        case when event_as_written is null then {_name_key("item_type")} end as item_key,
        case when event_as_written is null then {_name_key("event")} end as event_key

    from as_written

),

named as (

    select
        * exclude (item_type, event, system_id, environment, initiator, parent_item_type),
        coalesce(
            item_type_as_written,
            {_looked_up("item_type_loosely", _pair_key_sql("item_key", "event_key"))},
            item_type
        ) as item_type,
        coalesce(
            event_as_written,
            {_looked_up("event_loosely", _pair_key_sql("item_key", "event_key"))},
            event
        ) as event,
        event_as_written is not null
        or {_looked_up("event_loosely", _pair_key_sql("item_key", "event_key"))} is not null
            as is_defined,
        {_looked_up("ignored_events", "event_key")} is not null as is_ignored_verb,
        coalesce(system_id, 'unknown') as system_id,
        coalesce(
            {_looked_up("environments", "environment")},
            {_looked_up("environments", f"lower({environment})")},
            case
                when regexp_full_match({environment}, '-?\\d+')
                    then 'environment_' || {environment}
            end,
            nullif({environment}, ''),
            'production'
        ) as environment,
        coalesce(
            {_looked_up("initiators", "initiator")},
            case when regexp_full_match(initiator, '-?\\d+') then 'initiator_' || initiator end,
            initiator
        ) as initiator,
        coalesce(
            {_looked_up("item_types_as_written", "parent_item_type")},
            {_looked_up("item_types_loosely", _name_key("parent_item_type"))},
            parent_item_type
        ) as parent_item_type

    from keyed

),

judged as (

    select
        *,
        case
            when problem is not null then 'malformed'
            when is_control or (is_ignored_verb and not is_defined) then null
            when occurred_at is null then 'missing_occurred_at'
            when session_id is null then 'missing_session_id'
            when end_user_id is null then 'missing_end_user_id'
            when item_type is null then 'missing_item_type'
            when event is null then 'missing_event'
            when epoch_ms is null then 'bad_timestamp'
            when epoch_ms > {latest_ms} then 'future_timestamp'
            when epoch_ms < {earliest_ms} then 'too_old'
            when not is_defined then 'undefined_event'
        end as reason,
        case
            when epoch_ms between -62135596800000 and 253402300799999
                then make_timestamp(epoch_ms * 1000)
        end as instant

    from named

),
{_forgotten(treatment)}{_treated(treatment)}
rows_of_the_raw_layer as (

    select
        date '{dump_date}' as dump_date,
        source_file,
        source_row,
        case
            when is_odd then null
            -- Without its text such a line has to be looked at again; its row keeps the place.
            when line is null and (reason is not null or is_control or not is_defined) then null
            when reason is not null then 'quarantined'
            when is_control then 'control'
            when {is_event} then 'event'
            else 'ignored'
        end as outcome,
        {reason},
        case reason
            when 'malformed' then problem
            {_missing_details()}
            when 'bad_timestamp' then 'occurred_at: ' || occurred_at
            when 'future_timestamp'
                then 'occurred_at: ' || occurred_at || ', after {latest}T00:00:00Z'
            when 'too_old'
                then 'occurred_at: ' || occurred_at || ', over {max_late_days} days before the dump'
            when 'undefined_event' then 'item type: ' || item_type || ', event: ' || event
        end as detail,
        {line},
        case when outcome = 'event' then {_event_key(treatment)} end as event_key,
        instant as occurred_at,
        instant::date as event_date,
        {_typed_columns(form)},
        keys{beside}

    from {judged}

)
"""


def lines_of_parts(parts: str, *, all_columns: bool = False) -> str:
    """The lines that Parquet parts hold, given an SQL list of the parts.

    Not of all columns, unless the parts are of one dump: others may have more or fewer.
    """
    columns = "*" if all_columns else ", ".join(LINE_COLUMNS)
    return f"select {columns} from read_parquet({parts}) where outcome is not null"


# Without its text such a line has to be looked at again; its row keeps the place.
_IS_ASIDE = "(is_odd or (line is null and (reason is not null or is_control or not is_defined)))"
_IS_EVENT = "(is_defined and reason is null and not is_control and not is_odd)"
_BYTES_OF_LINE = f"strlen(trim(line, e' \\t\\r\\n')) as {LINE_BYTES}"

MAY_MENTION = {
    **dict.fromkeys(
        (
            *("item_name", "parent_item_name", "page_host", "page_path", "page_title"),
            *("user_name", "user_role", "user_type", "user_status", "user_info"),
        ),
        "null",
    ),
    **{
        column: of_session(column)
        for column in ("session_id", "play_id", "interaction_guid", "visit_id")
    },
    "value": literal(NOT_A_NUMBER),
    "keys": "null",
}
"""Where the id of a forgotten person may stand in an event of somebody else, and SQL for what is
there then. Ids of items and systems are their own: one may have the number of a person."""


def _forgotten(treatment: Treatment) -> str:
    """CTEs in which nothing is left of who is forgotten; empty where nobody is.

    Events of theirs stay, under an id that is good for one session, or are left out. Any other line
    of theirs, or with their id in its text, keeps its place and why it is no event. In the events
    of others, the values go in which their id stands.
    """
    if not treatment.forgets:
        return ""
    left_out = ", ".join(str(each.number) for each in treatment.requests if each.is_removal)
    own = treatment.expressions_of_forgotten()
    mentions = ",\n        ".join(
        f"{_IS_EVENT} and is_mentioned({column}, system_id) as {column}_mentions"
        for column in MAY_MENTION
    )
    any_mention = " or ".join(f"{column}_mentions" for column in MAY_MENTION)
    columns = [column for column in _columns_as_they_came() if column not in ("item_type", "event")]
    replaced = ",\n                ".join(
        f"case when is_emptied then null {_cases_of(column, own)} else {column} end as {column}"
        for column in (*columns, "keys", "instant")
    )
    return f"""
recognised as (

    select
        *,
        request_of(end_user_id, system_id) as {FORGOTTEN_BY},
        not {_IS_EVENT} and is_mentioned(line, system_id) as line_mentions,
        {mentions}

    from judged

),

found as (

    select
        *,
        {_IS_EVENT} and {FORGOTTEN_BY} in ({left_out or "null"}) is true as is_left_out,
        {FORGOTTEN_BY} is not null or line_mentions or {any_mention} as {IS_TOUCHED}

    from recognised

),

emptied as (

    select
        *,
        {_IS_ASIDE} or is_left_out or (not {_IS_EVENT} and {IS_TOUCHED}) as is_emptied

    from found

),

forgotten as (

    select
        * replace (
                {replaced},
                case when is_emptied then {_known_item_type()} else item_type end as item_type,
                case when is_emptied then {_known_event()} else event end as event,
                case when is_emptied then {_without_quotation("problem")} else problem end
                    as problem,
                case when is_emptied then {_time_that_says_why()} else occurred_at end
                    as occurred_at,
                -- It is a part of the identity, and so tells apart what only differed in a text.
                case when {FORGOTTEN_BY} is not null or value_mentions
                    then {treatment.hashed("event_id", EVENT_ID, "value")}
                    else {EVENT_ID}
                end as {EVENT_ID}
        )

    from emptied

),
"""


def _cases_of(column: str, own: Mapping[str, str]) -> str:
    """What stands in a column of an event of who is forgotten, or in which their id stands."""
    cases = []
    if column in MAY_MENTION:
        cases.append(f"when {column}_mentions then {MAY_MENTION[column]}")
    if column in own:
        cases.append(f"when {FORGOTTEN_BY} is not null then {own[column]}")
    return " ".join(cases)


def _treated(treatment: Treatment) -> str:
    """A CTE in which no value is left that is not to be kept; empty where all are kept.

    Only events keep values. In any other line they may stand in the wrong column, and a line that
    has to be looked at again may have been misread. Such lines keep what says why they are none.
    """
    if not treatment.is_needed:
        return ""
    values = {column: column for column in _columns_as_they_came()} | treatment.expressions()
    if treatment.forgets:
        kept = f"case when {FORGOTTEN_BY} is null then {values['end_user_id']} else end_user_id end"
        values["end_user_id"] = kept
    replaced = ",\n                ".join(
        f"case when {_IS_EVENT} then {expression} end as {column}"
        for column, expression in {**values, "instant": "instant", EVENT_ID: EVENT_ID}.items()
        if column not in ("item_type", "event")
    )
    return f"""
treated as (

    select
        * replace (
                {replaced},
                case when {_IS_EVENT} then item_type else {_known_item_type()} end as item_type,
                case when {_IS_EVENT} then event else {_known_event()} end as event,
                {_without_quotation("problem")} as problem,
                {_time_that_says_why()} as occurred_at
        )

    from {"forgotten" if treatment.forgets else "judged"}

),
"""


def _known_item_type() -> str:
    """SQL for an item type that is one; any other word could be anything."""
    found = _looked_up("item_types_loosely", _name_key("item_type"))
    return f"coalesce({found}, {literal(_NOT_KEPT)})"


def _known_event() -> str:
    """SQL for an event that is one; any other word could be anything."""
    return f"coalesce({_looked_up('events', _name_key('event'))}, {literal(_NOT_KEPT)})"


def _without_quotation(problem: str) -> str:
    """SQL for why a line is malformed, without what it quotes of it."""
    return f"regexp_replace({problem}, ' \\(.*', '')"


def _time_that_says_why() -> str:
    """SQL for the text of a time that is not kept, in lines that are quarantined for it."""
    return (
        "case when reason in ('bad_timestamp', 'future_timestamp', 'too_old')"
        f" then {literal(_NOT_KEPT)} end"
    )


def _columns_as_they_came() -> list[str]:
    """The columns of the raw layer that hold what stood in a line."""
    columns = list(LINE_COLUMNS)
    return columns[columns.index("event_date") + 1 : columns.index("keys")]


def _typed_columns(form: Form) -> str:
    # JavaScript counts a zone's minutes westwards; the warehouse, like ISO 8601, eastwards.
    sign = "" if form == "tabular" else "-"
    special = {
        "is_iframe": "try_cast(is_iframe as boolean)",
        "is_mobile": "try_cast(is_mobile as boolean)",
        "utc_offset_minutes": (
            f"try_cast({sign}try_cast(regexp_extract(utc_offset_minutes, '^[+-]?\\d+$') as bigint)"
            " as integer)"
        ),
    }
    return ",\n        ".join(
        f"{special[column]} as {column}" if column in special else column
        for column in _columns_as_they_came()
    )


def _event_key(treatment: Treatment) -> str:
    """An injective text of the identity, hashed: equal exactly for equal events."""
    parts = ", ".join(f"{part}::varchar" for part in _IDENTITY)
    identity = f"json_array({parts})::varchar"
    return treatment.key_of(identity) if treatment.is_needed else f"md5({identity})"


def _whole_numbers() -> str:
    """SQL that takes the fraction from numbers that are whole; an initial 1.0 is the 1 it was."""
    return ", ".join(
        f"case when contains({column}, '.0')"
        f" then regexp_replace({column}, '^(-?\\d+)\\.0+$', '\\1') else {column} end as {column}"
        for column in _NUMBERS
    )


def _missing_details() -> str:
    """SQL that says which columns a file has that lacks one."""
    return " ".join(
        f"when 'missing_{column}' then 'columns found: ' || columns_found"
        for column in REQUIRED_COLUMNS
    )


def _epoch_ms(text: str) -> str:
    """SQL that reads an epoch time of any unit, or ISO 8601; null where the text is neither.

    A whole number is in seconds, ms, µs or ns, as its magnitude tells.
    """
    hour = r"([01]\d|2[0-3])"
    zone = rf"([Zz]|[+-]{hour}(:?\d{{2}})?| [Uu][Tt][Cc])"
    iso = rf"\d{{4}}-\d{{2}}-\d{{2}}([Tt ]{hour}:\d{{2}}(:\d{{2}}([.,]\d+)?)?{zone}?)?"
    whole = f"try_cast(split_part({text}, '.', 1) as bigint)"
    return f"""case
            when {text} is null then null
            when regexp_full_match({text}, '[+-]?\\d{{1,18}}(\\.0*)?')
                then case
                    when abs({whole}) < {_LEAST_MS} then {whole} * 1000
                    when abs({whole}) < {_LEAST_MS} * 1000 then {whole}
                    when abs({whole}) < {_LEAST_MS} * 1000000 then {whole} // 1000
                    else {whole} // 1000000
                end
            when regexp_full_match({text}, '[+-]?\\d+(\\.0*)?')
                then floor(greatest(least(try_cast({text} as double) / 1e6, 9e15), -9e15))::bigint
            when regexp_full_match({text}, '{iso}')
                then epoch_ms(try_cast(replace(upper({text}), ',', '.') as timestamptz))
        end"""


def _name_key(expression: str) -> str:
    return f"regexp_replace(lower({expression}), '[^\\p{{L}}\\p{{N}}]', '', 'g')"


def _lookup(connection: duckdb.DuckDBPyConnection, name: str, values: Mapping[str, str]) -> None:
    """Have the value of each key at hand for `_looked_up`.

    A join would not keep the order of the lines, and searching a map takes as long as it is large;
    the codes of an enumeration are found by hashing.
    """
    keys = ", ".join(literal(key) for key in values) or literal(_SEPARATOR)
    connection.execute(f"create or replace type {name}_key as enum ({keys})")
    connection.execute(f"set variable {name} = ?::varchar[]", [list(values.values())])


def _looked_up(name: str, key: str) -> str:
    return f"getvariable('{name}')[enum_code(try_cast({key} as {name}_key)) + 1]"


def _pair_key(item_type: str, event: str) -> str:
    return item_type + _SEPARATOR + event


def _pair_key_sql(item_type: str, event: str) -> str:
    return f"{item_type} || {literal(_SEPARATOR)} || {event}"


def file_pattern(path: Path) -> str:
    """The pattern by which DuckDB's readers find this file and no other.

    A file `a[1].csv` would be read as `a1.csv` otherwise, and `b*.csv` with all that begins so.
    """
    return re.sub(r"[*?\[]", r"[\g<0>]", str(path))
