"""The SQL that turns the lines of a landed file into typed, classified rows of the raw layer.

Text only; `lines` runs it. A *source* is a query with one row a line: `source_file`, `source_row`
(null where all lines come in order), `folder_item_type`, `folder_event`, `line` (its text, where
that is at hand), `problem` (why it is malformed, or null), `is_control`, `keys` (of its objects;
may be null where all are documented), and the text of every column of the tabular form.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import unquote

import duckdb

from dagster_project.ingest.envelopes import (
    EVENT_ID,
    PLACES,
    PLAYER_OBJECTS,
    TABULAR_COLUMNS,
    Form,
    column_expressions,
    json_structure,
    unknown_keys,
)
from dagster_project.ingest.files import FileKind
from dagster_project.registry import Definitions, name_key

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

# The parts of an event's identity, in the order in which they are hashed (`landing.md`).
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
_DAY_MS = 86_400_000
_LINES_LOOKED_AT = 20_000
_COMPRESSIONS = {"none": "uncompressed", "gzip": "gzip", "zstd": "zstd"}


def prepare_connection(connection: duckdb.DuckDBPyConnection, definitions: Definitions) -> None:
    """Give a connection the names that the classification looks up."""
    connection.execute("set timezone = 'UTC'")
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
    ignored = {name_key(event): event for event in definitions.ignored_events}
    _lookup(connection, "ignored_events", ignored)
    _lookup(connection, "environments", dict(definitions.environments))
    _lookup(connection, "initiators", dict(definitions.initiators))


def note_usual_keys(connection: duckdb.DuckDBPyConnection, path: Path, kind: FileKind) -> None:
    """Have at hand which sets of keys, all documented, the first lines of a file have.

    The keys of a line are kept for what is not documented among them, and writing them takes a
    tenth of the time of an ingest: `ndjson_source` leaves them out where the set is a usual one.
    """
    shapes = connection.execute(
        f"""
        select distinct hash(keys)::varchar, to_json(keys)::varchar
        from (
            select {_json_keys(kind.form)} as keys
            from {_json_lines(path, kind)}
            limit {_LINES_LOOKED_AT}
        )
        """
    ).fetchall()
    usual = [
        quoted(shape)
        for shape, text in shapes
        if text is not None and not unknown_keys(kind.form, parents_and_keys(kind.form, text))
    ]
    values = ", ".join(usual or [quoted("")])
    connection.execute(f"create or replace temp type usual_keys as enum ({values})")


def ndjson_source(path: Path, kind: FileKind, name: str) -> str:
    """The source over a file of JSON lines, in order; what is not surely JSON has no text.

    For a connection that knows the file's usual keys (`note_usual_keys`).
    """
    # A comma before a closing bracket is what DuckDB forgives and JSON does not allow.
    is_lenient = r"regexp_matches(line, ',\s*[\]}]')"
    return f"""
        select
            {_origin(name)},
            null::bigint as source_row,
            case when record is not null then line end as line,
            null::varchar as problem,
            {_json_fields(kind.form)},
            -- Of the line: `to_json` takes the lists of a whole vector, whichever are asked for.
            case
                when
                    record is not null
                    and try_cast(hash(key_lists)::varchar as usual_keys) is null
                    then to_json({_json_keys(kind.form, "line")})::varchar
            end as keys
        from (
            select line, {_json_record(kind.form)} as record, {_json_keys(kind.form)} as key_lists
            from (
                select
                    json::varchar as line,
                    case when starts_with(line, '{{') and not {is_lenient} then json end as json
                from {_json_lines(path, kind)}
            )
        )
    """


def _json_lines(path: Path, kind: FileKind) -> str:
    return f"""read_ndjson_objects(
                    {quoted(file_pattern(path))},
                    compression = '{_COMPRESSIONS[kind.compression]}',
                    hive_partitioning = false,
                    ignore_errors = true
                )"""


def csv_source(path: Path, kind: FileKind, name: str) -> str:
    """The source over a CSV file, in order; its records have no text."""
    header = _header_columns(kind)
    typed = ", ".join(f"{quoted(column)}: 'varchar'" for column in header)
    return f"""
        select
            {_origin(name)},
            null::bigint as source_row,
            null::varchar as line,
            null::varchar as problem,
            {_column_fields({column: _identifier(column) for column in header})}
        from read_csv(
            {quoted(file_pattern(path))},
            columns = {{{typed}}},
            compression = '{_COMPRESSIONS[kind.compression]}',
            hive_partitioning = false,
            auto_detect = false,
            header = true,
            delim = ',',
            quote = '"',
            escape = '"',
            strict_mode = true
        )
    """


def second_look_source(form: Form) -> str:
    """The source over the table `second_look`, of records that were read in Python."""
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
            {_json_fields(form)},
            to_json({_json_keys(form)})::varchar as keys
        from (
            select *, {_json_record(form)} as record
            from (select *, try_cast(json_text as json) as json from second_look)
        )
    """


