"""Settings: what the environment and the file may say, and what is told when they say otherwise."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import duckdb
import pytest

from dagster_project.settings import (
    CHECKOUT,
    Settings,
    SettingsError,
    known_settings,
    settings_in_force,
    unknown_variables,
    without_password,
)

PAGE = (CHECKOUT / "docs" / "settings.md").read_text(encoding="utf-8")


def home_with(folder: Path, text: str) -> dict[str, str]:
    """The environment of an installation with a settings file."""
    (folder / "walkhouse.toml").write_text(text, encoding="utf-8")
    return {"WALKHOUSE_HOME": str(folder)}


def test_by_default_everything_lies_in_the_checkout() -> None:
    settings = Settings.from_environment({})
    assert settings.home == CHECKOUT / "data"
    assert settings.landing == str(CHECKOUT / "data" / "landing")
    assert settings == Settings()


def test_landing_and_home_can_be_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment(
        {"WALKHOUSE_LANDING": "s3://bucket/prefix/", "WALKHOUSE_HOME": "here"}
    )
    assert settings.landing == "s3://bucket/prefix"
    assert settings.home == tmp_path / "here"


def test_another_process_sees_the_same_settings(tmp_path: Path) -> None:
    settings = Settings.from_environment(
        {
            "WALKHOUSE_HOME": str(tmp_path),
            "WALKHOUSE_KEEP_RELEASES": "5",
            "WALKHOUSE_ALERT_URL": "http://127.0.0.1:9/hook",
        }
    )
    assert Settings.from_environment(settings.environment()) == settings


def test_the_documentation_lists_every_setting_its_default_and_its_meaning() -> None:
    rows = [
        f"| `{each.variable}` | {f'`{each.default}`' if each.default else '-'} | {each.meaning} |"
        for each in known_settings()
    ]
    assert "\n".join(rows) in PAGE


def test_every_field_is_a_setting_with_a_meaning() -> None:
    assert [each.name for each in known_settings()] == [
        each.name for each in dataclasses.fields(Settings)
    ]
    assert all(each.meaning for each in known_settings())


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("WALKHOUSE_KEEP_RELEASES", "1", "at least 2"),
        ("WALKHOUSE_KEEP_RELEASES", "many", "whole number"),
        ("WALKHOUSE_THREADS", "0", "at least 1"),
        ("WALKHOUSE_THREADS", "1e3", "whole number"),
        ("WALKHOUSE_MEMORY_LIMIT", "4 gigs", "such as 4GB"),
        ("WALKHOUSE_SCHEDULE_TIMEZONE", "Mars/Olympus", "such as Europe/Paris"),
        ("WALKHOUSE_SCHEDULE_TIMEZONE", "../UTC", "such as Europe/Paris"),
        ("WALKHOUSE_SCHEDULE_TIMEZONE", "Europe", "such as Europe/Paris"),
        ("WALKHOUSE_STALE_AFTER_HOURS", "-1", "at least 0"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=f"{name}='{value}'.*{says}"):
        Settings.from_environment({name: value})


@pytest.mark.parametrize("value", ["4GB", "512 MiB", "1.5gb", "900000B", "1TiB"])
def test_duckdb_takes_the_amounts_of_memory_that_the_settings_take(value: str) -> None:
    settings = Settings.from_environment({"WALKHOUSE_MEMORY_LIMIT": value})
    duckdb.connect(config={"memory_limit": settings.memory_limit}).close()


def test_the_file_in_the_home_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    environment = home_with(
        tmp_path,
        'landing = "dumps"\nkeep_releases = 7\nstale_after_hours = 30\nmemory_limit = "2GB"\n',
    )
    settings = Settings.from_environment({**environment, "WALKHOUSE_MEMORY_LIMIT": "3GB"})
    assert settings.landing == str(tmp_path / "dumps")  # relative to the file
    assert settings.keep_releases == 7
    assert settings.stale_after_hours == 30
    assert settings.memory_limit == "3GB"


def test_a_file_that_is_named_may_say_where_the_home_is(tmp_path: Path) -> None:
    file = tmp_path / "elsewhere.toml"
    file.write_text('home = "house"\nname = "stage"\n', encoding="utf-8")
    settings = Settings.from_environment({"WALKHOUSE_SETTINGS": str(file)})
    assert settings.home == tmp_path / "house"
    assert settings.name == "stage"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("keep_release = 3", "keep_release is no setting; did you mean keep_releases?"),
        ("xyz = 3", "xyz is no setting; known are: landing, home,"),
        ("keep_releases = 1", "keep_releases='1': must be a whole number of at least 2"),
        ("keep_releases = true", "keep_releases: must be a text, a whole number"),
        ("threads = 1.5", "threads: must be a text, a whole number"),
        ("keep_releases =", "cannot be read as TOML"),
        ('home = "/tmp"', "cannot say where that is; set WALKHOUSE_HOME"),
    ],
)
def test_what_is_wrong_in_the_file_is_named_with_the_file(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.from_environment(home_with(tmp_path, text))
    assert str(tmp_path / "walkhouse.toml") in str(error.value)
    assert says in str(error.value)


def test_a_wrong_key_is_told_even_where_the_environment_would_win(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="threads='none'"):
        Settings.from_environment({**home_with(tmp_path, 'threads = "none"'), "THREADS": "3"})


def test_a_file_that_is_named_and_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"WALKHOUSE_SETTINGS='.*no\.toml': there is no such"):
        Settings.from_environment({"WALKHOUSE_SETTINGS": str(tmp_path / "no.toml")})


def test_where_each_setting_was_said_is_told_and_no_secret(tmp_path: Path) -> None:
    environment = home_with(tmp_path, 'alert_url = "https://user:pw@hooks.example.com/T0/secret"\n')
    told = {
        each.name: each for each in settings_in_force({**environment, "WALKHOUSE_THREADS": "3"})
    }
    assert told["threads"].source == "variable"
    assert told["keep_releases"].source == "default"
    assert told["alert_url"].source == str(tmp_path / "walkhouse.toml")
    assert told["alert_url"].value == "https://hooks.example.com/…"


@pytest.mark.parametrize(
    "value", ["hooks.example.com/T0/secret", "ftp://x/secret", "http:///secret"]
)
def test_an_alert_address_that_cannot_be_used_is_not_repeated(value: str) -> None:
    with pytest.raises(SettingsError, match="WALKHOUSE_ALERT_URL: must be an address") as error:
        Settings.from_environment({"WALKHOUSE_ALERT_URL": value})
    assert "secret" not in str(error.value)


def test_an_address_is_shown_without_its_password() -> None:
    assert without_password("postgres://me:pw@db:5432/bi?password=pw") == "postgres://me@db:5432/bi"
    assert without_password("/data/landing") == "/data/landing"
    for plain in ("s3://bucket/prefix", "s3://bucket/a?b#c@d:[e] %20", "/data/a?b#c@d:[e]"):
        assert without_password(plain) == plain
    for secret in ("s3://me:secret@bucket/x", "s3://me:sec/ret@bucket/x", "s3://me:secret/bucket"):
        assert "secret" not in without_password(secret).replace("/", "").replace("bucket", "")


def test_a_variable_that_looks_like_a_setting_is_pointed_out() -> None:
    environment = {"WALKHOUSE_KEEP_RELEASE": "3", "WALKHOUSE_DBT_THREADS": "2", "OTHER": "x"}
    assert unknown_variables(environment) == [
        "WALKHOUSE_KEEP_RELEASE is no setting; did you mean keep_releases?"
    ]


def test_copies_are_a_list_of_urls_in_one_variable() -> None:
    for text in ("s3://a/b s3://c", "s3://a/b/,s3://c/", " s3://a/b,  s3://c "):
        assert Settings.from_environment({"WALKHOUSE_COPIES": text}).copies == (
            "s3://a/b",
            "s3://c",
        )
    assert Settings.from_environment({}).copies == ()
    blanks = Settings.from_environment({"WALKHOUSE_COPIES": "s3://a/b c [1]?#%20  s3://d"})
    assert blanks.copies == ("s3://a/b c [1]?#%20", "s3://d")
    commas = Settings.from_environment({"WALKHOUSE_COPIES": "s3://a,b/c s3://d"})
    assert commas.copies == ("s3://a,b/c", "s3://d")


def test_a_landing_without_a_bucket_is_refused_before_anybody_asks_for_it() -> None:
    with pytest.raises(SettingsError, match=r"WALKHOUSE_LANDING.*: must name a bucket"):
        Settings.from_environment({"WALKHOUSE_LANDING": "s3:///x"})


def test_a_copy_that_nothing_can_send_is_refused_without_showing_it() -> None:
    with pytest.raises(SettingsError, match="URL 2 of 2 must begin with one of s3://") as refused:
        Settings.from_environment({"WALKHOUSE_COPIES": "s3://a ftp://me:secret@b"})
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["s3://a b/c", "postgres://me:se cret@b/d", "s3://", "s3:///c"])
def test_a_copy_that_names_no_place_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="URL 1 of 1 must begin") as refused:
        Settings.from_environment({"WALKHOUSE_COPIES": url})
    assert "se cret" not in str(refused.value)


def test_a_secret_stands_in_the_environment_only(tmp_path: Path) -> None:
    secret = "d1f0" * 16
    in_environment = {"WALKHOUSE_HOME": str(tmp_path), "WALKHOUSE_PERSONAL_KEY": secret}

    settings = Settings.from_environment(in_environment)
    (shown,) = (e for e in settings_in_force(in_environment) if e.name == "personal_key")

    assert settings.personal_key == secret
    assert secret not in repr(settings)
    assert shown.value == "(set)"
    with pytest.raises(SettingsError, match="a secret, which no file may hold") as refused:
        Settings.from_environment(home_with(tmp_path, f'personal_key = "{secret}"'))
    assert secret not in str(refused.value)
    with pytest.raises(SettingsError, match="at least 32 characters") as refused:
        Settings.from_environment({"WALKHOUSE_PERSONAL_KEY": "short secret"})
    assert "short secret" not in str(refused.value)
