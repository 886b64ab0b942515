"""Runs that are killed, or find no room on the disk: the next one finishes the job by itself.

The tests follow in order on one installation. They watch what a run logs and writes, and kill it
then; what the last run publishes equals what undisturbed runs make of the same landing.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from dagster_project.registry import load_published_tables
from tests.histories.workbench import row_differences
from tests.installation import CHECKOUT, Installation, said
from tests.reference import reference
from tests.whole import landings
from tests.whole.compare import differences

SEEDS = CHECKOUT / "dbt_project" / "seeds"
PATIENCE_SECONDS = 600
RANDOM_KILLS = 12 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 0

# Some dozen runs of the command line, so `make test` leaves them to `make test-all`.
pytestmark = pytest.mark.slow

# They tell of runs, and so differ between one and many.
OF_RUNS = (("meta", "rebuilds"), ("meta", "release"))


@dataclass
class Run:
    """A `walkhouse run` under way, and the file that it logs to."""

    process: subprocess.Popen[bytes]
    log: Path
    dbt_log: Path
    dbt_logged_before: int

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return self.log.read_text(encoding="utf-8")

    def has_built(self, table: str) -> bool:
        """Whether dbt has finished a table in this run."""
        if not self.dbt_log.exists():
            return False
        with self.dbt_log.open("rb") as file:
            file.seek(self.dbt_logged_before)
            return f"OK created sql incremental model {table} ".encode() in file.read()

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Return as soon as something is so; a run that ends before it is a failed test."""
        patience = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert self.process.poll() is None, f"it ended too early:\n{self.said}"
            assert time.monotonic() < patience, f"it takes too long:\n{self.said}"
            time.sleep(0.001)

    def kill(self) -> None:
        """End it without any chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def finish(self) -> int:
        """Wait for its end; gives its exit code."""
        return self.process.wait(PATIENCE_SECONDS)


def start(
    installation: Installation,
    log: Path,
    *arguments: str,
    largest_file: int | None = None,
    **variables: str,
) -> Run:
    """Start `walkhouse run`, or another command; no file can grow beyond `largest_file` bytes."""

    def limit() -> None:
        if largest_file is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    dbt_log = installation.prepared / "dbt.log"
    logged = dbt_log.stat().st_size if dbt_log.exists() else 0
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster_project.cli", *(arguments or ("run",))],
            cwd=CHECKOUT,
            env=installation.environment | variables,
            stdout=file,
            stderr=subprocess.STDOUT,
            preexec_fn=limit,
        )
    return Run(process, log, dbt_log, logged)


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with a small landing, in which nothing was run yet."""
    folder = tmp_path_factory.mktemp("disturbed")
    installation = Installation(folder / "landing", folder / "home")
    simulated = installation.walkhouse(
        "simulate", "--days", "2", "--events-per-day", "300", "--start", "2026-03-01"
    )
    assert simulated.returncode == 0, said(simulated)
    return installation


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "run.log"


def left_in_the_way(installation: Installation) -> list[str]:
    """Files and folders that only killed runs leave behind."""
    home = installation.home
    found = [
        *home.glob("published/.releases/.building-*"),
        *home.glob("published/.*.new"),
        *home.glob("lake/raw/dumps/dt=*/building-*"),
        *home.glob("lake/raw/**/.*"),
        *home.glob("locks/process-*"),
        *home.glob("*.tmp"),
        *home.glob("scratch/*"),
    ]
    for folder in home.glob("lake/raw/dumps/dt=*"):
        dump = json.loads((folder / "dump.json").read_text(encoding="utf-8"))
        found += [
            path for path in folder.iterdir() if path.name not in ("dump.json", dump["fingerprint"])
        ]
    return [str(path.relative_to(home)) for path in found]


def recorded(installation: Installation) -> list[str]:
    """The states of the runs that the Dagster UI shows."""
    code = (
        "import dagster as dg\n"
        "with dg.DagsterInstance.get() as instance:\n"
        "    for run in instance.get_runs(): print(run.status.value)\n"
    )
    home = str(installation.home / "dagster")
    shown = installation.execute("env", f"DAGSTER_HOME={home}", "python", "-c", code)
    assert shown.returncode == 0, said(shown)
    return shown.stdout.split()


def test_a_run_killed_while_it_parses_and_takes_dumps_in_publishes_nothing(
    disturbed: Installation, log: Path
) -> None:
    deployed = disturbed.home / "deployed"
    run = start(disturbed, log)
    run.wait_until(lambda: any(deployed.glob("*/target/prepared/manifest.json")))
    run.kill()
    run = start(disturbed, log)
    run.wait_until(lambda: "dump 2026-03-01: " in run.said)
    run.kill()
    assert not disturbed.published.exists()


