"""Dagster as on a server: its records in Postgres, its services started as compose.yaml says.

No container runs here: the commands and health checks of compose.yaml are run as they are, but for
the places of files and ports.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.test_files import COMPOSE, DEPLOY
from tests.installation import CHECKOUT, PROGRAMS, Installation, said
from tests.postgres_server import PASSWORD, running_server
from tests.postgres_server import Server as Postgres
from tests.whole import landings

pytestmark = pytest.mark.long


@dataclass(frozen=True)
class Server:
    """What containers would share: a Postgres, DAGSTER_HOME, an installation, and their ports."""

    postgres: Postgres
    dagster_home: Path
    installation: Installation
    ports: dict[str, str]

    @property
    def environment(self) -> dict[str, str]:
        return {
            **self.installation.environment,
            "DAGSTER_POSTGRES_HOST": "127.0.0.1",
            "DAGSTER_POSTGRES_PORT": str(self.postgres.port),
            "DAGSTER_POSTGRES_USER": "postgres",
            "DAGSTER_POSTGRES_PASSWORD": PASSWORD,
            "DAGSTER_POSTGRES_DB": "dagster",
            "DAGSTER_HOME": str(self.dagster_home),
            "WALKHOUSE_CODE_HOST": "127.0.0.1",
        }

    def command(self, words: list[str]) -> list[str]:
        """A command of compose.yaml, with the places and ports of the test."""
        placed = [word.replace("/opt/dagster", str(self.dagster_home)) for word in words]
        for port, free in self.ports.items():
            placed = [word.replace(port, free) for word in placed]
        program = PROGRAMS / placed[0]
        return [str(program), *(w if w != "0.0.0.0" else "127.0.0.1" for w in placed[1:])]

    def run(self, words: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(words),
            cwd=CHECKOUT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def is_healthy(self, name: str) -> bool:
        """What the service's health check says."""
        _, *words = COMPOSE["services"][name]["healthcheck"]["test"]
        return self.run(words).returncode == 0

    @contextmanager
    def service(self, name: str, log: Path) -> Iterator[None]:
        """A service, until it is left; healthy when it is entered."""
        with log.open("w") as output:
            process = subprocess.Popen(
                self.command(COMPOSE["services"][name]["command"]),
                cwd=CHECKOUT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                deadline = time.monotonic() + 300
                while not self.is_healthy(name):
                    assert process.poll() is None, log.read_text()
                    assert time.monotonic() < deadline, log.read_text()
                    time.sleep(0.5)
                yield
            finally:
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


@pytest.fixture(scope="module")
def server(
    installation_of_module: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("dagster")
    # As deploy/Containerfile puts it together.
    (home / "dagster.yaml").write_text(
        (CHECKOUT / "dagster_project" / "dagster.yaml").read_text()
        + (DEPLOY / "postgres.yaml").read_text()
    )
    ports = {}
    with ExitStack() as held:
        for port in ("3000", "4000"):
            free = held.enter_context(socket.socket())
            free.bind(("127.0.0.1", 0))
            ports[port] = str(free.getsockname()[1])
    workspace = (DEPLOY / "workspace.yaml").read_text().replace("4000", ports["4000"])
    (home / "workspace.yaml").write_text(workspace)
    (home / "storage").mkdir()
    with running_server() as postgres:
        postgres.ask("postgres", "create database dagster")
        yield Server(postgres, home, installation_of_module, ports)


def test_the_records_are_made_ready_and_again_for_the_next_version(server: Server) -> None:
    for _ in range(2):
        migrated = server.run(COMPOSE["services"]["migrate"]["command"])
        assert migrated.returncode == 0, said(migrated)
    assert ("runs",) in server.postgres.ask("dagster", "select tablename from pg_tables")


def test_a_run_is_recorded_in_postgres_and_nowhere_else(server: Server) -> None:
    event = landings.player(landings.at("2026-03-01T09:00:00Z"), "player/open", session="s")
    landings.put(server.installation.landing, "2026-03-01", "a.ndjson", [event])
    run = server.run(["python", "-m", "dagster_project.cli", "run"])
    assert run.returncode == 0, said(run)
    assert PASSWORD not in said(run)
    recorded = server.postgres.ask("dagster", "select pipeline_name, status from runs order by 1")
    assert recorded == [("build_and_release", "SUCCESS"), ("ingest_dumps", "SUCCESS")]
    assert not (server.installation.home / "dagster").exists()


@pytest.mark.slow
def test_the_services_come_up_healthy_and_know_the_run(server: Server, tmp_path: Path) -> None:
    with ExitStack() as services:
        for name in ("code", "webserver", "daemon"):
            services.enter_context(server.service(name, tmp_path / name))
        request = urllib.request.Request(
            f"http://127.0.0.1:{server.ports['3000']}/graphql",
            data=b'{"query": "{ workspaceOrError { __typename ... on Workspace { locationEntries'
            b' { name loadStatus } } } runsOrError { ... on Runs { results { jobName } } } }"}',
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = answer.read().decode()
    assert '"name": "walkhouse"' in found.replace('":"', '": "')
    assert "LOADED" in found
