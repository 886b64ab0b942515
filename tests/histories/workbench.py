"""An installation driven inside this process: dumps taken in and models built, over and over.

It is the real ingest and the real dbt project; only what starts them is left out, because a process
of its own takes longer to start than a handful of events to build.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from dagster_project.forgotten import FILE as FORGOTTEN
from dagster_project.ingest.content import ingest_catalogue
from dagster_project.ingest.dumps import ingest_connection, take_in_dump, write_schema
from dagster_project.ingest.lake import Lake
from dagster_project.ingest.landing import Landing
from dagster_project.registry import load_definitions, load_published_tables
from dagster_project.release.parquet import table_versions, write_parquet
from dagster_project.release.state import project_digest
from tests.installation import DBT_PROJECT
from tests.reference import reference
from tests.whole.compare import differences

# They tell of builds, and so differ between one build and many.
_OF_BUILDS = ("meta.rebuilds", "audit.rebuilds", "audit.inputs", "audit.versions", "audit.builds")
_COMPARED_SCHEMAS = ("facts", "reports", "meta", "intermediate", "audit", "seeds")
_SHOWN_DIFFERENCES = 20


class BuildError(AssertionError):
    """A build failed; the message names the nodes."""


@dataclass
class Workbench:
    """A landing, a dbt project of its own, and two warehouses of one lake.

    `kept` is brought up to date by every build; `fresh` is built from nothing, to compare with.
    """

    folder: Path
    manifests: dict[tuple[str, str], Any] = field(default_factory=dict)

    @property
    def landing(self) -> Path:
        return self.folder / "landing"

    @property
    def project(self) -> Path:
        return self.folder / "dbt_project"

    @property
    def kept(self) -> Path:
        return self.folder / "kept"

    @property
    def fresh(self) -> Path:
        return self.folder / "fresh"

    @property
    def timezone(self) -> str:
        """The reporting time zone that the dbt project says."""
        found = re.search(r"^  reporting_timezone: (\S+)$", self._settings(), re.MULTILINE)
        assert found is not None
        return found.group(1)

    @timezone.setter
    def timezone(self, name: str) -> None:
        said = self._settings().replace(
            f"reporting_timezone: {self.timezone}", f"reporting_timezone: {name}"
        )
        (self.project / "dbt_project.yml").write_text(said, encoding="utf-8")

    def _settings(self) -> str:
        return (self.project / "dbt_project.yml").read_text(encoding="utf-8")

    def empty(self) -> None:
        """Start anew: nothing landed, nothing built, the dbt project as it is in the checkout."""
        written = (self.folder / "parquet", self.folder / "parquet-new")
        for path in (self.landing, self.kept, self.fresh, self.project, *written):
            shutil.rmtree(path, ignore_errors=True)
        (self.landing / "events").mkdir(parents=True)
        self.kept.mkdir()
        unneeded = shutil.ignore_patterns("target", "logs", "*.duckdb*")
        shutil.copytree(DBT_PROJECT, self.project, ignore=unneeded)

    def change_seed(self, name: str, old: str, new: str) -> None:
        """Replace a piece of a definition in the dbt project; it must be there."""
        path = self.project / "seeds" / f"{name}.csv"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def restore_seeds(self) -> None:
        """Let the definitions be those of the checkout again."""
        for path in (DBT_PROJECT / "seeds").glob("*.csv"):
            shutil.copy(path, self.project / "seeds")

    def take_in(self) -> None:
        """Make the lake hold what the landing holds."""
        definitions = load_definitions(self.project)
        lake = Lake(self.kept / "lake" / "raw")
        lake.prepare()
        landing = Landing(str(self.landing))
        landed = landing.look()
        scratch = self.kept / "scratch"
        with ingest_connection(
            definitions, threads=1, memory_limit="1GB", scratch=scratch
        ) as connection:
            write_schema(connection, lake)
            for day in sorted(landed.dumps.keys() | lake.dumps().keys()):
                dump = landed.dumps.get(day)
                take_in_dump(landing, lake, dump, day, connection, definitions, scratch=scratch)
        ingest_catalogue(landing, lake, landed.catalogue, definitions, scratch=scratch)

    def build(self, *selection: str) -> None:
        """Bring the kept warehouse up to date, or the part of it that is selected.

        Raises:
            BuildError: a model failed.
        """
        # In batches of few events, so that whole tables are built some dates at a time.
        self._dbt(self.kept, (*selection, "--vars", "{events_per_batch: 3}"))

    def rebuild(self) -> None:
        """Build the fresh warehouse from nothing, out of the same lake.

        Raises:
            BuildError: a model failed.
        """
        shutil.rmtree(self.fresh, ignore_errors=True)
        self.fresh.mkdir()
        for name in ("lake", FORGOTTEN):
            if (self.kept / name).exists():
                (self.fresh / name).symlink_to(self.kept / name)
        self._dbt(self.fresh, ())

    def differences_from_reference(self) -> list[str]:
        """What the kept warehouse says otherwise than the plain-Python reference."""
        expected = reference(self.landing, self.project / "seeds", reporting_timezone=self.timezone)
        return differences(self.kept / "warehouse.duckdb", expected)[:_SHOWN_DIFFERENCES]

    def differences_from_rebuild(self) -> list[str]:
        """Rows that only the kept or only the fresh warehouse has, in any table that dbt builds."""
        with duckdb.connect() as connection:
            for home in (self.kept, self.fresh):
                path = home / "warehouse.duckdb"
                connection.execute(f"attach '{path}' as {home.name} (read_only)")
            tables = {
                home.name: {
                    f"{schema}.{table}"
                    for schema, table in connection.execute(
                        "select schema_name, table_name from duckdb_tables()"
                        " where database_name = ?",
                        [home.name],
                    ).fetchall()
                    if schema in _COMPARED_SCHEMAS
                }
                for home in (self.kept, self.fresh)
            }
            found = [f"{table}: only in one of both" for table in tables["kept"] ^ tables["fresh"]]
            for table in sorted((tables["kept"] & tables["fresh"]) - set(_OF_BUILDS)):
                found += row_differences(connection, table, "kept", "fresh")
        return found[:_SHOWN_DIFFERENCES]

    def differences_from_parquet(self) -> list[str]:
        """Where the Parquet files of a release, linked ones included, are not what the tables say.

        The files are written as a release writes them: beside those of the call before.
        """
        previous, folder = self.folder / "parquet", self.folder / "parquet-new"
        shutil.rmtree(folder, ignore_errors=True)
        found = []
        with duckdb.connect(str(self.kept / "warehouse.duckdb"), read_only=True) as connection:
            connection.execute("set timezone = 'UTC'")
            tables = load_published_tables(self.project)
            versions = table_versions(connection)
            before = previous if previous.exists() else None
            write_parquet(connection, folder, tables, versions, previous=before, threads=2)
            for schema, table in tables:
                rows, files = f"{schema}.{table}", f"'{folder}/{schema}/{table}/*.parquet'"
                for one, other in ((rows, files), (files, rows)):
                    (count,) = connection.execute(
                        f"select count(*) from (from {one} except all from {other})"
                    ).fetchall()[0]
                    if count:
                        found.append(f"{count} rows of {one} are not in {other}")
        shutil.rmtree(previous, ignore_errors=True)
        folder.rename(previous)
        return found

    def _dbt(self, home: Path, selection: tuple[str, ...]) -> None:
        with environment(WALKHOUSE_HOME=str(home), WALKHOUSE_DBT_THREADS="2"):
            try:
                self._build_in("prod", selection)
            finally:
                # An exception is raised, as just that, where nothing was opened.
                with contextlib.suppress(Exception):
                    DuckDBConnectionManager.env().close()
                DuckDBConnectionManager.close_all_connections()

    def _build_in(self, target: str, selection: tuple[str, ...]) -> None:
        """Build with the engine of a target, in the environment as it is."""
        result = dbtRunner(manifest=self._manifest(target)).invoke(
            [
                "build",
                *("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test"),
                "--no-write-json",
                *selection,
                *self._options(target),
            ]
        )
        if not result.success:
            nodes = getattr(result.result, "results", [])
            raise BuildError(
                "\n".join(
                    f"{node.node.unique_id}: {node.message}"
                    for node in nodes
                    if node.status in ("error", "fail")
                )
                or str(result.exception)
            )

    def _manifest(self, target: str) -> Any:
        """The parsed project as it is now; parsing takes long, so each state of it is kept."""
        state = (target, project_digest(self.project))
        if state not in self.manifests:
            result = dbtRunner().invoke(["parse", *self._options(target)])
            assert result.success, result.exception
            self.manifests[state] = result.result
        for node in self.manifests[state].nodes.values():
            # dbt puts ephemeral models into those that read them once for each manifest.
            if node.resource_type != "seed":
                node.compiled, node.extra_ctes_injected, node.extra_ctes = False, False, []
        return self.manifests[state]

    def _options(self, target: str) -> list[str]:
        folder = str(self.folder / "target" / target)
        return [
            "--quiet",
            *("--project-dir", str(self.project)),
            *("--profiles-dir", str(self.project)),
            *("--target", target),
            *("--target-path", folder),
            *("--log-path", folder),
            *("--log-level-file", "none"),
        ]


def row_differences(
    connection: duckdb.DuckDBPyConnection, table: str, one: str, other: str
) -> list[str]:
    """Rows of a table that only one of two attached databases has, some of each."""
    # Names come from the catalogue of the database, not from data.
    found = []
    for database, against in ((one, other), (other, one)):
        cursor = connection.execute(
            f"from {database}.{table} except all from {against}.{table} order by all limit 3"
        )
        columns = [column[0] for column in cursor.description or []]
        for row in cursor.fetchall():
            values = {
                name: value for name, value in zip(columns, row, strict=True) if value is not None
            }
            found.append(f"{table}: only in {database}: {values}")
    return found


@contextlib.contextmanager
def environment(**values: str) -> Iterator[None]:
    """Have variables of the environment, and the folder that this process works in, for a while."""
    before = {name: os.environ.get(name) for name in values}
    where = Path.cwd()
    os.environ.update(values)
    try:
        yield
    finally:
        os.chdir(where)  # dbt changes it, and does not change it back
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
