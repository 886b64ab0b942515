"""Dagster's records of a run lie in SQLite files, which stay open while the run is written down.

So do SQLAlchemy's engines, of which there is one for each file.
"""

import os
import subprocess
import sys
import uuid
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy

from dagster_project.operations.instance import engines_kept, records_kept_open


@dg.asset
def something() -> None:
    """An asset to record."""


JOB = dg.Definitions([something]).get_implicit_global_asset_job_def()


def test_the_log_of_the_records_is_cleaned_up_once(tmp_path: Path) -> None:
    run_id = str(uuid.uuid4())
    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        with records_kept_open(instance, run_id):
            assert JOB.execute_in_process(instance=instance, run_id=run_id).success
            logs = {path.name for path in tmp_path.rglob("*.db-wal")}
            assert {"index.db-wal", f"{run_id}.db-wal"} <= logs
        assert not list(tmp_path.rglob("*.db-wal"))
        assert instance.get_latest_materialization_event(something.key)
        assert instance.all_logs(run_id)


def test_records_that_lie_elsewhere_are_left_alone() -> None:
    with (
        dg.DagsterInstance.ephemeral() as instance,
        records_kept_open(instance, str(uuid.uuid4())),
    ):
        assert JOB.execute_in_process(instance=instance).success


_OPENED = """
import sqlalchemy

create, created = sqlalchemy.create_engine, []

def counted(url, **options):
    created.append((url, str(options)))
    return create(url, **options)

sqlalchemy.create_engine = counted
from dagster_project.operations.run import _recording

with _recording() as instance:
    for _ in range(3):
        instance.get_run_records(limit=1)
        instance.all_asset_keys()
assert sqlalchemy.create_engine is counted
assert created, "nothing was opened"
again = sorted({each for each in created if created.count(each) > 1})
assert not again, again
"""


@pytest.mark.long
def test_dagster_opens_each_of_its_files_with_one_engine(tmp_path: Path) -> None:
    program = [sys.executable, "-c", _OPENED]
    environment = {**os.environ, "DAGSTER_HOME": str(tmp_path)}
    opened = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
    assert opened.returncode == 0, opened.stderr


def test_an_engine_with_a_pool_or_other_options_is_another_one(tmp_path: Path) -> None:
    url, other = (f"sqlite:///{tmp_path / name}" for name in ("a.db", "b.db"))
    unpooled = {"poolclass": sqlalchemy.NullPool}
    before = sqlalchemy.create_engine
    with engines_kept():
        one = sqlalchemy.create_engine(url, **unpooled)
        assert sqlalchemy.create_engine(url, **unpooled) is one
        assert sqlalchemy.create_engine(other, **unpooled) is not one
        assert sqlalchemy.create_engine(url, **unpooled, connect_args={"timeout": 1}) is not one
        assert sqlalchemy.create_engine(url) is not sqlalchemy.create_engine(url)
    assert sqlalchemy.create_engine is before
