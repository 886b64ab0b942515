"""Dagster's records of a run lie in SQLite files, which stay open while the run is written down."""

import uuid
from pathlib import Path

import dagster as dg

from dagster_project.operations.instance import records_kept_open


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
