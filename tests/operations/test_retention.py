"""Dagster's records of old runs are removed, and what they are the last to say is kept."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.operations.requests import range_tags
from dagster_project.operations.retention import prune_records, remove_records
from dagster_project.operations.runs import BUILD, INGEST
from dagster_project.settings import Settings

LATER = datetime.now(UTC) + timedelta(days=100)


@dg.asset
def something() -> None:
    """An asset to record."""


@dg.asset_check(asset=something)
def holds() -> dg.AssetCheckResult:
    """A check that shows an example, as the tags of the run say it."""
    tags = dg.AssetCheckExecutionContext.get().run.tags
    example = {"detail": tags.get("detail", ""), "event_key": tags.get("key", "")}
    examples = dg.MetadataValue.table([dg.TableRecord(example)])
    return dg.AssetCheckResult(passed=False, metadata={"examples": examples})


BUILT = dg.Definitions(
    [something], asset_checks=[holds], jobs=[dg.define_asset_job(BUILD, [something])]
).resolve_job_def(BUILD)


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    found = Settings(home=tmp_path, keep_run_days=90, keep_runs=4)
    monkeypatch.setenv("DAGSTER_HOME", str(found.dagster_home))
    found.dagster_home.mkdir()
    return found


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(settings.dagster_home)) as temporary:
        yield temporary


def checked_runs(settings: Settings) -> list[str]:
    """The runs of which it is recorded what a check found."""
    (index,) = settings.dagster_home.rglob("index.db")
    with closing(sqlite3.connect(index)) as records:
        rows = records.execute("select run_id from asset_check_executions order by id").fetchall()
    return [run_id for (run_id,) in rows]


def ingested(instance: dg.DagsterInstance, first: int, last: int, status: str = "SUCCESS") -> str:
    """Record a run for some days of a month."""
    tags = range_tags(date(2026, 3, first), date(2026, 3, last))
    run = dg.DagsterRun(job_name=INGEST, status=dg.DagsterRunStatus[status], tags=tags)
    return instance.add_run(run).run_id


def test_old_runs_go_and_the_last_of_each_day_stays(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    ingested(instance, 1, 2)
    last_of_1 = ingested(instance, 1, 1)
    last_of_2_and_3 = ingested(instance, 2, 3)
    ingested(instance, 3, 3, "FAILURE")
    assert prune_records(instance, settings) == 0
    assert prune_records(instance, settings, LATER) == 2
    assert {run.run_id for run in instance.get_runs()} == {last_of_1, last_of_2_and_3}


def test_no_more_than_so_many_builds_stay_and_their_files_go(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    built = [BUILT.execute_in_process(instance=instance).run_id for _ in range(6)]
    neighbour = instance.add_run(
        dg.DagsterRun(job_name="other", status=dg.DagsterRunStatus.SUCCESS)
    ).run_id
    assert prune_records(instance, settings) == 2
    assert {run.run_id for run in instance.get_runs()} == {*built[2:], neighbour}
    assert prune_records(instance, settings, LATER) == 3
    assert not list(settings.dagster_home.rglob(f"*{built[0]}*"))
    assert not set(built[:5]) & set(checked_runs(settings))
    assert checked_runs(settings) == [built[5]]
    assert instance.get_latest_materialization_event(something.key)


def test_who_is_forgotten_is_in_no_record_of_a_check(
    instance: dg.DagsterInstance, settings: Settings
) -> None:
    kept, *_ = (
        BUILT.execute_in_process(instance=instance, tags={"detail": detail, "key": key}).run_id
        for detail, key in (("session s", ""), ("user u-17", ""), ("session s", "0f5e17"))
    )
    assert remove_records(instance, settings, lambda text: "u-17" in text) == []
    assert {run.run_id for run in instance.get_runs()} == {kept}
    assert checked_runs(settings) == [kept]
    for file in filter(Path.is_file, settings.dagster_home.rglob("*")):
        content = file.read_bytes()
        assert b"u-17" not in content
        assert b"0f5e17" not in content


def test_a_shared_instance_is_left_alone(
    instance: dg.DagsterInstance, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingested(instance, 1, 1, "FAILURE")
    monkeypatch.setenv("DAGSTER_HOME", f"/{uuid.uuid4()}")
    assert prune_records(instance, settings, LATER) == 0
