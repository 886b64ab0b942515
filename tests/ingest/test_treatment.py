"""What is not to be kept of a line is nowhere in the lake, however and wherever it stands in it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dagster_project.ingest.dumps import READER_VERSION, reader_digest
from dagster_project.ingest.envelopes import EVENT_ID, PLACES
from dagster_project.keyed_hash import Key
from dagster_project.personal_data import is_personal, load_tables
from dagster_project.registry import load_event_definitions
from dagster_project.treatment import (
    ALLOWED,
    KEEP,
    NOT_A_NUMBER,
    PSEUDONYM_LENGTH,
    SEED,
    TYPED_TEXTS,
    UNTREATED,
    PolicyError,
    Treatment,
    mark_of,
    policies_from,
)
from tests.ingest import readers
from tests.ingest.readers import DEFINITIONS, parts_of, read
from tests.installation import SEEDS
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
    "csv": ("a.csv", lambda rows: landings.csv_table([*rows])),
    "parquet": ("a.parquet", as_parquet),
}


def kind_of(column: str, pair: tuple[str, str]) -> str:
    """The kind of personal data that a column of an event is; the column where it is none."""
    for name, places in TYPED_TEXTS.items():
        if pair in places.get(column, ()):
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
NO_EVENTS: Mapping[str, Row] = {
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


def odd(row: Row, column: str) -> list[str]:
    """JSON of a record that DuckDB does not read alone, with secrets in odd places."""
    plain = json.dumps(row)
    return [
        json.dumps(row | {column: {"in": row[column]}}),
        json.dumps(row | {column: [row[column]]}),
        json.dumps(row | {column: {"$numberLong": row[column]}}),
        json.dumps(row | {"occurred_at": 1.7723664e12}),
        json.dumps({key.upper(): value for key, value in row.items()}),
        plain[:-1] + f', "{column}": "again"}}',
        plain[:-1],
        plain + plain,
        f"[{plain}, {plain}]",
        json.dumps(row | {"_static": True}),
        plain.replace(".zq", ".zq\\ud800"),
        json.dumps(row | {column: f"{row[column]}\n{row[column]}"}, indent=2),
    ]


@pytest.mark.parametrize("column", ["end_user_id", "session_id", "value", "user_info", "item_name"])
def test_nor_what_only_python_reads(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, column: str
) -> None:
    row = record(1, ("WidgetSearch", "Search"))
    files = {f"{number}.json": text.encode() for number, text in enumerate(odd(row, column))} | {
        "utf-16.csv": landings.csv_table([row, row]).decode().encode("utf-16")
    }
    parts, counts = parts_of(connection, tmp_path, files, EVERYTHING_GOES)

    pair = (row["item_type"], row["event"])
    kept = {each for each in TEXTS if may_stand(each, row, dict(EVERYTHING_GOES.policies))}
    assert kind_of("item_name", pair) == "search_terms"
    assert sum(each.outcomes.get("event", 0) for each in counts.values()) > 5
    assert sum(each.outcomes.get("quarantined", 0) for each in counts.values()) > 0
    assert found_secrets(connection, parts) <= {secret(each, 1) for each in kept}


# ---------- Equal stays equal

THE_SAME = record(1, ("Survey Question", "Submitted"))


def event_rows(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    rows: Sequence[Row],
    treated: Treatment,
    *,
    form: str = "tabular",
) -> list[Row]:
    name, write = FORMS[form]
    found, _ = read(connection, folder, {name: write(rows)}, treated)
    return [row for row in found[name] if row["outcome"] == "event"]


@pytest.mark.parametrize("policy", ["pseudonym", "pseudonym per system", "drop"])
def test_a_row_is_treated_alike_in_every_form(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, policy: str
) -> None:
    treated = treatment({kind: policy for kind, allowed in ALLOWED.items() if policy in allowed})
    # Zones are counted westwards by the player, and eastwards by the tabular form.
    row = THE_SAME | {
        "end_user_id": "4711",
        "utc_offset_minutes": "0",
        "value": 'gut, "wirklich" sehr gut 😀',
    }
    numbers = row | {"end_user_id": 4711}
    without_event_id = {**row, EVENT_ID: None}

    (found,) = event_rows(connection, tmp_path, [row], treated)
    for form in ("flat", "csv", "parquet"):
        assert event_rows(connection, tmp_path, [row], treated, form=form) == [found], form
    (of_player,) = event_rows(connection, tmp_path, [row], treated, form="player")
    (due,) = event_rows(connection, tmp_path, [without_event_id], treated)
    assert of_player == due
    assert (
        event_rows(connection, tmp_path, [numbers], treated)[0]["end_user_id"]
        == (found["end_user_id"])
    )


def test_pseudonyms_are_made_alike_in_python(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    everywhere = treatment({"end_user_id": "pseudonym"})
    per_system = treatment({"end_user_id": "pseudonym per system"})
    users = ["u-1", "jürgen 'j' o\"neil", "guest-7"]
    rows = [
        THE_SAME | {"end_user_id": user, "system_id": system}
        for user in users
        for system in ("s", "t")
    ]

    for row, found in zip(rows, event_rows(connection, tmp_path, rows, everywhere), strict=True):
        (due,) = everywhere.pseudonyms_of(row["end_user_id"], [])
        assert found["end_user_id"].startswith(due)
    for row, found in zip(rows, event_rows(connection, tmp_path, rows, per_system), strict=True):
        (due,) = per_system.pseudonyms_of(row["end_user_id"], [row["system_id"]])
        assert found["end_user_id"].startswith(due)
    assert len({u for user in users for u in everywhere.pseudonyms_of(user, [])}) == len(users)
    assert len(set(per_system.pseudonyms_of("u-1", ["s", "t"]))) == 2
    assert treatment({"end_user_id": "drop"}).pseudonyms_of("u-1", ["s"]) == []


def test_the_same_text_is_another_one_in_another_column(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    treated = treatment(dict.fromkeys(("end_user_id", "user_name", "visit_id"), "pseudonym"))
    row = THE_SAME | dict.fromkeys(("end_user_id", "user_name", "visit_id"), "u-1")
    (found,) = event_rows(connection, tmp_path, [row], treated)

    assert len({found[column] for column in ("end_user_id", "user_name", "visit_id")}) == 3


def test_an_id_that_is_dropped_is_good_for_one_session(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rows = [
        THE_SAME
        | {"end_user_id": user, "session_id": session, "system_id": "s", "environment": "0"}
        for user, session in (("u-1", "a"), ("u-1", "b"), ("u-2", "a"), ("guest-3", "a"))
    ]
    treated = treatment({"end_user_id": "drop"})
    a, b, also_a, guest = (
        row["end_user_id"] for row in event_rows(connection, tmp_path, rows, treated)
    )

    assert a == also_a != b
    assert guest.startswith(f"{a}.")


def test_an_anonymous_id_keeps_a_mark_of_each_pattern_that_it_was_like(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    policies = (("end_user_id", "pseudonym"),)
    treated = Treatment(policies, patterns=("%-tmp", "guest-%"), key=A_KEY)
    rows = [THE_SAME | {"end_user_id": user} for user in ("u", "guest-1", "1-tmp", "guest-1-tmp")]
    marks = [
        row["end_user_id"][PSEUDONYM_LENGTH:]
        for row in event_rows(connection, tmp_path, rows, treated)
    ]

    tmp, guest = mark_of("%-tmp"), mark_of("guest-%")
    assert marks == ["", guest, tmp, tmp + guest]


def test_events_are_equal_as_they_were(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ids = ("end_user_id", "session_id", "play_id", "interaction_guid", "value")
    treated = treatment(dict.fromkeys(ids, "pseudonym"))
    base = record(0, ("WidgetSearch", "Search"))
    rows = [base, base, *(base | {column: "another"} for column in (*ids, EVENT_ID, "item_id"))]

    def groups(found: Sequence[Row]) -> list[int]:
        keys = [row["event_key"] for row in found]
        return [keys.index(key) for key in keys]

    plain = event_rows(connection, tmp_path, rows, UNTREATED)
    keyed = event_rows(connection, tmp_path, rows, treated)
    again = event_rows(connection, tmp_path, rows, treated)
    others = event_rows(
        connection, tmp_path, rows, replace(treated, key=Key.of("another key of the tests"))
    )

    assert groups(keyed) == groups(plain)
    assert keyed == again
    assert not {row["event_key"] for row in keyed} & {row["event_key"] for row in others}


def test_the_key_of_an_event_leads_to_no_user(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Not if all else is known, as it is to who reads the row, and few users can be meant."""
    treated = treatment({"end_user_id": "pseudonym"})
    row = {**THE_SAME, "environment": "production", EVENT_ID: None}
    (plain,) = event_rows(connection, tmp_path, [row], UNTREATED)
    (found,) = event_rows(connection, tmp_path, [row], treated)
    guessed = connection.execute(
        "select md5(json_array($system_id, 'production', $session_id, unnest($users), $item_type,"
        " $event, $item_id, $play_id, $ms, $interaction_guid, $value, null)::varchar)",
        {
            **{name: row[name] for name in ("system_id", "session_id", "item_type", "event")},
            **{name: row[name] for name in ("item_id", "play_id", "interaction_guid", "value")},
            "ms": row["occurred_at"],
            "users": [row["end_user_id"], found["end_user_id"]],
        },
    ).fetchall()

    assert (plain["event_key"],) in guessed
    assert (found["event_key"],) not in guessed


