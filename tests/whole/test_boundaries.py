"""Runs of a landing that is partly unreadable, or not there; the tests follow in order.

What `walkhouse status` says of dumps, and what the Dagster UI shows of them, is the same.
"""

from __future__ import annotations

import json
import os
import shutil
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.defs.partitions import dump_partitions
from tests.installation import Installation, said
from tests.whole import landings

pytestmark = pytest.mark.long

GOOD = ("2026-03-01", "2026-03-02", "2026-03-03", "2026-03-09")
BROKEN = ("2026-03-04", "2026-03-05", "2026-03-06", "2026-03-07")
LONG = "2026-03-10"
SHOWN_AS = {"loaded": "MATERIALIZED", "failed": "FAILED"}


@pytest.fixture(scope="module")
def walkhouse(installation_of_module: Installation) -> Installation:
    return installation_of_module


def events(day: str, count: int = 3) -> bytes:
    start = landings.at(f"{day}T09:00:00Z")
    return landings.ndjson(
        landings.player(start + number, "player/open", session=f"{day} {number}")
        for number in range(count)
    )


def days(walkhouse: Installation) -> list[str]:
    found = walkhouse.ask("select distinct dump_date::varchar from meta.dump_ledger order by all")
    return [day for (day,) in found]


def dumps(walkhouse: Installation) -> dict[str, str]:
    """What the status says of each."""
    status = walkhouse.walkhouse("status", "--json")
    assert status.returncode == 0, said(status)
    return dict(json.loads(status.stdout)["dumps"])


def in_the_ui(walkhouse: Installation) -> dict[str, str]:
    """The partitions of dumps that the UI shows, and as what."""
    partitions = dump_partitions([date.fromisoformat(GOOD[0])])
    with dg.DagsterInstance.from_config(str(walkhouse.home / "dagster")) as instance:
        found = instance.get_status_by_partition(
            dg.AssetKey(["raw", "lines"]), partitions.get_partition_keys(), partitions
        )
    return {day: status.value for day, status in (found or {}).items() if status}


def flipped_parquet(day: str) -> bytes:
    """A Parquet file with an intact footer and one bit that is wrong."""
    rows = [
        landings.tabular(landings.at(f"{day}T09:00:00Z") + n, "Menu/Open", session=f"session {n}")
        for n in range(200)
    ]
    content = bytearray(landings.parquet_table({name: [r[name] for r in rows] for name in rows[0]}))
    content[4] ^= 1
    return bytes(content)


def test_one_odd_file_of_each_kind_keeps_no_good_dump_back(walkhouse: Installation) -> None:
    landing = walkhouse.landing
    for day in GOOD:
        landings.put(landing, day, "a.ndjson", events(day))
    (landing / "content").mkdir()
    (landing / "content" / "items.ndjson").write_bytes(
        b'{"item_id": "1", "name": "half \\ud83d", "steps": [{"position": 1}]}\n'
        b'{"item_id": "2", "steps": [{"position": 1e999}]}\n'
    )
    landings.put(landing, "2026-03-04", "a.parquet", flipped_parquet("2026-03-04"))
    landings.put(landing, "2026-03-05", "a.zip", b"PK\x03\x04 and so on")
    landings.put(landing, "2026-03-05", "b.ndjson", events("2026-03-05"))
    landings.put(landing, "2026-03-06", "a.ndjson", events("2026-03-06"))
    (landing / "events" / "dt=2026-03-06" / "b.ndjson").symlink_to("nowhere")
    landings.put(landing, "2026-03-07", "_manifest.json", b'{"files": 3}')
    odd = os.fsencode(landing / "events" / "dt=2026-03-09") + b"/donn\xe9es.ndjson"
    Path(os.fsdecode(odd)).write_bytes(events("2026-03-09", 1).replace(b"2026-03-09 0", b"odd"))
    landings.put(landing, "2026-03-09", "_SUCCESS", b"")
    run = walkhouse.walkhouse("run")
    assert run.returncode == 1
    assert "Traceback" not in said(run)
    assert days(walkhouse) == list(GOOD)
    assert walkhouse.ask("select count(*) from facts.fct_item_events") == [(13,)]
    assert walkhouse.ask("select source_file from meta.dump_ledger where source_file > 'b'") == [
        (r"donn\xe9es.ndjson",)
    ]
    assert walkhouse.ask("select item_name from facts.dim_items where item_id = '1'") == [
        ("half \ufffd",)
    ]
    status = walkhouse.walkhouse("status")
    for name in (
        "dump 2026-03-04, a.parquet: ",
        "dump 2026-03-05, a.zip: it is a zip archive",
        "dump 2026-03-06, b.ndjson: a link to nowhere, which does not exist",
        "dump 2026-03-07, _manifest.json: not of the shape",
    ):
        assert "alert, dump_failed: 4 dumps could not be taken in" in said(run)
        assert said(run).count(name) >= 2  # in the alert, and at the end
        assert name in said(status)
    assert "items.ndjson, line 2: position: a number is expected, not" in said(run)
    for told in (run, status):
        assert "dt=2026-03-09/_SUCCESS: its name begins with _" in said(told)
    found = dumps(walkhouse)
    assert found == dict.fromkeys(GOOD, "loaded") | dict.fromkeys(BROKEN, "failed")
    assert in_the_ui(walkhouse) == {day: SHOWN_AS[status] for day, status in found.items()}


