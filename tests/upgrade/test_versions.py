"""What other versions left, piece by piece: the lake, the warehouse, releases, Dagster."""

from __future__ import annotations

import gzip
import hashlib
import json
import logging
import shutil
from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.ingest.lake import FORMAT_VERSION, Lake, LakeDump, LakeVersionError
from dagster_project.operations.instance import SHIPPED_CONFIGURATION, prepare_instance_folder
from dagster_project.operations.pending import known_dump_dates, look
from dagster_project.release.layout import (
    WarehouseError,
    check_layout,
    expected_layout,
    warehouse_layout,
)
from dagster_project.release.publish import Release, current_release, releases, roll_back
from dagster_project.settings import DBT_PROJECT, Settings
from tests.whole import landings

FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)


def put_dump(lake: Lake, day: date) -> None:
    data = lake.dump_folder(day) / "building-1"
    data.mkdir(parents=True)
    (data / "files.parquet").write_text("rows")
    dump = LakeDump(str(day), "abc", "s", "r", (), "abc/files.parquet", {}, 0, {}, ())
    lake.replace_dump(dump, data)


def lake_of_format(home: Path, version: int, *days: date) -> Lake:
    """A lake as another version would leave it: its marker, and dumps that only it can read."""
    lake = Lake(home / "lake" / "raw")
    lake.prepare()
    for day in days:
        put_dump(lake, day)
        if version != FORMAT_VERSION:
            (lake.dump_folder(day) / "dump.json").write_text('{"of": "another time"}')
    (lake.root / "version.json").write_text(json.dumps({"format_version": version}))
    return lake


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """An installation with two dumps in its landing."""
    landing = tmp_path / "landing"
    for day in (FIRST, SECOND):
        event = landings.player(landings.at(f"{day}T09:00:00Z"), "player/open", session="s")
        landings.put(landing, str(day), "a.ndjson", [event])
    return Settings(landing=str(landing), home=tmp_path / "home")


def test_all_dumps_of_an_older_lake_are_pending_and_none_of_it_is_read(settings: Settings) -> None:
    lake_of_format(settings.home, 0, FIRST, SECOND)
    situation = look(settings)
    assert situation.pending.new == (FIRST, SECOND)
    assert situation.is_catalogue_pending
    assert known_dump_dates(settings) == {FIRST, SECOND}


def test_looking_changes_nothing_in_an_older_lake(settings: Settings) -> None:
    lake = lake_of_format(settings.home, 0, FIRST)
    before = sorted(lake.root.rglob("*"))
    look(settings)
    assert sorted(lake.root.rglob("*")) == before


def test_an_older_lake_with_dumps_that_left_the_landing_is_refused(settings: Settings) -> None:
    gone = [date(2025, 1, day) for day in range(1, 8)]
    lake_of_format(settings.home, 0, FIRST, *gone)
    with pytest.raises(LakeVersionError, match=r"no longer has those of 2025-01-01, .* and 2 more"):
        look(settings)


def test_a_newer_lake_is_refused_and_the_sentence_says_what_to_do(settings: Settings) -> None:
    lake_of_format(settings.home, FORMAT_VERSION + 1, FIRST)
    with pytest.raises(LakeVersionError, match="install that one again, or move the folder away"):
        look(settings)


def test_a_lake_that_is_set_aside_goes_dump_by_dump(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    lake = lake_of_format(settings.home, 0, FIRST, SECOND)
    with caplog.at_level(logging.INFO, "walkhouse"):
        lake.set_aside()
    assert "the lake has format 0" in caplog.text
    assert lake.awaited() == {FIRST, SECOND}
    aside = settings.home / "lake" / "raw-of-format-0"
    put_dump(lake, FIRST)
    assert lake.awaited() == {SECOND}
    assert lake.dump_dates() == [FIRST]
    assert (aside / "dumps" / "dt=2026-03-02" / "abc" / "files.parquet").exists()
    shutil.rmtree(Path(settings.landing) / "events" / "dt=2026-03-02")
    assert look(settings).pending.withdrawn == (SECOND,)
    lake.remove_dump(SECOND)
    assert lake.awaited() == set()
    assert not aside.exists()


def warehouse_of_layout(path: Path, version: int | None) -> Path:
    with duckdb.connect(str(path)) as warehouse:
        warehouse.execute("create schema audit; create table audit.builds (invocation_id varchar)")
        if version is not None:
            warehouse.execute(f"create table audit.layout as select {version} as version")
    return path


@pytest.mark.parametrize(("version", "is_older"), [(None, True), (0, True), (1, False)])
def test_an_older_warehouse_is_told_from_a_current_one(
    tmp_path: Path, version: int | None, *, is_older: bool
) -> None:
    assert check_layout(warehouse_of_layout(tmp_path / "w.duckdb", version), 1) == is_older


def test_no_warehouse_and_an_empty_one_are_not_older(tmp_path: Path) -> None:
    assert not check_layout(tmp_path / "none.duckdb", 1)
    duckdb.connect(str(tmp_path / "w.duckdb")).close()
    assert warehouse_layout(tmp_path / "w.duckdb") is None
    assert not check_layout(tmp_path / "w.duckdb", 1)


def test_a_newer_warehouse_is_refused(tmp_path: Path) -> None:
    newer = warehouse_of_layout(tmp_path / "w.duckdb", expected_layout(DBT_PROJECT) + 1)
    with pytest.raises(WarehouseError, match="install what built it again, or remove"):
        check_layout(newer, expected_layout(DBT_PROJECT))


NEWER_DUCKDB = Path(__file__).parent / "newer.duckdb.gz"  # written by DuckDB 2.0.0


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (gzip.decompress(NEWER_DUCKDB.read_bytes()), "version number"),
        (b"none" * 9999, "not a valid"),
    ],
)
def test_a_file_that_this_duckdb_cannot_read_is_refused(
    tmp_path: Path, content: bytes, says: str
) -> None:
    (tmp_path / "w.duckdb").write_bytes(content)
    with pytest.raises(WarehouseError, match=rf"{says}.*; install what built it again, or remove"):
        check_layout(tmp_path / "w.duckdb", 1)


