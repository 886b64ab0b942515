"""What the schedule and the sensors ask for, and what they do not ask for again."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.defs.resources import Installation
from dagster_project.defs.schedules import daily_schedule
from dagster_project.ingest.lake import Lake, LakeDump
from dagster_project.locks import held_runs
from dagster_project.operations.attempts import Attempt, next_attempt
from dagster_project.operations.failed_runs import failed_runs
from dagster_project.operations.requests import (
    build_due,
    contiguous_ranges,
    copies_due,
    ingest_due,
)
from dagster_project.operations.runs import CONCLUSIVE, close_abandoned_runs
from dagster_project.release.publish import Release
from dagster_project.settings import Settings
from tests.installation import CHECKOUT
from tests.whole import landings

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)

HOLDER = """
import pathlib, sys
from dagster_project.locks import hold_run
hold_run(pathlib.Path(sys.argv[1]), sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    event = landings.player(landings.at("2026-03-01T09:00:00Z"), "player/open", session="s")
    for day in ("2026-03-01", "2026-03-02", "2026-03-05"):
        landings.put(tmp_path / "landing", day, "a.ndjson", [event])
    found = Settings(landing=str(tmp_path / "landing"), home=tmp_path / "home", quiet_seconds=0)
    lake = Lake(found.lake)
    lake.prepare()
    (tmp_path / "data").mkdir()
    lake.replace_dump(
        LakeDump("2026-03-01", "f", "s", "r", (), "f/files.parquet", {}, 1, {}, ()),
        tmp_path / "data",
    )
    return found


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def test_dumps_are_asked_for_by_stretches_and_the_same_each_time(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    first = asked(ingest_due(settings, instance))
    assert [stretch(request) for request in first] == [
        ("2026-03-01", "2026-03-02"),
        ("2026-03-05", "2026-03-05"),
    ]
    assert asked(ingest_due(settings, instance)) == first


def test_a_changed_dump_is_another_request(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    first = asked(ingest_due(settings, instance))
    (Path(settings.landing) / "events" / "dt=2026-03-05" / "b.ndjson").write_text("{}\n")
    again = asked(ingest_due(settings, instance))
    assert again[0] == first[0]
    assert again[1].run_key != first[1].run_key


def test_nothing_is_asked_for_while_dumps_are_taken_in(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    record(instance, "ingest_dumps", DagsterRunStatus.STARTING)
    assert "waits for run" in skipped(ingest_due(settings, instance))
    assert "waits for run" in skipped(build_due(settings, instance))


def test_no_build_is_asked_for_between_the_two_runs_of_the_command_line(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    with holder(settings.home, "abc"):
        assert skipped(build_due(settings, instance)) == "waits for run abc"
    close_abandoned_runs(instance, settings.home)
    assert asked(build_due(settings, instance))


def test_no_build_is_asked_for_before_a_dump_was_taken_in(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    Lake(settings.lake).remove_dump(date(2026, 3, 1))
    assert skipped(build_due(settings, instance)) == "no dump was taken in yet"


def test_a_state_that_was_refused_is_not_asked_for_again_until_it_changes(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    (request,) = asked(build_due(settings, instance))
    tags = {**request.tags, CONCLUSIVE: "true"}
    record(instance, "build_and_release", DagsterRunStatus.FAILURE, tags)
    assert "did not change" in skipped(build_due(settings, instance))
    catalogue = Path(settings.landing) / "content" / "items.ndjson"
    catalogue.parent.mkdir()
    catalogue.write_text("{}\n")
    assert asked(build_due(settings, instance))


def test_a_build_that_failed_for_a_passing_reason_is_asked_for_again_later(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    (request,) = asked(build_due(settings, instance))
    record(instance, "build_and_release", DagsterRunStatus.FAILURE, {**request.tags})
    later = build_due(settings, instance)
    # Runs of the ephemeral instance carry no end, so that the next attempt is due at once.
    (again,) = asked(later)
    assert again.tags == request.tags
    assert again.run_key != request.run_key


@pytest.mark.parametrize(
    ("job", "tags"),
    [
        ("somebody_elses_job", {}),
        ("__ASSET_JOB", {"dagster/code_location": "elsewhere"}),
        ("build_and_release", {"dagster/code_location": "elsewhere"}),
    ],
)
def test_runs_of_neighbours_hold_nothing_up_and_say_nothing(
    settings: Settings, instance: dg.DagsterInstance, job: str, tags: dict[str, str]
) -> None:
    (request,) = asked(build_due(settings, instance, "walkhouse"))
    record(instance, job, DagsterRunStatus.STARTED, tags)
    refused = {**request.tags, **tags, CONCLUSIVE: "true"}
    record(instance, job, DagsterRunStatus.FAILURE, refused)
    assert asked(build_due(settings, instance, "walkhouse")) == [request]
    assert len(asked(ingest_due(settings, instance, "walkhouse"))) == 2
    assert failed_runs(instance, "walkhouse") == []


def test_what_a_person_materializes_in_the_ui_is_waited_for(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    here = {"dagster/code_location": "walkhouse"}
    record(instance, "__ASSET_JOB", DagsterRunStatus.STARTING, here)
    assert "waits for run" in skipped(build_due(settings, instance, "walkhouse"))


def test_a_landing_that_cannot_be_listed_is_the_reason(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    Path(settings.landing).rename(settings.home / "elsewhere")
    for due in (ingest_due, build_due):
        assert settings.landing in skipped(due(settings, instance))


def test_a_dump_that_is_being_written_is_the_reason(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    reason = skipped(ingest_due(replace(settings, quiet_seconds=3600), instance))
    assert reason.startswith("waits for what is still being written: 2026-03-01, 2026-03-02")


def test_the_schedule_asks_for_several_stretches(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    context = dg.build_schedule_context(
        instance,
        scheduled_execution_time=NOON,
        resources={"installation": Installation.of(settings)},
    )
    tick = daily_schedule("0 6 * * *", "UTC").evaluate_tick(context)
    assert [stretch(request) for request in tick.run_requests or ()] == [
        ("2026-03-01", "2026-03-02"),
        ("2026-03-05", "2026-03-05"),
    ]


def test_a_long_stretch_is_taken_in_by_several_runs() -> None:
    days = [date(2020, 1, 1) + timedelta(days=number) for number in range(2500)]
    stretches = list(contiguous_ranges(days, most=100))
    assert len(stretches) == 25
    assert {(last - first).days for first, last in stretches} == {99}
    assert all(b[0] - a[1] == timedelta(days=1) for a, b in itertools.pairwise(stretches))
    assert list(contiguous_ranges(days)) == [(days[0], days[-1])]


def test_a_run_whose_process_was_killed_is_recorded_as_failed(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    run = record(instance, "build_and_release", DagsterRunStatus.STARTED)
    with holder(settings.home, run.run_id):
        close_abandoned_runs(instance, settings.home)
        assert held_runs(settings.home) == {run.run_id}
        assert status(instance, run) == DagsterRunStatus.STARTED
    close_abandoned_runs(instance, settings.home)
    assert status(instance, run) == DagsterRunStatus.FAILURE
    assert list((settings.home / "locks").iterdir()) == []


def test_a_copy_that_lacks_the_release_is_asked_for(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    nowhere = ["postgres://nobody@127.0.0.1:1/nothing"]
    assert isinstance(copies_due(settings, nowhere, instance), dg.SkipReason)  # nothing published
    publish_something(settings)
    due = copies_due(settings, nowhere, instance)
    assert isinstance(due, dg.RunRequest)
    assert copies_due(settings, nowhere, instance) == due
    assert isinstance(copies_due(settings, [], instance), dg.SkipReason)


def publish_something(settings: Settings) -> None:
    folder = settings.published / ".releases" / "r"
    folder.mkdir(parents=True)
    release = Release("r", "2026-03-01T12:00:00+00:00", "1", "s", None, None, 0, 0, {})
    (folder / "release.json").write_text(json.dumps(asdict(release)), encoding="utf-8")
    (settings.published / "current").symlink_to(folder)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=30))
def test_attempts_become_rarer_and_never_stop(minutes: list[int]) -> None:
    ends = [NOON + timedelta(minutes=each) for each in minutes]
    attempts = [Attempt(end, is_conclusive=False) for end in ends]
    waits = []
    for count in range(1, len(attempts) + 1):
        due = next_attempt(attempts[:count])
        assert due is not None
        waits.append(due - max(ends[:count]))
    assert waits[0] == timedelta(minutes=1)
    assert all(a <= b <= timedelta(hours=1) for a, b in itertools.pairwise([*waits, waits[-1]]))


def test_a_conclusive_attempt_is_the_last() -> None:
    passing, conclusive = (Attempt(NOON, is_conclusive=each) for each in (False, True))
    assert next_attempt([passing, conclusive]) is None


def asked(
    due: list[dg.RunRequest] | dg.RunRequest | dg.SkipReason,
) -> list[dg.RunRequest]:
    assert not isinstance(due, dg.SkipReason), due.skip_message
    return due if isinstance(due, list) else [due]


def skipped(due: list[dg.RunRequest] | dg.RunRequest | dg.SkipReason) -> str:
    assert isinstance(due, dg.SkipReason)
    return due.skip_message or ""


def stretch(request: dg.RunRequest) -> tuple[str, str]:
    return (
        request.tags["dagster/asset_partition_range_start"],
        request.tags["dagster/asset_partition_range_end"],
    )


def record(
    instance: dg.DagsterInstance,
    job: str,
    status: DagsterRunStatus,
    tags: dict[str, str] | None = None,
) -> dg.DagsterRun:
    return instance.add_run(dg.DagsterRun(job_name=job, status=status, tags=tags))


def status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> DagsterRunStatus:
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    return found.status


@contextmanager
def holder(home: Path, run_id: str) -> Iterator[None]:
    """Another process that executes a run, until it is killed at the end of the block."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home), run_id],
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        try:
            yield
        finally:
            process.kill()
            process.communicate()
