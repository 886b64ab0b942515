"""What exists in Dagster: it loads, reads like the whiteboard, and is described."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dagster_project.defs.assets.models import Translator
from dagster_project.defs.assets.raw import dumps_asset
from dagster_project.defs.freshness import DATA_IS_FRESH
from dagster_project.defs.partitions import dump_partitions
from dagster_project.models.columns import Columns
from dagster_project.models.dbt import dbt_project, load_manifest
from dagster_project.models.dictionary import published_tables
from dagster_project.operations.requests import contiguous_ranges
from dagster_project.registry import load_invariants, load_published_tables, load_variables
from dagster_project.settings import Settings
from tests.installation import Installation as InstallationOnDisk
from tests.installation import said


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("definitions")
    return Settings(landing=str(folder / "landing"), home=folder / "home", quiet_seconds=0)


@pytest.fixture(scope="module")
def defs(settings: Settings, columns: Columns) -> dg.Definitions:
    del columns  # they are found by now
    with pytest.MonkeyPatch.context() as patched:
        for name, value in settings.environment().items():
            patched.setenv(name, value)
        from dagster_project.definitions import build_definitions

        return build_definitions(settings)


def test_everything_loads(defs: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(defs)


def test_the_graph_has_the_layers_of_the_whiteboard(defs: dg.Definitions) -> None:
    groups = {spec.group_name for spec in defs.resolve_all_asset_specs()}
    assert groups == {"landing", "raw", "intermediate", "facts", "reports", "meta", "release"}


def test_every_published_table_is_an_asset(defs: dg.Definitions) -> None:
    keys = {spec.key for spec in defs.resolve_all_asset_specs()}
    assert {dg.AssetKey([*table]) for table in load_published_tables()} <= keys
    assert {dg.AssetKey(["raw", name]) for name in ("lines", "files", "content_items")} <= keys
    assert dg.AssetKey(["release"]) in keys


def test_a_table_says_what_it_is_for_and_then_its_grain(defs: dg.Definitions) -> None:
    for spec in defs.resolve_all_asset_specs():
        if spec.group_name in ("facts", "reports", "meta"):
            purpose, _, rest = (spec.description or "").partition("\n\n")
            assert purpose.endswith("."), spec.key
            assert rest.startswith("One row"), spec.key


def test_a_check_says_whether_it_blocks_the_release(defs: dg.Definitions) -> None:
    severities = {invariant.id: invariant.severity for invariant in load_invariants()}
    for spec in (each for checks in defs.asset_checks or () for each in checks.check_specs):
        blocks = (spec.description or "").count("Blocks the release")
        assert blocks == (severities.get(spec.name) == "error"), spec.name


def test_every_asset_has_a_description_an_owner_and_kinds(defs: dg.Definitions) -> None:
    for spec in defs.resolve_all_asset_specs():
        assert spec.description, spec.key
        assert spec.owners, spec.key
        assert spec.kinds, spec.key


def test_every_table_shows_all_its_columns_with_types_and_those_of_dbt_with_words(
    defs: dg.Definitions, columns: Columns
) -> None:
    shown = {}
    for spec in defs.resolve_all_asset_specs():
        if spec.group_name in ("landing", "release"):
            continue
        schema = spec.metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema)
        shown[".".join(spec.key.path)] = [(each.name, each.type) for each in schema.columns]
        if spec.group_name != "raw":
            for column in schema.columns:
                words = (column.description or "").partition("\n\n")[0]
                assert words, (spec.key, column.name)
                assert not words.startswith(("from [", "counts rows of [")), spec.key
    assert shown == {
        table: [(column.name, column.data_type) for column in members]
        for table, members in columns.items()
    }


def test_what_a_column_says_of_people_and_a_contract_of_types_and_nulls_is_shown(
    defs: dg.Definitions,
) -> None:
    project = dbt_project(Settings(landing="", home=Path()))
    published = published_tables(load_manifest(project), load_variables()["published"])
    specs = {spec.key: spec for spec in defs.resolve_all_asset_specs()}
    for table in published:
        if table.name == "release":
            continue
        schema = specs[dg.AssetKey([table.schema, table.name])].metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema)
        assert [
            (each.name, each.type, each.constraints.nullable, each.tags) for each in schema.columns
        ] == [
            (
                column.name,
                column.data_type,
                column.is_nullable,
                {"personal_data": column.personal_data},
            )
            for column in table.columns
        ]


def test_the_lineage_of_columns_names_columns_of_other_assets(defs: dg.Definitions) -> None:
    specs = {spec.key: spec for spec in defs.resolve_all_asset_specs()}
    lineage = specs[dg.AssetKey(["reports", "rpt_flows"])].metadata["dagster/column_lineage"]
    assert isinstance(lineage, dg.TableColumnLineage)
    flow_plays = dg.AssetKey(["facts", "fct_flow_plays"])
    assert lineage.deps_by_column["completed"] == [dg.TableColumnDep(flow_plays, "result")]
    for spec in specs.values():
        found = spec.metadata.get("dagster/column_lineage")
        if isinstance(found, dg.TableColumnLineage):
            read = {dep.asset_key for deps in found.deps_by_column.values() for dep in deps}
            assert read <= {dep.asset_key for dep in spec.deps}, spec.key


def test_where_nobody_found_the_columns_those_that_are_declared_are_shown() -> None:
    model = {
        "resource_type": "model",
        "name": "m",
        "schema": "s",
        "config": {},
        "columns": {"a": {"name": "a", "data_type": "date"}},
    }
    assert Translator({}).get_metadata(model)["dagster/column_schema"].columns == [
        dg.TableColumn("a", "date")
    ]


def test_every_invariant_is_an_asset_check_on_the_table_that_it_is_about(
    defs: dg.Definitions,
) -> None:
    found = {
        (key.name, key.asset_key.path[-1])
        for checks in defs.asset_checks or ()
        if isinstance(checks, dg.AssetChecksDefinition)
        for key in checks.check_keys
        if key.name != DATA_IS_FRESH
    }
    assert found == {(invariant.id, invariant.table) for invariant in load_invariants()}


def test_dumps_are_partitioned_by_day_and_taken_in_together(defs: dg.Definitions) -> None:
    (lines,) = [s for s in defs.resolve_all_asset_specs() if s.key == dg.AssetKey(["raw", "lines"])]
    assert isinstance(lines.partitions_def, dg.DailyPartitionsDefinition)
    assert {job.name for job in defs.jobs or ()} == {"ingest_dumps", "build_and_release"}


def test_a_backfill_takes_as_many_days_at_a_time_as_is_set() -> None:
    days = dump_partitions([date(2026, 1, 1)])
    assert dumps_asset(days, days_per_run=30).backfill_policy == dg.BackfillPolicy.multi_run(30)


def test_every_dump_has_a_partition_however_old_or_far_ahead_of_the_clock() -> None:
    ahead = datetime.now(UTC).date() + timedelta(days=400)
    days = [date(2019, 5, 6), ahead]
    keys = dump_partitions(days).get_partition_keys()
    assert keys[0] == "2019-05-06"
    assert keys[-1] == ahead.isoformat()


def test_partitions_run_from_the_first_dump_to_today() -> None:
    today = datetime.now(UTC).date()
    keys = dump_partitions([today - timedelta(days=2)]).get_partition_keys()
    assert keys == [str(today - timedelta(days=days)) for days in (2, 1, 0)]
    assert dump_partitions([]).get_partition_keys() == [str(today)]


@pytest.mark.long
def test_the_project_loads_with_dg(installation: InstallationOnDisk) -> None:
    checked = installation.program("dg", "check", "defs")
    assert checked.returncode == 0, said(checked)


@given(st.sets(st.dates(min_value=date(2026, 1, 1), max_value=date(2026, 2, 28))))
def test_stretches_of_days_hold_every_day_once_and_no_other(days: set[date]) -> None:
    ranges = list(contiguous_ranges(days))
    covered = [
        date.fromordinal(day)
        for first, last in ranges
        for day in range(first.toordinal(), last.toordinal() + 1)
    ]
    assert covered == sorted(days)
    assert all((later[0] - earlier[1]).days > 1 for earlier, later in itertools.pairwise(ranges))
