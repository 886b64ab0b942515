"""Published tables against the reference: every difference as a sentence.

Tables are compared as multisets of rows, row by row under the contract's keys, over the columns
that the reference tells. Floats may differ by 1e-9 of their size; a value that the reference does
not tell (`UNTOLD`) is not compared.
"""

import datetime as dt
import json
import math
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from tests.reference import Warehouse

Row = dict[str, Any]
Key = tuple[Any, ...]

SESSION = ("system_id", "environment", "session_id")
PLAY = (*SESSION, "play_id")
SINGLE = (*SESSION, "started_at")
DAILY = ("report_date", "system_id", "item_id")

# Hashed keys stand for these; where several rows have the same, they are compared as a multiset.
KEYS = {
    "facts.fct_item_events": ("dump_date", "source_file", "source_row"),
    "facts.fct_sessions": ("system_id", "environment", "session_id"),
    "facts.fct_flow_plays": (*PLAY, "item_type", "item_id", "run"),
    "facts.fct_flow_steps": (*PLAY, "flow_item_id", "item_id", "started_at"),
    "facts.fct_tasks": (*SESSION, "item_id"),
    "facts.fct_shoutouts": (*SESSION, "item_id"),
    "facts.fct_launchers": (*SESSION, "item_id"),
    "facts.fct_smarttips": (*SESSION, "item_id"),
    "facts.fct_resources": (*SINGLE, "item_type", "item_id"),
    "facts.fct_surveys": (*SESSION, "item_id", "play_id"),
    "facts.fct_survey_answers": ("dump_date", "source_file", "source_row"),
    "facts.fct_menu_opens": (*SINGLE, "item_id"),
    "facts.fct_searches": (*SESSION, "first_event_at"),
    "facts.fct_support_contacts": (*SINGLE, "channel"),
    "facts.fct_actionbot_chats": (*SESSION, "chat_number"),
    "facts.fct_actionbot_conversations": (*SESSION, "item_id", "conversation_number"),
    "facts.fct_teachme": SESSION,
    "facts.fct_quiz_attempts": (*SESSION, "item_id", "attempt_number"),
    "facts.dim_items": ("system_id", "item_type", "item_id", "item_name"),
    "facts.dim_end_users": ("end_user_id",),
    "facts.dim_people": ("person_id",),
    "facts.dim_systems": ("system_id",),
    "facts.dim_event_definitions": ("item_type", "event"),
    "reports.rpt_sessions_daily": ("report_date", "system_id"),
    "reports.rpt_items_daily": ("report_date", "system_id", "item_type", "item_id", "item_name"),
    "reports.rpt_events_daily": ("report_date", "system_id", "item_type", "event"),
    "reports.rpt_event_coverage": ("item_type", "event"),
    "reports.rpt_flows": ("system_id", "item_type", "item_id"),
    "reports.rpt_flows_daily": ("report_date", "system_id", "item_type", "item_id"),
    "reports.rpt_flow_funnel": ("system_id", "flow_item_type", "flow_item_id", "step_number"),
    "reports.rpt_flow_tracker": ("system_id", "session_id", "position_in_session"),
    "reports.rpt_flow_impact": (
        "system_id",
        *("flow_item_type", "flow_item_id", "goal_item_id"),
    ),
    "reports.rpt_paths": (
        "system_id",
        *("item_type", "item_id", "item_name"),
        *("direction", "position"),
        *("next_item_type", "next_item_id", "next_item_name"),
    ),
    "reports.rpt_automation_processes": DAILY,
    "reports.rpt_shoutouts": DAILY,
    "reports.rpt_launchers": DAILY,
    "reports.rpt_smarttips": DAILY,
    "reports.rpt_surveys": DAILY,
    "reports.rpt_tasks": DAILY,
    "reports.rpt_searches": ("report_date", "system_id", "search_term"),
    "reports.rpt_resources": ("report_date", "system_id", "item_type", "item_id"),
    "reports.rpt_actionbot": DAILY,
    "reports.rpt_quizzes": DAILY,
    "reports.rpt_retention_weekly": ("first_week", "week"),
    "reports.rpt_active_people": ("report_date", "system_id"),
    "reports.rpt_adoption_by_attribute": (
        *("week", "system_id", "attribute", "attribute_value", "item_type"),
    ),
    "reports.rpt_non_interactors": ("system_id", "item_type", "item_id", "person_id"),
    "meta.dump_ledger": ("dump_date", "source_file"),
    "meta.quarantine": ("dump_date", "source_file", "source_row"),
    "meta.late_events": ("event_date", "dump_date"),
    "meta.left_out": ("environment",),
}

# Columns for which None in the reference means that it does not tell.
UNTOLD = {("meta.dump_ledger", "form"), ("meta.quarantine", "line")}

# What the reference needs and the contract's table does not have.
NOT_PUBLISHED = {
    ("facts.fct_item_events", "event_id"),
    ("facts.fct_flow_plays", "play"),
    ("facts.fct_flow_steps", "play"),
    ("facts.fct_flow_steps", "step"),
    ("facts.fct_flow_steps", "happened"),
    ("facts.fct_survey_answers", "happened"),
    ("facts.fct_menu_opens", "item_type"),
    ("facts.fct_support_contacts", "item_type"),
    ("facts.fct_actionbot_conversations", "chat_number"),
}

