"""A landing and its files whose names mean something to shells, URLs, globs or SQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dagster_project.ingest.classification import file_pattern
from dagster_project.ingest.landing import Landing
from dagster_project.quoting import literal
from dagster_project.settings import Settings, SettingsError
from tests.object_store import ObjectStore, object_store_of_environment
from tests.whole.landings.names import FILES, LANDING


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store_of_environment() as running:
        yield running


@pytest.mark.parametrize("reader", ["read_parquet", "read_csv", "read_ndjson_objects"])
def test_duckdb_reads_the_file_of_a_name_and_no_other(tmp_path: Path, reader: str) -> None:
    folder = tmp_path / LANDING
    folder.mkdir()
    form = {"read_parquet": "parquet", "read_csv": "csv"}.get(reader, "json")
    for number, name in enumerate(FILES):
        plain = folder / "plain"
        duckdb.execute(
            f"copy (from range({number}, {2 * number + 1})) to {literal(plain)} (format {form})"
        )
        plain.rename(folder / f"{name}.x")
    for number, name in enumerate(FILES):
        pattern = literal(file_pattern(folder / f"{name}.x"))
        found = duckdb.execute(f"select count(*) from {reader}({pattern})").fetchall()
        assert found == [(number + 1,)], name


def test_names_in_an_object_store_are_taken_literally(store: ObjectStore, tmp_path: Path) -> None:
    for number, name in enumerate(FILES):
        store.put(f"{LANDING}/events/dt=2026-03-01/{name}.csv", b"x" * (number + 1))
        store.put(f"{LANDING}x/events/dt=2026-03-01/{name}.csv", b"another landing")
    landing = Landing(f"s3://{store.bucket}/{LANDING}")
    ((day, dump),) = landing.look().dumps.items()
    assert landing.dump_dates() == [day]
    assert {file.name for file in dump.files} == {f"{name}.csv" for name in FILES}
    for file in dump.files:
        number = FILES.index(file.name.removesuffix(".csv"))
        assert landing.read_bytes(file) == b"x" * (number + 1)
        with landing.local_copy(file, scratch=tmp_path) as path:
            assert path.stat().st_size == number + 1


@pytest.mark.parametrize("part", ["*", "?", "[", "#", "\\", "%20", "%c3"])
def test_a_home_that_cannot_be_written_to_is_refused_in_a_sentence(part: str) -> None:
    with pytest.raises(SettingsError, match=r"WALKHOUSE_HOME=.*: must be a folder without "):
        Settings.from_environment({"WALKHOUSE_HOME": f"/tmp/a{part}b"})
