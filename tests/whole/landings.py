"""Hand-written landings: real files for every theme of landing.md, one function a theme.

Each function writes its dumps under `landing` and gives `landing` back. The themes have files,
sessions and users of their own, so any of them can also be written into one landing together;
`MANY_THEMES` are those that all load, `REFUSED_MANIFESTS` the dumps that must not.
"""

import csv
import datetime as dt
import gzip
import hashlib
import io
import json
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import zstandard

Record = dict[str, Any]

SYSTEM = "0f0e0d0c0b0a09080706050403020100"
OTHER_SYSTEM = "ffeeddccbbaa99887766554433221100"

# Every pair by its raw names, as the table of landing.md has them.
RAW_PAIRS = {
    "bizFlow": ["play", "playFailed"],
    "bizFlowStep": ["play"],
    "wt": ["play", "playFailed"],
    "step": ["play"],
    "task": ["play", "complete"],
    "shoutout": ["play", "click", "close"],
    "action": ["click", "close"],
    "uiAction": ["click", "close"],
    "launcher": ["play", "click"],
    "resource": ["play"],
    "shuttle": ["play"],
    "survey": ["play", "submitted", "close"],
    "question": ["submitted"],
    "smartTip": ["play", "visible", "passed", "failed", "click"],
    "player": ["open"],
    "widgetSearch": ["search", "click"],
    "openTicket": ["play"],
    "liveChat": ["click"],
    "actionBot": ["chatOpened", "endUserEngaged", "chatClosed", "conversationSearch"],
    "actionBotConversation": ["conversationStarted", "conversationEnded"],
    "actionBotNode": [
        "conversationActionTriggered",
        "conversationQuestionAnswered",
        "conversationNodeServed",
    ],
    "teachMe": ["visible", "open", "teachMeStepStarted"],
    "quiz": ["play", "submitted", "passed", "failed"],
    "quizQuestion": ["submitted"],
}

IGNORED_VERBS = (
    "pageChange sessionPing loaded draw mouseenter focus blur custom goalReach progressUpdate"
    " teachMeStepCompletion teachMeCourseCompletion teachMeCompletionUpdate"
)


# ---------- records and files