def test_a_run_killed_between_and_inside_models_goes_on_where_it_was(
    disturbed: Installation, log: Path
) -> None:
    run = start(disturbed, log)
    run.wait_until(lambda: run.has_built("facts.fct_item_events"))
    run.kill()
    assert "dump 2026-03-01: " not in run.said
    wal = disturbed.home / "warehouse.duckdb.wal"
    run = start(disturbed, log)
    run.wait_until(lambda: run.has_built("facts.fct_sessions"))
    size = wal.stat().st_size if wal.exists() else 0
    run.wait_until(lambda: wal.exists() and wal.stat().st_size != size)  # it is being written
    run.kill()
    assert not disturbed.published.exists()


def test_a_run_killed_while_it_writes_a_release_leaves_what_there_was(
    disturbed: Installation, log: Path
) -> None:
    run = start(disturbed, log)
    run.wait_until(lambda: any(disturbed.home.glob("published/.releases/.building-*/parquet")))
    run.kill()
    assert not disturbed.published.exists()


@pytest.fixture(scope="module")
def finished(disturbed: Installation, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The same installation after two runs that began at once and were let be."""
    logs = tmp_path_factory.mktemp("logs")
    runs = [start(disturbed, logs / f"{number}.log") for number in range(2)]
    codes = [run.finish() for run in runs]
    assert codes == [0, 0], "\n".join(run.said for run in runs)
    return disturbed


def test_two_runs_at_once_after_all_that_publish_what_landed(finished: Installation) -> None:
    assert differences(finished.published, reference(finished.landing, SEEDS)) == []


def test_nothing_is_left_in_the_way(finished: Installation) -> None:
    assert left_in_the_way(finished) == []


def test_the_killed_runs_are_shown_as_failed(finished: Installation) -> None:
    states = recorded(finished)
    assert states.count("FAILURE") >= 3
    assert set(states) == {"FAILURE", "SUCCESS"}


def test_what_is_published_equals_an_undisturbed_run(
    finished: Installation, tmp_path: Path
) -> None:
    undisturbed = Installation(finished.landing, tmp_path / "home")
    run = undisturbed.walkhouse("run")
    assert run.returncode == 0, said(run)
    assert published_differences(finished, undisturbed) == []


def test_a_full_disk_is_named_and_what_was_published_stays(
    finished: Installation, log: Path
) -> None:
    before = finished.ask("select release_id from meta.release")
    landings.late_events(finished.landing)
    size = finished.published.stat().st_size
    # One limit is met by the release, the other as soon as Dagster records the run.
    for largest_file, says in (
        (size * 3 // 4, "the release could not be written"),
        (256 * 1024, "the record of the run could not be written"),
    ):
        run = start(finished, log, largest_file=largest_file)
        assert run.finish() == 1, run.said
        assert says in run.said
        assert "Traceback" not in run.said
        assert finished.ask("select release_id from meta.release") == before
    run = start(finished, log)
    assert run.finish() == 0, run.said
    assert finished.ask("select release_id from meta.release") != before
    assert differences(finished.published, reference(finished.landing, SEEDS)) == []
    assert left_in_the_way(finished) == []


@pytest.fixture(scope="module")
def seconds_of_a_run(finished: Installation) -> float:
    """How long a run takes that nobody kills and that takes in one dump."""
    deliver(finished, "2026-04-30")
    began = time.monotonic()
    run = finished.walkhouse("run")
    assert run.returncode == 0, said(run)
    return time.monotonic() - began


@pytest.mark.parametrize("seed", range(RANDOM_KILLS))
def test_a_run_killed_at_any_time_is_made_good_by_the_next(
    finished: Installation, seconds_of_a_run: float, log: Path, seed: int
) -> None:
    deliver(finished, f"2026-05-{seed + 1:02}")
    run = start(finished, log)
    try:
        run.process.wait(random.Random(seed).uniform(0, seconds_of_a_run))
    except subprocess.TimeoutExpired:
        run.kill()
    run = start(finished, log)
    assert run.finish() == 0, run.said
    assert differences(finished.published, reference(finished.landing, SEEDS)) == []
    assert left_in_the_way(finished) == []


def deliver(installation: Installation, day: str) -> None:
    """A dump of thirty events."""
    noon = landings.at(f"{day}T12:00:00Z")
    events = [
        landings.player(noon + 1000 * number, "task/play", session=f"s-{number}")
        for number in range(30)
    ]
    landings.put(installation.landing, day, "a.ndjson", events)


def published_differences(one: Installation, other: Installation) -> list[str]:
    """Rows that only one of two releases has."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{one.published}' as one (read_only)")
        connection.execute(f"attach '{other.published}' as other (read_only)")
        tables = [table for table in load_published_tables() if table not in OF_RUNS]
        return [
            found
            for schema, table in tables
            for found in row_differences(connection, f"{schema}.{table}", "one", "other")
        ]
