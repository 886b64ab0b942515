"""A seed is loaded when its file or its types are others, and left alone while they are not."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from dagster_project.models.dbt import build, ensure_manifest, project_in
from dagster_project.models.prepared import copy_prepared
from dagster_project.settings import Settings
from tests.histories.workbench import Workbench
from tests.installation import DBT_PROJECT

_SEED = "seeds.initiators"


@pytest.mark.long
def test_a_seed_is_loaded_once_for_each_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = Workbench(tmp_path)
    bench.empty()
    bench.take_in()
    settings = Settings(landing=str(bench.landing), home=bench.kept)
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)
    copy_prepared(DBT_PROJECT, bench.project)
    project = project_in(bench.project)
    ensure_manifest(project)

    def rows_after_build(change: str) -> int:
        with duckdb.connect(str(settings.warehouse)) as warehouse:
            warehouse.execute(change)
        assert list(build(project, ["initiators"]))
        with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
            return int(warehouse.execute(f"select count(*) from {_SEED}").fetchall()[0][0])

    loaded = rows_after_build("select 1")
    assert loaded > 0
    assert rows_after_build(f"delete from {_SEED}") == 0
    assert (
        rows_after_build(f"update audit.versions set version = '' where table_name = '{_SEED}'")
        == loaded
    )
    assert rows_after_build(f"drop table {_SEED}") == loaded
