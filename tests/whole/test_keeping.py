"""Dumps that are kept for some days only, in a whole run, and a release that hides small groups."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.ingest.lake import Lake
from dagster_project.release.publish import releases
from tests.installation import SEEDS, Installation, said
from tests.reference import reference
from tests.whole.compare import differences

pytestmark = pytest.mark.long

DAILY = "from reports.rpt_sessions_daily where report_date = date '2026-03-02' order by all"


def test_what_is_too_old_leaves_every_layer_and_the_rest_is_that_of_a_full_rebuild(
    installation_of_releases: Installation, installation_folder: Path, tmp_path: Path
) -> None:
    installation = installation_of_releases.copy_to(installation_folder)
    before = installation.ask(DAILY)
    assert before
    (installation.home / "walkhouse.toml").write_text(
        "keep_days = 2\nkeep_report_days = 3\nsmallest_group = 3\n", encoding="utf-8"
    )
    run = installation.walkhouse("run")
    assert run.returncode == 0, said(run)

    kept = tmp_path / "kept"
    for part in ("content", "events/dt=2026-03-03", "events/dt=2026-03-04"):
        shutil.copytree(installation.landing / part, kept / part)
    assert differences(installation.home / "warehouse.duckdb", reference(kept, SEEDS)) == []
    lake = Lake(installation.home / "lake" / "raw")
    assert lake.dump_dates() == [date(2026, 3, 3), date(2026, 3, 4)]
    assert {path.name for path in (lake.root / "dumps").iterdir()} == {
        "dt=2026-03-03",
        "dt=2026-03-04",
    }
    (release,) = releases(installation.home / "published")
    assert (release.first_dump_date, release.dumps) == ("2026-03-03", 2)

    assert installation.ask(DAILY) == before
    first_day = "select min(report_date)::varchar from reports.rpt_sessions_daily"
    assert installation.ask(first_day) == [("2026-03-02",)]
    assert installation.ask("select smallest_group from meta.release") == [(3,)]
    file = installation.published.with_name("walkhouse-reports.duckdb").resolve()
    with duckdb.connect(str(file), read_only=True) as reports:
        for table in ("rpt_sessions_daily", "rpt_events_daily", "rpt_items_daily", "rpt_tasks"):
            shown = reports.execute(
                f"select count(*), count(people), count(*) filter (people between 1 and 2)"
                f" from reports.{table}"
            ).fetchall()
            ((rows, with_people, small),) = shown
            assert rows > 0, table
            assert small == 0, table
            if table == "rpt_events_daily":
                assert 0 < with_people < rows

    again = installation.walkhouse("run")
    assert "nothing is pending" in said(again), said(again)