# ---------- What each policy leaves


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        ("9", "9"),
        ('"10"', '"10"'),
        (" 7 ", " 7 "),
        ("8.0", "8"),
        ("0171 2345678", NOT_A_NUMBER),
        ("4711", NOT_A_NUMBER),
        ("9 of 10", NOT_A_NUMBER),
        ("great", NOT_A_NUMBER),
        ("", None),
    ],
)
def test_of_answers_only_short_numbers_are_left(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, answer: str, left: str | None
) -> None:
    treated = treatment({"survey_answers": "numbers"})
    (found,) = event_rows(connection, tmp_path, [THE_SAME | {"value": answer}], treated)

    assert found["value"] == left


@pytest.mark.parametrize(
    ("host", "left"),
    [
        ("app.example.com", "app.example.com"),
        ("müller.example:8080", "müller.example:8080"),
        ("app.example.com/u-17", None),
        ("https://app.example.com/trips", None),
        ("u-17@app.example.com", None),
        ("Umberto Eco", None),
    ],
)
def test_a_host_is_no_more_than_a_host(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, host: str, left: str | None
) -> None:
    treated = treatment({"page_path": "host only"})
    (found,) = event_rows(connection, tmp_path, [THE_SAME | {"page_host": host}], treated)

    assert (found["page_host"], found["page_path"]) == (left, None)


