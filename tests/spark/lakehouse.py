"""A workbench with a second engine: the same lake built by DuckDB and by Spark in this process.

Starting a Spark takes longer than a small build, so one session serves all tests of a process. The
catalog is a folder in the workbench; the jar of Iceberg is one that a package of the index carries.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.models.iceberg import Catalog, collect, iceberg_connection, scan
from dagster_project.models.pointer import point_to
from dagster_project.models.spark import missing_for_spark
from dagster_project.registry import load_published_tables
from dagster_project.release.publish import Release, publish
from dagster_project.settings import Settings
from dagster_project.simulate import Scenario, simulate
from tests.histories.workbench import Workbench, environment
from tests.installation import SEEDS

_JARS = "snowpark_connect_deps_iceberg"
_JAR = "jars/iceberg-spark-runtime-3.5_2.12-1.9.2.jar"
JDBC_DRIVER = Path("/usr/share/java/postgresql.jar")
"""Where Debian has PostgreSQL's driver for Java."""

_OF_BUILDS = ("rebuilds", "inputs", "versions", "builds", "layout")
_SHOWN_DIFFERENCES = 20
# Tables of a few rows: what is compiled, shuffled or planned twice takes longer than it saves, and
# so do a task for each few files, a slow fork for the rights of each file, and a small heap.
_SPARK_DEFAULTS = f"""\
spark.ui.enabled false
spark.default.parallelism 1
spark.locality.wait 0
spark.shuffle.compress false
spark.sql.shuffle.partitions 1
spark.sql.leafNodeDefaultParallelism 1
spark.sql.files.minPartitionNum 1
spark.sql.files.openCostInBytes 1
spark.sql.sources.parallelPartitionDiscovery.threshold 10000
spark.sql.adaptive.enabled false
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.sql.maxPlanStringLength 1000
spark.sql.ui.explainMode simple
spark.sql.ui.retainedExecutions 1
spark.ui.retainedJobs 10
spark.ui.retainedStages 10
spark.ui.retainedTasks 10
spark.sql.catalog.walkhouse.cache-enabled false
spark.sql.catalog.walkhouse.table-default.read.split.open-file-cost 1
spark.sql.catalog.walkhouse.table-default.write.parquet.compression-codec uncompressed
spark.driver.memory 3g
spark.driver.extraClassPath {JDBC_DRIVER}
spark.driver.extraJavaOptions -XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m \
-XX:MetaspaceSize=512m -XX:+UseSerialGC -Xms3g -Xmn1g -Xss8m \
-Djdk.lang.Process.launchMechanism=VFORK
"""


def spark_or_skip() -> None:
    """Skip the test where no Spark can be started; fail it in CI."""
    reason = missing_for_spark()
    if not reason and find_spec(_JARS) is None:
        reason = f"{_JARS} is not installed: make test-spark installs it"
    if reason and "CI" in os.environ:
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


def end_session() -> None:
    """Have the next build begin a session of its own in the same Java, with another catalog."""
    # PySpark tells nobody else whether there is one.
    if context := importlib.import_module("pyspark").SparkContext._active_spark_context:
        context.stop()


