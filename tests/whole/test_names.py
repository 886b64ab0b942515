"""A landing, a home and a copy whose names mean something to shells, URLs, globs or SQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import duckdb
import pytest

from dagster_project.ingest.classification import file_pattern, quoted
from dagster_project.ingest.landing import Landing
from dagster_project.settings import Settings, SettingsError
from tests.installation import SEEDS, Installation, said
from tests.object_store import ObjectStore, object_store_of_environment
from tests.reference import reference
from tests.whole.compare import differences

# A home is also the path of databases and of Dagster's settings, so it cannot be called everything.
HOME = "we ]rd 100% +'q\" é {a,b} $x;--!"
LANDING = f"*?[ir]#%20{HOME}"
FILES = ("a[1]", "a1", "b*", "bx", "c?", "cx", "d#%20e", "f 'q\" g", "h::i", "é+")


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store_of_environment() as running:
        yield running


def put_events(file: Path, number: int) -> None:
    """Some events, of which every file has others."""
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = ", ".join(
        f"('2026-03-01T08:{number:02}:{second:02}Z', 's{number}', 'u', 'Menu', 'Open', 'm')"
        for second in range(number + 1)
    )
    duckdb.execute(
        f"copy (from (values {rows}) as"
        " events(occurred_at, session_id, end_user_id, item_type, event, item_id))"
        f" to '{file.with_name('new')}' (format {file.suffix[1:]})"
    )
    file.with_name("new").rename(file)


def test_names_are_taken_literally_from_landing_to_copy(store: ObjectStore, tmp_path: Path) -> None:
    walkhouse = Installation(tmp_path / LANDING, tmp_path / HOME)
    folder = tmp_path / "plain"
    for number, name in enumerate(FILES):
        put_events(folder / f"{name}.parquet", number)
        put_events(folder / f"{name}.csv", number + 20)
    (walkhouse.landing / "events").mkdir(parents=True)
    folder.rename(walkhouse.landing / "events" / "dt=2026-03-01")
    copy = f"s3://{store.bucket}/{LANDING}"

    def run() -> CompletedProcess[str]:
        ran = walkhouse.walkhouse("run", WALKHOUSE_COPIES=copy)
        assert ran.returncode == 0, said(ran)
        return ran

    run()
    assert differences(walkhouse.published, reference(walkhouse.landing, SEEDS)) == []
    current = json.loads(store.get(f"{LANDING}/current.json"))
    assert store.get(f"{LANDING}/{current['duckdb']}") == walkhouse.published.read_bytes()
    assert "nothing is pending" in said(run())


@pytest.mark.parametrize("reader", ["read_parquet", "read_csv", "read_ndjson_objects"])
def test_duckdb_reads_the_file_of_a_name_and_no_other(tmp_path: Path, reader: str) -> None:
    folder = tmp_path / LANDING
    folder.mkdir()
    form = {"read_parquet": "parquet", "read_csv": "csv"}.get(reader, "json")
    for number, name in enumerate(FILES):
        plain = folder / "plain"
        duckdb.execute(
            f"copy (from range({number}, {2 * number + 1})) to {quoted(plain)} (format {form})"
        )
        plain.rename(folder / f"{name}.x")
    for number, name in enumerate(FILES):
        pattern = quoted(file_pattern(folder / f"{name}.x"))
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
