"""The dashboards as code: they fit the published tables whatever the data, and themselves."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from bi.superset import datasets
from bi.superset.bundle import bundle, write_bundle
from bi.superset.charts import Chart
from bi.superset.dashboards import DASHBOARDS
from bi.superset.datasets import Dataset
from bi.superset.server import reports_to_show
from dagster_project.personal_data import load_tables
from dagster_project.release import metrics
from dagster_project.release.page.small_groups import without_small_groups
from dagster_project.release.publish import OF_RELEASE, RELEASE_COLUMNS
from dagster_project.release.report_file import REPORTS, write_report_file
from dagster_project.settings import Settings
from tests.bi.rendering import rendered
from tests.installation import CHECKOUT, DBT_PROJECT
from tests.release.copies.by_hand import FIRST, publish_by_hand
from tests.releases import Published

DATASETS = [found for found in vars(datasets).values() if isinstance(found, Dataset)]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published tables by their contracts, without rows."""
    file = tmp_path_factory.mktemp("release") / "walkhouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        for schema, table, columns in contracts():
            listed = ", ".join(f'"{name}" {data_type}' for name, data_type, _ in columns)
            connection.execute(f"create schema if not exists {schema}")
            connection.execute(f"create table {schema}.{table} ({listed})")
            for name, _, description in columns:
                said = description.replace("'", "''")
                connection.execute(f"comment on column {schema}.{table}.\"{name}\" is '{said}'")
        connection.execute(
            "insert into reports.rpt_sessions_daily by name"
            " select date '2026-03-01' + day::int as report_date, 's' as system_id, 1 as sessions"
            " from range(14) as days (day)"
        )
    return file


def contracts() -> Iterator[tuple[str, str, list[tuple[str, str, str]]]]:
    """Schema, name and columns of what the dashboards read: name, type and description."""
    for pattern in ("facts/*.yml", "reports/*.yml", "meta/*.yml"):
        for file in sorted((DBT_PROJECT / "models").glob(pattern)):
            schema = file.parent.name
            # As dbt does: what is written in C reads more than what is written in Python.
            said = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
            for model in said.get("models", []):
                columns = [
                    (found["name"], found["data_type"], found["description"])
                    for found in model["columns"]
                ]
                yield schema, model["name"], columns
    yield (
        "meta",
        "release",
        [(column.name, column.data_type, column.description) for column in RELEASE_COLUMNS],
    )


@pytest.fixture(scope="module")
def files(release: Path) -> dict[str, Any]:
    return bundle(release)


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda dataset: dataset.table)
def test_every_metric_and_computed_column_can_be_asked_of_its_table(
    dataset: Dataset, release: Path
) -> None:
    metrics = [f"{metric.sql} as {metric.name}" for metric in dataset.report.metrics]
    columns = [f"any_value({column.sql}) as {column.name}" for column in dataset.columns]
    asked = ", ".join([*metrics, *columns]) or "count(*)"
    with duckdb.connect(str(release), read_only=True) as connection:
        for departments in [[], ["Sales", "nobody's"]]:
            query = rendered(dataset, departments)
            source = f"({query}) as asked" if query else dataset.report.name
            rows = connection.execute(f"select {asked} from {source}")
            assert len(rows.fetchall()) == 1


def test_charts_use_metrics_and_columns_that_there_are(files: dict[str, Any]) -> None:
    found = {content["uuid"]: content for path, content in files.items() if "datasets/" in path}
    for path, chart in files.items():
        if not path.startswith("charts/"):
            continue
        dataset = found[chart["dataset_uuid"]]
        metrics = {metric["metric_name"] for metric in dataset["metrics"]}
        columns = {column["column_name"] for column in dataset["columns"]}
        form = chart["params"]
        single = [form.get("metric"), form.get("timeseries_limit_metric")]
        assert {*form.get("metrics", []), *single} - {None} <= metrics, path
        named = [*form.get("groupby", []), *form.get("all_columns", []), form.get("x_axis")]
        assert set(named) - {None} <= columns, path


def test_every_figure_is_explained(files: dict[str, Any]) -> None:
    for path, dataset in files.items():
        if path.startswith("datasets/"):
            for metric in dataset["metrics"]:
                assert metric["description"], (path, metric["metric_name"])


