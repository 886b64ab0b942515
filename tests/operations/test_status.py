"""`walkhouse status` and the partitions that the Dagster UI shows say the same."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dagster_project.operations.pending import look, refusals
from dagster_project.release.publish import Release
from dagster_project.settings import Settings
from tests.installation import Installation, said
from tests.whole import landings

PARTITIONS = """
import json
import dagster as dg
from dagster_project.definitions import defs

(lines,) = [s for s in defs.resolve_all_asset_specs() if s.key == dg.AssetKey(["raw", "lines"])]
with dg.DagsterInstance.get() as instance:
    found = instance.get_status_by_partition(
        lines.key, lines.partitions_def.get_partition_keys(), lines.partitions_def
    )
print(json.dumps({day: status.value for day, status in found.items() if status}))
"""
SHOWN_AS = {"loaded": "MATERIALIZED", "failed": "FAILED"}


@pytest.fixture(scope="module")
def walkhouse(installation_of_module: Installation) -> Installation:
    return installation_of_module


def put(walkhouse: Installation, day: str, session: str = "s") -> None:
    event = landings.player(landings.at(f"{day}T09:00:00Z"), "player/open", session=session)
    landings.put(walkhouse.landing, day, "a.ndjson", [event])


def in_the_ui(walkhouse: Installation) -> dict[str, str]:
    home = str(walkhouse.home / "dagster")
    asked = walkhouse.execute("env", f"DAGSTER_HOME={home}", "python", "-c", PARTITIONS)
    assert asked.returncode == 0, said(asked)
    return dict(json.loads(asked.stdout.splitlines()[-1]))


def dumps(walkhouse: Installation) -> dict[str, str]:
    status = walkhouse.walkhouse("status", "--json")
    assert status.returncode == 0, said(status)
    return dict(json.loads(status.stdout)["dumps"])


def test_loaded_and_failed_dumps_are_materialized_and_failed_partitions(
    walkhouse: Installation,
) -> None:
    for day in ("2026-03-01", "2026-03-02", "2026-03-05"):
        put(walkhouse, day)
    landings.put(walkhouse.landing, "2026-03-03", "a.parquet", b"PAR1 nothing of the kind PAR1")
    run = walkhouse.walkhouse("run")
    assert run.returncode == 1
    assert "dump 2026-03-03, a.parquet: not readable as Parquet" in said(run)
    assert "dump 2026-03-01: 1 line: 1 event" in said(run)
    found = dumps(walkhouse)
    assert found == {
        "2026-03-01": "loaded",
        "2026-03-02": "loaded",
        "2026-03-03": "failed",
        "2026-03-05": "loaded",
    }
    assert in_the_ui(walkhouse) == {day: SHOWN_AS[status] for day, status in found.items()}


def test_what_was_withdrawn_or_broke_or_was_mended_is_the_same_in_both(
    walkhouse: Installation,
) -> None:
    shutil.rmtree(walkhouse.landing / "events" / "dt=2026-03-02")
    landings.put(walkhouse.landing, "2026-03-01", "a.parquet", b"PAR1 nothing of the kind PAR1")
    (walkhouse.landing / "events" / "dt=2026-03-03" / "a.parquet").unlink()
    put(walkhouse, "2026-03-03")
    put(walkhouse, "2026-03-07")
    assert dumps(walkhouse) == {
        "2026-03-01": "changed",
        "2026-03-02": "withdrawn",
        "2026-03-03": "failed",
        "2026-03-05": "loaded",
        "2026-03-07": "new",
    }
    assert walkhouse.walkhouse("run").returncode == 1
    found = dumps(walkhouse)
    assert found == {
        "2026-03-01": "failed",
        "2026-03-03": "loaded",
        "2026-03-05": "loaded",
        "2026-03-07": "loaded",
    }
    shown = in_the_ui(walkhouse)
    assert {day: shown[day] for day in found} == {
        day: SHOWN_AS[status] for day, status in found.items()
    }


def test_a_refusal_is_over_when_what_is_published_is_wanted_again(tmp_path: Path) -> None:
    settings = Settings(landing=str(tmp_path / "landing"), home=tmp_path / "home")
    (tmp_path / "landing" / "events").mkdir(parents=True)
    settings.home.mkdir()
    settings.refusal.write_text('["a rule: 1 violation"]', encoding="utf-8")
    situation = look(settings)
    assert refusals(settings, situation) == ["a rule: 1 violation"]
    release = Release("1", "2026-03-01T12:00:00+00:00", "1", situation.state, None, None, 0, 0, {})
    assert refusals(settings, replace(situation, release=release)) == []
