"""Settings: what the environment may say, and what it is told when it says something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from dagster_project.settings import CHECKOUT, Settings, SettingsError, without_password


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


def test_copies_are_a_list_of_urls_in_one_variable() -> None:
    for text in ("s3://a/b s3://c", "s3://a/b/,s3://c/", " s3://a/b,  s3://c "):
        assert Settings.from_environment({"WALKHOUSE_COPIES": text}).copies == (
            "s3://a/b",
            "s3://c",
        )
    assert Settings.from_environment({}).copies == ()
    commas = Settings.from_environment({"WALKHOUSE_COPIES": "s3://a,b/c s3://d"})
    assert commas.copies == ("s3://a,b/c", "s3://d")


def test_a_copy_that_nothing_can_send_is_refused_without_showing_it() -> None:
    with pytest.raises(SettingsError, match="URL 2 of 2 must begin with one of s3://") as refused:
        Settings.from_environment({"WALKHOUSE_COPIES": "s3://a ftp://me:secret@b"})
    assert "secret" not in str(refused.value)


def test_a_url_is_shown_without_its_password() -> None:
    assert without_password("postgresql://me:secret@host:5432/db?password=secret") == (
        "postgresql://me@host:5432/db"
    )
    assert without_password("s3://bucket/prefix") == "s3://bucket/prefix"
