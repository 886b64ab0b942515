"""The Dagster UI of an installation, started as the README says."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from typing import Any

from tests.installation import CHECKOUT, Installation

QUERY = """
{ repositoriesOrError { ... on RepositoryConnection { nodes {
    assetGroups { groupName } schedules { name } sensors { name } jobs { name }
} } } }
"""


def test_the_ui_starts_and_knows_assets_jobs_schedule_and_sensors(
    installation: Installation,
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["-m", "dagster_project.cli", "ui", "--host", "127.0.0.1", "--port", str(port)]
    log = installation.home / "ui.log"
    installation.home.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        ui = subprocess.Popen(
            [sys.executable, *command],
            cwd=CHECKOUT,
            env=installation.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            (repository,) = ask_when_ready(port, ui)
        finally:
            stop(ui)
    assert {group["groupName"] for group in repository["assetGroups"]} >= {
        "landing",
        "raw",
        "staging",
        "facts",
        "reports",
        "audit",
        "release",
    }
    assert {schedule["name"] for schedule in repository["schedules"]} == {"daily"}
    assert {sensor["name"] for sensor in repository["sensors"]} >= {"landing", "lake"}
    assert {job["name"] for job in repository["jobs"]} >= {"ingest_dumps", "build_and_release"}


def stop(ui: subprocess.Popen[bytes]) -> None:
    """End the UI and the servers it started; on a busy machine they may not end by themselves."""
    os.killpg(ui.pid, signal.SIGTERM)
    try:
        ui.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(ui.pid, signal.SIGKILL)
        ui.wait()


def ask_when_ready(port: int, ui: subprocess.Popen[bytes]) -> list[dict[str, Any]]:
    """The repositories that the UI knows, as soon as it knows any."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": QUERY}).encode(),
        headers={"Content-Type": "application/json"},
    )
    for _ in range(240):
        assert ui.poll() is None, "the UI ended by itself"
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                found = json.load(response)["data"]["repositoriesOrError"].get("nodes")
        except OSError:
            found = None
        if found:
            return list(found)
        time.sleep(0.5)
    raise AssertionError("the UI did not come up within two minutes")