def test_a_figure_has_the_label_of_its_metric_in_the_semantic_layer() -> None:
    labels = {
        metric["name"]: metric["label"]
        for file in (DBT_PROJECT / "models" / "semantic").glob("*.yml")
        for metric in yaml.safe_load(file.read_text(encoding="utf-8")).get("metrics", [])
    }
    shared = {
        metric.name: metric.label
        for report in (metrics.SESSIONS, metrics.ITEMS, metrics.SURVEYS, metrics.FLOWS_DAILY)
        for metric in report.metrics
        if metric.name in labels
    }
    assert len(shared) > 12
    assert shared == {name: labels[name] for name in shared}


def test_no_axis_of_shares_goes_beyond_all(files: dict[str, Any]) -> None:
    shares = [
        chart["params"]
        for chart in files.values()
        if "viz_type" in chart
        and chart["viz_type"].startswith("echarts_timeseries")
        and chart["params"]["y_axis_format"] == datasets.DISPLAY["share"]
    ]
    assert shares
    for form in shares:
        assert form["truncateYAxis"] is True
        assert form["y_axis_bounds"] == [0, 1]


def test_the_overview_comes_first_and_leads_to_all_others(files: dict[str, Any]) -> None:
    overview, *others = DASHBOARDS
    position = files[f"dashboards/{overview.slug}.yaml"]["position"]
    for page in others:
        link = f"[{page.title}](/superset/dashboard/{page.slug}/)"
        assert link in position["MARKDOWN-about"]["meta"]["code"]


def test_systems_have_names_and_items_their_system(files: dict[str, Any]) -> None:
    for path, chart in files.items():
        if path.startswith("charts/"):
            form = chart["params"]
            named = {*form.get("groupby", []), form.get("x_axis")}
            assert not named & {"system_id", "item_name", "flow_item_name"}, path


def test_every_dashboard_has_the_filters_and_says_what_each_narrows(files: dict[str, Any]) -> None:
    for page in DASHBOARDS:
        dashboard = files[f"dashboards/{page.slug}.yaml"]
        filters = dashboard["metadata"]["native_filter_configuration"]
        names = [found["name"] for found in filters]
        assert names[:4] == ["Date", "System", "Department", "Item type"], page.slug
        said = dashboard["position"]["MARKDOWN-filters"]["meta"]["code"]
        charts = 1 + sum(len(row.charts) for row in page.rows)
        for found in filters:
            assert f"- {found['name']} narrows " in said
            # The release is narrowed by nothing, and something by every filter.
            assert 1 <= len(found["scope"]["excluded"]) < charts, (page.slug, found["name"])


def test_a_note_names_the_charts_that_a_filter_leaves_alone(files: dict[str, Any]) -> None:
    notes = {
        page.slug: files[f"dashboards/{page.slug}.yaml"]["position"]["MARKDOWN-filters"]["meta"]
        for page in DASHBOARDS
    }
    assert notes["walkhouse-items"]["code"].splitlines() == [
        "- Date narrows all charts but “Who did not use it”.",
        "- System narrows all charts.",
        "- Department narrows all charts.",
        "- Item type narrows all charts.",
    ]
    assert (
        "- Item type narrows “Adoption by department” alone." in notes["walkhouse-sessions"]["code"]
    )
    assert (
        "- Department narrows all charts but “Automation processes”."
        in notes["walkhouse-flows"]["code"]
    )


@pytest.mark.parametrize(
    ("today", "days"),
    [
        (None, "2026-03-08 : 2026-03-15"),
        (date(2026, 11, 30), "2026-03-08 : 2026-03-15"),
        (
            date(2026, 3, 15),
            'DATEADD(DATETIME("today"), -7, day) : DATEADD(DATETIME("today"), 0, day)',
        ),
        (
            date(2026, 3, 16),
            'DATEADD(DATETIME("today"), -8, day) : DATEADD(DATETIME("today"), -1, day)',
        ),
    ],
)
def test_a_dashboard_begins_with_the_days_of_the_page(
    release: Path, today: date | None, days: str
) -> None:
    for page in DASHBOARDS:
        dashboard = bundle(release, today=today)[f"dashboards/{page.slug}.yaml"]
        first, *_ = dashboard["metadata"]["native_filter_configuration"]
        assert first["name"] == "Date"
        assert first["defaultDataMask"]["extraFormData"] == {"time_range": days}
        # A comparison with the period before fails where there is no range.
        assert first["controlValues"]["enableEmptyFilter"] is True