def at(moment: str) -> int:
    """Epoch ms of an ISO 8601 moment in UTC."""
    since = dt.datetime.fromisoformat(moment).replace(tzinfo=dt.UTC)
    return (since - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(milliseconds=1)


def player(time: Any, pair: str, *, session: Any, user: Any = "u-1", **paths: Any) -> Record:
    """One event in the player envelope; `pair` is 'object/verb'.

    `paths` sets further paths, with `__` for the dots: `data__oId=4711`.
    """
    object_type, verb = pair.split("/")
    record: Record = {
        "time": time,
        "type": verb,
        "data": {"type": object_type},
        "sId": session,
        "wm": {"uId": SYSTEM, "euId": user, "env": 0},
    }
    for path, value in paths.items():
        *branches, leaf = path.split("__")
        place = record
        for branch in branches:
            place = place.setdefault(branch, {})
        place[leaf] = value
    return record


def flat(time: Any, *, session: Any, user: Any = "u-1", **keys: Any) -> Record:
    """One event in the flat envelope; `keys` sets further keys, with `__` for the dots."""
    return {
        "created_at": time,
        "sId": session,
        "wm.uId": SYSTEM,
        "wm.euId": user,
        "wm.env": 0,
    } | {key.replace("__", "."): value for key, value in keys.items()}


def tabular(time: Any, pair: str, *, session: Any, user: Any = "u-1", **columns: Any) -> Record:
    """One event in the tabular form; `pair` is 'item type/event'."""
    item_type, event = pair.split("/")
    return {
        "occurred_at": time,
        "system_id": SYSTEM,
        "session_id": session,
        "end_user_id": user,
        "item_type": item_type,
        "event": event,
    } | columns


def ndjson(records: Iterable[Record]) -> bytes:
    """One JSON object a line."""
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def csv_table(records: list[Record]) -> bytes:
    """A CSV with the columns of the first record."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue().encode()


def parquet_table(columns: dict[str, Any]) -> bytes:
    """A Parquet file with these columns."""
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns), out)
    return out.getvalue()


def cut_gzip(data: bytes) -> bytes:
    """A gzip stream of which exactly `data` can be read, and then it ends."""
    stream = zlib.compressobj(wbits=31)
    return stream.compress(data) + stream.flush(zlib.Z_FULL_FLUSH)


def put(landing: Path, dump_date: str, name: str, content: bytes | list[Record]) -> bytes:
    """Write one file of a dump; a list of records becomes NDJSON. Gives the bytes written."""
    path = landing / "events" / f"dt={dump_date}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content if isinstance(content, bytes) else ndjson(content)
    path.write_bytes(data)
    return data


def put_manifest(landing: Path, dump_date: str, entries: list[Record]) -> None:
    """Write the manifest of a dump."""
    put(landing, dump_date, "_manifest.json", json.dumps({"files": entries}).encode())


def entry(name: str, content: bytes, rows: int) -> Record:
    """The right entry of a manifest for a file."""
    return {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "rows": rows}


# ---------- forms and files


def three_forms(landing: Path) -> Path:
    """One dump with the player, flat and tabular forms; one event is the same in four files."""
    day = "2026-03-01"
    noon = at("2026-03-01T12:00:00.123")
    full = player(
        noon,
        "bizFlowStep/play",
        session="forms-1",
        user="u-17",
        data__oId=81234,
        data__oName="Confirm amount",
        data__owId=4711,
        data__owName="Book a trip",
        data__owType="bizFlow",
        data__pId=f"{noon - 9000}-4711-guid",
        data__pInit={"type": 3, "objectId": 99},
        data__value=None,
        wm__euIdSource="Identifier",
        wm__interactionGuid="guid-1",
        wm__platform=1,
        wm__language="Japanese",
        wm__userVars={"name": "", "role": "buyer", "type": "t", "status": "s", "info": "i"},
        env__browser={"name": "Chrome", "version": "99.0"},
        env__os={"name": "Windows", "version": "10"},
        env__screen={"height": 720, "width": 1280},
        env__mobile=False,
        env__timezone=-330,
        ctx__location={
            "protocol": "https:",
            "hostname": "app.example.com",
            "port": "3000",
            "pathname": "/trips",
        },
        ctx__isIframe=False,
        ctx__visitId="visit-1",
        ctx__title="Trips, “booked” 旅行",
        ctx__referrer="",
    )
    menu = player(noon + 1, "player/open", session="forms-1", user="u-17")
    put(
        landing,
        day,
        "player.ndjson",
        [{"_static": True, "Wm-Client-Timestamp": noon}, full, menu],
    )
    put(
        landing,
        day,
        "flat.ndjson",
        [
            flat(
                noon + 2,
                session="forms-2",
                type="submitted",
                data__type="question",
                oId="9001",
                oName="How likely are you?",
                value=9,
                ctx__location__hostname="app.example.com",
                ctx__location__pathname="/survey",
                ctx__title="Survey",
                env__browser__name="Firefox",
                env__os__name="macOS",
                env__timezone=480,
                env__mobile=True,
                wm__userVars__role="admin",
                wm__language="German",
            ),
            flat(str(noon + 3), session="forms-2", type="play", data__type="survey", oId=9000),
        ],
    )
    rows = [
        tabular(
            "2026-03-01T13:00:00.500+01:00",
            "Survey/Close",
            session="forms-2",
            item_id="9000",
            item_name='Say "yes",\nor no',
            initiator="menu",
            environment="",
            is_iframe="true",
            utc_offset_minutes="-480",
        ),
        tabular(
            str(noon + 5),
            "smart walk thru/PLAY",
            session="forms-3",
            item_id="4711",
            item_name="Book a trip",
            initiator="6",
            environment="1",
            is_iframe="",
            utc_offset_minutes="",
        ),
        tabular(
            "2026-03-01 12:00:00",
            "bizFlow/playFailed",
            session="forms-3",
            item_id="4711",
            item_name="",
            initiator="",
            environment="sandbox",
            is_iframe="false",
            utc_offset_minutes="330",
        ),
    ]
    put(landing, day, "rows.csv", csv_table(rows))
    same = tabular(
        noon,
        "Smart Walk-Thru Step/Play",
        session="forms-1",
        user="u-17",
        item_id=81234,
        play_id=f"{noon - 9000}-4711-guid",
        interaction_guid="guid-1",
    )
    put(landing, day, "rows.ndjson", [*rows, same])
    times = [dt.datetime(2026, 3, 1, 9, 0, 0, 1999, tzinfo=dt.UTC), None]
    required = {
        "system_id": [SYSTEM, None],
        "session_id": pyarrow.array([77, 78], pyarrow.int64()),
        "end_user_id": ["u-2", "u-3"],
        "item_type": ["Launcher", "Launcher"],
        "event": ["Click", "Click"],
    }
    moments = pyarrow.array(times, pyarrow.timestamp("us", "UTC"))
    put(
        landing,
        day,
        "moments.parquet",
        parquet_table(
            {
                "occurred_at": moments,
                **required,
                "item_id": pyarrow.array([5, 6], pyarrow.int32()),
                "is_mobile": [True, None],
                "utc_offset_minutes": pyarrow.array([60, None], pyarrow.int16()),
            }
        ),
    )
    naive = pyarrow.array([dt.datetime.fromisoformat("2026-03-01T09:30"), None])
    put(landing, day, "naive.parquet", parquet_table({"occurred_at": naive, **required}))
    numbers = pyarrow.array([noon + 7, noon + 8], pyarrow.int64())
    put(landing, day, "numbers.parquet", parquet_table({"occurred_at": numbers, **required}))
    return landing


def all_compressions(landing: Path) -> Path:
    """Every allowed extension, plain and compressed; streams in several members and frames."""
    day = "2026-03-02"
    noon = at("2026-03-02T12:00:00")
    for number, extension in enumerate(("ndjson", "jsonl", "json", "csv")):
        for offset, compression in enumerate(("", ".gz", ".zst")):
            time = noon + 10 * number + offset
            if extension == "csv":
                data = csv_table([tabular(time, "Menu/Open", session="compressions")])
            else:
                data = ndjson([player(time, "player/open", session="compressions")])
            if compression == ".gz":
                data = gzip.compress(data, mtime=0)
            elif compression == ".zst":
                data = zstandard.compress(data)
            put(landing, day, f"one.{extension}{compression}", data)
    parts = [
        ndjson([player(noon + 100 + part, "player/open", session="compressions")])
        for part in range(4)
    ]
    put(landing, day, "members.json.gz", b"".join(gzip.compress(p, mtime=0) for p in parts[:2]))
    put(landing, day, "frames.json.zst", b"".join(zstandard.compress(p) for p in parts[2:]))
    return landing


def many_files(landing: Path) -> Path:
    """Thirty files of three lines in nested folders, of sessions that go over several files."""
    noon = at("2026-03-03T12:00:00")
    for number in range(30):
        events = [
            player(
                noon + 1000 * number + line,
                "launcher/click",
                session=f"many-{line}",
                user=f"u-{line}",
                data__oId=number % 7,
            )
            for line in range(3)
        ]
        name = f"hour={number // 10:02}/part-{number}.ndjson"
        put(landing, "2026-03-03", name, events)
    return landing


def manifest_that_matches(landing: Path) -> Path:
    """A manifest with the right names, hashes and counts; blank lines and a header are no rows."""
    day = "2026-03-04"
    noon = at("2026-03-04T12:00:00")
    lines = ndjson([player(noon, "player/open", session="manifest")]) + b"\n  \nno JSON\n"
    table = csv_table([tabular(noon + 1, "Menu/Open", session="manifest")])
    packed = gzip.compress(ndjson([player(noon + 2, "player/open", session="m")]), mtime=0)
    put(landing, day, "lines.ndjson", lines)
    put(landing, day, "deep/table.csv", table)
    put(landing, day, "packed.ndjson.gz", packed)
    put_manifest(
        landing,
        day,
        [
            entry("lines.ndjson", lines, 2),
            entry("deep/table.csv", table, 1),
            entry("packed.ndjson.gz", packed, 1),
        ],
    )
    return landing


def _with_manifest(landing: Path, day: str, *, change: Record, names: Iterable[str]) -> Path:
    data = ndjson([player(at(f"{day}T12:00:00"), "player/open", session=f"manifest-{day}")])
    put(landing, day, "a.ndjson", data)
    put_manifest(landing, day, [entry(name, data, 1) | change for name in names])
    return landing


def manifest_with_a_missing_file(landing: Path) -> Path:
    """The manifest promises a file that has not landed."""
    return _with_manifest(landing, "2026-03-05", change={}, names=["a.ndjson", "b.ndjson"])


def manifest_with_an_extra_file(landing: Path) -> Path:
    """A file landed that the manifest does not promise."""
    return _with_manifest(landing, "2026-03-06", change={}, names=[])


def manifest_with_a_wrong_hash(landing: Path) -> Path:
    """A file's content is not the promised one."""
    return _with_manifest(landing, "2026-03-07", change={"sha256": "0" * 64}, names=["a.ndjson"])


def manifest_with_a_wrong_count(landing: Path) -> Path:
    """A file has fewer rows than promised."""
    return _with_manifest(landing, "2026-03-08", change={"rows": 2}, names=["a.ndjson"])


def names_from_folders(landing: Path) -> Path:
    """Flat events that take item type and event from their folder, and those that do not."""
    day = "2026-03-09"
    noon = at("2026-03-09T12:00:00")
    folder = "item_type=Smart%20Walk-Thru/event=Play%20Failed"
    put(
        landing,
        day,
        f"{folder}/hook.ndjson",
        [
            flat(noon, session="folders", oId=4711),
            flat(noon + 1, session="folders", oId=4711, type="", data__type=None),
            flat(noon + 2, session="folders", oId=4711, type="play"),
            flat(noon + 3, session="folders", oId=5, type="click", data__type="launcher"),
            flat(noon + 4, session="folders", oId=5, type="click"),
        ],
    )
    put(
        landing,
        day,
        "item_type=survey/event=submitted/part.json.gz",
        gzip.compress(ndjson([flat(noon + 5, session="folders", oId=9000)]), mtime=0),
    )
    put(landing, day, "event=pageChange/hook.json", [flat(noon + 6, session="folders")])
    without_type = player(noon + 7, "bizFlow/play", session="folders")
    del without_type["data"]["type"]
    put(landing, day, f"{folder}/player.ndjson", [without_type])
    return landing


# ---------- hostile files


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


# ---------- places of lines


def all_quarantine_reasons(landing: Path) -> Path:
    """A line for each reason, and lines for which several would do: the first counts."""
    day = "2026-03-15"
    noon = at("2026-03-15T12:00:00")
    past, future = at("2020-01-01"), at("2030-01-01")
    menu = player(noon, "player/open", session="reasons")

    def without(record: Record, path: str, value: Any = "absent") -> Record:
        copy: Record = json.loads(json.dumps(record))
        *branches, leaf = path.split(".")
        place = copy
        for branch in branches:
            place = place[branch]
        if value == "absent":
            del place[leaf]
        else:
            place[leaf] = value
        return copy

    paths = ["time", "sId", "wm.euId", "data.type", "type"]
    bad = player(noon, "player/open", session="reasons")
    records = [
        menu,
        *[without(menu, path, value) for path in paths for value in ("absent", None, "")],
        *[
            bad | {"time": time}
            for time in (
                "yesterday",
                "2026-02-30",
                "2026-03-15T25:00:00",
                "2026-03-15T12:00:00+1",
                "15/03/2026",
                True,
                {"ms": noon},
            )
        ],
        bad | {"time": future},
        bad | {"time": past},
        bad | {"time": noon * 1000},
        bad | {"time": noon // 1000},
        player(noon, "launcher/submitted", session="reasons"),
        player(noon, "engagedElement/click", session="reasons"),
        player(noon, "launcher/explode", session="reasons"),
        {},
        {"_enc": "AAAA"},
        {"_static": False},
        # Several reasons: the first in the order of landing.md.
        without(bad | {"time": "yesterday"}, "sId"),
        without(without(menu, "wm.euId"), "type"),
        player("yesterday", "launcher/explode", session="reasons"),
        player(past, "launcher/explode", session="reasons"),
        without(player(future, "launcher/explode", session="reasons"), "data.type"),
    ]
    put(landing, day, "player.ndjson", ndjson(records) + b"not JSON at all\n")
    row = tabular(noon + 1, "Menu/Open", session="reasons")
    put(
        landing,
        day,
        "rows.csv",
        csv_table(
            [
                row,
                *[row | {column: ""} for column in row],
                row | {"occurred_at": "soon"},
                row | {"event": "Closed"},
                row | {"event": "pageChange", "occurred_at": "soon"},
            ]
        ),
    )
    put(landing, day, "no-session.csv", b"occurred_at,end_user_id,item_type,event\n1,u,Menu,Open\n")
    return landing


def control_and_ignored(landing: Path) -> Path:
    """Control lines and ignored verbs, recognised before any reason for quarantine."""
    noon = at("2026-04-01T12:00:00")
    ignored = [
        player(noon, f"launcher/{verb}", session="ignored") for verb in IGNORED_VERBS.split()
    ]
    bare = {"type": "pageChange"}
    old = player(at("1999-01-01"), "launcher/draw", session="ignored")
    control = {"_static": True, "Wm-Client-Timestamp": noon}
    put(
        landing,
        "2026-04-01",
        "player.ndjson",
        [control, *ignored, control, bare, old, player(noon, "launcher/click", session="ignored")],
    )
    put(landing, "2026-04-01", "control-only.ndjson", [control, control | {"type": "play"}])
    return landing


def time_limits(landing: Path) -> Path:
    """Events exactly on both limits of their dump, and 1 ms beyond; every way to write a time."""
    day = "2026-03-16"
    latest = at("2026-03-18T00:00:00")
    earliest = at("2025-02-09T00:00:00")
    noon = at("2026-03-16T12:00:00")
    put(
        landing,
        day,
        "limits.ndjson",
        [
            player(time, "player/open", session=f"limits-{number}")
            for number, time in enumerate((latest, latest + 1, earliest, earliest - 1))
        ],
    )
    put(
        landing,
        day,
        "spellings.ndjson",
        [
            player(time, "player/open", session="spellings", data__oId=number)
            for number, time in enumerate(
                (
                    noon,
                    str(noon),
                    "2026-03-16",
                    "2026-03-16T12:00",
                    "2026-03-16 12:00:01",
                    "2026-03-16T12:00:02Z",
                    "2026-03-16T12:00:03.4",
                    "2026-03-16T12:00:04.123999Z",
                    "2026-03-16T17:30:05+05:30",
                    "2026-03-16T17:30:06+0530",
                    "2026-03-16 04:00:07.008-08",
                    "2026-03-16T23:59:59.999-12:00",
                )
            )
        ],
    )
    return landing


# ---------- duplicates


def duplicates_within_a_file(landing: Path) -> Path:
    """The same event three times in one file; what differs outside the identity does not count."""
    noon = at("2026-03-17T12:00:00")
    event = player(noon, "launcher/click", session="twice", data__oId=5, data__oName="first")
    renamed = player(noon, "launcher/click", session="twice", data__oId=5, data__oName="second")
    moved = player(noon, "launcher/click", session="twice", data__oId=6)
    put(landing, "2026-03-17", "a.ndjson", [event, renamed, moved, event])
    return landing


def duplicates_across_files(landing: Path) -> Path:
    """The same event in five files: the path that is first in byte order keeps it."""
    noon = at("2026-03-18T12:00:00")

    def event(number: int, name: str) -> Record:
        return player(
            noon + number, "launcher/click", session="files", data__oId=5, data__oName=name
        )

    for names in (
        ("B.ndjson", "a.ndjson", "ä.ndjson"),
        ("c-1.ndjson", "c/1.ndjson", "c.ndjson"),
        ("d10.ndjson", "d9.ndjson"),
    ):
        number = len("".join(names))
        for name in names:
            put(landing, "2026-03-18", name, [event(number, name)])
    return landing


def duplicates_across_dumps(landing: Path) -> Path:
    """An event repeated in later dumps, a dump that repeats an earlier one, new beside old."""
    first = at("2026-03-19T12:00:00")
    events = [
        player(first + n, "launcher/click", session=f"dumps-{n}", data__oId=n) for n in range(4)
    ]
    put(landing, "2026-03-21", "a.ndjson", [events[0], events[3]])
    put(landing, "2026-03-19", "z.ndjson", events[:2])
    put(landing, "2026-03-20", "a.ndjson", events[:3])
    return landing


def identities(landing: Path) -> Path:
    """What takes part in the identity: ids as numbers or text are one, event ids tell apart."""
    noon = at("2026-03-22T12:00:00")
    number = player(noon, "launcher/click", session=12, user=7, data__oId=5, data__value=1)
    words = player(
        str(noon), "launcher/click", session="12", user="7", data__oId="5", data__value="1"
    )
    empty = player(noon, "launcher/click", session="12", user="7", data__oId=5, data__pId="")
    null = player(noon, "launcher/click", session="12", user="7", data__oId=5, data__value=None)
    variants = [
        number | {"time": noon + 1},
        player(noon, "launcher/click", session="12", user="8", data__oId=5, data__value=1),
        player(noon, "launcher/play", session="12", user="7", data__oId=5, data__value=1),
        player(noon, "launcher/click", session="12", user="7", data__oId=6, data__value=1),
        *[
            player(
                noon,
                "launcher/click",
                session="12",
                user="7",
                **({"data__oId": 5, "data__value": 1} | {path: value}),
            )
            for path, value in (
                ("data__pId", "p"),
                ("data__value", 2),
                ("data__value", {"a": [1, None]}),
                ("wm__uId", OTHER_SYSTEM),
                ("wm__uId", None),
                ("wm__env", 1),
                ("wm__interactionGuid", "g"),
            )
        ],
    ]
    put(landing, "2026-03-22", "player.ndjson", [number, words, empty, null, *variants])
    row = tabular(noon, "Launcher/Click", session="event-ids", item_id="5")
    put(
        landing,
        "2026-03-22",
        "rows.csv",
        csv_table([row | {"event_id": event_id} for event_id in ("e1", "e2", "e1", "")]),
    )
    put(landing, "2026-03-22", "rows.ndjson", [row, row | {"event_id": None}])
    return landing


# ---------- events over time


def late_events(landing: Path) -> Path:
    """A dump with events of earlier days, one of them more than a year ago, and of the next day."""
    moments = ("2026-03-23", "2026-03-22", "2026-03-20", "2025-03-01", "2026-03-24")
    put(
        landing,
        "2026-03-23",
        "late.ndjson",
        [
            player(at(f"{day}T12:00:00") + number, "player/open", session=f"late-{day}")
            for day in moments
            for number in range(2)
        ],
    )
    return landing


def long_sessions(landing: Path) -> Path:
    """Sessions over midnight, over days and dumps; idle and long, at the limits and over them."""

    def event(moment: str, session: str, millisecond: int = 0) -> Record:
        time = at(moment) + millisecond
        return player(time, "launcher/click", session=session, user=f"u-{session}", data__oId=5)

    put(
        landing,
        "2026-03-24",
        "a.ndjson",
        [
            event("2026-03-24T23:50:00", "midnight"),
            event("2026-03-25T00:10:00", "midnight"),
            event("2026-03-24T10:00:00", "days"),
            event("2026-03-24T10:00:00", "idle-at-limit"),
            event("2026-03-24T10:30:00", "idle-at-limit"),
            event("2026-03-24T10:00:00", "idle-over-limit"),
            event("2026-03-24T10:30:00", "idle-over-limit", 1),
            event("2026-03-24T10:00:00", "long-at-limit"),
            event("2026-03-24T22:00:00", "long-at-limit"),
            event("2026-03-24T10:00:00", "long-over-limit"),
            event("2026-03-24T22:00:00", "long-over-limit", 1),
        ],
    )
    put(
        landing,
        "2026-03-26",
        "a.ndjson",
        [event("2026-03-26T01:00:00", "days"), event("2026-03-25T12:00:00", "days")],
    )
    return landing


def log_in_within_a_session(landing: Path) -> Path:
    """A session that begins under a generated id and goes on under the user's own."""
    ten = at("2026-03-25T10:00:00")
    put(
        landing,
        "2026-03-25",
        "a.ndjson",
        [
            player(ten + 9000, "launcher/click", session="log-in", user="anna", data__oId=5),
            player(
                ten,
                "launcher/play",
                session="log-in",
                user="anonymous-1",
                data__oId=5,
                wm__euIdSource="Cache",
            ),
            player(
                ten + 5000,
                "player/open",
                session="log-in",
                user="anna",
                wm__euIdSource="Identifier",
            ),
        ],
    )
    return landing


# ---------- columns


def every_pair(landing: Path) -> Path:
    """Each pair by its raw names, in a production and in a test session, plus odd spellings."""
    start = at("2026-03-30T08:00:00")
    pairs = [f"{item}/{verb}" for item, verbs in RAW_PAIRS.items() for verb in verbs]
    put(
        landing,
        "2026-03-30",
        "raw.ndjson",
        [
            player(
                start + 10_000 * number,
                pair,
                session=f"pairs-{environment}",
                user=f"u-pairs-{environment}",
                data__oId=f"item-{pair.split('/')[0]}",
                data__oName=f"The {pair.split('/')[0]}",
                wm__env=environment,
            )
            for environment in (0, 1)
            for number, pair in enumerate(pairs)
        ],
    )
    spellings = (
        "smart walk-thru/play",
        "SMART_WALK_THRU/Play Failed",
        "TeachMe Quiz/submitted",
        "teach me quiz question/Submitted",
        "Help-Desk/PLAY",
        "ActionBot Node/conversation node served",
    )
    put(
        landing,
        "2026-03-30",
        "documented.ndjson",
        [
            tabular(start + number, pair, session="spelt", item_id=number)
            for number, pair in enumerate(spellings)
        ],
    )
    return landing


def environments(landing: Path) -> Path:
    """The same event in every environment, known and unknown, by code, by text and absent."""
    noon = at("2026-03-27T12:00:00")
    codes: tuple[Any, ...] = (0, 1, 2, 3, 4, 17, "0", "3", None, "")
    events = [
        player(noon + n, "launcher/click", session="environments", data__oId=5, wm__env=code)
        for n, code in enumerate(codes)
    ]
    absent = player(noon + 50, "launcher/click", session="environments", data__oId=5)
    del absent["wm"]["env"]
    put(landing, "2026-03-27", "player.ndjson", [*events, absent])
    names = ("production", "test", "sandbox", "", "2", "9")
    put(
        landing,
        "2026-03-27",
        "rows.csv",
        csv_table(
            [
                tabular(noon + 100 + n, "Launcher/Click", session="environments", environment=name)
                for n, name in enumerate(names)
            ]
        ),
    )
    return landing


def initiators(landing: Path) -> Path:
    """Each of the events that anyone can start, with every initiator, unknown ones and none."""
    noon = at("2026-03-28T12:00:00")
    pairs = ("bizFlow/play", "wt/play", "resource/play", "shuttle/play", "player/open")
    records: list[Record] = []
    for pair in (*pairs, "survey/play", "bizFlow/playFailed", "task/play"):
        for code in (*range(19), "3", None, ""):
            time = noon + 1000 * len(records)
            started = {"type": code, "objectId": 40 + len(records)}
            records.append(
                player(time, pair, session="initiators", data__oId=5, data__pInit=started)
            )
        absent = player(noon + 1000 * len(records), pair, session="initiators", data__oId=5)
        records += [absent, player(absent["time"] + 1, pair, session="i", data__pInit=None)]
    put(landing, "2026-03-28", "player.ndjson", records)
    names = ("menu", "api", "autostart", "none", "initiator_99", "17", "")
    put(
        landing,
        "2026-03-28",
        "rows.csv",
        csv_table(
            [
                tabular(noon + n, "Resource/Play", session="names", initiator=name)
                for n, name in enumerate(names)
            ]
        ),
    )
    return landing


def catalogued(item_id: str, kinds: str, **columns: Any) -> Record:
    """A flow of the catalogue; `kinds` has a letter a step.

    U is a visual step, F an invisible one, O one that passes ownership; `!` makes the one before it
    a terminal step.
    """
    steps: list[Record] = []
    for letter in kinds:
        if letter == "!":
            steps[-1]["is_terminal"] = True
            continue
        number = len(steps) + 1
        steps.append(
            {
                "step_id": f"{item_id}-{number}",
                "position": number,
                "name": f"Step {number} of {item_id}",
                "kind": "ui" if letter == "U" else "flow",
                "step_type": {"U": "balloon", "F": "AutoStep", "O": "PassOwnership"}[letter],
                "is_terminal": False,
            }
        )
    return {
        "system_id": SYSTEM,
        "item_id": item_id,
        "item_type": "Smart Walk-Thru",
        "name": f"The flow {item_id}",
        "parent_item_id": None,
        "publish_status": "published",
        "run_as_automation_process": False,
        "has_autoplay_rule": False,
        "connects_to": [],
        "steps": steps,
        "pass_mark": None,
    } | columns


def catalogue(landing: Path) -> Path:
    """A catalogue with played, unplayed and renamed items, and events of items that it lacks."""
    noon = at("2026-04-02T12:00:00")
    items: list[Record] = [
        {
            "system_id": SYSTEM,
            "item_id": "c-4711",
            "item_type": "Smart Walk-Thru",
            "name": "Book a trip (latest)",
            "parent_item_id": None,
            "publish_status": "published",
            "run_as_automation_process": False,
            "has_autoplay_rule": True,
            "connects_to": [],
            "steps": [
                {
                    "step_id": "c-1",
                    "position": 1,
                    "name": "Amount",
                    "kind": "ui",
                    "step_type": "balloon",
                    "is_terminal": False,
                },
                {
                    "step_id": "c-2",
                    "position": 2,
                    "name": "Done",
                    "kind": "flow",
                    "step_type": "Split",
                    "is_terminal": True,
                },
            ],
            "pass_mark": None,
        },
        {
            "system_id": SYSTEM,
            "item_id": "c-quiz",
            "item_type": "quiz",
            "name": "Unplayed quiz",
            "parent_item_id": "c-course",
            "publish_status": "draft",
            "run_as_automation_process": None,
            "has_autoplay_rule": None,
            "connects_to": [],
            "steps": [],
            "pass_mark": 80,
        },
    ]
    auto: Record = {"run_as_automation_process": True, "has_autoplay_rule": True}
    items += [
        catalogued("f-visual", "UFUUU!"),
        catalogued("f-other", "UU"),
        catalogued("f-auto", "FF", **auto, connects_to=["f-auto-too"]),
        # One for each rule on what is published; drafts and classic Walk-Thrus do not count.
        catalogued("f-auto-too", "F", **auto, connects_to=["f-auto", "f-elsewhere"]),
        catalogued("f-no-step", ""),
        catalogued("f-no-ui", "FF!"),
        catalogued("f-draft", "F", publish_status="draft"),
        catalogued("w-1", "F", item_type="Walk-Thru"),
        catalogued("f-auto-draft", "U", run_as_automation_process=True, publish_status="draft"),
        catalogued("f-auto-ui", "FU", **auto, publish_status=None),
        catalogued("f-auto-no-rule", "F", run_as_automation_process=True),
        catalogued("f-auto-owner", "FO", **auto),
        catalogued("f-auto-leads", "F", **auto, connects_to=["f-auto-leads-too"]),
        catalogued("f-auto-leads-too", "F", **auto, connects_to=["f-auto-leads", "f-other"]),
    ]
    items += [
        catalogued("f-two-types", "F", **auto, connects_to=["f-both"]),
        catalogued("f-both", "F", **auto),
        catalogued("f-both", "U", item_type="Walk-Thru"),
        catalogued("f-auto-classic", "F", **auto, connects_to=["w-2"]),
        catalogued("w-2", "U", item_type="Walk-Thru"),
        {
            "system_id": SYSTEM,
            "item_id": "sv-nps",
            "item_type": "Survey",
            "name": "Mixed, as listed",
            "questions": [
                {"question_id": "nps-listed", "name": "As listed", "kind": "nps"},
                {"question_id": "nps-choice", "name": "A choice", "kind": "choice"},
                {"question_id": "nps-team", "name": "Not said", "kind": None},
                {"question_id": None, "name": "No id", "kind": "text"},
            ],
        },
        {
            "system_id": SYSTEM,
            "item_id": "sv-nps",
            "item_type": "launcher",
            "name": "A launcher of the same id",
        },
    ]
    path = landing / "content" / "items.ndjson"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(ndjson(items))
    play = {"data__pId": f"{noon}-c-4711-x", "data__oId": "c-4711", "data__pInit": {"type": 1}}
    put(
        landing,
        "2026-04-02",
        "player.ndjson",
        [
            player(noon, "bizFlow/play", session="catalogue", data__oName="Old", **play),
            player(
                noon + 1000,
                "bizFlowStep/play",
                session="catalogue",
                data__pId=play["data__pId"],
                data__oId="c-2",
                data__oName="Step as played",
                data__owId="c-4711",
                data__owType="bizFlow",
            ),
            player(
                noon + 2000,
                "bizFlow/play",
                session="catalogue",
                data__oId="c-4711",
                data__oName="The same id in another system",
                wm__uId=OTHER_SYSTEM,
            ),
            player(noon + 3000, "launcher/click", session="catalogue", data__oId="c-l"),
        ],
    )
    return landing


def renamed_items(landing: Path) -> Path:
    """Items whose name and parent change: the latest counts, by time and not by arrival."""

    def event(day: str, name: str | None) -> Record:
        return player(
            at(f"{day}T12:00:00"),
            "launcher/click",
            session=f"renamed-{day}",
            data__oId="renamed",
            data__oName=name,
            data__owId=f"parent-{day}",
            data__owName="Parent",
            data__owType="engagedElement",
        )

    put(landing, "2026-04-03", "a.ndjson", [event("2026-04-03", "new"), event("2026-04-01", "old")])
    put(landing, "2026-04-04", "a.ndjson", [event("2026-04-02", "older"), event("2026-04-04", "")])
    return landing


def unknown_keys(landing: Path) -> Path:
    """Keys never seen before in every form, known ones that lead nowhere, and null ones."""
    day = "2026-03-29"
    noon = at("2026-03-29T12:00:00")
    known = player(
        noon,
        "player/open",
        session="keys",
        data__aoId=1,
        data__oType=0,
        data__total=51,
        data__status=6,
        data__pInit={"type": 1, "appType": 2, "objectId": 3},
        data__value={"free": {"form": 1}},
        wm__cseuId="c",
        wm__permId=-1,
        wm__platform=1,
        visions__sId="keys",
        version__lib="l",
        version__pe="p",
        ctx__location={"protocol": "https:", "port": "1"},
        ctx__referrer="r",
        env__screen={"height": 1, "width": 2},
    )
    new = player(
        noon + 1,
        "player/open",
        session="keys",
        data__novel=1,
        wm__userVars={"tier": "gold", "name": "n"},
        env__device={"model": {"maker": "x"}, "year": 2026},
        shiny=[1, 2],
        nothing=None,
    )
    ignored = player(noon + 2, "launcher/draw", session="keys", shiny=1)
    quarantined = player("soon", "player/open", session="keys", shiny=1)
    put(
        landing,
        day,
        "player.ndjson",
        [known, new, new, ignored, quarantined, {"_static": True, "shiny": 0}],
    )
    put(
        landing,
        day,
        "flat.ndjson",
        [flat(noon + 3, session="keys", type="open", data__type="player", wm__tier=1, extra="x")],
    )
    row = tabular(noon + 4, "Menu/Open", session="keys", event_id="1", extra="x", other="")
    put(landing, day, "rows.csv", csv_table([row, row]))
    return landing


def broken_rules(landing: Path) -> Path:
    """Events that break the rules of the event definitions, beside near-misses that do not."""
    ten = at("2026-03-31T10:00:00")
    hour = 60 * 60 * 1000

    def event(pair: str, minutes: float, session: str, item: str | None = None) -> Record:
        time = ten + int(minutes * 60_000)
        user = f"u-{session.split('-')[0]}"
        return player(time, pair, session=f"rules-{session}", user=user, data__oId=item)

    put(
        landing,
        "2026-03-31",
        "player.ndjson",
        [
            event("launcher/play", 0, "good", "l1"),
            event("launcher/play", 1, "good", "l2"),
            event("launcher/play", 0, "bad", "l1"),
            event("launcher/play", 1, "bad", "l1"),
            event("launcher/play", 2, "bad", "l1"),
            event("smartTip/play", 0, "good", "s1"),
            event("smartTip/play", 0, "bad", "s1"),
            event("smartTip/play", 1, "bad", "s1"),
            event("smartTip/click", 2, "good", "s1"),
            event("smartTip/visible", 3, "good", "s1"),
            event("smartTip/visible", 2, "bad", "s2"),
            event("smartTip/click", 3, "bad", "s1"),
            event("teachMe/visible", 0, "good-a"),
            event("teachMe/visible", 24 * 60, "good-b"),
            event("teachMe/visible", 0, "bad-a"),
            event("teachMe/visible", 24 * 60 - 0.001, "bad-b"),
            event("quiz/submitted", 5, "good", "q1"),
            event("quiz/passed", 5, "good", "q1"),
            event("quiz/submitted", 6, "good", "q1"),
            event("quiz/failed", 7, "good", "q1"),
            event("quiz/passed", 5, "bad", "q1"),
            event("quiz/submitted", 6, "bad", "q1"),
            event("quiz/passed", 7, "bad", "q1"),
            event("quiz/failed", 8, "bad", "q1"),
        ],
    )
    late = player(ten + 48 * hour, "teachMe/visible", session="rules-good-c", user="u-good")
    put(landing, "2026-04-02", "rules.ndjson", [late])
    return landing


# ---------- families of items

# These themes share a dump, because a run takes its time over each.
FAMILIES_DUMP = "2026-04-12"


def timeline(
    start: str, session: str, moments: Iterable[tuple[float, str, Record]], *, user: str = "u-1"
) -> list[Record]:
    """Player events of one session: (seconds after `start`, pair, further paths) each.

    The paths `id`, `name`, `owner` and `owner_name` stand for those of the item and its parent.
    """
    short = {"id": "oId", "name": "oName", "owner": "owId", "owner_name": "owName"}
    return [
        player(
            at(start) + round(1000 * after),
            pair,
            session=session,
            user=user,
            **{f"data__{short[k]}" if k in short else k: value for k, value in paths.items()},
        )
        for after, pair, paths in moments
    ]


def _flow(
    play: str | None, flow: str | None, *, starts: int | None = None, after: float = 0, **steps: Any
) -> list[tuple[float, str, Record]]:
    """A play of a Smart Walk-Thru: its Play, and `step=seconds` for each step, `step__2` again."""
    of_play: Record = {"data__pId": play} if play else {}
    begun = {"id": flow, "name": flow and f"Flow {flow}", "data__pInit": {"type": starts}}
    owned = {"owner": flow, "owner_name": flow and f"Flow {flow}", "data__owType": "bizFlow"}
    return [(after, "bizFlow/play", begun | of_play)] + [
        (
            seconds,
            "bizFlowStep/play",
            owned | of_play | {"id": f"{flow}-{step.split('_')[1]}", "name": step.split("__")[0]},
        )
        for step, seconds in steps.items()
    ]


def flows(landing: Path) -> Path:
    """Plays of flows that are hard to tell apart or to judge; see the comments."""
    day, night = "2026-04-05", "2026-04-05T23:50:00"
    visual, other, automation = "f-visual", "f-other", "f-auto"
    auto = 6
    records = [
        # Begins at its fourth step, and completes with the fifth.
        *timeline(
            f"{day}T08:00:00", "flows-start", _flow("p1", visual, starts=1, step_4=1, step_5=9)
        ),
        # Restarted after its second step: another play, which repeats a step.
        *timeline(
            f"{day}T08:10:00",
            "flows-restart",
            _flow("p2", visual, starts=1, step_1=1, step_2=5)
            + _flow("p3", visual, starts=17, after=8, step_1=9, step_2=12, step_1__2=20, step_3=31),
        ),
        # An automation process and a visual flow take turns; another one fails beside them.
        *timeline(
            f"{day}T08:20:00",
            "flows-beside",
            _flow("p4", visual, starts=1, step_1=1, step_2=6, step_3=12)
            + _flow("p5", automation, starts=auto, after=4, step_1=5, step_2=9)
            + _flow("p6", automation, starts=auto, after=20, step_1=21)
            + [(7, "bizFlow/playFailed", {"id": automation, "data__pId": "p7"})],
        ),
        # A launcher stops both flows that run, but not what goes on in another session.
        *timeline(
            f"{day}T08:30:00",
            "flows-launcher",
            _flow("p8", visual, starts=1, step_1=1, step_2=8)
            + _flow("p9", automation, starts=auto, after=2, step_1=3)
            + _flow("p10", other, starts=3, after=10, step_1=11)
            + _flow("p11", other, starts=3, after=30, step_2=31),
        ),
        *timeline(f"{day}T08:30:00", "flows-apart", _flow("p12", visual, step_1=5, step_2=20)),
        # One goes on in spite of the launcher; two visual flows overlap; one by a menu.
        *timeline(
            f"{day}T08:40:00",
            "flows-goes-on",
            _flow("p13", visual, starts=1, step_1=1, step_2=15)
            + _flow("p14", other, starts=3, after=10, step_1=11)
            + _flow("p15", automation, starts=1, after=40, step_1=41),
        ),
        # Left before midnight, resumed after it in the same session, and in the next.
        *timeline(night, "flows-night", _flow("p16", visual, starts=1, step_1=60, step_2=1500)),
        *timeline(
            "2026-04-06T08:00:00",
            "flows-morning",
            _flow("p16", visual, step_5=2)[1:] + _flow("p17", other, starts=3, after=9, step_1=10),
            user="u-morning",
        ),
        # Failed with nothing played, failed with a step, in the future by its id.
        *timeline(
            f"{day}T09:00:00",
            "flows-failed",
            [
                (0, "bizFlow/play", {"id": visual, "data__pId": "p18"}),
                (1, "bizFlow/playFailed", {"id": visual, "data__pId": "p18"}),
                (9, "wt/playFailed", {"id": "w-1", "data__pId": "p19"}),
                (10, "step/play", {"id": "w-1-1", "owner": "w-1", "data__pId": "p19"}),
                (20, "wt/play", {"id": "w-1", "data__pId": f"{at('2026-04-05T09:00:20')}-w-1"}),
                (21, "step/play", {"id": "w-1-2", "data__pId": f"{at('2026-04-05T09:00:20')}-w-1"}),
                (30, "wt/play", {"id": "w-1", "data__pId": f"{at('2026-04-05T09:01:00')}-w-1"}),
                # A step of another flow than the one that was played.
                (31, "step/play", {"id": "w-9", "owner": "w-2", "data__pId": "p20"}),
            ],
        ),
        # Without play ids: a step before any Play, a refused start within a run, one just after
        # its Play, steps and flows that have names only.
        *timeline(
            f"{day}T09:10:00",
            "flows-runs",
            _flow(None, visual, step_2=1)[1:]
            + _flow(None, visual, starts=1, after=2, step_1=3, step_3=7)
            + [(5, "bizFlow/playFailed", {"id": visual})]
            + _flow(None, visual, starts=1, after=10)
            + [
                (11, "bizFlow/playFailed", {"id": visual}),
                (12, "bizFlow/playFailed", {"id": visual}),
            ]
            + _flow(None, None, after=20)
            + [
                (21, "bizFlowStep/play", {"name": "First"}),
                (22, "bizFlowStep/play", {"name": "Second"}),
                (23, "bizFlowStep/play", {"name": "First"}),
                (24, "bizFlowStep/play", {"name": "First", "owner_name": "Named flow"}),
            ],
        ),
    ]
    put(landing, FAMILIES_DUMP, "flows.ndjson", records)
    return landing


def items_of_sessions(landing: Path) -> Path:
    """Tasks, ShoutOuts, launchers, SmartTips and TeachMe, with and without ids and names."""
    day = "2026-04-07"
    moments: dict[str, list[tuple[float, str, Record]]] = {
        "tasks": [
            (0, "task/complete", {"id": "t-1", "name": "Never clicked"}),
            (1, "task/play", {"id": "t-2"}),
            (2, "task/complete", {"id": "t-2"}),
            (3, "task/complete", {"id": "t-3"}),
            (4, "task/play", {"id": "t-3"}),
            (5, "task/play", {"id": "t-4"}),
            (6, "task/complete", {}),
        ],
        "shoutouts": [
            (0, "shoutout/play", {"id": "so-1", "name": "News"}),
            (9, "action/close", {"id": "a-1", "owner": "so-1", "owner_name": "News"}),
            (10, "shoutout/play", {"id": "so-2"}),
            (11, "action/click", {"id": "a-2", "owner": "so-2"}),
            (12, "shoutout/close", {"id": "so-2"}),
            (13, "shoutout/play", {"id": "so-3"}),
            (14, "shoutout/close", {"id": "so-3"}),
            (15, "shoutout/play", {"id": "so-4"}),
            (16, "uiAction/click", {"id": "a-5"}),
            (17, "shoutout/click", {"id": "so-5"}),
            (18, "shoutout/play", {"id": "so-5"}),
            (19, "shoutout/close", {"name": "By name"}),
            (20, "shoutout/play", {"name": "By name"}),
            (21, "action/close", {"owner_name": "By name"}),
        ],
        "launchers": [
            (0, "launcher/play", {"id": "l-1"}),
            (1, "launcher/click", {"id": "l-1"}),
            (2, "launcher/click", {"id": "l-1"}),
            (3, "launcher/click", {"id": "l-2"}),
            (4, "launcher/play", {"name": "One by name"}),
            (5, "launcher/play", {"name": "Another by name"}),
            (6, "launcher/play", {"name": "One by name"}),
            (7, "launcher/click", {"name": "Another by name"}),
            (8, "launcher/click", {"name": "A third by name"}),
            (9, "launcher/play", {}),
            (10, "launcher/play", {}),
        ],
        "smarttips": [
            (0, "smartTip/play", {"id": "st-1"}),
            (1, "smartTip/failed", {"id": "st-1"}),
            (2, "smartTip/failed", {"id": "st-1"}),
            (3, "smartTip/passed", {"id": "st-1"}),
            (4, "smartTip/passed", {"id": "st-2"}),
            (4, "smartTip/failed", {"id": "st-2"}),
            (5, "smartTip/click", {"id": "st-2"}),
            (6, "smartTip/visible", {"id": "st-2"}),
            (7, "smartTip/click", {"name": "By name"}),
        ],
        "teachme": [
            (0, "teachMe/visible", {}),
            (1, "teachMe/open", {}),
            (2, "teachMe/teachMeStepStarted", {"id": "lesson-1"}),
            (3, "teachMe/teachMeStepStarted", {"id": "lesson-1"}),
            (4, "teachMe/teachMeStepStarted", {"name": "lesson without id"}),
        ],
        "clicks": [
            (0, "openTicket/play", {"id": "desk"}),
            (1, "liveChat/click", {}),
            (2, "resource/play", {"id": "r-1", "data__pInit": {"type": 1, "objectId": 7}}),
            (3, "resource/play", {"id": "r-1", "data__pInit": {"type": 11}}),
            (4, "shuttle/play", {"id": "r-2", "data__pId": "p"}),
            (5, "player/open", {"data__pInit": {"type": 2}}),
        ],
    }
    records = [
        record
        for family, own in moments.items()
        for record in timeline(f"{day}T08:00:00", f"items-{family}", own, user=f"u-{family}")
    ]
    put(landing, FAMILIES_DUMP, "items.ndjson", records)
    return landing


def surveys(landing: Path) -> Path:
    """Surveys submitted twice, closed, ignored, over midnight; answers that are scores or not."""
    day = "2026-04-08"

    def answer(value: Any, question: str = "q-nps", **paths: Any) -> Record:
        return {"id": question, "name": "How likely?", "data__value": value, **paths}

    play = {"id": "sv", "name": "Survey", "data__pId": "sp1", "data__pInit": {"type": 6}}
    owned = {"owner": "sv", "owner_name": "Survey", "data__pId": "sp1"}
    texts = ['"7"', " 8 ", "11", "very likely", "7.0", "-1", "07", "", "0"]
    records = [
        *timeline(
            f"{day}T08:00:00",
            "surveys-twice",
            [
                (0, "survey/play", play),
                (5, "question/submitted", answer(10, **owned)),
                (6, "question/submitted", answer("fine", "q-text", **owned)),
                (7, "survey/submitted", play),
                (8, "survey/close", play),
                # Whose question it is follows from its play only.
                (20, "question/submitted", answer(3, data__pId="sp1")),
                (21, "survey/submitted", play),
            ],
        ),
        *timeline(
            f"{day}T09:00:00",
            "surveys-answers",
            [
                (i, "question/submitted", answer(value, f"q-{i}", owner="sv-answers"))
                for i, value in enumerate(texts)
            ],
        ),
        *timeline(
            f"{day}T10:00:00",
            "surveys-others",
            [
                (0, "survey/play", {"id": "sv-closed"}),
                (1, "survey/close", {"id": "sv-closed"}),
                (2, "survey/play", {"id": "sv-ignored"}),
                (3, "survey/submitted", {"id": "sv-early"}),
                (4, "survey/play", {"id": "sv-early"}),
                (5, "survey/submitted", {"name": "By name"}),
                (6, "question/submitted", answer(5)),
                (7, "question/submitted", {"data__value": 9, "name": "No id", "owner": "sv-early"}),
            ],
        ),
        *timeline(
            f"{day}T23:59:00",
            "surveys-midnight",
            [
                (0, "survey/play", {"id": "sv-late", "name": "Late"}),
                (90, "question/submitted", answer(9, owner="sv-late", owner_name="Late")),
                (99, "survey/submitted", {"id": "sv-late", "name": "Late"}),
            ],
        ),
    ]
    put(landing, FAMILIES_DUMP, "surveys.ndjson", records)
    return landing


def nps_questions(landing: Path) -> Path:
    """Questions that are NPS questions by their answers, and those that look like it and are not.

    With `catalogue` beside them, some by its word.
    """
    day = "2026-04-14"

    def answer(question: str, value: Any, **paths: Any) -> tuple[float, str, Record]:
        own = {"id": question, "name": f"Question {question}", "data__value": value}
        return 0, "question/submitted", own | {"owner": "sv-nps", "owner_name": "Mixed"} | paths

    answers = {
        # A size beside a recommendation, and recommendations that nobody gave more than 5.
        "nps-a": [
            answer("nps-recommend", 10),
            answer("nps-team", 5),
            answer("nps-low", 4),
            answer("nps-words", 9),
            answer("nps-eleven", 10),
            answer("nps-listed", "no idea"),
            answer("nps-listed", 9),
            answer("nps-choice", 9),
            # The same id in another system, and as the name of a question without an id.
            answer("nps-words", 9, wm__uId=OTHER_SYSTEM),
            (0, "question/submitted", {"name": "nps-words", "data__value": 8}),
            (0, "question/submitted", {"data__value": 7}),
        ],
        "nps-b": [
            answer("nps-recommend", 0),
            answer("nps-recommend", None),
            answer("nps-team", 4),
        ],
    }
    records = [
        record
        for session, own in answers.items()
        for record in timeline(f"{day}T08:00:00", session, own, user=f"u-{session}")
    ]
    put(landing, day, "nps.ndjson", records)
    # Later answers of another environment, session and dump say what the question is on all days.
    later = [
        answer("nps-words", "very likely", wm__env=1),
        answer("nps-eleven", 11),
        answer("nps-recommend", 3),
    ]
    put(
        landing,
        "2026-04-15",
        "nps.ndjson",
        [*timeline("2026-04-15T09:00:00", "nps-c", later, user="u-nps-c")],
    )
    return landing


def types_and_ids(landing: Path) -> Path:
    """One id under several types, in several systems and as a name; no id, and neither."""
    day = "2026-04-16"
    same = {"id": "77", "name": "Of 77"}
    moments: list[tuple[float, str, Record]] = [
        (0, "launcher/play", same),
        (1, "smartTip/play", same),
        (2, "task/complete", same),
        (3, "launcher/play", same | {"wm__uId": OTHER_SYSTEM}),
        (4, "launcher/play", {"name": "77"}),
        (5, "launcher/click", {"name": "77"}),
        (6, "launcher/play", {}),
        (7, "player/open", {}),
        (8, "player/open", {}),
        # A ShoutOut and a survey of one id, each with a part; a part whose parent is known by name.
        (10, "shoutout/play", {"id": "78", "name": "News"}),
        (11, "survey/play", {"id": "78", "name": "Poll"}),
        (12, "action/click", {"id": "79", "owner": "78", "owner_name": "News"}),
        (13, "shoutout/play", {"name": "By name"}),
        (14, "action/click", {"id": "80", "owner_name": "By name"}),
        (15, "shoutout/play", {}),
        (16, "question/submitted", {"id": "79", "owner": "78", "data__value": "text"}),
        # A survey without an id: its question names it, and another survey has no id either.
        (20, "survey/play", {"name": "Poll"}),
        (21, "question/submitted", {"id": "81", "owner_name": "Poll", "data__value": "text"}),
        (22, "survey/submitted", {"name": "Poll"}),
        (23, "survey/close", {"name": "Another poll"}),
        # A flow and a classic one of one id, with steps of one id, and two without.
        (30, "bizFlow/play", {"id": "82", "name": "Smart", "data__pId": "types-1"}),
        (
            31,
            "bizFlowStep/play",
            {"id": "83", "owner": "82", "data__owType": "bizFlow", "data__pId": "types-1"},
        ),
        (32, "wt/play", {"id": "82", "name": "Classic", "data__pId": "types-2"}),
        (
            33,
            "step/play",
            {"id": "83", "owner": "82", "data__owType": "wt", "data__pId": "types-2"},
        ),
        (34, "wt/play", {"name": "One", "data__pId": "types-3"}),
        (35, "step/play", {"name": "83", "owner_name": "One", "data__pId": "types-3"}),
        (36, "wt/play", {"name": "Two", "data__pId": "types-4"}),
        (37, "step/play", {"name": "83", "owner_name": "One", "data__pId": "types-4"}),
        (40, "quiz/submitted", {"id": "84", "name": "Quiz"}),
        (41, "quiz/passed", {"name": "84"}),
        (50, "actionBotConversation/conversationStarted", {"id": "85"}),
        (51, "actionBotConversation/conversationEnded", {"name": "85"}),
    ]
    records = timeline(f"{day}T08:00:00", "types", moments, user="u-types")
    put(landing, day, "types.ndjson", list(records))
    return landing


def whole_seconds(landing: Path) -> Path:
    """Events of one second, delivered backwards: by event, by row, by file and by dump."""
    day = "2026-04-17"

    def second(session: str, *pairs: tuple[str, Record]) -> list[Record]:
        own = [(0.0, pair, paths) for pair, paths in pairs]
        return list(timeline(f"{day}T08:00:00", f"seconds-{session}", own, user=f"u-{session}"))

    flow = {"data__pId": "seconds-1"}
    step = flow | {"owner": "90", "data__owType": "bizFlow"}
    other = {"data__pId": "seconds-2", "owner": "91", "data__owType": "bizFlow"}
    put(
        landing,
        day,
        "B.ndjson",
        [
            *second(
                "flow",
                ("bizFlowStep/play", step | {"id": "90-2", "name": "Zwei"}),
                ("bizFlowStep/play", other | {"id": "91-1"}),
                ("bizFlowStep/play", step | {"id": "90-1"}),
                ("bizFlow/play", flow | {"id": "90", "name": "First name"}),
            ),
            *second(
                "quiz",
                ("quiz/passed", {"id": "92"}),
                ("quizQuestion/submitted", {"id": "93", "owner": "92"}),
                ("quiz/submitted", {"id": "92"}),
                ("quiz/play", {"id": "92"}),
            ),
            *second(
                "chat",
                ("actionBot/chatClosed", {"id": "94"}),
                ("actionBotNode/conversationNodeServed", {"owner": "95"}),
                ("actionBotConversation/conversationEnded", {"id": "95"}),
                ("actionBotConversation/conversationStarted", {"id": "95"}),
                ("actionBot/chatOpened", {"id": "94"}),
            ),
            *second(
                "search",
                ("widgetSearch/click", {"name": "Result"}),
                ("widgetSearch/search", {"data__value": "exp"}),
                ("widgetSearch/search", {"data__value": "expense"}),
                ("widgetSearch/search", {"data__value": "trip"}),
            ),
            *second(
                "tip",
                ("smartTip/passed", {"id": "96"}),
                ("smartTip/failed", {"id": "96"}),
            ),
        ],
    )
    # Paths are in byte order, B before a; positions are numbers, 10 after 9.
    users = [
        player(at(f"{day}T08:00:00"), "player/open", session="seconds-users", user=f"u-{number}")
        for number in range(12)
    ]
    put(landing, day, "a.ndjson", users[1:])
    put(landing, day, "é.ndjson", users[:1])
    late = second(
        "flow",
        ("bizFlowStep/play", step | {"id": "90-1", "name": "Late", "data__value": "late"}),
        ("bizFlowStep/play", step | {"id": "90-3"}),
    )
    scores = [
        ("question/submitted", {"id": "97", "owner": "98", "data__value": value})
        for value in (9, 2)
    ]
    put(landing, "2026-04-18", "A.ndjson", [*late, *second("scores", *scores)])
    return landing


def searches(landing: Path) -> Path:
    """Searches typed in steps, paused, repeated, clicked or not; terms by value or by name."""

    def search(after: float, term: Any, **paths: Any) -> tuple[float, str, Record]:
        return after, "widgetSearch/search", {"data__value": term, **paths}

    def click(after: float, item: str | None) -> tuple[float, str, Record]:
        return after, "widgetSearch/click", {"id": item, "name": item and f"Result {item}"}

    sessions = {
        "typed": [search(0, "ho"), search(3, "how"), search(7, "how to"), search(12, "invoice")],
        "clicked": [
            click(0, "before any search"),
            search(1, "Trip"),
            search(5, "trip b"),
            click(8, "r-1"),
            search(11, "TRIP"),
            click(14, "r-2"),
            search(30, "else"),
            click(40, None),
        ],
        # At most 30 s apart is the same intent; less than 2 s is not debounced.
        "paused": [
            search(0, "a"),
            search(30, "ab"),
            search(60.001, "abc"),
            search(62, "abc"),
            search(62.5, "abcd"),
        ],
        "odd": [
            search(0, None, name="by name"),
            search(4, " by name "),
            search(8, None),
            search(12, "  "),
            search(16, 2026),
            click(16, "at the same time"),
        ],
    }
    records = [
        record
        for name, moments in sessions.items()
        for record in timeline("2026-04-10T08:00:00", f"searches-{name}", moments, user=f"u-{name}")
    ]
    put(landing, FAMILIES_DUMP, "searches.ndjson", records)
    return landing


def actionbot(landing: Path) -> Path:
    """Chats closed, never closed, reopened, not opened; conversations begun, ended, neither."""

    def bot(after: float, verb: str) -> tuple[float, str, Record]:
        return after, f"actionBot/{verb}", {"id": "bot", "name": "Bot"}

    def talk(after: float, verb: str, item: str | None = "talk") -> tuple[float, str, Record]:
        owned = {"owner": "bot", "owner_name": "Bot"}
        return after, f"actionBotConversation/{verb}", {"id": item, "name": "Talk", **owned}

    def node(after: float, verb: str, parent: str | None = "talk") -> tuple[float, str, Record]:
        return after, f"actionBotNode/{verb}", {"id": f"node-{parent}-{after}", "owner": parent}

    served, answered, triggered = (
        "conversationNodeServed",
        "conversationQuestionAnswered",
        "conversationActionTriggered",
    )
    sessions = {
        "closed": [
            node(0, served),
            bot(1, "chatOpened"),
            bot(2, "endUserEngaged"),
            bot(3, "conversationSearch"),
            talk(4, "conversationStarted"),
            node(5, served),
            node(6, answered),
            node(7, triggered),
            talk(8, "conversationEnded"),
            node(9, served),
            bot(10, "chatClosed"),
            node(11, served),
            bot(12, "chatClosed"),
            bot(13, "endUserEngaged"),
        ],
        "open": [
            bot(0, "chatOpened"),
            talk(1, "conversationStarted"),
            talk(5, "conversationStarted"),
            talk(6, "conversationStarted", "other"),
            node(7, served, "other"),
            bot(9, "chatOpened"),
            node(10, served),
            node(11, served, None),
            talk(12, "conversationEnded", "never started"),
            talk(13, "conversationEnded"),
            talk(14, "conversationEnded"),
            talk(15, "conversationStarted", None),
            (40, "player/open", {}),
        ],
        "outside": [node(0, served), node(5, triggered), talk(6, "conversationEnded")],
        "at-once": [talk(0, "conversationStarted"), bot(0, "chatOpened"), bot(0, "chatClosed")],
    }
    records = [
        record
        for name, moments in sessions.items()
        for record in timeline("2026-04-11T08:00:00", f"bot-{name}", moments, user=f"u-{name}")
    ]
    put(landing, FAMILIES_DUMP, "actionbot.ndjson", records)
    return landing


def quizzes(landing: Path) -> Path:
    """Quizzes submitted twice with one outcome each, with both, with none; not started; unnamed."""

    def quiz(after: float, verb: str, item: str = "quiz-1") -> tuple[float, str, Record]:
        return after, f"quiz/{verb}", {"id": item, "name": f"Quiz {item}"}

    def question(after: float, parent: str | None = "quiz-1") -> tuple[float, str, Record]:
        return after, "quizQuestion/submitted", {"id": f"question-{after}", "owner": parent}

    sessions = {
        "twice": [
            question(0),
            quiz(1, "play"),
            question(2),
            question(3),
            quiz(4, "submitted"),
            quiz(5, "failed"),
            quiz(6, "submitted"),
            quiz(6, "passed"),
            quiz(7, "play", "quiz-2"),
        ],
        "both": [
            quiz(0, "play"),
            quiz(1, "submitted"),
            quiz(2, "passed"),
            quiz(3, "failed"),
            quiz(4, "play"),
            quiz(5, "play"),
            quiz(6, "submitted"),
        ],
        "odd": [
            quiz(0, "passed"),
            quiz(1, "submitted"),
            quiz(2, "play"),
            quiz(3, "passed"),
            question(4, None),
            (5, "quiz/submitted", {"name": "By name"}),
            (6, "quiz/failed", {"name": "By name"}),
            (7, "quizQuestion/submitted", {"owner_name": "By name"}),
        ],
    }
    records = [
        record
        for name, moments in sessions.items()
        for record in timeline("2026-04-12T08:00:00", f"quiz-{name}", moments, user=f"u-{name}")
    ]
    put(landing, FAMILIES_DUMP, "quizzes.ndjson", records)
    return landing


def clock_changes(landing: Path) -> Path:
    """Sessions before, over and after each midnight in Berlin of the days that clocks change.

    On 2026-03-29 the day has 23 hours, on 2026-10-25 it has 25.
    """
    pairs = [f"{item}/{verb}" for item, verbs in RAW_PAIRS.items() for verb in verbs]
    owners = {
        "bizFlowStep": "bizFlow",
        "step": "wt",
        "action": "shoutout",
        "uiAction": "shoutout",
        "question": "survey",
        "actionBotConversation": "actionBot",
        "actionBotNode": "actionBotConversation",
        "quizQuestion": "quiz",
    }
    items = {"bizFlow": "f-auto", "bizFlowStep": "f-auto-1"}
    for midnight in (
        "2026-03-28T23:00:00",
        "2026-03-29T22:00:00",
        "2026-10-24T22:00:00",
        "2026-10-25T23:00:00",
    ):
        records = []
        for name, first in (("before", -len(pairs)), ("over", -len(pairs) / 2), ("after", 0)):
            moments = [
                (
                    first + number,
                    pair,
                    {
                        "id": items.get(item, f"clock-{item}"),
                        "name": f"The {item}",
                        "owner": (owner := owners.get(item)) and items.get(owner, f"clock-{owner}"),
                        "data__value": 9 if item == "question" else None,
                    },
                )
                for number, pair in enumerate(pairs)
                for item in (pair.split("/")[0],)
            ]
            records += timeline(midnight, f"clock-{midnight}-{name}", moments, user=f"u-{name}")
        dump = FAMILIES_DUMP if midnight < FAMILIES_DUMP else "2026-10-25"
        put(landing, dump, f"clock-{midnight[:10]}.ndjson", records)
    return landing


MANY_THEMES: tuple[Callable[[Path], Path], ...] = (
    three_forms,
    all_compressions,
    many_files,
    manifest_that_matches,
    names_from_folders,
    damaged_gzip,
    wrong_extensions,
    one_huge_line,
    odd_bytes,
    broken_csv,
    all_quarantine_reasons,
    control_and_ignored,
    time_limits,
    duplicates_within_a_file,
    duplicates_across_files,
    duplicates_across_dumps,
    identities,
    late_events,
    long_sessions,
    log_in_within_a_session,
    every_pair,
    environments,
    initiators,
    renamed_items,
    unknown_keys,
    broken_rules,
    flows,
    items_of_sessions,
    surveys,
    nps_questions,
    types_and_ids,
    whole_seconds,
    searches,
    actionbot,
    quizzes,
    clock_changes,
)

REFUSED_MANIFESTS: dict[str, Callable[[Path], Path]] = {
    "2026-03-05": manifest_with_a_missing_file,
    "2026-03-06": manifest_with_an_extra_file,
    "2026-03-07": manifest_with_a_wrong_hash,
    "2026-03-08": manifest_with_a_wrong_count,
}


def many_themes(landing: Path) -> Path:
    """All themes that load, in one landing; without a catalogue."""
    for theme in MANY_THEMES:
        theme(landing)
    return landing
