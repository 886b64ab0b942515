"""An installation that an older version left, brought up to date by a run; in order."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from dagster_project.release.layout import expected_layout
from tests.installation import Installation, said
from tests.whole import landings

pytestmark = pytest.mark.long

DAYS = ("2026-03-01", "2026-03-02")


@pytest.fixture(scope="module")
def walkhouse(installation_of_releases: Installation, installation_folder: Path) -> Installation:
    return installation_of_releases.copy_to(installation_folder)


def put(walkhouse: Installation, day: str) -> None:
    event = landings.player(landings.at(f"{day}T09:00:00Z"), "player/open", session=f"s {day}")
    landings.put(walkhouse.landing, day, "a.ndjson", [event])


def tables(walkhouse: Installation) -> list[tuple[object, ...]]:
    return walkhouse.ask("from facts.fct_item_events order by all")


def aside(walkhouse: Installation) -> Path:
    return walkhouse.home / "lake" / "raw-of-format-0"


def in_the_warehouse(walkhouse: Installation, statement: str) -> None:
    with duckdb.connect(str(walkhouse.home / "warehouse.duckdb")) as warehouse:
        warehouse.execute(statement)


@pytest.fixture(scope="module")
def before(walkhouse: Installation) -> list[tuple[object, ...]]:
    """What was published before the upgrade; what lies on the disk is made older after it."""
    published = tables(walkhouse)
    lake = walkhouse.home / "lake" / "raw"
    (lake / "version.json").write_text('{"format_version": 0}')
    for dump in lake.glob("dumps/dt=*/dump.json"):
        dump.write_text('{"of": "another time"}')
    in_the_warehouse(
        walkhouse,
        "drop table audit.layout; alter table audit.versions drop column inputs;"
        " create schema gone; create table gone.remnant as select 1 as number",
    )
    header = walkhouse.published.parent / "current" / "release.json"
    older = {"code_version": "0.0.9", "state": "of what that version made it from"}
    header.write_text(json.dumps({**json.loads(header.read_text()), **older}))
    return published


def test_a_dump_that_cannot_be_read_again_keeps_the_old_release_and_is_kept(
    walkhouse: Installation, before: list[tuple[object, ...]]
) -> None:
    landings.put(walkhouse.landing, DAYS[1], "a.ndjson.gz", b"not gzip at all")
    landings.put_manifest(walkhouse.landing, DAYS[1], [landings.entry("b.ndjson", b"", 0)])
    run = walkhouse.walkhouse("run")
    assert run.returncode == 1
    assert "the lake has format 0, this Walkhouse reads format" in said(run)
    assert "an older Walkhouse built the warehouse: everything is built anew" in said(run)
    assert f"refused: dump {DAYS[1]}: an older Walkhouse took it in" in said(run)
    assert (aside(walkhouse) / "dumps" / f"dt={DAYS[1]}" / "dump.json").exists()
    assert not (aside(walkhouse) / "dumps" / f"dt={DAYS[0]}").exists()
    assert tables(walkhouse) == before


def test_once_it_can_the_tables_are_what_they_were(
    walkhouse: Installation, before: list[tuple[object, ...]]
) -> None:
    folder = walkhouse.landing / "events" / f"dt={DAYS[1]}"
    (folder / "a.ndjson.gz").unlink()
    (folder / "_manifest.json").unlink()
    run = walkhouse.walkhouse("run")
    assert run.returncode == 0, said(run)
    assert tables(walkhouse) == before
    assert not aside(walkhouse).exists()
    with duckdb.connect(str(walkhouse.home / "warehouse.duckdb"), read_only=True) as warehouse:
        layout = expected_layout(walkhouse.dbt_project)
        assert warehouse.execute("from audit.layout").fetchall() == [(layout,)]
        remnants = "from duckdb_tables() where table_name = 'remnant'"
        assert warehouse.execute(remnants).fetchall() == []


@pytest.mark.usefixtures("before")
def test_the_release_of_the_older_version_can_be_gone_back_to(walkhouse: Installation) -> None:
    assert walkhouse.walkhouse("rollback").returncode == 0
    assert "dumps from" in walkhouse.walkhouse("releases").stdout
    header = walkhouse.published.parent / "current" / "release.json"
    assert json.loads(header.read_text())["code_version"] == "0.0.9"


@pytest.mark.usefixtures("before")
def test_a_newer_warehouse_stops_the_run_and_is_left_alone(walkhouse: Installation) -> None:
    in_the_warehouse(walkhouse, "update audit.layout set version = 99")
    put(walkhouse, "2026-03-03")
    run = walkhouse.walkhouse("run")
    assert run.returncode == 1
    assert "built by a newer Walkhouse in layout 99" in said(run)
    assert "install what built it again, or remove the file" in said(run)
    with duckdb.connect(str(walkhouse.home / "warehouse.duckdb"), read_only=True) as warehouse:
        assert warehouse.execute("from audit.layout").fetchall() == [(99,)]


@pytest.mark.usefixtures("before")
def test_an_analyst_is_refused_a_newer_copy_and_an_older_one_is_built_anew(
    walkhouse: Installation,
) -> None:
    copy = walkhouse.home / "dev.duckdb"
    with duckdb.connect(str(copy)) as dev:
        dev.execute("create schema audit; create table audit.layout as select 99 as version")
    newer = walkhouse.dbt("seed")
    assert newer.returncode != 0
    assert "built by a newer Walkhouse in layout 99" in said(newer)
    with duckdb.connect(str(copy)) as dev:
        dev.execute("update audit.layout set version = 0; create table audit.versions (a int)")
    older = walkhouse.dbt("seed")
    assert older.returncode == 0, said(older)
    assert "everything is built anew" in said(older)
