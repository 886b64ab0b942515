"""What becomes of values and of whole files as people have them, each form by itself."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dagster_project.ingest.files import UnreadableFileError
from tests.ingest.readers import Rows, read
from tests.reference.events import epoch_ms
from tests.whole import landings

NOON = landings.at("2026-03-01T12:00:00")
HEADER = "occurred_at,session_id,end_user_id,item_type,event"
ROW = f"{NOON},s,u,Launcher,Click"


def rows_of(
    connection: duckdb.DuckDBPyConnection, folder: Path, content: bytes, name: str = "events.ndjson"
) -> Rows:
    found, _ = read(connection, folder, {name: content})
    return found[name]


def outcomes(rows: Rows) -> list[str]:
    return [row["reason"] or row["outcome"] for row in rows]


def parquet(columns: dict[str, Any], **options: Any) -> bytes:
    """A Parquet file of launcher clicks with these columns besides."""
    count = len(next(iter(columns.values())))
    required = {
        "occurred_at": [NOON + n for n in range(count)],
        "session_id": ["s"] * count,
        "end_user_id": ["u"] * count,
        "item_type": ["Launcher"] * count,
        "event": ["Click"] * count,
    }
    out = io.BytesIO()
    pq.write_table(pa.table({**required, **columns}), out, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    "values",
    [
        [4711, 4712],
        ["4711", "4712"],
        [4711.0, 4712.0],
        pa.array([4711.0, 4712.0], pa.float32()),
        [decimal.Decimal("4711.00"), decimal.Decimal("4712.00")],
        pa.array([b"4711", b"4712"], pa.binary()),
        pa.array(["4711", "4712"]).dictionary_encode(),
        pa.array(["4711", "4712"], pa.large_string()),
    ],
)
def test_a_whole_number_of_parquet_is_the_same_in_every_type(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, values: Any
) -> None:
    rows = rows_of(connection, tmp_path, parquet({"item_id": values}))
    assert [row["item_id"] for row in rows] == ["4711", "4712"]


@pytest.mark.parametrize("written", ["4711", '"4711"', "4711.0", "4711.00", "4711E0", '"4711.0"'])
def test_a_whole_number_of_json_is_the_same_however_it_is_written(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, written: str
) -> None:
    record = json.dumps(landings.player(NOON, "launcher/click", session="s", data__oId="?"))
    first, second = rows_of(
        connection,
        tmp_path,
        f"{record.replace(json.dumps('?'), written)}\n{record.replace('?', '4711')}".encode(),
    )
    assert first["event_key"] == second["event_key"]


def test_codes_that_a_data_frame_made_floats_are_codes(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    nan = float("nan")
    content = parquet(
        {
            "environment": [0.0, 1.0, nan],
            "initiator": [1.0, nan, 99.0],
            "is_mobile": [1.0, 0.0, nan],
            "utc_offset_minutes": [60.0, nan, -330.0],
            "user_name": [nan, 7.0, 1.5],
        }
    )
    columns = ("environment", "initiator", "is_mobile", "utc_offset_minutes", "user_name")
    assert [
        tuple(row[column] for column in columns)
        for row in rows_of(connection, tmp_path, content, "a.parquet")
    ] == [
        ("production", "menu", True, 60, None),
        ("test", None, False, None, "7"),
        ("production", "initiator_99", None, -330, "1.5"),
    ]


@pytest.mark.parametrize(
    ("written", "environment"),
    [
        ("Production", "production"),
        (" PRODUCTION ", "production"),
        ("0", "production"),
        ("0.0", "production"),
        ("  ", "production"),
        ("sTaGe", "stage"),
        ("17", "environment_17"),
        (" Sandbox ", "Sandbox"),
    ],
)
def test_environments_are_matched_without_case_and_blanks(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, written: str, environment: str
) -> None:
    content = f"{HEADER},environment\n{ROW},{written}\n".encode()
    (row,) = rows_of(connection, tmp_path, content, "a.csv")
    assert row["environment"] == environment


MOMENT = dt.datetime.fromisoformat("2026-03-01T12:00:00.001999")


@pytest.mark.parametrize(
    "moments",
    [
        pa.array([MOMENT], pa.timestamp("us")),
        pa.array([MOMENT], pa.timestamp("ns")),
        pa.array([MOMENT.replace(tzinfo=dt.UTC)], pa.timestamp("us", "Asia/Tokyo")),
        pa.array([f"{NOON + 1}"]),
        pa.array([float(NOON + 1)]),
        pa.array([(NOON + 1) * 1_000_000 + 999]),
        pa.array([decimal.Decimal(NOON + 1)]),
    ],
)
def test_times_of_parquet_are_moments_in_every_type(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, moments: pa.Array
) -> None:
    (row,) = rows_of(connection, tmp_path, parquet({"occurred_at": moments}), "a.parquet")
    assert row["occurred_at"] == MOMENT.replace(microsecond=1000)


def test_times_of_parquet_that_no_calendar_has_cost_their_rows_only(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    moments = pa.array([2**63 - 1, -(2**63) + 1, NOON * 1000, 1_000_000], pa.timestamp("us"))
    unused = pa.array([2**63 - 1] * 4, pa.timestamp("us"))
    content = parquet({"occurred_at": moments, "unused": unused})
    rows = rows_of(connection, tmp_path, content, "a.parquet")
    assert outcomes(rows) == ["bad_timestamp", "bad_timestamp", "event", "too_old"]
    assert "no calendar" in rows[0]["detail"]


def test_old_timestamps_of_parquet_are_read(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    moments = pa.array([MOMENT, None], pa.timestamp("ns"))
    content = parquet({"occurred_at": moments}, use_deprecated_int96_timestamps=True)
    assert outcomes(rows_of(connection, tmp_path, content)) == ["event", "missing_occurred_at"]


def test_bytes_of_parquet_are_utf8_or_cost_their_row(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    names = pa.array(["Größe".encode(), "Größe".encode("latin-1"), None], pa.binary())
    annotated = pa.Array.from_buffers(pa.string(), len(names), names.buffers())
    for values in (names, annotated):
        rows = rows_of(connection, tmp_path, parquet({"item_name": values, "novel": names}))
        assert [row["item_name"] for row in rows if row["outcome"] == "event"] == ["Größe", None]
        assert outcomes(rows) == ["event", "malformed", "event"]
        assert rows[1]["detail"] == "item_name: not UTF-8"
        assert json.loads(rows[1]["line"])["novel"] == r"Gr\xf6\xdfe"


def test_a_parquet_file_without_columns_has_no_lines(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    out = io.BytesIO()
    pq.write_table(pa.table({}), out)
    assert rows_of(connection, tmp_path, out.getvalue(), "a.parquet") == []


@pytest.mark.parametrize("position", [300, 900])
def test_a_parquet_file_with_a_broken_page_is_named_as_such(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, position: int
) -> None:
    content = bytearray(parquet({"item_name": [f"name {n}" * 9 for n in range(300)]}))
    content[position : position + 40] = b"\xff" * 40
    with pytest.raises(UnreadableFileError, match="not readable as Parquet"):
        rows_of(connection, tmp_path, bytes(content), "a.parquet")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (f"{ROW}\n{ROW}\n".encode(), "it has no header: its first line names no column"),
        (HEADER.replace(",", "^").encode(), "separators that are known .comma, semicolon, tab"),
        (HEADER.encode("utf-16-le"), "UTF-16 without its byte order mark"),
    ],
)
def test_a_table_that_cannot_be_understood_says_why(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, content: bytes, reason: str
) -> None:
    with pytest.raises(UnreadableFileError, match=reason):
        rows_of(connection, tmp_path, content, "events.csv")


def test_a_missing_column_is_told_with_those_that_were_found(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    content = f"{HEADER.replace('end_user_id', 'user')},\n{ROW},\n".encode()
    (row,) = rows_of(connection, tmp_path, content, "a.csv")
    assert row["reason"] == "missing_end_user_id"
    assert row["detail"] == (
        "columns found: occurred_at, session_id, user, item_type, event, (without a name)"
    )


def test_a_field_of_csv_may_be_of_any_length(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    long = "x" * 200_000
    content = f'{HEADER},item_name\n{ROW},{long}\n{ROW},"{long}"\n'.encode()
    rows = rows_of(connection, tmp_path, content, "a.csv")
    assert [len(row["item_name"]) for row in rows] == [200_000] * 2


def test_bytes_that_are_no_utf8_cost_one_record_of_a_line(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    good = json.dumps(landings.player(NOON, "launcher/click", session="s")).encode()
    bad = good.replace(b'"s"', b'"\xff"')
    rows = rows_of(connection, tmp_path, good + bad + good)
    assert outcomes(rows) == ["event", "malformed", "event"]
    assert "not UTF-8: invalid start byte (0xff" in rows[1]["detail"]


def test_an_export_of_a_document_store_is_the_flat_envelope(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    record = {
        "_id": {"$oid": "65e1c0ffee"},
        "created_at": {"$numberLong": str(NOON)},
        "sId": "s",
        "wm_euId": "u",
        "wm_env": {"$numberInt": "1"},
        "type": "click",
        "data_type": "launcher",
        "oId": {"$numberDouble": "4711.0"},
        "ctx_location_hostname": "app.example.com",
    }
    content = json.dumps([record, record]).encode()
    found, counts = read(connection, tmp_path, {"a.json": content})
    for row in found["a.json"]:
        assert (row["outcome"], row["environment"], row["item_id"]) == ("event", "test", "4711")
        assert (row["end_user_id"], row["page_host"]) == ("u", "app.example.com")
    assert dict(counts["a.json"].unknown_keys) == {"_id": 2}


TIMES = [
    *(f"{NOON}{zeros}" for zeros in ("", "000", "000000", ".0", ".5", "E0", "e+0")),
    *("1772366400", "-1772366400", "+1772366400000", "0", "1", "99999999999", "100000000000"),
    *("9" * digits for digits in range(11, 25)),
    *("1.77306E+12", "1e3", "NaN", "Infinity", "0x10", "1_000", " 1772366400000", "١٢٣"),
    *(
        f"2026-03-01{sign}12:00:00{rest}"
        for sign in "Tt _"
        for rest in (
            "",
            "Z",
            "z",
            " UTC",
            " utc",
            "UTC",
            "+05:30",
            "-0800",
            "+01",
            " +01:00",
            ".5Z",
        )
    ),
    *(
        "2026-03-01",
        "2026-03-01Z",
        "2026-02-30",
        "2026-3-1",
        "20260301T120000Z",
        "2026-03-01T24:00",
    ),
    *("2026-03-01T12:00:00.123456789Z", "2026-03-01T12:00:00,5Z", "2026-03-01T12", "12:00", "soon"),
    *("0001-01-01", "9999-12-31T23:59:59Z", "2026-03-01T12:00:60Z", "2026-03-01T12:00:00+24:00"),
]


def test_times_are_read_as_the_reference_reads_them(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    record = landings.tabular("?", "Launcher/Click", session="s")
    content = landings.ndjson([{**record, "occurred_at": time} for time in TIMES])
    for time, row in zip(TIMES, rows_of(connection, tmp_path, content), strict=True):
        ms = epoch_ms(time)
        is_bad = row["reason"] == "bad_timestamp"
        assert is_bad == (ms is None), time
        if row["outcome"] == "event":
            assert row["occurred_at"] == dt.datetime.fromisoformat("1970-01-01") + dt.timedelta(
                milliseconds=ms or 0
            )
