"""The files for a server agree with each other and with the checkout."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
import yaml

from tests.installation import CHECKOUT

DEPLOY = CHECKOUT / "deploy"
CONTAINERFILE = (DEPLOY / "Containerfile").read_text(encoding="utf-8")
COMPOSE_TEXT = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
OF_THE_IMAGE = {name: s for name, s in COMPOSE["services"].items() if s["image"] == "walkhouse"}


def test_postgres_is_all_that_a_server_adds_to_the_instance() -> None:
    shipped = yaml.safe_load((CHECKOUT / "dagster_project" / "dagster.yaml").read_text())
    added = yaml.safe_load((DEPLOY / "postgres.yaml").read_text())
    assert set(added) == {"storage"}
    assert not set(added) & set(shipped)
    assert shipped["telemetry"] == {"enabled": False}


def test_every_variable_that_a_server_reads_is_set_by_compose() -> None:
    read = {
        name
        for file in ("postgres.yaml", "workspace.yaml")
        for name in re.findall(r"env: (\w+)", (DEPLOY / file).read_text())
    }
    for name, service in OF_THE_IMAGE.items():
        assert read <= set(service["environment"]), name


def test_the_example_says_all_that_compose_cannot_do_without_and_no_secret() -> None:
    needed = set(re.findall(r"\$\{(\w+):\?", COMPOSE_TEXT))
    example = dict(
        line.split("=", 1)
        for line in (DEPLOY / "example.env").read_text().splitlines()
        if line and not line.startswith("#")
    )
    assert needed <= set(example)
    assert not example["DAGSTER_POSTGRES_PASSWORD"]
    assert set(re.findall(r"\$\{(\w+)", COMPOSE_TEXT)) >= set(example)


def test_what_is_said_for_a_server_is_not_committed() -> None:
    ignored = subprocess.run(
        ["git", "check-ignore", "--no-index", "--quiet", "deploy/.env"], cwd=CHECKOUT, check=False
    )
    if ignored.returncode == 128:
        pytest.skip("not a git checkout")
    assert ignored.returncode == 0
    assert "deploy/.env" in (CHECKOUT / ".dockerignore").read_text().splitlines()


def test_the_image_copies_what_there_is_and_is_not_run_by_root() -> None:
    for sources in re.findall(r"^COPY (.+) \S+$", CONTAINERFILE, re.MULTILINE):
        for source in sources.split():
            assert (CHECKOUT / source).exists(), source
            assert f"!{source.split('/')[0]}" in (CHECKOUT / ".dockerignore").read_text()
    assert CONTAINERFILE.startswith("#")
    assert re.findall(r"^FROM (\S+)$", CONTAINERFILE, re.MULTILINE) == ["python:3.11-slim"]
    (user,) = re.findall(r"^USER (\d+):\d+$", CONTAINERFILE, re.MULTILINE)
    assert int(user) > 0


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_service_that_stays_up_is_watched(name: str) -> None:
    service = COMPOSE["services"][name]
    assert (name == "migrate") == ("healthcheck" not in service)
    for port in service.get("ports", ()):
        assert port.startswith("127.0.0.1:")


def test_only_what_runs_sees_the_landing_and_cannot_write_to_it() -> None:
    for name, service in OF_THE_IMAGE.items():
        landing = [volume for volume in service["volumes"] if "LANDING" in volume]
        assert bool(landing) == (name == "code")
        assert all(volume.endswith(":ro") for volume in landing)