# Tables that may hold more rows than the reference tells: on-time events beside the late ones.
ROWS_TOLD = {"meta.late_events": "event_date < dump_date"}


def differences(published: duckdb.DuckDBPyConnection | Path, reference: Warehouse) -> list[str]:
    """Every difference between the published warehouse and the reference; empty if there is none.

    `published` is an open connection or the path of the DuckDB file, opened read-only.
    """
    if isinstance(published, Path):
        with duckdb.connect(str(published), read_only=True) as connection:
            return differences(connection, reference)
    found = []
    for table, rows in reference.tables.items():
        found += table_differences(published, table, rows)
    found += _event_key_differences(published)
    found += _invariant_differences(published, reference)
    return found


def table_differences(
    published: duckdb.DuckDBPyConnection, table: str, expected: list[Row]
) -> list[str]:
    """The differences of one table, `<schema>.<table>`."""
    columns = [c for c in (expected[0] if expected else {}) if (table, c) not in NOT_PUBLISHED]
    try:
        actual = _published_rows(published, table)
    except duckdb.CatalogException:
        return [f"{table}: not published"]
    if actual and (absent := [column for column in columns if column not in actual[0]]):
        return [f"{table}: columns not published: {', '.join(absent)}"]
    found = []
    expected_by_key, actual_by_key = _by_key(table, expected), _by_key(table, actual)
    for key in sorted(expected_by_key.keys() | actual_by_key.keys(), key=repr):
        wanted, got = expected_by_key.get(key, []), actual_by_key.get(key, [])
        name = f"{table} {_named(table, key)}"
        if len(wanted) != len(got):
            found.append(f"{name}: {len(got)} rows published, {len(wanted)} expected")
            continue
        if len(wanted) > 1:
            wanted = sorted(wanted, key=lambda row: repr([row[c] for c in columns]))
            got = sorted(got, key=lambda row: repr([row[c] for c in columns]))
        for wanted_row, got_row in zip(wanted, got, strict=True):
            found += [
                f"{name}: {column} is {_short(got_row[column])}, expected {_short(value)}"
                for column in columns
                if not ((value := wanted_row[column]) is None and (table, column) in UNTOLD)
                and not _equal(value, got_row[column])
            ]
    return found


def _published_rows(published: duckdb.DuckDBPyConnection, table: str) -> list[Row]:
    # Names come from the reference, not from data.
    told = ROWS_TOLD.get(table, "true")
    cursor = published.execute(f"select * from {table} where {told}")
    columns = [column[0] for column in cursor.description or []]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def _by_key(table: str, rows: list[Row]) -> dict[Key, list[Row]]:
    grouped = defaultdict(list)
    for row in rows:
        cleaned = {column: _cleaned(column, value) for column, value in row.items()}
        grouped[tuple(cleaned.get(column) for column in KEYS[table])].append(cleaned)
    return dict(grouped)


def _cleaned(column: str, value: Any) -> Any:
    """One way to write what engines write differently."""
    if column == "unknown_keys":
        counts = json.loads(value) if isinstance(value, str) else value
        return dict(counts or {})
    if column == "line" and isinstance(value, str):
        return value.strip()  # white space around a quarantined line may be trimmed
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return value.astimezone(dt.UTC).replace(tzinfo=None)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float) and math.isnan(value):
        return None
    return value


def _equal(expected: Any, actual: Any) -> bool:
    if isinstance(expected, bool) or isinstance(actual, bool):
        return expected is actual
    if isinstance(expected, float) and isinstance(actual, int | float):
        return math.isclose(expected, actual, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(expected, int) and isinstance(actual, float):
        return math.isclose(expected, actual, rel_tol=1e-9, abs_tol=1e-12)
    return type(expected) is type(actual) and bool(expected == actual)


def _named(table: str, key: Key) -> str:
    return ", ".join(f"{column}={value}" for column, value in zip(KEYS[table], key, strict=True))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}… ({len(text)} characters)"


def _event_key_differences(published: duckdb.DuckDBPyConnection) -> list[str]:
    """An event key is opaque: that there is one, and each only once, is all that is said of it."""
    try:
        cursor = published.execute("select event_key from facts.fct_item_events")
    except duckdb.Error as error:
        return [f"facts.fct_item_events: {error}"]
    counts = Counter(row[0] for row in cursor.fetchall())
    return [
        f"facts.fct_item_events: event_key {key} on {count} rows"
        for key, count in counts.items()
        if count > 1 or not key
    ]


def _invariant_differences(published: duckdb.DuckDBPyConnection, reference: Warehouse) -> list[str]:
    """What is checked is comparable for the rules on events only: structure has several units."""
    try:
        cursor = published.execute(
            "select invariant, family = 'structural', checked, violations from meta.invariants"
        )
    except duckdb.Error as error:
        return [f"meta.invariants: {error}"]
    results = {invariant: result for invariant, *result in cursor.fetchall()}
    found = []
    for invariant, (checked, violations) in reference.invariants.items():
        if invariant not in results:
            found.append(f"meta.invariants: {invariant} is missing")
            continue
        is_structural, got_checked, got_violations = results[invariant]
        if got_violations != violations:
            found.append(
                f"meta.invariants {invariant}: {got_violations} violations, expected {violations}"
            )
        if not is_structural and got_checked != checked:
            found.append(f"meta.invariants {invariant}: {got_checked} checked, expected {checked}")
    return found
