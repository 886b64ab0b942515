"""A row comes out the same however it is read: by DuckDB among many, or by Python alone.

Records with every oddity that a form allows are read as they are, one by one in Python, and as the
reference reads them.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagster_project.ingest import files as files_module
from dagster_project.ingest import lines as lines_module
from dagster_project.ingest.compression import Damage
from dagster_project.ingest.lines import FileLines
from tests.ingest import readers
from tests.ingest.readers import DAY, DEFINITIONS, Rows, read
from tests.reference.definitions import read_definitions
from tests.reference.events import judge
from tests.reference.events import unknown_keys as unknown_keys_of
from tests.reference.reading import read_file
from tests.whole import landings

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
NOON = landings.at("2026-03-01T12:00:00")


def differences(content: bytes, name: str, rows: Rows, counts: FileLines | None) -> list[str]:
    """What the reference reads otherwise."""
    file = read_file(content, dump_date=DAY, path=name)
    definitions = read_definitions(SEEDS)
    told = []
    if len(rows) != len(file.lines):
        told.append(f"{len(rows)} rows, expected {len(file.lines)}")
    for row, line in zip(rows, file.lines, strict=False):
        due = judge(file, line, definitions=definitions, max_late_days=DEFINITIONS.max_late_days)
        if (row["outcome"], row["reason"]) != (due.outcome, due.reason):
            told.append(f"row {line.number}: {row['outcome']} {row['reason']}, expected {due}")
        elif due.event is not None:
            told += [
                f"row {line.number}: {column} is {row[column]!r}, expected {due.event[column]!r}"
                for column in row.keys() & due.event.keys()
                if row[column] != due.event[column]
            ]
    if counts and counts.unknown_keys != dict(unknown_keys_of(file)):
        told.append(f"unknown keys {counts.unknown_keys}, expected {unknown_keys_of(file)}")
    return told


# ---------- JSON as it may be written

BLANKS = st.sampled_from(["", "", "", " ", "  ", "\t"])
NUMBERS = st.sampled_from(
    [
        *("0", "-0", "1", "4711", "4711.0", "4711.00", "-3", "-0.0", "0.1", "2.50", "4711E0"),
        *("1e3", "1E400", "1.0e-3", "9007199254740993", "18446744073709551616", "9" * 30),
    ]
)
TEXTS = st.one_of(
    st.sampled_from(
        [
            '""',
            '"a"',
            r'"\ud83d"',
            r'"\ude00x"',
            r'"\ud83d\ude00"',
            r'"\u0000"',
            r'"\\N"',
            '"4711.0"',
            '"1e3"',
            '"NaN"',
            '"null"',
            '", NaN]"',
            '"a,}"',
            '"{"',
            '"[1]"',
            '"Production"',
            '" TEST "',
            '"ümläut 旅行"',
            r'"\/"',
            '" padded "',
        ]
    ),
    st.text(max_size=4).filter(lambda text: text.isprintable()).map(json.dumps),
)
NESTED = st.sampled_from(
    [
        "{}",
        "[]",
        '{"a":1,"a":2}',
        '{"b": [1, 2.50, {"c": null}]}',
        '[1 , "x"]',
        '{"$numberLong": "4711"}',
        '{"$numberInt":"3"}',
        '{"$numberDouble": "4711.0"}',
    ]
)
BROKEN = st.sampled_from(
    ["NaN", "Infinity", "-Infinity", "nan", "inf", "tru", "01", "'a'", "1 //", '"\x01"', "[1,]", ""]
)
VALUES = st.one_of(NUMBERS, TEXTS, NESTED, st.sampled_from(["null", "true", "false"]))
TIMES = st.one_of(
    st.sampled_from(
        [
            str(NOON),
            f'"{NOON}"',
            f"{NOON}.0",
            f"{NOON}.5",
            "1.77236E+12",
            '"1.77236E+12"',
            str(NOON // 1000),
            f"{NOON}123",
            f"{NOON}123456",
            '"2026-03-01T12:00:00.5Z"',
            '"2026-03-01t12:00:00+05:30"',
            '"2026-03-01 12:00:00 utc"',
            '"2026-03-01 12:00"',
            '"2026-02-30"',
            '{"$date": "2026-03-01T12:00:00Z"}',
            '{"$numberLong": "1772366400000"}',
            "99999999999999999999",
            "true",
            '""',
        ]
    ),
    st.just(str(NOON)),
)
PLAYER = {
    "time": TIMES,
    "type": st.sampled_from(['"play"', '"click"', '"pageChange"', '"nothing"', "null"]),
    "sId": VALUES,
    "extra": VALUES,
}
PLAYER_DATA = dict.fromkeys(("oId", "oName", "owId", "pId", "value", "novel"), VALUES) | {
    "type": st.sampled_from(['"launcher"', '"task"', '"LAUNCHER "', "1"])
}
PLAYER_WM = dict.fromkeys(("uId", "euId", "env", "interactionGuid"), VALUES)
FLAT = {
    "created_at": TIMES,
    "type": PLAYER["type"],
    **dict.fromkeys(
        ("sId", "wm.euId", "wm_euId", "wm.env", "wm_env", "oId", "value", "data_pInit_type", "x.y"),
        VALUES,
    ),
    "data.type": PLAYER_DATA["type"],
    "data_type": PLAYER_DATA["type"],
}
TABULAR = {
    "occurred_at": TIMES,
    "Occurred_At": TIMES,
    "item_type": PLAYER_DATA["type"],
    "event": PLAYER["type"],
    **dict.fromkeys(
        ("session_id", "SESSION_ID", "end_user_id", "environment", "initiator", "item_id"), VALUES
    ),
    **dict.fromkeys(("value", "is_mobile", "utc_offset_minutes", "event_id", "Other"), VALUES),
}


@st.composite
def objects(draw: st.DrawFn, /, keys: dict[str, Any], **within: Any) -> str:
    """The text of a JSON object with some of these keys, perhaps twice, perhaps broken."""
    chosen = draw(st.lists(st.sampled_from([*keys]), max_size=2))
    chosen += [key for key in keys if draw(st.integers(0, 5))]
    pairs = [(key, draw(keys[key])) for key in chosen]
    pairs += [(key, draw(strategy)) for key, strategy in within.items()]
    if not draw(st.integers(0, 12)):
        pairs.append(("broken", draw(BROKEN)))
    between = draw(BLANKS)
    text = f",{between}".join(f'"{key}":{draw(BLANKS)}{value}' for key, value in pairs)
    comma = draw(st.sampled_from([*[""] * 20, ",", ", "]))
    return f"{{{between}{text}{comma}}}"


DATA = st.one_of(objects(PLAYER_DATA), objects(PLAYER_DATA), NESTED, st.just("null"))
RECORDS = {
    "player": objects(PLAYER, data=DATA, wm=objects(PLAYER_WM)),
    "flat": objects(FLAT),
    "tabular": objects(TABULAR),
}
FIRST = {
    "player": landings.player(NOON, "player/open", session="s"),
    "flat": landings.flat(NOON, session="s", type="open", data__type="player"),
    "tabular": landings.tabular(NOON, "Menu/Open", session="s"),
}
BETWEEN = st.sampled_from([*["\n"] * 12, "\r\n", "\n\n", " \n", "\n \n", "", " ", "\n\ufeff"])
ODD_LINES = st.sampled_from(
    ["[]", "null", "{", "}", '{"a":', "x", "\x0c", '{"_static": true}', '{"a":\n1\n}', "\udcff"]
)


@st.composite
def json_files(draw: st.DrawFn) -> bytes:
    """A file of JSON records, the first of which shows the form."""
    form = draw(st.sampled_from([*RECORDS]))
    text = json.dumps(FIRST[form])
    one = st.one_of(RECORDS[form], RECORDS[form], RECORDS[form], ODD_LINES)
    for record in draw(st.lists(one, min_size=3, max_size=12)):
        text += draw(BETWEEN) + record
    return (text + draw(st.sampled_from(["", "\n"]))).encode("utf-8", "surrogateescape")


PROFILE = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def read_in_all_ways(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    name: str,
) -> None:
    alone, counts = read(connection, folder, {name: content})
    told = differences(content, name, alone[name], counts.get(name))
    assert not told, "\n".join([*told[:5], repr(content)])
    with monkeypatch.context() as patch:
        readers.read_everything_in_python(patch)
        in_python, counts_in_python = read(connection, folder, {name: content})
    assert (in_python, counts_in_python) == (alone, counts)
    with monkeypatch.context() as patch:
        patch.setattr(lines_module, "_BATCH_BYTES", 300)
        patch.setattr(lines_module, "_CSV_BYTES", 100)
        patch.setattr(lines_module, "BLOCK_BYTES", 100)
        patch.setattr(files_module, "unpacked", in_pieces)
        among_others, counts_among = read(
            connection, folder, {"a.ndjson": b'{"time": 1}\n' * 3, name: content}
        )
    assert (among_others[name], counts_among.get(name)) == (alone[name], counts.get(name))


def in_pieces(path: Path, _compression: object, damage: Damage) -> Iterator[bytes]:
    """Content as it may come out of a compressed file."""
    content = path.read_bytes()
    damage.content_bytes = len(content)
    return iter([content[start : start + 97] for start in range(0, len(content), 97)])


@PROFILE
@given(content=json_files())
def test_json_is_read_alike_in_every_way(
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
) -> None:
    read_in_all_ways(connection, tmp_path, monkeypatch, content, "events.ndjson")


# ---------- CSV as it may be written

COLUMNS = [
    "occurred_at",
    "session_id",
    "end_user_id",
    "item_type",
    "event",
    "environment",
    "item_id",
    "item_name",
    "is_mobile",
    "utc_offset_minutes",
]
CELLS = st.one_of(
    st.sampled_from(
        [
            "",
            "a",
            "4711",
            "4711.0",
            "4711.00",
            "1e3",
            "NaN",
            "NULL",
            r"\N",
            'a "quoted" word',
            "two\nlines",
            "two\r\nlines",
            "a,b;c|d\te",
            " padded ",
            "\ufeffmarked",
            "ü旅",
            "\x00",
            "\x0b",
            "\\",
            "PRODUCTION",
            "true",
            "'",
            "x" * 200,
        ]
    ),
    st.text(max_size=3).filter(lambda text: text.isprintable()),
)
CSV_TIMES = st.sampled_from(
    [str(NOON), f"{NOON}.0", "2026-03-01 12:00:00 UTC", "1.77306E+12", "2026-03-01T12:00:00+01:00"]
)
ODD_CSV_LINES = st.sampled_from(
    [
        "",
        "  ",
        "torn",
        '"never closed',
        'a "stray" quote',
        "\udcff,\udcff",
        "sep=,",
        '"x"y',
        "\ufeff",
    ]
)


@st.composite
def csv_files(draw: st.DrawFn) -> bytes:
    """A CSV file of any writer's, with rows that it should not have among the others."""
    separator = draw(st.sampled_from(",;\t|"))
    ending = draw(st.sampled_from(["\n", "\n", "\r\n", "\r"]))
    quoting: Literal[0, 1] = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, lineterminator=ending, quoting=quoting)
    header = [draw(st.sampled_from([column, column.upper()])) for column in COLUMNS]
    extra = draw(st.sampled_from([[], [], [""], ["unknown"]]))
    if draw(st.integers(0, 3)) == 0:
        out.write(f"sep={separator}{ending}")
    writer.writerow(extra + header)
    for _ in range(draw(st.integers(2, 10))):
        kind = draw(st.integers(0, 9))
        if kind == 0:
            out.write(draw(ODD_CSV_LINES) + ending)
        elif kind == 1:
            writer.writerow(extra + header)
        else:
            row = [draw(CSV_TIMES), "s", "u", "Launcher", "Click", *draw(_five_cells)]
            writer.writerow([*(["1"] * len(extra)), *row, *([""] if kind == 2 else [])])
    text = out.getvalue()
    if draw(st.booleans()):
        text = text.removesuffix(ending)
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16"]))
    if encoding == "utf-16":
        return text.encode("utf-16", "replace")
    return text.encode(encoding, "surrogateescape")


_five_cells = st.lists(CELLS, min_size=5, max_size=5)


@PROFILE
@given(content=csv_files())
def test_csv_is_read_alike_in_every_way(
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
) -> None:
    read_in_all_ways(connection, tmp_path, monkeypatch, content, "events.csv")
