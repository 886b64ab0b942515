"""Settings: what the environment may say, and what it is told when it says something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.settings import CHECKOUT, Settings, SettingsError


def test_by_default_everything_lies_in_the_checkout() -> None:
    settings = Settings.from_environment({})
    assert settings.home == CHECKOUT / "data"
    assert settings.landing == str(CHECKOUT / "data" / "landing")


def test_landing_and_home_can_be_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment(
        {"WALKHOUSE_LANDING": "s3://bucket/prefix/", "WALKHOUSE_HOME": "here"}
    )
    assert settings.landing == "s3://bucket/prefix"
    assert settings.home == tmp_path / "here"


def test_another_process_sees_the_same_settings(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {"WALKHOUSE_HOME": str(tmp_path), "WALKHOUSE_KEEP_RELEASES": "5"}
    )
    assert Settings.from_environment(settings.environment()) == settings


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("WALKHOUSE_KEEP_RELEASES", "1", "at least 2"),
        ("WALKHOUSE_KEEP_RELEASES", "many", "whole number"),
        ("WALKHOUSE_THREADS", "0", "at least 1"),
        ("WALKHOUSE_FIRST_DUMP_DATE", "soon", "a date such as 2024-01-01"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}='{value}'.*{says}"):
        Settings.from_environment({name: value})
