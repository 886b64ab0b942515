"""The dashboards in the format that Superset imports: a folder of YAML files.

Charts, datasets and dashboards refer to each other by UUIDs. The UUIDs derive from names, so a
second import replaces the first one, in any Superset.
"""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import yaml

from bi.superset.charts import COLORS, Chart, condition, without_comparison
from bi.superset.dashboards import COMPARED, DASHBOARDS, RELEASE_SHOWN, Dashboard, Row
from bi.superset.datasets import COLOUR, DISPLAY, Dataset
from dagster_project.personal_data import load_tables
from dagster_project.release.metrics import Metric
from dagster_project.release.page.period import period_in
from dagster_project.release.page.small_groups import (
    columns_in,
    hidden_sentence,
    whole_rows,
    without_small_groups,
)
from dagster_project.release.report_file import never_shown

DATABASE = "Walkhouse"
VERSION = "1.0.0"
_NAMESPACE = uuid.UUID("6b1f0f5e-2a53-4c0e-9a0e-8f5f3c1f7d11")
_ABOUT_HEIGHT = 16
_ABOUT_WIDTH = 6
_NOT_SHOWN_HEIGHT = 11
_NOTES_HEIGHT, _NOTE_HEIGHT = 8, 3
_STILL_NEW = 7
"""Days that the calendar may be ahead of data that still comes in."""


@dataclass(frozen=True)
class TableColumn:
    """A column of a published table.

    Attributes:
        name: its name.
        data_type: DuckDB's name of its type.
        description: its comment in the release.
    """

    name: str
    data_type: str
    description: str


@dataclass(frozen=True)
class Table:
    """A published table, as the file that dashboards read describes it.

    Attributes:
        description: its comment.
        columns: those of the table, and those that are added to it.
        query: what it is read by; empty where that is the table as it stands.
        metrics: the figures that it has.
    """

    description: str
    columns: tuple[TableColumn, ...]
    query: str
    metrics: tuple[Metric, ...]

    @property
    def comments(self) -> dict[str, str]:
        """Descriptions by column."""
        return {column.name: column.description for column in self.columns}


def bundle(
    release: Path, *, reports: Path | None = None, today: date | None = None
) -> dict[str, Any]:
    """All files of the bundle: path within it, and content before it becomes YAML.

    Args:
        release: the DuckDB file of a release; its tables' columns become the datasets'.
        reports: its second file, where dashboards show nothing of small groups: they read that one
            alone, and leave out the charts that it has nothing for.
        today: the day on which somebody sets up the dashboards; None if it does not matter.

    Raises:
        ValueError: a dashboard needs a table that the release does not have.
    """
    tables = _tables(release, _datasets(DASHBOARDS))
    pages: Sequence[Dashboard] = DASHBOARDS
    if reports is not None:
        tables = _shared_tables(release, reports, tables)
        pages = [_narrowed(page, tables, _sentence(release)) for page in DASHBOARDS]
    charts = {_chart_id(page, chart): (page, chart) for page in pages for chart in _charts(page)}
    days = _first_days(release, reports, today)
    files: dict[str, Any] = {
        # Without a type, it can be imported as assets and as dashboards.
        "metadata.yaml": {"version": VERSION},
        f"databases/{DATABASE}.yaml": _database(reports or release),
    }
    for dataset in _datasets(pages):
        files[f"datasets/{DATABASE}/{dataset.table}.yaml"] = _dataset(dataset, tables[dataset])
    for chart_id, (_, chart) in charts.items():
        files[f"charts/{_file_name(chart.title)}_{chart_id[:8]}.yaml"] = _chart(chart_id, chart)
    for page in pages:
        files[f"dashboards/{page.slug}.yaml"] = _dashboard(page, tables, days)
    return files


def write_bundle(
    release: Path, folder: Path, *, reports: Path | None = None, today: date | None = None
) -> list[str]:
    """Write the bundle as a folder, which replaces an older one, and as `<folder>.zip`.

    Returns:
        the ids of charts that are left out, which an earlier bundle may have had.
    """
    shutil.rmtree(folder, ignore_errors=True)
    files = bundle(release, reports=reports, today=today)
    for path, content in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
        file.write_text(text, encoding="utf-8")
    # An uploaded archive has one folder at its top.
    shutil.make_archive(str(folder), "zip", folder.parent, folder.name)
    known = {_chart_id(page, chart) for page in DASHBOARDS for chart in _charts(page)}
    return sorted(known - {content.get("uuid") for content in files.values()})


