"""The whole pipeline between two object stores: what is published is what a folder gives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from dagster_project.object_store import connect
from tests.installation import SEEDS, Installation, said
from tests.object_store import SECRET, ObjectStore, object_store_of_environment
from tests.reference import reference
from tests.whole import landings
from tests.whole.compare import differences

pytestmark = pytest.mark.long

COPY = "s3://walkhouse/bi"


@pytest.fixture(scope="module")
def store() -> Iterator[ObjectStore]:
    with object_store_of_environment() as running:
        yield running


@pytest.fixture(scope="module")
def walkhouse(installation_of_module: Installation, store: ObjectStore) -> Installation:
    """An installation whose landing is in the store, the same as in its folder."""
    landing = installation_of_module.landing
    landings.three_forms(landing)
    landings.all_compressions(landing)
    landings.duplicates_across_dumps(landing)
    landings.catalogue(landing)
    for path in landing.rglob("*"):
        if path.is_file():
            store.put(f"in/{path.relative_to(landing).as_posix()}", path.read_bytes())
    return installation_of_module


def from_store(
    walkhouse: Installation, *arguments: str, copies: str = COPY, quiet_seconds: int = 0
) -> CompletedProcess[str]:
    """A command of the installation with its landing in the store."""
    ran = walkhouse.walkhouse(
        *arguments,
        WALKHOUSE_LANDING="s3://walkhouse/in",
        WALKHOUSE_COPIES=copies,
        WALKHOUSE_QUIET_SECONDS=str(quiet_seconds),
    )
    assert SECRET not in said(ran)
    return ran


def release_of_copy(store: ObjectStore) -> str:
    return str(json.loads(store.get("bi/current.json"))["release_id"])


def test_a_landing_in_a_store_is_published_and_copied_as_the_reference_has_it(
    walkhouse: Installation, store: ObjectStore, tmp_path: Path
) -> None:
    copies = f"{COPY} s3://late/bi"
    run = from_store(walkhouse, "run", "--waive", "all", "--reason", "small", copies=copies)
    assert differences(walkhouse.published, reference(walkhouse.landing, SEEDS)) == []
    assert run.returncode == 1
    assert "copy s3://late/bi is behind: there is no such bucket" in said(run)
    assert "itself is published in" in said(run)
    ((release,),) = walkhouse.ask("select release_id from meta.release")
    assert release_of_copy(store) == release
    fs, root = connect(COPY)
    fs.get(f"{root}/releases/{release}/walkhouse.duckdb", str(tmp_path / "copy.duckdb"))
    assert differences(tmp_path / "copy.duckdb", reference(walkhouse.landing, SEEDS)) == []


def test_the_next_run_sends_what_a_copy_misses_and_nothing_else(
    walkhouse: Installation, store: ObjectStore
) -> None:
    before = walkhouse.ask("select release_id from meta.release")
    store.client().create_bucket(Bucket="late")
    copies = f"{COPY} s3://late/bi"
    assert "copy:                s3://late/bi, nothing yet" in from_store(
        walkhouse, "status", copies=copies
    ).stdout.replace("\n", " ")
    run = from_store(walkhouse, "run", copies=copies)
    assert run.returncode == 0, said(run)
    assert "copy s3://late/bi: holds release" in said(run)
    assert "copy s3://walkhouse/bi" not in said(run)
    assert walkhouse.ask("select release_id from meta.release") == before
    assert "nothing is pending" in said(from_store(walkhouse, "run", copies=copies))


def test_readers_of_a_copy_are_sent_back_with_the_others(
    walkhouse: Installation, store: ObjectStore
) -> None:
    ((release,),) = walkhouse.ask("select release_id from meta.release")
    store.client().delete_object(Bucket=store.bucket, Key="bi/current.json")
    assert from_store(walkhouse, "rollback", str(release)).returncode == 0
    assert release_of_copy(store) == release
    there = from_store(walkhouse, "rollback", str(release), copies="s3://no-such-bucket/bi")
    assert there.returncode == 1
    assert "copy s3://no-such-bucket/bi is behind: there is no such bucket" in said(there)


def test_a_patient_run_leaves_what_is_still_being_written_for_another_time(
    walkhouse: Installation, store: ObjectStore
) -> None:
    store.put("in/events/dt=2026-05-01/a.ndjson", b"")
    run = from_store(walkhouse, "run", "--patient", quiet_seconds=3600)
    assert run.returncode == 0, said(run)
    assert "dump 2026-05-01: left for another time, it is still being written" in said(run)
    assert "nothing is pending" in said(run)
    assert "2026-05-01" in from_store(walkhouse, "status").stdout
