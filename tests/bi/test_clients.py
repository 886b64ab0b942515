"""The published file and the Parquet folders, opened by what people use."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from dagster_project.release.publish import STORAGE_VERSION
from tests.bi.clients import Program, client
from tests.releases import Published

# Each prints the rows of every table and the release as JSON; then it waits for a line, asks its
# open connection again, and prints that too.
_COUNTS = """
import json, sys
QUERY = ("select schema_name, table_name from duckdb_tables() order by all")
def counted(ask):
    found = {f"{s}.{t}": ask(f'select count(*) from (select * from "{s}"."{t}")')[0][0]
             for s, t in ask(QUERY)}
    return json.dumps([found, ask("select release_id from meta.release")[0][0]])
"""
_TWICE = """
for _ in range(2):
    print(counted(ask), flush=True)
    sys.stdin.readline()
"""
_DUCKDB = (
    _COUNTS
    + """
import duckdb
assert not sys.argv[2] or duckdb.__version__.startswith(sys.argv[2]), duckdb.__version__
connection = duckdb.connect(sys.argv[1], read_only=True)
def ask(query):
    return connection.execute(query).fetchall()
# Every value of every table is read, not only counted.
for schema, table in ask(QUERY):
    connection.execute(f'select * from "{schema}"."{table}"').fetchall()
"""
    + _TWICE
)
_SQLALCHEMY = (
    _COUNTS
    + """
import sqlalchemy
engine = sqlalchemy.create_engine(
    f"duckdb:///{sys.argv[1]}", connect_args={"read_only": True})
inspector = sqlalchemy.inspect(engine)
names = set(inspector.get_table_names(schema="reports"))
assert "rpt_flows" in names, names
assert "plays" in {c["name"] for c in inspector.get_columns("rpt_flows", schema="reports")}
connection = engine.connect()
def ask(query):
    return [tuple(row) for row in connection.execute(sqlalchemy.text(query))]
"""
    + _TWICE
)
_ADBC = (
    _COUNTS
    + """
import adbc_driver_duckdb, adbc_driver_manager, adbc_driver_manager.dbapi as dbapi
connection = dbapi.connect(
    driver=adbc_driver_duckdb.driver_path(), entrypoint="duckdb_adbc_init",
    db_kwargs={"path": sys.argv[1], "access_mode": "READ_ONLY"}, autocommit=True)