def test_releases_of_other_versions_are_listed_and_gone_back_to(tmp_path: Path) -> None:
    for number in (1, 2):
        folder = tmp_path / ".releases" / f"2026030{number}T000000-abc"
        (folder / "parquet").mkdir(parents=True)
        (folder / "walkhouse.duckdb").touch()
        header: dict[str, object] = {
            "release_id": folder.name,
            "published_at": "2026-03-01T00:00:00.000+00:00",
            "code_version": f"{number}",
            "state": "s",
            "first_dump_date": None,
            "last_dump_date": None,
            "dumps": 0,
            "events": 0,
            "waivers": {},
            "something_new": number,
        }
        (folder / "release.json").write_text(json.dumps(header))
    (tmp_path / "current").symlink_to(".releases/20260302T000000-abc")
    assert [release.code_version for release in releases(tmp_path)] == ["2", "1"]
    went_back = roll_back(tmp_path)
    assert isinstance(went_back, Release)
    assert current_release(tmp_path) == went_back


@pytest.fixture
def instance(tmp_path: Path) -> Path:
    """Dagster's folder of a new installation."""
    prepare_instance_folder(tmp_path / "dagster")
    return tmp_path / "dagster"


def note(instance: Path, **changes: str) -> None:
    path = instance / "walkhouse.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_new_instance_has_the_shipped_configuration_and_is_left_alone(instance: Path) -> None:
    assert (instance / "dagster.yaml").read_bytes() == SHIPPED_CONFIGURATION.read_bytes()
    before = {path: path.stat().st_mtime_ns for path in instance.iterdir()}
    prepare_instance_folder(instance)
    assert {path: path.stat().st_mtime_ns for path in instance.iterdir()} == before


def test_records_of_an_older_dagster_are_migrated(
    instance: Path, caplog: pytest.LogCaptureFixture
) -> None:
    note(instance, dagster="1.12.0")
    with caplog.at_level(logging.INFO, "walkhouse"):
        prepare_instance_folder(instance)
    assert "are migrated to version" in caplog.text
    assert (instance / "history").is_dir()
    assert "1.12.0" not in (instance / "walkhouse.json").read_text()


def test_records_of_a_newer_dagster_are_refused(instance: Path) -> None:
    note(instance, dagster="99.0")
    with pytest.raises(RuntimeError, match=r"written by Dagster 99\.0, .* install the newer"):
        prepare_instance_folder(instance)


def test_records_that_cannot_be_migrated_are_named(instance: Path) -> None:
    note(instance, dagster="1.12.0")
    (instance / "dagster.yaml").write_text("storage: {nonsense: true}\n")
    with pytest.raises(RuntimeError, match=r"cannot be migrated to Dagster .*; mend that, or move"):
        prepare_instance_folder(instance)


def test_a_configuration_follows_what_is_shipped_unless_a_person_changed_it(
    instance: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copied = b"telemetry:\n  enabled: false\n"
    (instance / "dagster.yaml").write_bytes(copied)
    note(instance, configuration="what a person found")
    prepare_instance_folder(instance)
    assert (instance / "dagster.yaml").read_bytes() == copied
    assert "differs from what Walkhouse now ships, and stays" in caplog.text
    note(instance, configuration=hashlib.sha256(copied).hexdigest())
    prepare_instance_folder(instance)
    assert (instance / "dagster.yaml").read_bytes() == SHIPPED_CONFIGURATION.read_bytes()
