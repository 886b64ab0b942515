"""Two machines that share a lake: one takes in dumps, the other builds, and both forget.

The tests follow in order.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dagster_project.forgotten import load_requests
from dagster_project.ingest.lake import Lake
from tests.installation import SEEDS, Installation, said
from tests.object_store import SECRET, ObjectStore, object_store_of_environment
from tests.reference import reference
from tests.whole import landings
from tests.whole.compare import differences
from tests.whole.test_forgetting import event, everywhere
from tests.whole.traces import traces_in_files, traces_in_store

pytestmark = pytest.mark.long
KEY = "a key that is long enough for the tests"
PERSON = "somebody@example.org"
LATE = "2026-03-03"


@dataclass(frozen=True)
class Machine:
    """An installation that shares the lake."""

    installation: Installation

    def walkhouse(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        shared = {
            "WALKHOUSE_SHARED_LAKE": "s3://walkhouse/lake",
            "WALKHOUSE_PERSONAL_KEY": KEY,
            "WALKHOUSE_THREADS": "2",
        }
        ran = self.installation.walkhouse(*arguments, **(shared | variables))
        assert SECRET not in said(ran)
        return ran


@dataclass(frozen=True)
class Machines:
    """A machine that builds, one that only takes in dumps, and the store."""

    builder: Machine
    worker: Machine
    store: ObjectStore

    @property
    def landing(self) -> Path:
        return self.builder.installation.landing

    def traces(self, folder: Path) -> list[str]:
        """Where the person is named, but for the landing."""
        folder.mkdir()
        return [
            *traces_in_store(self.store, folder, PERSON),
            *traces_in_files(self.builder.installation.home, PERSON),
            *traces_in_files(self.worker.installation.home, PERSON),
        ]


@pytest.fixture(scope="module")
def machines(
    installation_of_module: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Machines]:
    landing = installation_of_module.landing
    arguments = ("--days", "2", "--events-per-day", "400", "--late", "0.05")
    simulated = installation_of_module.walkhouse("simulate", *arguments)
    assert simulated.returncode == 0, said(simulated)
    worker = Installation(landing, tmp_path_factory.mktemp("worker") / "home")
    with object_store_of_environment() as store:
        yield Machines(Machine(installation_of_module), Machine(worker), store)


def deliver_the_person(landing: Path) -> None:
    events = [event(PERSON, number, day=2, **everywhere(PERSON)) for number in range(3)]
    landings.put(landing, LATE, "late.ndjson", events)


def test_a_machine_that_only_takes_in_keeps_no_data_and_says_what_is_left(
    machines: Machines,
) -> None:
    landing = machines.landing
    (landing / "events" / "dt=2026-01-05").mkdir()
    (landing / "events" / "dt=2026-01-05" / "a.ndjson.gz").write_bytes(b"\x1f\x8b no gzip")
    run = machines.worker.walkhouse("run", "--ingest-only")
    assert run.returncode == 1, said(run)
    assert "not every dump is taken in" in said(run)
    assert "dump 2026-01-05, a.ndjson.gz" in said(run)
    shutil.rmtree(landing / "events" / "dt=2026-01-05")
    run = machines.worker.walkhouse("run", "--ingest-only")
    assert run.returncode == 0, said(run)
    home = machines.worker.installation.home
    assert [
        path for path in (home / "lake").rglob("*.parquet") if path.parent.name != "schema"
    ] == []
    assert not (home / "warehouse.duckdb").exists()
    assert not (home / "published").exists()


def test_what_is_built_from_a_shared_lake_is_what_the_reference_has(machines: Machines) -> None:
    deliver_the_person(machines.landing)
    run = machines.builder.walkhouse("run")
    assert run.returncode == 0, said(run)
    assert f"1 new dump: {LATE}" in said(run)  # the others, the worker took in
    published = machines.builder.installation.published
    assert differences(published, reference(machines.landing, SEEDS)) == []
    for machine in (machines.builder, machines.worker):
        run = machine.walkhouse("run", *(["--ingest-only"] if machine == machines.worker else []))
        assert "nothing is pending" in said(run)
        status = json.loads(machine.walkhouse("status", "--json").stdout)
        assert set(status["dumps"]) >= {LATE}
        assert (
            status["lines"]
            == machines.builder.installation.ask("select sum(lines) from meta.dump_ledger")[0][0]
        )


def test_nothing_names_who_is_forgotten_in_the_store_and_on_any_machine(
    machines: Machines, tmp_path: Path
) -> None:
    assert len(machines.traces(tmp_path / "before")) >= 3
    forget = machines.builder.walkhouse("forget", "--user", PERSON)
    assert forget.returncode == 0, said(forget)
    assert "nothing is left of those who were to be forgotten" in said(forget)
    assert machines.builder.installation.ask(
        f"select count(*) from facts.fct_item_events where end_user_id = '{PERSON}'"
    ) == [(0,)]
    assert machines.traces(tmp_path / "after") == []
    # The other machine knows of it before it reads anything.
    deliver_the_person(machines.landing)
    landings.put(
        machines.landing,
        "2026-03-10",
        "again.ndjson",
        [event(PERSON, 0, day=9)],
    )
    run = machines.worker.walkhouse("run", "--ingest-only")
    assert run.returncode == 0, said(run)
    assert load_requests(machines.worker.installation.home) == load_requests(
        machines.builder.installation.home
    )
    assert machines.traces(tmp_path / "again") == []


def test_a_machine_with_other_settings_is_refused_by_name(machines: Machines) -> None:
    keys = machines.store.keys("lake/")
    run = machines.worker.walkhouse("run", "--ingest-only", WALKHOUSE_KEEP_DAYS="2")
    # It agreed before, and was changed since: so it leads, and the others are behind.
    assert run.returncode == 0, said(run)
    assert len(machines.store.keys("lake/data/")) < len(keys)
    behind = machines.builder.walkhouse("run")
    assert behind.returncode == 1
    assert "keep_days: 0 here, 2 there" in said(behind).replace("\n", " ")
    assert Lake(machines.builder.installation.home / "lake" / "raw").dump_dates()