def ask(query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return [tuple(row.values()) for row in cursor.fetch_arrow_table().to_pylist()]
assert ask("select 1")
try:
    ask("create table meta.mine (number integer)")
except Exception as error:
    assert "read-only" in str(error), error
else:
    raise AssertionError("the release could be written to")
"""
    + _TWICE
)
_PANDAS = (
    _COUNTS
    + """
import duckdb, pandas
connection = duckdb.connect(sys.argv[1], read_only=True)
def ask(query):
    return connection.execute(query).fetchall()
frame = connection.sql("from reports.rpt_sessions_daily").df()
assert str(frame["report_date"].dtype).startswith("datetime64"), frame.dtypes
assert frame["sessions"].dtype == "int64", frame.dtypes
read = pandas.read_sql("select * from reports.rpt_sessions_daily", connection)
assert len(read) == len(frame)
"""
    + _TWICE
)


@pytest.fixture(scope="module")
def counts(published_twice: Published) -> dict[str, dict[str, int]]:
    """Rows of every table, by release."""
    found = {}
    for release_id in (published_twice.first, published_twice.second):
        release = Published(published_twice.release(release_id))
        found[release_id] = {
            f"{schema}.{table}": release.ask(f"select count(*) from {schema}.{table}")[0][0]
            for schema, table in release.tables()
        }
    return found


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "code", "requirements", "version"),
    [
        ("duckdb-1.3.0", _DUCKDB, ["duckdb==1.3.0"], "1.3.0"),
        ("duckdb-2", _DUCKDB, ["duckdb>=2"], "2."),
        ("duckdb", _DUCKDB, [], ""),
        ("sqlalchemy", _SQLALCHEMY, ["sqlalchemy==2.0.45", "duckdb-engine==0.17.0"], ""),
        ("adbc", _ADBC, ["adbc-driver-manager>=1.8"], ""),
        ("pandas", _PANDAS, [], ""),
    ],
)
def test_a_client_reads_every_table_and_keeps_its_release_until_it_opens_the_next(
    published: Published,
    counts: dict[str, dict[str, int]],
    name: str,
    code: str,
    requirements: Sequence[str],
    version: str,
) -> None:
    published.switch(published.first)
    packages = client(name, *requirements) if requirements else None
    earlier, later = counts[published.first], counts[published.second]
    assert earlier != later
    reader = Program(code, published.database, version, packages=packages)
    assert json.loads(reader.answer()) == [earlier, published.first]
    published.switch(published.second)
    reader.go_on()
    assert json.loads(reader.answer()) == [earlier, published.first]
    another = Program(code, published.database, version, packages=packages)
    assert json.loads(another.answer()) == [later, published.second]
    for program in (reader, another):
        program.go_on()
        program.end()


def test_the_command_line_of_duckdb_opens_it(published: Published) -> None:
    packages = client("duckdb-cli", "duckdb-cli")
    query = "select release_id, events from meta.release"
    said = subprocess.run(
        [
            sys.executable,  # the script names the Python that installed it, which may be gone
            packages / "bin" / "duckdb",
            *("-readonly", "-csv", "-noheader"),
            published.database,
            query,
        ],
        env=os.environ | {"PYTHONPATH": str(packages)},
        capture_output=True,
        text=True,
        check=False,
    )
    events = published.ask("select count(*) from facts.fct_item_events")[0][0]
    assert said.stdout.strip() == f"{published.second},{events}", said.stderr


_PARQUET = """
import json, sys
from pathlib import Path
root, tool = Path(sys.argv[1]), sys.argv[2]
if tool == "pyarrow":
    import pyarrow.dataset
    def rows(folder): return pyarrow.dataset.dataset(folder, format="parquet").count_rows()
elif tool == "pandas":
    import pandas
    def rows(folder): return len(pandas.read_parquet(folder))
else:
    import polars
    def rows(folder): return len(polars.read_parquet(folder / "*.parquet"))
found = {f"{t.parent.name}.{t.name}": rows(t) for t in sorted(root.glob("*/*")) if t.is_dir()}
print(json.dumps(found), flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize(
    ("tool", "requirements"),
    [("pyarrow", []), ("pandas", []), ("polars", ["polars", "polars-runtime-32"])],
)
def test_a_reader_of_parquet_reads_every_folder_as_a_table(
    published: Published,
    counts: dict[str, dict[str, int]],
    tool: str,
    requirements: Sequence[str],
) -> None:
    packages = client(tool, *requirements) if requirements else None
    reader = Program(_PARQUET, published.folder / "parquet", tool, packages=packages)
    assert json.loads(reader.answer()) == counts[published.second]
    reader.end()


def test_every_table_and_column_has_a_comment(published: Published) -> None:
    assert (
        published.ask(
            "select table_name, '' from duckdb_tables() where coalesce(comment, '') = ''"
            " union all select table_name, column_name from duckdb_columns()"
            " where not internal and coalesce(comment, '') = ''"
        )
        == []
    )


def test_the_storage_is_that_of_old_readers(published: Published) -> None:
    tags = published.ask(
        "select tags['storage_version'] from duckdb_databases()"
        " where database_name = current_database()"
    )
    assert tags == [(f"{STORAGE_VERSION}+",)]


SESSION = ("system_id", "environment", "session_id")
ITEM = ("system_id", "item_type", "item_id")


def relationships(published: Published) -> list[tuple[str, tuple[str, ...], str]]:
    """Fact, columns and the table that has one row for their values."""
    columns: dict[str, set[str]] = {}
    for table, column in published.ask(
        "select table_name, column_name from duckdb_columns() where schema_name = 'facts'"
    ):
        columns.setdefault(table, set()).add(column)
    parents: list[tuple[str, tuple[str, ...]]] = [
        ("fct_sessions", SESSION),
        ("dim_items", ITEM),
        ("dim_end_users", ("end_user_id",)),
        ("dim_event_definitions", ("item_type", "event")),
        ("fct_item_events", ("event_key",)),
        ("fct_actionbot_chats", ("chat_key",)),
    ]
    found = [
        (child, keys, parent)
        for parent, keys in parents
        for child in sorted(columns)
        if child != parent and set(keys) <= columns[child]
    ]
    # A play is of a flow, or of a survey: its key says nothing of which.
    return [
        *found,
        ("fct_flow_steps", ("play_key",), "fct_flow_plays"),
        ("fct_survey_answers", ("play_key",), "fct_surveys"),
    ]


def test_keys_join_without_loss_and_without_doubling(published: Published) -> None:
    checked = relationships(published)
    assert len(checked) > 40
    surprises = []
    for child, keys, parent in checked:
        known = " and ".join(f"{key} is not null" for key in keys)
        rows, joined = published.ask(
            f"select (select count(*) from facts.{child} where {known}),"
            f" (select count(*) from facts.{child} join facts.{parent} using ({', '.join(keys)}))"
        )[0]
        if rows != joined:
            surprises.append(f"{child} {keys} -> {parent}: {rows} rows, {joined} joined")
    assert surprises == []


def test_reports_join_the_items_that_they_count(published: Published) -> None:
    reports = [
        table
        for (table,) in published.ask(
            "select table_name from duckdb_columns() where schema_name = 'reports'"
            " and column_name = 'item_key'"
        )
    ]
    assert len(reports) > 10
    for table in reports:
        rows, joined = published.ask(
            f"select (select count(*) from reports.{table} where item_id is not null),"
            f" (select count(*) from reports.{table} as report join facts.dim_items as items"
            " using (item_key) where report.item_id is not null and report.item_id = items.item_id)"
        )[0]
        assert rows == joined, table


def test_a_copy_of_the_folder_can_be_read_elsewhere(published: Published, tmp_path: Path) -> None:
    moved = published.copy(tmp_path / "elsewhere")
    assert moved.ask("select release_id from meta.release") == [(published.second,)]
