"""Files as they should not be: damaged, misnamed, with odd bytes."""

import gzip
from pathlib import Path

import zstandard

from tests.whole.landings.records import (
    at,
    csv_table,
    cut_gzip,
    ndjson,
    parquet_table,
    player,
    put,
    tabular,
)


def damaged_gzip(landing: Path) -> Path:
    """Gzip streams that end between two lines, and within a line."""
    day = "2026-03-10"
    noon = at("2026-03-10T12:00:00")
    lines = [
        ndjson([player(noon + number, "player/open", session="damaged", data__oId=number)])
        for number in range(4)
    ]
    put(landing, day, "between.ndjson.gz", cut_gzip(lines[0] + lines[1]))
    put(landing, day, "within.ndjson.gz", cut_gzip(lines[2] + lines[3][:39]))
    table = csv_table(
        [
            tabular(noon + 8, "Menu/Open", session="damaged", item_name="one"),
            tabular(noon + 9, "Menu/Open", session="damaged", item_name="torn here"),
        ]
    )
    put(landing, day, "within.csv.gz", cut_gzip(table[:-8]))
    return landing


def nothing_but_a_gzip_header(landing: Path) -> Path:
    """A file of which nothing can be read, beside a good one: fails its dump."""
    event = player(at("2026-03-10T12:00:00"), "player/open", session="damaged")
    put(landing, "2026-03-10", "good.ndjson", [event])
    put(landing, "2026-03-10", "header.ndjson.gz", gzip.compress(b"{}", mtime=0)[:10])
    return landing


def wrong_extensions(landing: Path) -> Path:
    """Names that promise another compression or format than the content has."""
    day = "2026-03-11"
    noon = at("2026-03-11T12:00:00")
    lines = [
        ndjson([player(noon + number, "player/open", session="extensions")]) for number in range(8)
    ]
    rows = csv_table([tabular(noon + 10, "Menu/Open", session="extensions")])
    columns = {
        key: [value] for key, value in tabular(noon + 11, "Menu/Open", session="extensions").items()
    }
    put(landing, day, "plain.ndjson.gz", lines[0])
    put(landing, day, "packed.ndjson", gzip.compress(lines[1], mtime=0))
    put(landing, day, "zstd.json.gz", zstandard.compress(lines[2]))
    put(landing, day, "gzip.json.zst", gzip.compress(lines[3], mtime=0))
    put(landing, day, "lines.csv", lines[4])
    put(landing, day, "lines.parquet", lines[5])
    put(landing, day, "rows.ndjson", rows)
    put(landing, day, "columns.json", parquet_table(columns))
    return landing


def one_huge_line(landing: Path, *, megabytes: int = 50) -> Path:
    """A line of 50 MB that is no JSON, and one of 10 MB that is, between two common ones.

    Its long texts are in columns that are empty in nearly all lines below.
    """
    noon = at("2026-03-12T12:00:00")
    first, second = (
        ndjson([player(noon + number, "player/open", session="huge")]) for number in (0, 1)
    )
    text = "t" * 5_000_000
    long = ndjson(
        [player(noon + 2, "player/open", session="huge", ctx__title=text, data__value=text)]
    )
    garbage = b"{" + b"x" * (megabytes * 1_000_000) + b"\n"
    put(landing, "2026-03-12", "huge.ndjson", first + garbage + long + second)
    return landing


def odd_bytes(landing: Path) -> Path:
    """NUL bytes, not UTF-8, UTF-16, BOM, CRLF, blank lines, deep nesting, no content at all."""
    day = "2026-03-13"
    noon = at("2026-03-13T12:00:00")
    good = [ndjson([player(noon + number, "player/open", session="bytes")]) for number in range(12)]
    put(landing, day, "nul.ndjson", good[0] + b"\x00\x00\n" + good[1][:20] + b"\x00\n" + good[2])
    broken = good[3].replace(b'"bytes"', b'"by\xfftes"')
    put(landing, day, "not-utf-8.ndjson", broken + good[4] + b"\xc3\n")
    put(landing, day, "utf-16.ndjson", good[5].decode().encode("utf-16"))
    put(landing, day, "bom.ndjson", b"\xef\xbb\xbf" + good[6])
    put(
        landing,
        day,
        "crlf.ndjson",
        b"\r\n" + good[7].replace(b"\n", b"\r\n") + b"  \t\r\n" + good[8].rstrip(b"\n"),
    )
    rows = csv_table(
        [
            tabular(noon + 20, "Menu/Open", session="bytes", item_name="a\nb"),
            tabular(noon + 21, "Menu/Open", session="bytes", item_name="ü"),
        ]
    )
    put(landing, day, "bom-crlf.csv", b"\xef\xbb\xbf" + rows.replace(b"Open,", b"open,"))
    put(landing, day, "crlf.csv", rows.replace(b"a\nb", b"c d").replace(b"\n", b"\r\n"))
    nested = b"[" * 100_000
    put(landing, day, "deep.ndjson", nested + b"\n" + nested + b"]" * 100_000 + b"\n" + good[9])
    put(
        landing,
        day,
        "no-objects.ndjson",
        good[10] + b'null\n[]\n"text"\n1\ntrue\n{"a": 1} {"b": 2}\n{\n}\n' + good[11],
    )
    put(landing, day, "empty.ndjson", b"")
    put(landing, day, "empty.csv.gz", gzip.compress(b"", mtime=0))
    put(landing, day, "blank.json", b"\n\r\n   \n\t\n")
    return landing


def broken_csv(landing: Path) -> Path:
    """Rows too short and too long, quoted and open newlines, blank lines, not UTF-8."""
    day = "2026-03-14"
    noon = at("2026-03-14T12:00:00")
    header = b"occurred_at,session_id,end_user_id,item_type,event,item_id,item_name\n"

    def row(number: int, name: str) -> bytes:
        return f"{noon + number},csv,u-1,Launcher,Click,5,{name}\n".encode()

    put(
        landing,
        day,
        "torn.csv",
        header
        + row(0, "one")
        + f"{noon + 1},csv,u-1\n".encode()
        + row(2, "two,too many")
        + b"\n   \n"
        + row(3, '"quoted ""name"",\nin two lines"')
        + row(4, "last").replace(b"last", b"l\xffst")
        + row(5, ""),
    )
    put(
        landing,
        day,
        "open-quote.csv",
        header + row(10, "one") + row(11, '"never closed') + row(12, "lost") + row(13, "lost too"),
    )
    put(landing, day, "header-only.csv", header)
    return landing
