"""Whether a dump is still being written, by its listing and the time alone."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from dagster_project.ingest.arrival import is_arriving, is_complete
from dagster_project.ingest.landing import LandedDump, LandedFile, Landing
from dagster_project.operations.pending import look
from dagster_project.settings import Settings
from tests.whole import landings

DAY = date(2026, 3, 1)
WRITTEN = 1_000_000.0


def dump(tmp_path: Path, *files: LandedFile, manifest: str | None = None) -> LandedDump:
    path = tmp_path / "_manifest.json"
    if manifest is not None:
        path.write_text(manifest, encoding="utf-8")
    written = LandedFile("_manifest.json", str(path), len(manifest or ""), "", WRITTEN)
    return LandedDump(DAY, files, written if manifest is not None else None)


def file(name: str, written_at: float = WRITTEN) -> LandedFile:
    return LandedFile(name, name, 1, "", written_at)


def arrives(tmp_path: Path, landed: LandedDump, *, after: float) -> bool:
    landing = Landing(str(tmp_path))
    return is_arriving(landing, landed, now=WRITTEN + after, quiet_seconds=60)


@pytest.mark.parametrize(
    ("after", "expected"), [(0, True), (59, True), (60, False), (3600, False), (-59, True)]
)
def test_without_a_manifest_a_dump_arrives_until_nobody_wrote_for_a_while(
    tmp_path: Path, after: float, expected: bool
) -> None:
    assert arrives(tmp_path, dump(tmp_path, file("a"), file("b", 1.0)), after=after) is expected


def test_a_clock_that_was_far_ahead_keeps_no_dump_out(tmp_path: Path) -> None:
    assert not arrives(tmp_path, dump(tmp_path, file("a", WRITTEN + 1e9)), after=0)


LISTS_A = '{"files": [{"name": "a"}]}'


def test_a_manifest_that_lists_what_is_there_completes_a_dump_at_once(tmp_path: Path) -> None:
    assert not arrives(tmp_path, dump(tmp_path, file("a"), manifest=LISTS_A), after=0)
    assert not arrives(tmp_path, dump(tmp_path, manifest='{"files": []}'), after=0)


@pytest.mark.parametrize("manifest", [LISTS_A, '{"files": [{"na', "[]", ""])
def test_a_manifest_that_does_not_list_what_is_there_waits_as_well(
    tmp_path: Path, manifest: str
) -> None:
    incomplete = dump(tmp_path, file("b"), manifest=manifest)
    assert arrives(tmp_path, incomplete, after=59)
    assert not arrives(tmp_path, incomplete, after=60)  # and then fails by name


def test_a_file_that_is_newer_than_its_manifest_may_still_grow(tmp_path: Path) -> None:
    landed = dump(tmp_path, file("a", WRITTEN + 1), manifest=LISTS_A)
    assert not is_complete(landed, ["a"])
    assert arrives(tmp_path, landed, after=30)


def test_what_is_still_being_written_is_not_pending_until_it_is_quiet(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    event = landings.player(landings.at("2026-03-01T09:00:00Z"), "player/open", session="s")
    landings.put(landing, "2026-03-01", "a.ndjson", [event])
    content = landings.put(landing, "2026-03-02", "a.ndjson", [event])
    landings.put_manifest(landing, "2026-03-02", [landings.entry("a.ndjson", content, 1)])
    os.utime(landing / "events" / "dt=2026-03-01" / "a.ndjson", (0, 0))  # as a copying tool does
    settings = Settings(landing=str(landing), home=tmp_path / "home")
    written = max(path.stat().st_ctime for path in landing.rglob("*"))
    soon = look(settings, now=datetime.fromtimestamp(written + 1, UTC))
    assert soon.arriving == (DAY,)
    assert soon.pending.new == (date(2026, 3, 2),)
    later = look(settings, now=datetime.fromtimestamp(written + 61, UTC))
    assert later.arriving == ()
    assert later.pending.new == (DAY, date(2026, 3, 2))
    assert look(settings).pending.new == (DAY, date(2026, 3, 2))
