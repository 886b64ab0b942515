"""What the reference takes for a dump, a file and a line."""

import datetime as dt
import gzip
from pathlib import Path

import pytest

from tests.reference.reading import LandedFile, decompress, read_dump, read_dumps, read_file
from tests.whole import landings

DAY = dt.date(2026, 3, 1)


def landed(content: bytes) -> LandedFile:
    return read_file(content, dump_date=DAY, path="any.name")


def records(content: bytes) -> list[object]:
    return [line.record for line in landed(content).lines]


def test_a_dump_is_a_folder_of_a_day_with_its_nested_files_in_byte_order(tmp_path: Path) -> None:
    for name in ("a.json", "B.json", "a/1.csv", "a-1.json.gz", "a.txt", "a.parquet.gz"):
        landings.put(tmp_path, "2026-03-01", name, b"")
    landings.put(tmp_path, "2026-03", "a.json", b"")
    (dump,) = read_dumps(tmp_path)
    assert dump.dump_date == DAY
    assert [file.path for file in dump.files] == ["B.json", "a-1.json.gz", "a.json", "a/1.csv"]


def test_blank_lines_are_no_lines_and_line_ends_no_text() -> None:
    file = landed(b'\xef\xbb\xbf{"a": 1}\r\n\r\n \t\n{"a": 2}')
    assert [(line.number, line.text) for line in file.lines] == [(1, '{"a": 1}'), (2, '{"a": 2}')]


@pytest.mark.parametrize(
    "line",
    [b"[1]", b'"a"', b"1", b"null", b'{"a": NaN}', b'{"a": 1} x', b'{"a": "\x00"}', b'{"\xff": 1}'],
)
def test_what_is_no_json_object_is_malformed(line: bytes) -> None:
    assert records(line) == [None]


def test_compressions_are_told_by_their_first_bytes_over_several_members() -> None:
    packed = gzip.compress(b"one\n") + gzip.compress(b"two\n")
    assert decompress(packed) == ("gzip", b"one\ntwo\n", False)
    assert decompress(b"plain") == ("none", b"plain", False)


def test_the_readable_part_of_a_cut_gzip_counts_and_its_torn_line_is_malformed() -> None:
    assert records(landings.cut_gzip(b'{"a": 1}\n{"a": 2}\n')) == [{"a": 1}, {"a": 2}]
    assert records(landings.cut_gzip(b'{"a": 1}\n{"a": 2}')) == [{"a": 1}, {"a": 2}]
    assert records(landings.cut_gzip(b'{"a": 1}\n{"a": 2')) == [{"a": 1}, None]
    assert records(landings.cut_gzip(b"session_id,value\n1,2\n3,4")) == [
        {"session_id": "1", "value": "2"},
        None,
    ]


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1}{"a": 2} {"a": 3}',
        b'{"a": 1}\n{"a":\n  2\n}{"a": 3}\n',
        b'[{"a": 1}, {"a": 2},\n{"a": 3}]',
        b'\xef\xbb\xbf[\n  {\n    "a": 1\n  },\n{"a": 2},{"a":3}]\n',
        '{"a": 1}\n{"a": 2}\n{"a": 3}\n'.encode("utf-16"),
    ],
)
def test_records_may_share_a_line_or_lie_over_several_or_in_an_array(content: bytes) -> None:
    assert records(content) == [{"a": 1}, {"a": 2}, {"a": 3}]


def test_a_torn_record_costs_its_line_only() -> None:
    content = b'{"a": 1}{"a": \n{"a": 2}\n{"a":\n\xff\n}\n{"a": 3}'
    assert records(content) == [{"a": 1}, None, {"a": 2}, None, None, None, {"a": 3}]


@pytest.mark.parametrize("separator", ",;\t|")
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_csv_shows_separator_line_ends_and_encoding(
    separator: str, ending: str, encoding: str
) -> None:
    header = ["", "Session_ID", "VALUE"]
    table = [header, ["0", "ü", r"\N"], header, ["1", "b", ""]]
    text = ending.join(separator.join(row) for row in table)
    assert records(text.encode(encoding)) == [
        {"": "0", "session_id": "ü", "value": None},
        {"_static": True},
        {"": "1", "session_id": "b", "value": ""},
    ]


def test_a_csv_header_is_no_line_and_a_quoted_newline_ends_none() -> None:
    file = landed(b'session_id,value\n1,"a\nb"\n\n2,c\n')
    assert (file.format, file.form) == ("csv", "tabular")
    assert [line.record for line in file.lines] == [
        {"session_id": "1", "value": "a\nb"},
        {"session_id": "2", "value": "c"},
    ]
    assert [line.text for line in file.lines] == ['1,"a\nb"', "2,c"]


def test_a_broken_csv_record_is_malformed_and_costs_its_first_line_only() -> None:
    content = b'session_id,value\n1\n1,2,3\n\xff,2\n1,2\n1,"2\n3,4\n'
    good = [{"session_id": "1", "value": "2"}, {"session_id": "3", "value": "4"}]
    assert records(content) == [None, None, None, good[0], None, good[1]]


def test_parquet_times_read_as_iso_text() -> None:
    moment = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
    content = landings.parquet_table({"occurred_at": [moment], "session_id": [1]})
    file = landed(content)
    assert (file.format, file.form) == ("parquet", "tabular")
    assert file.lines[0].record == {"occurred_at": "2026-03-01T12:00:00+00:00", "session_id": 1}


@pytest.mark.parametrize(
    ("line", "form"),
    [
        (b'{"time": 1, "type": "play", "sId": "s"}', "player"),
        (b'{"wm": {"uId": "x"}}', "player"),
        (b'{"sId": "s", "wm.euId": "u"}', "flat"),
        (b'{"created_at": 1, "sId": "s"}', "flat"),
        (b'{"occurred_at": 1, "value": 2}', "tabular"),
        (b'{"_static": true}\n{"session_id": 1}', "tabular"),
        (b'{"_static": true}', "player"),
        (b"no JSON", None),
        (b"", None),
    ],
)
def test_the_form_is_that_of_the_first_telling_line(line: bytes, form: str | None) -> None:
    assert landed(line).form == form


@pytest.mark.parametrize("dump_date", sorted(landings.REFUSED_MANIFESTS))
def test_a_manifest_that_does_not_match_refuses_its_dump(tmp_path: Path, dump_date: str) -> None:
    landings.REFUSED_MANIFESTS[dump_date](tmp_path)
    folder = tmp_path / "events" / f"dt={dump_date}"
    assert read_dump(folder, dt.date.fromisoformat(dump_date)).refusals


def test_a_manifest_that_matches_refuses_nothing(tmp_path: Path) -> None:
    landings.manifest_that_matches(tmp_path)
    (dump,) = read_dumps(tmp_path)
    assert dump.refusals == ()
    assert len(dump.files) == 3