def parquet_source(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> str:
    """The source over a Parquet file in the tabular form."""
    relation = f"read_parquet({quoted(file_pattern(path))}, hive_partitioning = false)"
    described = connection.execute(f"describe select * from {relation}").fetchall()
    columns = {}
    for column, data_type, *_ in described:
        identifier = _identifier(column)
        if data_type.startswith("TIMESTAMP") or data_type == "DATE":
            # Timestamps without a zone are UTC; sub-millisecond digits are cut.
            columns[column.lower()] = f"epoch_ms({identifier}::timestamp)::varchar"
        elif data_type.endswith("]") or data_type.startswith(("STRUCT", "MAP")):
            columns[column.lower()] = f"to_json({identifier})::varchar"
        else:
            columns[column.lower()] = f"{identifier}::varchar"
    return f"""
        select
            {_origin(name)},
            null::bigint as source_row,
            to_json(landed)::varchar as line,
            null::varchar as problem,
            {_column_fields(columns)}
        from (select *, {{{_struct(described)}}} as landed from {relation})
    """


def _struct(described: Sequence[tuple[str, ...]]) -> str:
    return ", ".join(f"{_identifier(name)}: {_identifier(name)}" for name, *_ in described)


def _json_record(form: Form) -> str:
    """What is taken from a line, parsed once."""
    return f"json_transform(json, {quoted(json_structure(form))})"


def _json_keys(form: Form, document: str = "json") -> str:
    """A list with the keys of each of a line's objects."""
    paths = ", ".join(quoted("$." + path if path else "$") for path in _objects(form))
    return f"json_keys({document}, [{paths}])"


def _json_fields(form: Form) -> str:
    """The text of every column of lines that are JSON."""
    columns = column_expressions(form, "record")
    fields = [f"{expression} as {column}" for column, expression in columns.items()]
    fields.append("coalesce(record.\"_static\" = 'true', false) as is_control")
    return ",\n            ".join(fields)


def _column_fields(columns: Mapping[str, str]) -> str:
    """The text of every column of lines that have columns."""
    fields = [
        f"nullif({columns[column]}, '') as {column}"
        if column in columns
        else f"null::varchar as {column}"
        for column in TABULAR_COLUMNS
    ]
    is_documented = not unknown_keys("tabular", (("", column) for column in columns))
    keys = "null::varchar" if is_documented else quoted(json.dumps([sorted(columns)]))
    return ",\n            ".join([*fields, "false as is_control", f"{keys} as keys"])


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


def _origin(name: str) -> str:
    """Which file a line is of, and which event its folders name."""
    folders = folder_names(name)
    item_type, event = (
        "null::varchar" if column not in folders else quoted(folders[column])
        for column in ("item_type", "event")
    )
    return (
        f"{quoted(name)} as source_file, {item_type} as folder_item_type, {event} as folder_event"
    )


def folder_names(name: str) -> dict[str, str]:
    """What the folders of a file say, such as ``{"item_type": "Launcher", "event": "Click"}``."""
    folders = (part.split("=", 1) for part in name.split("/")[:-1] if "=" in part)
    return {key: unquote(value) for key, value in folders}


def classification(source: str, *, form: Form, dump_date: date, max_late_days: int) -> str:
    """CTEs that end in `rows_of_the_raw_layer`, with one outcome for each line (`landing.md`).

    They keep the source's order. A row without an outcome stands for a line that needs a second
    look; see `lines_of_parts`.
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
    return f"""
with

source_lines as ({source}),

source_events as (

    select
        * exclude (item_type, event),
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
            case
                when regexp_full_match(environment, '-?\\d+') then 'environment_' || environment
            end,
            environment,
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

rows_of_the_raw_layer as (

    select
        date '{dump_date}' as dump_date,
        source_file,
        source_row,
        case
            -- Without its text such a line needs a second look; its row keeps the place.
            when line is null and (reason is not null or is_control or not is_defined) then null
            when reason is not null then 'quarantined'
            when is_control then 'control'
            when is_defined then 'event'
            else 'ignored'
        end as outcome,
        reason,
        case reason
            when 'malformed' then problem
            when 'bad_timestamp' then 'occurred_at: ' || occurred_at
            when 'future_timestamp'
                then 'occurred_at: ' || occurred_at || ', after {latest}T00:00:00Z'
            when 'too_old'
                then 'occurred_at: ' || occurred_at || ', over {max_late_days} days before the dump'
            when 'undefined_event' then 'item type: ' || item_type || ', event: ' || event
        end as detail,
        case when outcome <> 'event' then line end as line,
        case when outcome = 'event' then {_event_key()} end as event_key,
        instant as occurred_at,
        instant::date as event_date,
        {_typed_columns(form)},
        keys

    from judged

)
"""


def lines_of_parts(parts: str) -> str:
    """The lines that Parquet parts hold, given an SQL list of the parts.

    A file that DuckDB reads as a whole is written in its order, since numbering its lines would
    keep all threads but one waiting: its rows are known by their place in the part.
    """
    return (
        "select * exclude (file_row_number)"
        " replace (coalesce(source_row, file_row_number + 1) as source_row)"
        f" from read_parquet({parts}, file_row_number = true) where outcome is not null"
    )


def _typed_columns(form: Form) -> str:
    # JavaScript counts a zone's minutes westwards; the warehouse, like ISO 8601, eastwards.
    sign = "" if form == "tabular" else "-"
    special = {
        "is_iframe": "try_cast(is_iframe as boolean)",
        "is_mobile": "try_cast(is_mobile as boolean)",
        "utc_offset_minutes": f"{sign}try_cast(utc_offset_minutes as integer)",
    }
    columns = list(LINE_COLUMNS)
    between = columns[columns.index("event_date") + 1 : columns.index("keys")]
    return ",\n        ".join(
        f"{special[column]} as {column}" if column in special else column for column in between
    )


def _event_key() -> str:
    """An injective text of the identity, hashed: equal exactly for equal events."""
    parts = ", ".join(f"{part}::varchar" for part in _IDENTITY)
    return f"md5(to_json([{parts}])::varchar)"


def _epoch_ms(text: str) -> str:
    """SQL that reads epoch milliseconds, or ISO 8601; null where the text is neither."""
    iso = (
        r"\d{4}-\d{2}-\d{2}"
        r"([T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?( ?([Zz]|[+-]\d{2}(:?\d{2})?))?)?"
    )
    return f"""case
            when {text} is null then null
            when regexp_full_match({text}, '[+-]?\\d{{1,18}}') then try_cast({text} as bigint)
            when regexp_full_match({text}, '[+-]?\\d+(\\.\\d*)?([eE][+-]?\\d+)?')
                then floor(greatest(least(try_cast({text} as double), 9e15), -9e15))::bigint
            when regexp_full_match({text}, '{iso}')
                then epoch_ms(try_cast(replace({text}, ',', '.') as timestamptz))
        end"""


def _name_key(expression: str) -> str:
    return f"regexp_replace(lower({expression}), '[^\\p{{L}}\\p{{N}}]', '', 'g')"


def _header_columns(kind: FileKind) -> list[str]:
    return [column.strip().lower() for column in kind.header]


def header_is_plain(kind: FileKind) -> bool:
    """Whether the columns of a CSV file have different names."""
    columns = _header_columns(kind)
    return len(set(columns)) == len(columns)


def _lookup(connection: duckdb.DuckDBPyConnection, name: str, values: Mapping[str, str]) -> None:
    """Have the value of each key at hand for `_looked_up`.

    A join would not keep the order of the lines, and searching a map takes as long as it is large;
    the codes of an enumeration are found by hashing.
    """
    keys = ", ".join(quoted(key) for key in values) or quoted(_SEPARATOR)
    connection.execute(f"create or replace type {name}_key as enum ({keys})")
    connection.execute(f"set variable {name} = ?::varchar[]", [list(values.values())])


def _looked_up(name: str, key: str) -> str:
    return f"getvariable('{name}')[enum_code(try_cast({key} as {name}_key)) + 1]"


def _pair_key(item_type: str, event: str) -> str:
    return item_type + _SEPARATOR + event


def _pair_key_sql(item_type: str, event: str) -> str:
    return f"{item_type} || {quoted(_SEPARATOR)} || {event}"


def quoted(text: str | Path) -> str:
    """A text as an SQL literal."""
    return "'" + str(text).replace("'", "''") + "'"


def file_pattern(path: Path) -> str:
    """The pattern by which DuckDB's readers find this file and no other.

    A file `a[1].csv` would be read as `a1.csv` otherwise, and `b*.csv` with all that begins so.
    """
    return re.sub(r"[*?\[]", r"[\g<0>]", str(path))


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
