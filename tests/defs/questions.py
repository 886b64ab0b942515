"""What tests ask a server about runs, backfills, partitions and sensors."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.defs.server import LOCATION, Server

LAUNCH_BACKFILL = """
mutation ($parameters: LaunchBackfillParams!) {
    launchPartitionBackfill(backfillParams: $parameters) {
        ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
    }
}
"""
RUNS = """
query ($filter: RunsFilter) {
    runsOrError(filter: $filter) { ... on Runs { results {
        runId jobName status tags { key value }
        repositoryOrigin { repositoryLocationName } } } }
}
"""
PARTITIONS = """
{ assetNodeOrError(assetKey: {path: ["raw", "lines"]}) { ... on AssetNode {
    assetPartitionStatuses { ... on TimePartitionStatuses { ranges { status startKey endKey } } }
} } }
"""
LOOK_WITH_THE_SENSOR = """
mutation ($sensor: SensorSelector!) {
    sensorDryRun(selectorData: $sensor, cursor: null) { ... on DryRunInstigationTick {
        evaluationResult { skipReason runRequests { runKey } error { message } }
    } }
}
"""


def days(first: str, count: int) -> list[str]:
    """So many days from the first on, as partitions are named."""
    start = date.fromisoformat(first)
    return [(start + timedelta(days=number)).isoformat() for number in range(count)]


def ended(server: Server, which: dict[str, Any]) -> list[dict[str, Any]]:
    """The runs that the filter finds, as soon as there is one and all of them ended."""

    def look() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = server.ask(RUNS, filter=which)["runsOrError"]["results"]
        is_over = all(run["status"] in ("SUCCESS", "FAILURE", "CANCELED") for run in found)
        return found if is_over else []

    return server.wait_for(f"ended run of {which}", look)


def runs_of(server: Server, backfill: str, *, finished: bool = False) -> list[dict[str, Any]]:
    """The runs of a backfill so far."""
    which: dict[str, Any] = {"tags": [{"key": "dagster/backfill", "value": backfill}]}
    if finished:
        which["statuses"] = ["SUCCESS", "FAILURE", "CANCELED"]
    found: list[dict[str, Any]] = server.ask(RUNS, filter=which)["runsOrError"]["results"]
    return found


def tags(run: dict[str, Any]) -> dict[str, str]:
    """The tags of a run by their keys."""
    return {tag["key"]: tag["value"] for tag in run["tags"]}


def statuses(asset: dict[str, Any]) -> dict[str, str]:
    """Status by partition, of those that have one."""
    return {
        day.isoformat(): each["status"]
        for each in asset["assetPartitionStatuses"]["ranges"]
        for day in (
            date.fromordinal(ordinal)
            for ordinal in range(
                date.fromisoformat(each["startKey"]).toordinal(),
                date.fromisoformat(each["endKey"]).toordinal() + 1,
            )
        )
    }


def look_with(server: Server, sensor: str) -> dict[str, Any]:
    """What a sensor would ask for, now that no run is under way.

    A run that Dagster has recorded as ended is under way until its process ends, too.
    """

    def look() -> dict[str, Any] | None:
        tick = server.ask(LOOK_WITH_THE_SENSOR, sensor={**LOCATION, "sensorName": sensor})
        found: dict[str, Any] = tick["sensorDryRun"]["evaluationResult"]
        assert found["error"] is None, found["error"]
        return None if (found["skipReason"] or "").startswith("waits for ") else found

    return server.wait_for(f"look of the sensor {sensor}", look)
