"""The command line as such: its help, its errors, and commands that need no run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dagster_project.cli import cli


@pytest.fixture
def walkhouse(tmp_path: Path) -> CliRunner:
    return CliRunner(
        env={
            "WALKHOUSE_LANDING": str(tmp_path / "landing"),
            "WALKHOUSE_HOME": str(tmp_path / "home"),
        }
    )


def call(walkhouse: CliRunner, *arguments: str) -> Result:
    return walkhouse.invoke(cli, arguments)


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_explains_itself(walkhouse: CliRunner, command: str) -> None:
    result = call(walkhouse, command, "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 4


def test_the_simulator_plants_what_it_is_told_to(walkhouse: CliRunner, tmp_path: Path) -> None:
    arguments = [
        "--days",
        "2",
        "--events-per-day",
        "300",
        "--late",
        "0.05",
        "--manifest",
        "--form",
        "player",
    ]
    result = call(walkhouse, "simulate", *arguments, "--plant", "launcher_play_once_per_session=4")
    assert result.exit_code == 0, result.output
    assert "2 dumps with" in result.output
    assert len(list(tmp_path.rglob("_manifest.json"))) == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--plant", "launcher"), "say INVARIANT=N"),
        (("--plant", "nonsense=3"), "nonsense"),
        (("--late", "2"), "late must be between 0 and 1"),
        (("--start", "soon"), "does not match the format"),
    ],
)
def test_what_the_simulator_cannot_do_it_says(
    walkhouse: CliRunner, arguments: tuple[str, ...], says: str
) -> None:
    result = call(walkhouse, "simulate", *arguments)
    assert result.exit_code == 2
    assert says in result.output


def test_a_wrong_setting_is_named(walkhouse: CliRunner) -> None:
    result = walkhouse.invoke(cli, ["status"], env={"WALKHOUSE_THREADS": "none"})
    assert result.exit_code == 2
    assert "WALKHOUSE_THREADS='none': must be a whole number" in result.output


def test_the_settings_are_listed_with_where_they_come_from(
    walkhouse: CliRunner, tmp_path: Path
) -> None:
    result = call(walkhouse, "settings")
    assert result.exit_code == 0, result.output
    assert re.search(rf"^landing: +{tmp_path}/landing \(variable\)$", result.output, re.MULTILINE)
    assert re.search(r"^keep_releases: +3 \(default\)$", result.output, re.MULTILINE)


def test_a_schedule_that_dagster_does_not_know_is_named(walkhouse: CliRunner) -> None:
    result = walkhouse.invoke(cli, ["settings"], env={"WALKHOUSE_SCHEDULE": "every morning"})
    assert result.exit_code == 2
    assert "schedule='every morning'" in result.output


def test_without_a_landing_the_status_says_what_to_do(walkhouse: CliRunner) -> None:
    result = call(walkhouse, "status")
    assert result.exit_code == 1
    assert "try `walkhouse simulate` first" in result.output


def test_a_fresh_installation_has_no_releases(walkhouse: CliRunner) -> None:
    assert "nothing is published yet" in call(walkhouse, "releases").output
    assert call(walkhouse, "rollback").exit_code == 1