def _id(*parts: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


def _chart_id(page: Dashboard, chart: Chart) -> str:
    """The id of a chart; the chart of the release is the same on all dashboards."""
    return _id("chart", "" if chart is RELEASE_SHOWN else page.slug, chart.title)


def _dataset_id(dataset: Dataset) -> str:
    return _id("dataset", dataset.report.schema, dataset.table)


def _charts(page: Dashboard) -> list[Chart]:
    return [RELEASE_SHOWN, *(chart for row in page.rows for chart in row.charts)]


def _datasets(pages: Iterable[Dashboard]) -> list[Dataset]:
    return list(dict.fromkeys(chart.dataset for page in pages for chart in _charts(page)))


def _file_name(title: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", title)


def _tables(release: Path, datasets: Iterable[Dataset]) -> dict[Dataset, Table]:
    with _open(release) as connection:
        comments, columns = _described(connection)
        tables = {}
        # What is made of tables comes after them, so that a table that is missing is named.
        for dataset in sorted(datasets, key=lambda each: bool(each.report.query)):
            name = dataset.report.name
            if dataset.report.query:
                own = _asked(connection, dataset.report.query)
            elif name not in comments:
                raise ValueError(f"{release} has no table {name}; publish with this version first")
            else:
                own = columns[name]
            description = comments.get(name, name)
            tables[dataset] = Table(
                description, own + _added(dataset), dataset.query, dataset.report.metrics
            )
    return tables


def _shared_tables(
    release: Path, reports: Path, tables: Mapping[Dataset, Table]
) -> dict[Dataset, Table]:
    """The tables as the second file has them, without the figures that it has nothing for."""
    relations = _relations(release, reports)
    shared = {}
    with _open(reports) as connection:
        for dataset, whole in tables.items():
            try:
                read = dataset.reading(relations)
            except KeyError:
                continue
            comments = whole.comments
            own = tuple(
                TableColumn(column.name, column.data_type, comments.get(column.name, ""))
                for column in _asked(connection, read.report.query)
            )
            metrics = tuple(
                metric
                for metric in read.report.metrics
                if _has(connection, metric.sql, read.report.relation)
            )
            shared[dataset] = Table(whole.description, own + _added(read), read.query, metrics)
    return shared


def _relations(release: Path, reports: Path) -> dict[str, str]:
    """What is read of each table of the second file: columns that are shown, and whole rows."""
    with _open(release) as connection:
        whole = columns_in(connection, release.stem)
        types = {
            (schema, table, column): data_type
            for schema, table, column, data_type in connection.execute(
                "select schema_name, table_name, column_name, data_type from duckdb_columns()"
            ).fetchall()
        }
    empty = never_shown(load_tables(), types)
    with _open(reports) as connection:
        relations = {}
        for (schema, table), columns in columns_in(connection, reports.stem).items():
            shown = [name for name in columns if (schema, table, name) not in empty]
            selected = ", ".join(f'"{name}"' for name in shown)
            rows = whole_rows(whole[schema, table], shown)
            relations[f"{schema}.{table}"] = f"select {selected} from {schema}.{table}{rows}"
    return relations


def _narrowed(page: Dashboard, tables: Mapping[Dataset, Table], sentence: str) -> Dashboard:
    """A dashboard without the charts that nothing is there for; it says which these are.

    It compares no figure with that of the days before, of which other parts may be hidden.
    """

    def is_shown(chart: Chart) -> bool:
        table = tables.get(chart.dataset)
        return table is not None and chart.names <= (
            {column.name for column in table.columns}
            | {column.name for column in chart.dataset.columns}
            | {metric.name for metric in table.metrics}
        )

    rows = [
        replace(
            row,
            charts=tuple(map(without_comparison, shown)),
            widths=row.widths if shown == row.charts else (),
        )
        for row in page.rows
        if (shown := tuple(filter(is_shown, row.charts)))
    ]
    missing = [chart.title for row in page.rows for chart in row.charts if not is_shown(chart)]
    said = [sentence, f"Not here: {_listed(missing)}." if missing else ""]
    return replace(
        page,
        about=page.about.replace(f"{COMPARED} ", ""),
        rows=tuple(rows),
        filters=tuple(each for each in page.filters if each.dataset in tables),
        not_shown=" ".join(filter(None, said)),
    )


def _sentence(release: Path) -> str:
    """What dashboards of a release do not show."""
    with _open(release) as connection:
        rows = connection.execute("select smallest_group from meta.release").fetchall()
    return hidden_sentence(rows[0][0] if rows else 1)


@contextmanager
def _open(release: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(release), read_only=True) as connection:
        yield connection


def _described(
    connection: duckdb.DuckDBPyConnection,
) -> tuple[dict[str, str], dict[str, tuple[TableColumn, ...]]]:
    """The comment and the columns of each table."""
    comments = connection.execute(
        """
        select schema_name || '.' || table_name, coalesce(comment, '')
        from duckdb_tables()
        """
    ).fetchall()
    columns: dict[str, tuple[TableColumn, ...]] = {}
    for table, *rest in connection.execute(
        """
        select schema_name || '.' || table_name, column_name, data_type, coalesce(comment, '')
        from duckdb_columns()
        where not internal
        order by schema_name, table_name, column_index
        """
    ).fetchall():
        columns[table] = (*columns.get(table, ()), TableColumn(*rest))
    return dict(comments), columns


def _asked(connection: duckdb.DuckDBPyConnection, query: str) -> tuple[TableColumn, ...]:
    """The columns of a query."""
    asked = connection.execute(f"describe {query}").fetchall()
    return tuple(TableColumn(column, kind, "") for column, kind, *_ in asked)


def _has(connection: duckdb.DuckDBPyConnection, sql: str, relation: str) -> bool:
    """Whether a relation has the columns that a figure is made of."""
    try:
        connection.execute(f"describe select {sql} from {relation}")
    except duckdb.BinderException:
        return False
    return True


_SYSTEM = TableColumn("system", "VARCHAR", "What people call the system.")
_ITEM_TYPE = TableColumn("item_type", "VARCHAR", "The type of all items of the table.")
_DEPARTMENT = TableColumn(
    "department", "VARCHAR", "For the filter alone: it chooses whose sessions are counted."
)


def _added(dataset: Dataset) -> tuple[TableColumn, ...]:
    """The columns that a dataset has besides those of its table."""
    added = {
        _SYSTEM: dataset.has_system,
        _DEPARTMENT: bool(dataset.of_departments),
        _ITEM_TYPE: bool(dataset.item_type),
    }
    return tuple(column for column, is_added in added.items() if is_added)


def _first_days(release: Path, reports: Path | None, today: date | None) -> str:
    """The days that a dashboard shows at first: those that the page of the release compares.

    They move on with the calendar where the data does, and stay with data that is older.
    """
    with without_small_groups(release, reports) if reports else _open(release) as connection:
        period = period_in(connection)
    if period is None:
        return "No filter"
    end = period.now.last + timedelta(days=1)
    if today is None or abs((today - end).days) > _STILL_NEW:
        return f"{period.now.first} : {end}"
    behind = (today - end).days
    return " : ".join(
        f'DATEADD(DATETIME("today"), {-days:d}, day)' for days in (behind + period.days, behind)
    )


def _database(release: Path) -> dict[str, Any]:
    return {
        "database_name": DATABASE,
        "sqlalchemy_uri": f"duckdb:///{release}",
        "cache_timeout": None,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "extra": {
            "engine_params": {
                "connect_args": {
                    "read_only": True,
                    # No query may read other files of the machine, or the network.
                    "config": {"enable_external_access": "false"},
                }
            },
            "allows_virtual_table_explore": True,
        },
        "uuid": _id("database", DATABASE),
        "version": VERSION,
    }


def _dataset(dataset: Dataset, table: Table) -> dict[str, Any]:
    comments = {(dataset.report.name, name): said for name, said in table.comments.items()}
    columns = [
        {
            "column_name": column.name,
            "verbose_name": column.name.replace("_", " ").capitalize(),
            "is_dttm": column.data_type in ("DATE", "TIMESTAMP"),
            "is_active": True,
            "type": column.data_type,
            "groupby": True,
            "filterable": True,
            "expression": None,
            "description": column.description,
        }
        for column in table.columns
    ]
    computed = [
        {
            "column_name": column.name,
            "verbose_name": column.label,
            "is_dttm": False,
            "is_active": True,
            "type": "VARCHAR",
            "groupby": True,
            "filterable": True,
            "expression": column.sql,
            "description": column.description,
        }
        for column in dataset.columns
    ]
    metrics = [
        {
            "metric_name": metric.name,
            "verbose_name": metric.label,
            "metric_type": None,
            "expression": metric.sql,
            "description": dataset.report.meaning(metric.name, comments) or None,
            "d3format": DISPLAY[metric.unit],
        }
        for metric in table.metrics
    ]
    return {
        "table_name": dataset.table,
        "main_dttm_col": dataset.date,
        "description": table.description,
        "schema": dataset.report.schema,
        "sql": table.query or None,
        "filter_select_enabled": True,
        "uuid": _dataset_id(dataset),
        "metrics": metrics,
        "columns": columns + computed,
        "version": VERSION,
        "database_uuid": _id("database", DATABASE),
    }


def _chart(chart_id: str, chart: Chart) -> dict[str, Any]:
    return {
        "slice_name": chart.title,
        "description": chart.description or None,
        "viz_type": chart.kind,
        "params": {"viz_type": chart.kind, **chart.form},
        "cache_timeout": None,
        "uuid": chart_id,
        "version": VERSION,
        "dataset_uuid": _dataset_id(chart.dataset),
    }


def _dashboard(page: Dashboard, tables: Mapping[Dataset, Table], first_days: str) -> dict[str, Any]:
    numbers = {chart.title: number for number, chart in enumerate(_charts(page), start=1)}
    filters = _filters(page, numbers, tables, first_days)
    return {
        "dashboard_title": page.title,
        "description": None,
        "css": "",
        "slug": page.slug,
        "uuid": _id("dashboard", page.slug),
        "position": _position(page, numbers, [found["description"] for found in filters]),
        "metadata": {
            "color_scheme": COLORS,
            "label_colors": {
                metric.name: COLOUR[metric.tone]
                for chart in _charts(page)
                for metric in chart.dataset.report.metrics
                if metric.tone
            },
            "cross_filters_enabled": True,
            "native_filter_configuration": filters,
        },
        "version": VERSION,
        "published": True,
    }


def _position(page: Dashboard, numbers: Mapping[str, int], notes: Sequence[str]) -> dict[str, Any]:
    """The layout of a dashboard, as a tree: a grid of rows, with charts and a text at each end."""
    texts = {
        "not-shown": page.not_shown,
        "filters": "\n".join(f"- {note}" for note in notes),
    }
    rows: list[tuple[str, Row]] = [
        ("about", Row(_ABOUT_HEIGHT, (RELEASE_SHOWN,), (12 - _ABOUT_WIDTH,))),
        *([("not-shown", Row(_NOT_SHOWN_HEIGHT, ()))] if page.not_shown else []),
        *(("", row) for row in page.rows),
        ("filters", Row(_NOTES_HEIGHT + _NOTE_HEIGHT * len(notes), ())),
    ]

    def text(name: str, parents: Sequence[str], code: str, *, width: int, height: int) -> str:
        text_id = f"MARKDOWN-{name}"
        position[text_id] = {
            "type": "MARKDOWN",
            "id": text_id,
            "children": [],
            "parents": list(parents),
            "meta": {"width": width, "height": height, "code": code},
        }
        return text_id

    position: dict[str, Any] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": page.title}},
        "GRID_ID": {
            "type": "GRID",
            "id": "GRID_ID",
            "children": [f"ROW-{number}" for number in range(len(rows))],
            "parents": ["ROOT_ID"],
        },
    }
    for number, (name, row) in enumerate(rows):
        row_id = f"ROW-{number}"
        parents = ["ROOT_ID", "GRID_ID", row_id]
        children = []
        if name == "about":
            children.append(
                text(name, parents, page.about, width=_ABOUT_WIDTH, height=_ABOUT_HEIGHT)
            )
        elif name:
            children.append(text(name, parents, texts[name], width=12, height=row.height))
        widths = row.widths or (12 // max(len(row.charts), 1),) * len(row.charts)
        for chart, width in zip(row.charts, widths, strict=True):
            chart_id = f"CHART-{numbers[chart.title]}"
            children.append(chart_id)
            position[chart_id] = {
                "type": "CHART",
                "id": chart_id,
                "children": [],
                "parents": list(parents),
                "meta": {
                    # A number within the file; Superset gives the chart one of its own.
                    "chartId": numbers[chart.title],
                    "uuid": _chart_id(page, chart),
                    "sliceName": chart.title,
                    "width": width,
                    "height": row.height,
                },
            }
        position[row_id] = {
            "type": "ROW",
            "id": row_id,
            "children": children,
            "parents": ["ROOT_ID", "GRID_ID"],
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
    return position


def _filters(
    page: Dashboard,
    numbers: Mapping[str, int],
    tables: Mapping[Dataset, Table],
    first_days: str,
) -> list[dict[str, Any]]:
    """The filters: a date and lists of values, each for the charts whose tables have its column."""
    charts = _charts(page)

    def has(dataset: Dataset, column: str) -> bool:
        own = {found.name for found in tables[dataset].columns}
        return column in own | {computed.name for computed in dataset.columns}

    def filter_of(
        key: str,
        name: str,
        kind: str,
        target: Mapping[str, Any],
        controls: Mapping[str, Any],
        without: Sequence[Chart],
    ) -> dict[str, Any]:
        return {
            "id": f"NATIVE_FILTER-{key}",
            "name": name,
            "type": "NATIVE_FILTER",
            "filterType": kind,
            "targets": [target],
            "controlValues": controls,
            "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
            "cascadeParentIds": [],
            "description": _narrows(name, charts, without),
            "scope": {
                "rootPath": ["ROOT_ID"],
                "excluded": [numbers[chart.title] for chart in without],
            },
        }

    undated = [chart for chart in charts if chart.dataset.date is None]
    # A comparison needs a first and a last day, so there is always a range.
    dates = filter_of("date", "Date", "filter_time", {}, {"enableEmptyFilter": True}, undated)
    dates["defaultDataMask"] = {
        "extraFormData": {"time_range": first_days},
        "filterState": {"value": first_days},
        "ownState": {},
    }
    filters = [dates]
    for chosen in page.filters:
        most = chosen.starts_with_most
        filters.append(
            {
                "requiredFirst": most is not None,
                "sortMetric": most,
                "adhoc_filters": condition(chosen.where),
            }
            | filter_of(
                chosen.column,
                chosen.name,
                "filter_select",
                {
                    "datasetUuid": _dataset_id(chosen.dataset),
                    "column": {"name": chosen.column},
                },
                {
                    # A value is required where one is chosen from the start.
                    "enableEmptyFilter": most is not None,
                    "multiSelect": most is None,
                    "defaultToFirstItem": most is not None,
                    "sortAscending": most is None,
                    "searchAllOptions": False,
                    "inverseSelection": False,
                },
                [chart for chart in charts if not has(chart.dataset, chosen.column)],
            )
        )
    return filters


def _narrows(name: str, charts: Sequence[Chart], without: Sequence[Chart]) -> str:
    """Which charts a filter is for, in words; what is shown of the release is the same always."""
    others = [chart.title for chart in without if chart is not RELEASE_SHOWN]
    narrowed = [chart.title for chart in charts if chart not in without]
    if not others:
        return f"{name} narrows all charts."
    if len(others) <= len(narrowed):
        return f"{name} narrows all charts but {_listed(others)}."
    return f"{name} narrows {_listed(narrowed)} alone."


def _listed(titles: Sequence[str]) -> str:
    quoted = [f"“{title}”" for title in titles]
    return " and ".join(filter(None, [", ".join(quoted[:-1]), quoted[-1]]))