def test_what_was_withdrawn_or_broke_or_was_mended_is_said_and_a_long_line_weighs_what_it_holds(
    walkhouse: Installation,
) -> None:
    (release,) = walkhouse.ask("select release_id from meta.release")
    shutil.rmtree(walkhouse.landing / "events" / f"dt={GOOD[1]}")
    landings.put(walkhouse.landing, GOOD[0], "a.parquet", b"PAR1 nothing of the kind PAR1")
    landings.put(walkhouse.landing, BROKEN[0], "a.ndjson", events(BROKEN[0]))
    (walkhouse.landing / "events" / f"dt={BROKEN[0]}" / "a.parquet").unlink()
    long = events(LONG, 400) + b'"%b"\n' % (b"x" * 200_000)
    landings.put(walkhouse.landing, LONG, "a.ndjson", long)
    assert dumps(walkhouse) == {
        **dict.fromkeys(BROKEN, "failed"),
        **{GOOD[0]: "changed", GOOD[1]: "withdrawn", GOOD[2]: "loaded", GOOD[3]: "loaded"},
        LONG: "new",
    }
    run = walkhouse.walkhouse("run")
    assert run.returncode == 1
    assert "quarantine_rate: 1 violations in 5 checked" in said(run)
    assert "1 of 401 lines (0.25%), " in said(run)
    assert "are quarantined, tolerance 1.00%" in said(run)
    assert walkhouse.ask("select release_id from meta.release") == [release]
    found = dumps(walkhouse)
    assert found == {
        **dict.fromkeys((GOOD[0], *BROKEN[1:]), "failed"),
        **dict.fromkeys((*GOOD[2:], BROKEN[0], LONG), "loaded"),
    }
    shown = in_the_ui(walkhouse)
    assert {day: shown[day] for day in found} == {
        day: SHOWN_AS[status] for day, status in found.items()
    }


def test_a_missing_mount_changes_nothing_until_somebody_confirms(walkhouse: Installation) -> None:
    (release,) = walkhouse.ask("select release_id from meta.release")
    landed, away = walkhouse.landing / "events", walkhouse.landing.with_name("away")
    landed.rename(away)
    landed.mkdir()
    run = walkhouse.walkhouse("run")
    assert run.returncode == 1
    assert "5 of 5 dumps in the lake, with 413 of 413 events, are no longer" in said(run)
    assert "alert, withdrawal_held" in said(run)
    status = json.loads(walkhouse.walkhouse("status", "--json").stdout)
    assert "none would be left" in status["withdrawal_held"]
    assert walkhouse.ask("select release_id from meta.release") == [release]
    landed.rmdir()
    away.rename(landed)
    left = (GOOD[0], LONG)
    for day in (*left, *BROKEN[1:]):
        shutil.rmtree(landed / f"dt={day}")
    for wrong, says in (("2026-03-03", "is not waiting"), ("soon", "must be dates")):
        refused = walkhouse.walkhouse("run", "--withdraw", wrong)
        assert refused.returncode == 2
        assert says in said(refused)
    run = walkhouse.walkhouse("run", "--withdraw", ",".join(left))
    assert run.returncode == 0, said(run)
    assert days(walkhouse) == [GOOD[2], BROKEN[0], GOOD[3]]
    assert "withdrawal_held" not in walkhouse.walkhouse("alerts").stdout
