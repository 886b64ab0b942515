"""A dump that is withdrawn and delivered again, before a live daemon and its sensor `landing`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dagster_project.ingest.dumps import ingest_connection, take_in_dump, write_schema
from dagster_project.ingest.lake import Lake
from dagster_project.ingest.landing import Landing
from dagster_project.registry import load_definitions
from dagster_project.settings import Settings
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
    """A server of an installation that holds two dumps, which takes in more and builds nothing."""
    installation = installation_of_module
    for day in ("2026-03-01", COMES_AND_GOES):
        event = landings.player(landings.at(f"{day}T09:00:00Z"), "player/open", session="s")
        landings.put(installation.landing, day, "a.ndjson", [event])
    take_in(Settings.from_environment(installation.environment))
    with serving(installation) as running:
        lake = {**LOCATION, "sensorName": "lake"}
        state = running.ask(STOP, sensor=lake)["sensorOrError"]["sensorState"]
        running.ask(STOP_IT, id=state["id"])
        running.ask(SWITCH, sensor={**LOCATION, "sensorName": "landing"})
        yield running


def take_in(settings: Settings) -> None:
    """Have the lake hold what the landing holds; the sensor, which looks once a minute, did not."""
    definitions = load_definitions(settings.dbt_project)
    lake, landing = Lake(settings.lake), Landing(settings.landing)
    lake.prepare()
    with ingest_connection(
        definitions, threads=1, memory_limit="1GB", scratch=settings.scratch
    ) as connection:
        write_schema(connection, lake)
        for day, dump in landing.look().dumps.items():
            take_in_dump(
                *(landing, lake, dump, day, connection, definitions), scratch=settings.scratch
            )


def succeeded(server: Server, count: int) -> list[dict[str, Any]]:
    """So many ingests that succeeded."""

    def look() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = server.ask(INGESTS)["runsOrError"]["results"]
        over = [run for run in found if run["status"] == "SUCCESS"]
        return over if len(over) == count else None

    return server.wait_for(f"ingest number {count}", look)


def test_it_is_taken_in_each_time_it_comes(server: Server) -> None:
    dump = server.installation.landing / "events" / f"dt={COMES_AND_GOES}"
    aside = Path(server.installation.landing, "aside")
    keys: list[str] = []
    for runs in (1, 3):
        dump.rename(aside)
        succeeded(server, runs)
        aside.rename(dump)
        found = succeeded(server, runs + 1)
        keys = [tags(run)["dagster/run_key"] for run in found]
    assert len(set(keys)) == len(keys) == 4
    assert statuses(server.ask(PARTITIONS)["assetNodeOrError"])[COMES_AND_GOES] == "MATERIALIZED"