def test_filters_are_for_the_charts_that_have_their_column(files: dict[str, Any]) -> None:
    page = files["dashboards/walkhouse-items.yaml"]
    charts = {
        child["meta"]["chartId"]: child["meta"]["sliceName"]
        for child in page["position"].values()
        if isinstance(child, dict) and child["type"] == "CHART"
    }
    filters = {found["name"]: found for found in page["metadata"]["native_filter_configuration"]}
    excluded = {
        name: {charts[number] for number in found["scope"]["excluded"]}
        for name, found in filters.items()
    }
    assert excluded == {
        "Date": {"Release", "Who did not use it"},
        "System": {"Release"},
        "Department": {"Release"},
        "Item type": {"Release"},
    }


def test_rows_of_a_dashboard_are_as_wide_as_the_page(files: dict[str, Any]) -> None:
    for page in DASHBOARDS:
        position = files[f"dashboards/{page.slug}.yaml"]["position"]
        for row in position["GRID_ID"]["children"]:
            widths = [position[child]["meta"]["width"] for child in position[row]["children"]]
            assert sum(widths) == 12, (page.slug, row)


def test_the_same_dashboards_have_the_same_ids_and_bytes(release: Path, tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("once", "again")]
    for folder in folders:
        (folder / "dashboards").mkdir(parents=True)
        (folder / "dashboards" / "left.yaml").write_text("of another version", encoding="utf-8")
        write_bundle(release, folder / "dashboards")
    once, again = (
        {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.yaml")}
        for folder in folders
    )
    assert once == again
    assert "dashboards/left.yaml" not in once
    assert (tmp_path / "once" / "dashboards.zip").exists()


def test_the_release_is_one_chart_on_all_dashboards(files: dict[str, Any]) -> None:
    ids = {
        child["meta"]["uuid"]
        for page in DASHBOARDS
        for child in files[f"dashboards/{page.slug}.yaml"]["position"].values()
        if isinstance(child, dict) and child.get("meta", {}).get("sliceName") == "Release"
    }
    assert len(ids) == 1


def test_the_command_of_the_page_is_the_one_that_is_tested() -> None:
    page = (CHECKOUT / "docs" / "bi.md").read_text(encoding="utf-8")
    assert "\nmake superset\n" in page
    shown = subprocess.run(
        ["make", "--dry-run", "superset"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    assert "-m bi.superset" in shown.stdout


def test_a_release_without_the_tables_is_refused_by_name(tmp_path: Path) -> None:
    empty = tmp_path / "walkhouse.duckdb"
    duckdb.connect(str(empty)).close()
    with pytest.raises(ValueError, match=r"has no table meta\.release; publish with this version"):
        bundle(empty)


# ---------- where small groups are hidden


@pytest.fixture(scope="module")
def hiding(published_twice: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of real data that hides numbers about one person alone."""
    file = tmp_path_factory.mktemp("hiding") / "walkhouse.duckdb"
    shutil.copyfile(published_twice.database.resolve(), file)
    file.chmod(0o644)
    with duckdb.connect(str(file)) as connection:
        connection.execute("update meta.release set smallest_group = 2")
    return file


@pytest.fixture(scope="module")
def reports(hiding: Path) -> Path:
    """Its second file."""
    file = hiding.with_name(REPORTS)
    tables = (*load_tables(), OF_RELEASE)
    write_report_file(hiding, file, tables, smallest_group=2, config={"threads": 1})
    return file


@pytest.fixture(scope="module")
def narrowed(hiding: Path, reports: Path) -> dict[str, Any]:
    return bundle(hiding, reports=reports)


def expressions(dataset: dict[str, Any]) -> dict[str, str]:
    """What a dataset can be asked for, by name."""
    columns = {each["column_name"]: each["expression"] for each in dataset["columns"]}
    metrics = {each["metric_name"]: each["expression"] for each in dataset["metrics"]}
    return {name: sql or f'"{name}"' for name, sql in (columns | metrics).items()}


def of_kind(files: dict[str, Any], kind: str) -> dict[str, Any]:
    return {
        content["uuid"]: content for path, content in files.items() if path.startswith(f"{kind}/")
    }


def test_where_small_groups_are_hidden_the_second_file_is_all_that_is_read(
    narrowed: dict[str, Any], reports: Path
) -> None:
    (database,) = of_kind(narrowed, "databases").values()
    assert database["sqlalchemy_uri"] == f"duckdb:///{reports}"
    found = of_kind(narrowed, "datasets")
    charts = of_kind(narrowed, "charts")
    assert len(charts) > 40
    assert not {chart["viz_type"] for chart in charts.values()} & {"pop_kpi"}
    with duckdb.connect(str(reports), read_only=True) as connection:
        for dataset in found.values():
            # No template is left that would ask the facts for departments.
            assert "{" not in dataset["sql"]
            asked = list(expressions(dataset).values())
            connection.execute(f"select {', '.join(asked)} from ({dataset['sql']}) group by all")
        for chart in charts.values():
            dataset, form = found[chart["dataset_uuid"]], chart["params"]
            known = expressions(dataset)
            asked = [known[name] for name in Chart("", datasets.RELEASE, "", form).names]
            where = [each.get("sqlExpression", "true") for each in form["adhoc_filters"]]
            connection.execute(
                f"select {', '.join(asked)} from ({dataset['sql']})"
                f" where {' and '.join(['true', *where])} group by all"
            )
    for dashboard in of_kind(narrowed, "dashboards").values():
        for filter_ in dashboard["metadata"]["native_filter_configuration"]:
            for target in filter(None, filter_["targets"]):
                columns = {each["column_name"] for each in found[target["datasetUuid"]]["columns"]}
                assert target["column"]["name"] in columns


def test_where_small_groups_are_hidden_figures_are_those_of_the_page(
    narrowed: dict[str, Any], published_twice: Published, hiding: Path, reports: Path
) -> None:
    named = {path.split("/")[-1]: content for path, content in narrowed.items()}
    compared = 0
    with (
        without_small_groups(hiding, reports) as page,
        duckdb.connect(str(reports), read_only=True) as connection,
    ):
        for dataset in DATASETS:
            if dataset.report.schema != "reports" or f"{dataset.table}.yaml" not in named:
                continue
            content = named[f"{dataset.table}.yaml"]
            names = {metric["metric_name"] for metric in content["metrics"]}
            metrics = [each for each in dataset.report.metrics if each.name in names]
            asked = ", ".join(f"round({metric.sql}, 6)" for metric in metrics)
            seen = connection.execute(f"select {asked} from ({content['sql']})").fetchall()
            if dataset is datasets.COVERAGE:  # the page shows none of its figures
                assert seen == published_twice.ask(f"select {asked} from {dataset.report.name}")
                continue
            assert seen == page.execute(f"select {asked} from {dataset.report.relation}").fetchall()
            compared += any(seen[0])
    assert compared > 5


def test_a_dashboard_says_what_it_does_not_show_and_names_the_charts_that_it_lacks(
    narrowed: dict[str, Any], hiding: Path, reports: Path, tmp_path: Path
) -> None:
    whole = bundle(hiding)
    titles = {
        name: {content["slice_name"] for content in of_kind(files, "charts").values()}
        for name, files in (("whole", whole), ("narrowed", narrowed))
    }
    gone = titles["whole"] - titles["narrowed"]
    assert {"Who did not use it", "Adoption by department", "Terms", "Late events"} <= gone
    for page in DASHBOARDS:
        dashboard = narrowed[f"dashboards/{page.slug}.yaml"]
        said = dashboard["position"]["MARKDOWN-not-shown"]["meta"]["code"]
        assert said.startswith("Numbers about fewer than 2 people")
        lost = [chart.title for row in page.rows for chart in row.charts if chart.title in gone]
        assert ("Not here: " in said) is bool(lost)
        for title in lost:
            assert f"“{title}”" in said
        assert "MARKDOWN-not-shown" not in whole[f"dashboards/{page.slug}.yaml"]["position"]
        filters = dashboard["metadata"]["native_filter_configuration"]
        assert "Department" not in [found["name"] for found in filters]
    left_out = write_bundle(hiding, tmp_path / "dashboards", reports=reports)
    assert set(left_out) == of_kind(whole, "charts").keys() - of_kind(narrowed, "charts").keys()
    assert write_bundle(hiding, tmp_path / "dashboards") == []


@pytest.mark.parametrize(
    ("setting", "release", "is_second"), [(1, 1, False), (5, 1, True), (1, 5, True)]
)
def test_the_release_or_the_settings_say_which_file_is_shown(
    setting: int, release: int, is_second: bool, tmp_path: Path
) -> None:
    folder = publish_by_hand(tmp_path / "published", FIRST, "create table t as select 1 as a")
    header = json.loads((folder / "release.json").read_text("utf-8"))
    header["smallest_group"] = release
    (folder / "release.json").write_text(json.dumps(header), encoding="utf-8")
    settings = Settings(home=tmp_path, smallest_group=setting)
    assert reports_to_show(settings) == (settings.published / REPORTS if is_second else None)
    assert reports_to_show(Settings(home=tmp_path / "empty", smallest_group=5)) is None