def test_a_line_that_is_no_event_keeps_its_place_and_its_reason(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    good = record(1, ("Launcher", "Click"))
    bad = {
        "bad_timestamp": good | {"occurred_at": "zq yesterday"},
        "future_timestamp": good | {"occurred_at": "2026-12-24T18:00:00Z"},
        "too_old": good | {"occurred_at": "2001-01-01"},
        "missing_session_id": {**good, "session_id": None},
        "undefined_event": good | {"event": "zq u-17"},
    }
    lines = as_json_lines(json.dumps)([*bad.values(), good | {"item_type": "zq u-17"}])
    files = {"a.ndjson": lines + b'{"occurred_at": zq u-17\n', "b.csv": landings.csv_table([good])}
    files["b.csv"] += b'zq,u-17\nzq,"\n'
    found, counts = read(connection, tmp_path, files, treatment({"browser": "drop"}))

    rows = [row for of_file in found.values() for row in of_file if row["outcome"] != "event"]
    said = {row["reason"]: row["detail"] for row in rows}
    assert not any("zq" in str(value) for row in rows for value in row.values())
    assert {row["line"] for row in rows} == {None}
    assert said.keys() == {*bad, "malformed"}
    assert said["bad_timestamp"] == "occurred_at: (not kept)"
    assert said["future_timestamp"] == "occurred_at: (not kept), after 2026-03-03T00:00:00Z"
    assert said["undefined_event"] == "item type: (not kept), event: Click"
    assert said["malformed"].startswith(("not JSON: expecting", "2 fields in a file", "a quoted"))
    assert counts["a.ndjson"].outcomes == {"quarantined": 7}


def test_nothing_is_read_without_the_key(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    keyless = replace(treatment({"browser": "drop"}), key=None)
    with pytest.raises(ValueError, match="without a key"):
        parts_of(connection, tmp_path, {"a.ndjson": b"{}\n"}, keyless)


# ---------- The policies


def test_every_personal_column_of_the_events_has_a_policy_and_nothing_else_has() -> None:
    (events,) = (table for table in load_tables() if table.name == "fct_item_events")
    marked = {column.name for column in events.columns if is_personal(column)}
    of_events = {place.column for place in PLACES}

    assert ALLOWED.keys() - TYPED_TEXTS.keys() == marked & of_events
    assert set(PAIRS) >= {
        pair for places in TYPED_TEXTS.values() for pairs in places.values() for pair in pairs
    }


def test_the_seed_names_every_kind_and_keeps_it() -> None:
    with (SEEDS / f"{SEED}.csv").open(encoding="utf-8", newline="") as file:
        rows = [*csv.DictReader(file)]

    assert [row["personal_data"] for row in rows] == [*ALLOWED]
    assert {row["policy"] for row in rows} == {KEEP}
    assert not DEFINITIONS.treatment.is_needed


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["end_user_id,pseudonym", "user_nmae,drop"], "line 3: 'user_nmae' is no personal data"),
        (["item_id,drop"], "line 2: 'item_id' is no personal data of the events; there are: occ"),
        (["session_id,drop"], "line 2: session_id cannot be 'drop'; it can be: keep, pseudonym, "),
        (["user_name,Drop"], "line 2: user_name cannot be 'Drop'"),
        (["user_name,"], "line 2: user_name cannot be ''"),
        (["user_name"], "line 2: user_name cannot be ''"),
        (["user_name,drop", "user_name,keep"], "line 3: user_name has a policy already"),
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused(rows: list[str], said: str) -> None:
    seed = csv.DictReader(["personal_data,policy", *rows])
    with pytest.raises(PolicyError, match=re.escape(f"seeds/{SEED}.csv, {said}")):
        policies_from([*seed])


def test_other_policies_read_the_dumps_anew_and_none_read_them_as_before() -> None:
    def digest_of(treated: Treatment) -> str:
        return reader_digest(replace(DEFINITIONS, treatment=treated))

    dropped = treatment({"browser": "drop"})
    others = [
        UNTREATED,
        dropped,
        treatment({"os": "drop"}),
        treatment({"browser": "pseudonym"}),
        replace(dropped, fingerprint="of another key"),
        replace(dropped, patterns=()),
    ]

    assert len({digest_of(treated) for treated in others}) == len(others)
    assert digest_of(treatment({"browser": "keep"})) == reader_digest(DEFINITIONS)
    # As it was before there were policies: nobody reads anything anew who has none.
    before = f"{READER_VERSION} {DEFINITIONS.digest}"
    assert reader_digest(DEFINITIONS) == hashlib.sha256(before.encode()).hexdigest()
