"""Days taken in side by side in a live daemon, and a copy that it sends once that is possible.

The server has `days_per_run`, and a copy on an object store whose bucket was missing when the first
release was built. The tests share it and follow each other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from typing import Any

import pytest

from dagster_project.locks import dump_writer
from tests.defs.questions import (
    LAUNCH_BACKFILL,
    PARTITIONS,
    days,
    ended,
    look_with,
    runs_of,
    statuses,
    tags,
)
from tests.defs.server import Server, serving
from tests.installation import Installation, said
from tests.object_store import ObjectStore, object_store_of_environment

pytestmark = pytest.mark.waits

COPY = "s3://late/bi"
LAUNCHED = "... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }"
RESUME = f"""
mutation ($backfill: String!) {{
    reexecutePartitionBackfill(
        reexecutionParams: {{parentRunId: $backfill, strategy: FROM_FAILURE}}
    ) {{ {LAUNCHED} }}
}}
"""
CANCEL = """
mutation ($backfill: String!) { cancelPartitionBackfill(backfillId: $backfill) { __typename } }
"""
STATUS = """
query ($backfill: String!) {
    partitionBackfillOrError(backfillId: $backfill) { ... on PartitionBackfill { status } }
}
"""
TIMES = """
query ($filter: RunsFilter) {
    runsOrError(filter: $filter) { ... on Runs { results { status startTime endTime } } }
}
"""


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store_of_environment() as running:
        yield running


@pytest.fixture(scope="module")
def server(installation_of_module: Installation, store: ObjectStore) -> Iterator[Server]:
    """A server with one dump published and five more in the landing."""
    installation = installation_of_module
    installation.home.mkdir(parents=True, exist_ok=True)
    # With one thread, a cancelled run leaves the days that it has not begun.
    settings = f'days_per_run = 2\nthreads = 1\ncopies = ["{COPY}"]\n'
    (installation.home / "walkhouse.toml").write_text(settings, encoding="utf-8")
    simulate(installation, days=1)
    run = installation.walkhouse("run")
    assert run.returncode == 1
    assert f"copy {COPY} is behind: there is no such bucket" in said(run)
    store.client().create_bucket(Bucket="late")
    simulate(installation, days=6)
    with serving(installation) as running:
        yield running


def simulate(installation: Installation, *, days: int) -> None:
    """Small dumps in which nothing is wrong."""
    wrong = ("malformed", "missing", "bad-timestamp", "future", "too-old", "undefined")
    nothing = [word for kind in wrong for word in (f"--{kind}", "0")]
    simulated = installation.walkhouse(
        "simulate", "--days", str(days), "--events-per-day", "150", *nothing
    )
    assert simulated.returncode == 0, said(simulated)


def release_of_copy(store: ObjectStore) -> str:
    late = ObjectStore(store.endpoint, "late")
    return str(json.loads(late.get("bi/current.json"))["release_id"])


def published(server: Server) -> str:
    ((release,),) = server.installation.ask("select release_id from meta.release")
    return str(release)


def test_a_copy_that_could_not_be_sent_is_sent_by_the_daemon_once_it_can_be(
    server: Server, store: ObjectStore
) -> None:
    (run,) = ended(server, {"pipelineName": "send_copies"})
    assert run["status"] == "SUCCESS"
    assert release_of_copy(store) == published(server)


def test_days_are_taken_in_side_by_side_cancelled_half_way_resumed_and_built_once(
    server: Server, store: ObjectStore
) -> None:
    home = server.installation.home
    partitions = days("2026-03-01", 6)
    with ExitStack() as held:
        for day in (3, 5):
            # Whoever takes it in waits.
            held.enter_context(dump_writer(home, date(2026, 3, day)))
        backfill = launched(
            server.ask(
                LAUNCH_BACKFILL,
                parameters={
                    "assetSelection": [{"path": ["raw", "lines"]}, {"path": ["raw", "files"]}],
                    "partitionNames": partitions,
                },
            )
        )
        server.wait_for(
            "two runs at the same time, and one that ended",
            lambda: (
                sorted(run["status"] for run in runs_of(server, backfill))
                == ["STARTED"] * 2 + ["SUCCESS"]
            ),
        )
        server.ask(CANCEL, backfill=backfill)
        server.wait_for(
            "cancelled runs",
            lambda: not [run for run in runs_of(server, backfill) if run["status"] == "STARTED"],
        )
    server.wait_for("end of the backfill", lambda: status(server, backfill) == "CANCELED")
    cancelled = [run for run in runs_of(server, backfill) if run["status"] != "SUCCESS"]
    assert {run["status"] for run in cancelled} == {"CANCELED"}
    missing = partitions[2:]
    assert sorted(map(stretch, cancelled)) == [tuple(missing[n : n + 2]) for n in (0, 2)]

    again = launched(server.ask(RESUME, backfill=backfill))
    server.wait_for("end of the second", lambda: status(server, again).startswith("COMPLETED"))
    assert status(server, again) == "COMPLETED_SUCCESS"
    assert sorted(map(stretch, runs_of(server, again))) == sorted(map(stretch, cancelled))
    found = statuses(server.ask(PARTITIONS)["assetNodeOrError"])
    assert found == dict.fromkeys(partitions, "MATERIALIZED")

    server.wait_for(
        "sensor with nothing to ask for",
        lambda: look_with(server, "lake")["skipReason"] == "what is in the lake is published",
    )
    ingests = times(server, {"tags": [{"key": "dagster/backfill", "value": again}]})
    builds = times(server, {"pipelineName": "build_and_release"})
    last = max(run["endTime"] for run in ingests)
    # What the first one left may have been built as well.
    assert [run["status"] for run in builds if run["startTime"] > last] == ["SUCCESS"]
    (count,) = server.installation.ask("select count(distinct dump_date) from meta.dump_ledger")
    assert count == (6,)
    assert release_of_copy(store) == published(server)


def launched(answer: dict[str, Any]) -> str:
    """The id of the backfill that was asked for."""
    (backfill,) = answer.values()
    return str(backfill["backfillId"])


def status(server: Server, backfill: str) -> str:
    return str(server.ask(STATUS, backfill=backfill)["partitionBackfillOrError"]["status"])


def stretch(run: dict[str, Any]) -> tuple[str, str]:
    """First and last day of an ingest."""
    its = tags(run)
    return (
        its["dagster/asset_partition_range_start"],
        its["dagster/asset_partition_range_end"],
    )


def times(server: Server, which: dict[str, Any]) -> list[dict[str, Any]]:
    """Status, start and end of runs."""
    found: list[dict[str, Any]] = server.ask(TIMES, filter=which)["runsOrError"]["results"]
    return found
