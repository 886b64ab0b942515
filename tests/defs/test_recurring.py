"""A dump that is withdrawn and delivered again, before a live daemon and its sensor `landing`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.defs.questions import PARTITIONS, statuses, tags
from tests.defs.server import LOCATION, Server, serving
from tests.installation import Installation
from tests.whole import landings

pytestmark = pytest.mark.waits

SWITCH = """
mutation ($sensor: SensorSelector!) {
    startSensor(sensorSelector: $sensor) { ... on Sensor { name } ... on PythonError { message } }
}
"""
STOP = """
query ($sensor: SensorSelector!) { sensorOrError(sensorSelector: $sensor) {
    ... on Sensor { sensorState { id } } ... on PythonError { message }
} }
"""
STOP_IT = """
mutation ($id: String!) { stopSensor(id: $id) {
    ... on StopSensorMutationResult { instigationState { status } } ... on PythonError { message }
} }
"""
INGESTS = """
{ runsOrError(filter: {pipelineName: "ingest_dumps"}) { ... on Runs { results {
    status tags { key value }
} } } }
"""
COMES_AND_GOES = "2026-03-02"


@pytest.fixture(scope="module")
def server(installation_of_module: Installation) -> Iterator[Server]:
    """A server of an installation with two dumps, which loads them and builds nothing."""
    installation = installation_of_module
    for day in ("2026-03-01", COMES_AND_GOES):
        event = landings.player(landings.at(f"{day}T09:00:00Z"), "player/open", session="s")
        landings.put(installation.landing, day, "a.ndjson", [event])
    with serving(installation) as running:
        lake = {**LOCATION, "sensorName": "lake"}
        state = running.ask(STOP, sensor=lake)["sensorOrError"]["sensorState"]
        running.ask(STOP_IT, id=state["id"])
        running.ask(SWITCH, sensor={**LOCATION, "sensorName": "landing"})
        yield running


def succeeded(server: Server, count: int) -> list[dict[str, Any]]:
    """So many ingests that succeeded."""

    def look() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = server.ask(INGESTS)["runsOrError"]["results"]
        over = [run for run in found if run["status"] == "SUCCESS"]
        return over if len(over) == count else None

    return server.wait_for(f"ingest number {count}", look)


def test_it_is_taken_in_each_time_it_comes(server: Server) -> None:
    succeeded(server, 1)
    dump = server.installation.landing / "events" / f"dt={COMES_AND_GOES}"
    aside = Path(server.installation.landing, "aside")
    keys: list[str] = []
    for runs in (2, 4):
        dump.rename(aside)
        succeeded(server, runs)
        aside.rename(dump)
        found = succeeded(server, runs + 1)
        keys = [tags(run)["dagster/run_key"] for run in found]
    assert len(set(keys)) == len(keys) == 5
    assert statuses(server.ask(PARTITIONS)["assetNodeOrError"])[COMES_AND_GOES] == "MATERIALIZED"