@dataclass
class Lakehouse(Workbench):
    """A workbench whose kept tables are built by Spark; DuckDB builds the fresh ones."""

    @property
    def iceberg(self) -> Path:
        """The folder of the catalog."""
        return self.kept / "iceberg"

    @property
    def scratch(self) -> Path:
        """Where the Java of this process keeps what it shuffles, whoever began it."""
        return self.folder.parent / "scratch"

    def at(self, table: str, snapshot: int | None = None) -> str:
        """A table, `<schema>.<table>`, at a snapshot or as it was built last."""
        return scan(self.iceberg.joinpath(*table.split(".")), snapshot)

    def said_of(self, table: str) -> dict[str, Any]:
        """The metadata of a table."""
        file = Catalog(str(self.iceberg)).metadata_file(*table.split("."))
        said: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return said

    def build(self, *selection: str) -> None:
        """Bring the tables of Iceberg up to date, or those that are selected.

        Raises:
            BuildError: a model failed.
        """
        with environment(**self.variables()):
            self._build_in("spark", selection)

    def differences_between_engines(self) -> list[str]:
        """Columns of other types, and rows that only one has, in any table that dbt builds."""
        found: list[str] = []
        with iceberg_connection() as connection:
            connection.execute(f"attach '{self.fresh / 'warehouse.duckdb'}' as duckdb (read_only)")
            tables = connection.execute(
                "select schema_name, table_name from duckdb_tables() where database_name = 'duckdb'"
                " and schema_name <> 'raw' order by all"
            ).fetchall()
            for schema, table in tables:
                if table in _OF_BUILDS:
                    continue
                name = f"{schema}.{table}"
                types = _columns(connection, f"duckdb.{name}")
                on_spark = _columns(connection, self.at(name))
                found += [
                    f"{name}: {column} is {types.get(column)} in DuckDB, {on_spark.get(column)} in"
                    " Spark"
                    for column in sorted(types.keys() | on_spark.keys())
                    if types.get(column) != on_spark.get(column)
                ]
                if types.keys() != on_spark.keys():
                    continue
                columns = ", ".join(f'"{column}"' for column in types)
                rows = {
                    "DuckDB": f"(select {columns} from duckdb.{name})",
                    "Spark": f"(select {columns} from {self.at(name)})",
                }
                for one, other in (("DuckDB", "Spark"), ("Spark", "DuckDB")):
                    cursor = connection.execute(
                        f"from {rows[one]} except all from {rows[other]} order by all limit 3"
                    )
                    found += [
                        f"{name}: only in {one}: {dict(zip(types, row, strict=True))}"
                        for row in cursor.fetchall()
                    ]
        return found[:_SHOWN_DIFFERENCES]

    def differences_of_descriptions(self) -> list[str]:
        """What either warehouse file says of published tables and the other does not."""
        query = (
            "select schema_name, table_name, column_name, is_nullable, comment"
            " from duckdb_columns()"
            " union all select schema_name, table_name, '', true, comment from duckdb_tables()"
        )
        said = []
        for file in (self.fresh / "warehouse.duckdb", self.settings.warehouse):
            with duckdb.connect(str(file), read_only=True) as connection:
                rows = connection.execute(query).fetchall()
            published = set(load_published_tables(self.project))
            said.append({row for row in rows if tuple(row[:2]) in published})
        return sorted(map(str, said[0] ^ said[1]))[:_SHOWN_DIFFERENCES]

    @property
    def settings(self) -> Settings:
        """Of the installation that Spark builds."""
        return Settings(
            landing=str(self.landing), home=self.kept, dbt_project=self.project, engine="spark"
        )

    def collect(self) -> None:
        """Copy what was built last for a release.

        Raises:
            IcebergError: a table cannot be read.
        """
        collect(Catalog(str(self.iceberg)), self.settings.warehouse, self.project)

    def release(self, name: str) -> Release:
        """Publish what was built last, whatever the audit says of it.

        Raises:
            DbtError: Spark could not let readers of its tables see it.
        """
        self.collect()
        release = Release(name, "2026-03-05T00:00:00.000+00:00", "1", "", None, None, 0, 0, {})
        publish(
            self.settings.warehouse,
            self.settings.published,
            release,
            load_published_tables(self.project),
            keep=self.settings.keep_releases,
            threads=1,
            memory_limit="1GB",
            before_switch=lambda snapshots, keep: self.point_to(release, snapshots, keep),
        )
        return release

    def point_to(self, release: Release, snapshots: Mapping[str, int], keep: Sequence[str]) -> None:
        """Let readers of the tables see a release."""
        with environment(**self.variables()):
            point_to(self.settings, release, snapshots, keep=keep)

    def variables(self, remote: str = "local[2]") -> dict[str, str]:
        """The environment in which dbt finds this Spark, or another."""
        configuration = self.folder / "spark"
        configuration.mkdir(exist_ok=True)
        (configuration / "spark-defaults.conf").write_text(_SPARK_DEFAULTS, encoding="utf-8")
        jars = Path(str(importlib.import_module(_JARS).__file__)).parent
        return {
            "WALKHOUSE_HOME": str(self.kept),
            "WALKHOUSE_ENGINE": "spark",
            "WALKHOUSE_DBT_THREADS": "2",
            "WALKHOUSE_SPARK_REMOTE": remote,
            "WALKHOUSE_SPARK_ICEBERG": str(jars / _JAR),
            "SPARK_CONF_DIR": str(configuration),
            "SPARK_LOCAL_DIRS": str(self.scratch),
            "SPARK_LOCAL_IP": "127.0.0.1",
        }


def simulated(landing: Path) -> None:
    """Three days of an invented company, with late and repeated events."""
    scenario = Scenario(
        days=3, events_per_day=300, form="mixed", late=0.05, duplicate=0.02, novel_keys=0.1
    )
    simulate(scenario, landing, seeds=SEEDS, processes=1)


def land(lakehouse: Lakehouse, write: Callable[[Path], None]) -> None:
    """Have a landing hold other dumps, and the lake take them in."""
    lakehouse.restore_seeds()
    shutil.rmtree(lakehouse.landing)
    (lakehouse.landing / "events").mkdir(parents=True)
    write(lakehouse.landing)
    lakehouse.take_in()


def _columns(connection: Any, relation: str) -> dict[str, str]:
    """Types by column; whole numbers beyond a bigint are decimals in Spark."""
    rows = connection.execute(f"describe from {relation}").fetchall()
    return {name: kind.replace("HUGEINT", "DECIMAL(38,0)") for name, kind, *_ in rows}


@contextlib.contextmanager
def killed_at(
    statement: str, *, is_after: bool = False, may_be_missed: bool = False
) -> Iterator[None]:
    """Have Spark refuse the first statement that begins so, or the next one, and all that follow.

    It is what is left behind by a process that is killed there.

    Args:
        statement: how it begins; white space counts as one blank.
        is_after: whether it is done, and the next one refused.
        may_be_missed: whether it is fine if there is none.
    """
    cursor = importlib.import_module("dbt.adapters.spark.session").Cursor
    execute = cursor.execute
    state = {"is_reached": False, "is_dead": False}

    def refuse(self: Any, sql: str, *parameters: Any) -> None:
        said = " ".join(re.sub(r"/[*].*?[*]/", "", sql, flags=re.DOTALL).split())
        is_this = said.startswith(statement)
        state["is_dead"] |= state["is_reached"] if is_after else is_this
        if state["is_dead"]:
            raise RuntimeError("killed")
        state["is_reached"] |= is_this
        execute(self, sql, *parameters)

    cursor.execute = refuse
    try:
        yield
    finally:
        cursor.execute = execute
    assert state["is_dead"] or may_be_missed, f"never reached: {statement}"
