"""What surroundings do to a build on Spark: it goes on, or it fails by name and publishes nothing.

They follow the tests of releases, on what those built; alone, they build it first.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.cluster import standalone
from dagster_project.models.iceberg import IcebergError, iceberg_connection, scan
from dagster_project.models.spark import reason_of
from tests.histories.workbench import BuildError
from tests.installation import PROGRAMS, Installation, said
from tests.spark.lakehouse import Lakehouse
from tests.whole import landings

pytestmark = pytest.mark.spark

PATIENCE_SECONDS = 900


@pytest.fixture
def one_event(installation: Installation, lakehouse: Lakehouse) -> Installation:
    """A landing of one event, and nothing else."""
    del lakehouse  # where it cannot be, nothing of this kind can
    noon = landings.at("2026-03-01T12:00:00Z")
    event = landings.player(noon, "task/play", session="s")
    landings.put(installation.landing, "2026-03-01", "a.ndjson", [event])
    return installation


def test_without_what_it_needs_a_run_says_so_and_publishes_nothing(
    one_event: Installation, tmp_path: Path
) -> None:
    """No server, no Java, another Spark: each is told before anything is started."""
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / "spark-core_2.13-4.0.1.jar").touch()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        remote = f"spark://127.0.0.1:{closed.getsockname()[1]}"
        for variables, reason in (
            ({"WALKHOUSE_SPARK_REMOTE": remote}, f"no Spark listens at {remote} ("),
            ({"JAVA_HOME": str(tmp_path)}, f"there is no Java in JAVA_HOME={tmp_path}: install"),
            ({"SPARK_HOME": str(tmp_path)}, f"SPARK_HOME={tmp_path} is another Spark (spark-core_"),
        ):
            run = one_event.walkhouse("run", WALKHOUSE_ENGINE="spark", **variables)
            assert run.returncode != 0
            assert f"engine=spark: {reason}" in said(run)
            assert "Traceback" not in said(run)
            assert not one_event.published.exists()


def test_a_first_build_that_fails_says_what_spark_says(
    one_event: Installation, tmp_path: Path
) -> None:
    """There is no warehouse yet that could tell how far it came."""
    empty = tmp_path / "empty.jar"
    with zipfile.ZipFile(empty, "w") as jar:
        jar.writestr("none.txt", "no class")
    run = one_event.walkhouse("run", WALKHOUSE_ENGINE="spark", WALKHOUSE_SPARK_ICEBERG=str(empty))
    assert run.returncode != 0
    assert "Iceberg for Spark could not be loaded" in said(run)
    assert "Traceback" not in said(run)
    assert not one_event.published.exists()


@pytest.mark.usefixtures("built")
def test_a_catalog_that_lost_a_table_is_named_and_built_anew(lakehouse: Lakehouse) -> None:
    lost = lakehouse.kept / "iceberg" / "reports" / "rpt_flows"
    shutil.rmtree(lost)
    with pytest.raises(IcebergError) as refused:
        lakehouse.collect()
    assert "reports.rpt_flows cannot be read: " in str(refused.value)
    assert str(refused.value).endswith("; build it again with `walkhouse run`")
    assert "\n" not in str(refused.value)
    lakehouse.build("--select", "rpt_flows")
    lakehouse.collect()


@contextlib.contextmanager
def full(folder: Path) -> Iterator[None]:
    """Have a folder on a disk without room."""
    mounting = ["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(folder)]
    if subprocess.run(mounting, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextlib.contextmanager
def filled(disk: Path) -> Iterator[None]:
    """Have a disk that is in use without room."""
    if not disk.is_mount():
        pytest.skip("only root may mount a small disk")
    filling = disk / "filling"
    try:
        with contextlib.suppress(OSError), filling.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(1 << 16))
        yield
    finally:
        filling.unlink()


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("disk", ["of the warehouse", "of a worker"])
def test_a_full_disk_fails_by_name_and_the_next_build_makes_it_good(
    lakehouse: Lakehouse, scratch: Path, disk: str
) -> None:
    model = "fct_tasks"
    if disk == "of the warehouse":
        no_room = full(lakehouse.iceberg / "facts" / model / "data")
    else:
        no_room = filled(scratch)
    with no_room, pytest.raises(BuildError) as failed:
        lakehouse.build("--select", model, "--full-refresh")
    reason = reason_of(str(failed.value))
    assert "No space left on device; make room on the disk" in reason
    assert disk == "of a worker" or model in str(failed.value)  # the first that shuffles fails
    lakehouse.build("--select", model)
    assert lakehouse.differences_between_engines() == []


@pytest.mark.usefixtures("built")
def test_a_build_goes_on_when_a_worker_is_killed(lakehouse: Lakehouse, tmp_path: Path) -> None:
    """A master and two workers; one of these ends while the first large table is written."""
    project = str(lakehouse.project)
    options = ["--project-dir", project, "--profiles-dir", project]
    options += ["--target", "spark", "--target-path", str(tmp_path / "target")]
    with standalone(tmp_path / "cluster", workers=2) as cluster:
        variables = lakehouse.variables(cluster.address)
        variables["WALKHOUSE_SPARK_WAREHOUSE"] = str(tmp_path / "iceberg")
        with (tmp_path / "said").open("wb") as log:
            build = subprocess.Popen(
                [PROGRAMS / "dbt", "run", "--select", "+int_visits", *options],
                env={**os.environ, **variables},
                cwd=tmp_path,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                began = tmp_path / "iceberg" / "audit" / "between_visits"
                patience = time.monotonic() + PATIENCE_SECONDS
                while not began.exists() and build.poll() is None:
                    assert time.monotonic() < patience, "it takes too long"
                    time.sleep(0.05)
                cluster.workers[0].kill()
                build.wait(PATIENCE_SECONDS)
            finally:
                build.kill()
                build.wait()
    assert began.exists()
    assert build.returncode == 0, (tmp_path / "said").read_text()
    with iceberg_connection() as connection:
        file = lakehouse.fresh / "warehouse.duckdb"
        connection.execute(f"attach '{file}' as duckdb (read_only)")
        on_spark = scan(tmp_path / "iceberg" / "intermediate" / "int_visits")
        on_duckdb = "duckdb.intermediate.int_visits"
        for one, other in ((on_spark, on_duckdb), (on_duckdb, on_spark)):
            only = f"select count(*) from (from {one} except all from {other})"
            assert connection.execute(only).fetchall() == [(0,)]
