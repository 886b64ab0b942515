"""Where a line ends: quarantined, ignored, control, or a duplicate."""

import json
from pathlib import Path
from typing import Any

from tests.whole.landings.records import (
    IGNORED_VERBS,
    OTHER_SYSTEM,
    Record,
    at,
    csv_table,
    ndjson,
    player,
    put,
    tabular,
)


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
        # Several reasons: the first in the order of getting-data-in.md.
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
