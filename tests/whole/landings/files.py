"""Files as they should be: forms, compressions, manifests, folders."""

import datetime as dt
import gzip
from collections.abc import Iterable
from pathlib import Path

import pyarrow
import pyarrow.parquet
import zstandard

from tests.whole.landings.records import (
    SYSTEM,
    Record,
    at,
    csv_table,
    entry,
    flat,
    ndjson,
    parquet_table,
    player,
    put,
    put_manifest,
    tabular,
)


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
