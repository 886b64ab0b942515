"""The guard holds wherever dumps are withdrawn: in runs of all days or of one, and in sensors."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.defs.assets import raw
from dagster_project.defs.partitions import dump_partitions
from dagster_project.defs.resources import Installation
from dagster_project.ingest.lake import Lake
from dagster_project.operations.pending import look
from dagster_project.operations.requests import build_due, ingest_due, range_tags
from dagster_project.operations.runs import CONCLUSIVE
from dagster_project.operations.status import status
from dagster_project.settings import Settings
from tests.whole import landings

DAYS = [date(2026, 3, 1) + timedelta(days=number) for number in range(4)]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation whose lake holds four dumps."""
    found = Settings(landing=str(tmp_path / "landing"), home=tmp_path / "home", quiet_seconds=0)
    for day in DAYS:
        put(found, day)
    with dg.DagsterInstance.ephemeral() as instance:
        assert ingest(found, instance, *DAYS).success
    return found


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def put(settings: Settings, day: date) -> None:
    event = landings.player(landings.at(f"{day}T09:00:00Z"), "launcher/click", session=f"{day}")
    landings.put(Path(settings.landing), day.isoformat(), "a.ndjson", [event])


def withdraw(settings: Settings, *days: date) -> None:
    for day in days:
        shutil.rmtree(Path(settings.landing) / "events" / f"dt={day}")


def ingest(
    settings: Settings, instance: dg.DagsterInstance, *days: date, **config: Any
) -> dg.ExecuteInProcessResult:
    return dg.materialize(
        [raw.dumps_asset(dump_partitions(DAYS))],
        tags=range_tags(min(days), max(days)),
        resources={"installation": Installation.of(settings)},
        run_config={"ops": {"dumps": {"config": config}}} if config else None,
        instance=instance,
        raise_on_error=False,
    )


def loaded(settings: Settings) -> list[date]:
    return sorted(Lake(settings.lake).dumps())


def reason(result: dg.ExecuteInProcessResult) -> str:
    (failed,) = [event for event in result.all_events if event.is_step_failure]
    data = failed.step_failure_data.user_failure_data
    assert data is not None
    return data.description or ""


def test_a_missing_mount_withdraws_nothing_in_a_run_of_all_days_or_of_one(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    withdraw(settings, *DAYS)
    for days in (DAYS, DAYS[:1]):
        result = ingest(settings, instance, *days)
        assert not result.success
        assert "4 of 4 dumps in the lake, with 4 of 4 events" in reason(result)
        assert "none would be left, so nothing is changed or published" in reason(result)
        checks = result.get_asset_check_evaluations()
        assert [check.partition for check in checks] == [str(day) for day in days]
        assert not any(check.passed for check in checks)
        run = instance.get_run_by_id(result.run_id)
        assert run is not None
        assert CONCLUSIVE not in run.tags  # it is asked for once more, when the mount is there
    assert loaded(settings) == DAYS


def test_several_wait_with_all_else_until_they_are_confirmed(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    withdraw(settings, *DAYS[:2])
    put(settings, DAYS[3] + timedelta(days=1))
    every_day = (*DAYS, DAYS[3] + timedelta(days=1))
    assert not ingest(settings, instance, *every_day).success
    assert not ingest(settings, instance, *every_day, withdraw=["2026-03-01"]).success
    assert loaded(settings) == DAYS
    assert ingest(settings, instance, *every_day, withdraw=["2026-03-01", "2026-03-02"]).success
    assert loaded(settings) == list(every_day[2:])


def test_one_goes_by_itself_and_the_limit_is_a_setting(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    withdraw(settings, DAYS[1])
    assert ingest(settings, instance, DAYS[1]).success
    withdraw(settings, DAYS[0], DAYS[2])
    assert not ingest(settings, instance, *DAYS).success
    generous = Settings(
        landing=settings.landing, home=settings.home, quiet_seconds=0, withdrawal_limit=70
    )
    assert ingest(generous, instance, *DAYS).success
    assert loaded(settings) == DAYS[3:]


def test_the_sensors_wait_and_say_why(settings: Settings, instance: dg.DagsterInstance) -> None:
    withdraw(settings, *DAYS)
    (Path(settings.landing) / "events").rmdir()
    shutil.rmtree(settings.home / "locks")  # of the run of the fixture, held by this process
    for due in (ingest_due, build_due):
        skipped = due(settings, instance)
        assert isinstance(skipped, dg.SkipReason)
        assert "none would be left" in (skipped.skip_message or "")
    told = status(settings)
    assert "--withdraw all" in told["withdrawal_held"]
    assert set(told["dumps"].values()) == {"withdrawn"}
    situation = look(settings, now=datetime.now(UTC))
    assert not situation.is_published
    for day in DAYS:
        put(settings, day)
    assert look(settings).withdrawal_held is None


def test_a_landing_that_may_not_be_listed_is_a_sentence_of_the_run(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    events = Path(settings.landing) / "events"
    events.rename(events.with_name("mount"))
    events.symlink_to("nowhere")
    result = ingest(settings, instance, *DAYS)
    assert "events: a link to nowhere, which does not exist; nothing is taken in" in reason(result)
    assert loaded(settings) == DAYS


def test_the_catalogue_stays_while_the_landing_cannot_be_trusted(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    content = Path(settings.landing) / "content"
    content.mkdir()
    item = b'{"item_id": "1", "name": "half \\ud83d"}\n'

    def taken(content_of_file: bytes | None) -> tuple[bool, str, int]:
        if content_of_file is None:
            (content / "items.ndjson").unlink()
        else:
            (content / "items.ndjson").write_bytes(content_of_file)
        result = dg.materialize(
            [raw.content_items],
            resources={"installation": Installation.of(settings)},
            instance=instance,
        )
        (check,) = result.get_asset_check_evaluations()
        (made,) = result.get_asset_materialization_events()
        count = made.materialization.metadata["dagster/row_count"].value
        assert isinstance(count, int)
        return check.passed, check.description or "", count

    assert taken(item) == (True, "0 lines left out", 1)
    assert taken(item + b"{\n")[0::2] == (False, 1)
    passed, said, count = taken(b"{\n")
    assert (passed, count) == (False, 1)
    assert "none of its 1 line can be used" in said
    situation = look(settings)
    assert "none of its 1 line" in (situation.catalogue_failure or "")
    assert not situation.is_catalogue_pending
    withdraw(settings, *DAYS)
    passed, said, count = taken(None)
    assert (passed, count) == (False, 1)
    assert "none would be left" in said
