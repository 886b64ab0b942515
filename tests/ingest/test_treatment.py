"""What is not to be kept of a line is nowhere in the lake, however and wherever it stands in it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dagster_project.ingest.envelopes import EVENT_ID, PLACES
from dagster_project.keyed_hash import Key
from dagster_project.registry import load_event_definitions
from dagster_project.treatment import (
    ALLOWED,
    KEEP,
    TYPED_TEXTS,
    Treatment,
    policies_from,
)
from tests.ingest import readers
from tests.ingest.readers import parts_of
from tests.whole import landings

A_KEY = Key.of("a key that is long enough for the tests")
NOON = landings.at("2026-03-01T12:00:00Z")
Row = dict[str, Any]


def treatment(policies: Mapping[str, str], **changes: Any) -> Treatment:
    rows = [{"personal_data": kind, "policy": policy} for kind, policy in policies.items()]
    return Treatment(policies_from(rows), patterns=("guest-%",), key=A_KEY, **changes)


EVERYTHING_GOES = treatment({kind: allowed[-1] for kind, allowed in ALLOWED.items()})
"""Each kind under the strictest policy that it can have."""

# ---------- What is a secret, and where it stands

TEXTS = [place.column for place in PLACES if place.column not in ("is_iframe", "is_mobile")]
NOT_TEXT = {"occurred_at", "item_type", "event", "utc_offset_minutes"}


def secret(column: str, row: int) -> str:
    return f"zq.{column}.{row}.zq"


def record(row: int, pair: tuple[str, str]) -> Row:
    """A record of the tabular form with a secret in each column that holds any text."""
    return {
        **{column: secret(column, row) for column in TEXTS if column not in NOT_TEXT},
        EVENT_ID: secret(EVENT_ID, row),
        "occurred_at": str(NOON + row),
        "item_type": pair[0],
        "event": pair[1],
        "utc_offset_minutes": "60",
        "is_mobile": "true",
        "is_iframe": "false",
    }


def nested(paths: Mapping[str, Any]) -> Row:
    tree: Row = {}
    for path, value in paths.items():
        *parents, leaf = path.split(".")
        node = tree
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = value
    return tree


def as_player(row: Row) -> str:
    return json.dumps(nested({place.player: row[place.column] for place in PLACES}))


def as_flat(row: Row) -> str:
    return json.dumps(
        {place.flat[0]: row[place.column] for place in PLACES} | {EVENT_ID: row[EVENT_ID]}
    )


def as_json_lines(write: Callable[[Row], str]) -> Callable[[Sequence[Row]], bytes]:
    return lambda rows: "".join(write(row) + "\n" for row in rows).encode()


def as_parquet(rows: Sequence[Row]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([*rows]), file)
    return file.getvalue()


FORMS: Mapping[str, tuple[str, Callable[[Sequence[Row]], bytes]]] = {
    "player": ("a.ndjson", as_json_lines(as_player)),
    "flat": ("a.ndjson", as_json_lines(as_flat)),
    "tabular": ("a.ndjson", as_json_lines(json.dumps)),
    "csv": ("a.csv", landings.csv_table),
    "parquet": ("a.parquet", as_parquet),
}


def kind_of(column: str, pair: tuple[str, str]) -> str:
    """The kind of personal data that a column of an event is; the column where it is none."""
    for name, text in TYPED_TEXTS.items():
        if column in text.columns and pair in text.pairs:
            return name
    return "page_path" if column == "page_host" else column


def may_stand(column: str, row: Row, policies: Mapping[str, str]) -> bool:
    """Whether a text may be found where an event was read."""
    policy = policies.get(kind_of(column, (row["item_type"], row["event"])), KEEP)
    return policy == KEEP or (policy == "host only" and column == "page_host")


def found_secrets(connection: duckdb.DuckDBPyConnection, parts: Sequence[Path]) -> set[str]:
    """The secrets in any value of any row, those without an outcome included."""
    found: set[str] = set()
    for part in parts:
        for values in connection.execute("select * from read_parquet(?)", [str(part)]).fetchall():
            found |= {
                secret for value in values for secret in re.findall(r"zq\.\w+\.\d+\.zq", str(value))
            }
    return found


# ---------- Lines that are events, and lines that are none or look like none

PAIRS = [(each["item_type"], each["event"]) for each in load_event_definitions()]
NO_EVENTS: Mapping[str, Mapping[str, Any]] = {
    "no time": {"occurred_at": secret("occurred_at", 0)},
    "no user": {"end_user_id": ""},
    "far away": {"occurred_at": "4102444800000"},
    "long ago": {"occurred_at": "2001-01-01T00:00:00Z"},
    "no pair": {"event": secret("event", 0)},
    "no item type": {"item_type": secret("item_type", 0)},
    "ignored": {"event": "pageChange"},
}

rows = st.lists(
    st.tuples(st.sampled_from(PAIRS), st.sampled_from(["event", *NO_EVENTS])),
    min_size=1,
    max_size=6,
)
policies = st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in ALLOWED.items()})


@pytest.mark.parametrize("read_by", ["DuckDB", "Python"])
@given(form=st.sampled_from([*FORMS]), kinds=rows, policies=policies)
@example(
    form="flat", kinds=[(pair, "event") for pair in PAIRS], policies=dict(EVERYTHING_GOES.policies)
)
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_lake_holds_nothing_that_is_not_to_be_kept(
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    read_by: str,
    form: str,
    kinds: list[tuple[tuple[str, str], str]],
    policies: dict[str, str],
) -> None:
    treated = treatment(policies)
    written = [
        record(number, pair) | NO_EVENTS.get(kind, {}) for number, (pair, kind) in enumerate(kinds)
    ]
    name, write = FORMS[form]
    with pytest.MonkeyPatch.context() as patch:
        if read_by == "Python":
            readers.read_everything_in_python(patch)
        parts, counts = parts_of(connection, tmp_path, {name: write(written)}, treated)

    allowed = {
        secret(column, number)
        for number, (row, (_, kind)) in enumerate(zip(written, kinds, strict=True))
        for column in TEXTS
        if kind == "event" and column not in NOT_TEXT and may_stand(column, row, policies)
    }
    assert counts[name].lines == len(kinds)
    assert counts[name].outcomes.get("event", 0) == sum(kind == "event" for _, kind in kinds)
    if treated.is_needed:
        found = found_secrets(connection, parts)
        assert sorted(found - allowed) == []
        assert sorted(allowed - found) == []
