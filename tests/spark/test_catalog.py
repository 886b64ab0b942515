"""Tables with their catalog in a PostgreSQL server: released, rolled back, and somebody forgotten.

The tests follow in order on one installation. The command line runs in this process, whose Java is
warm; the session of Spark is one of this catalog, and ends with the tests of this module.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dagster_project.cli import cli
from dagster_project.forgotten import load_requests
from dagster_project.models.iceberg import Catalog, iceberg_connection, scan
from dagster_project.release.publish import current_release, release_folder, releases
from dagster_project.settings import Settings
from tests.histories.workbench import environment
from tests.installation import Installation
from tests.postgres_server import Server, running_server
from tests.spark.lakehouse import JDBC_DRIVER, Lakehouse, end_session, spark_or_skip
from tests.tools import missing
from tests.whole.test_forgetting import KEY, event, planted, write_lines
from tests.whole.traces import traces_in_files, traces_in_postgres

pytestmark = pytest.mark.spark

GONE = "u-to-be-forgotten"
WATCHED = ("facts.fct_sessions", "facts.fct_item_events", "reports.rpt_sessions_daily")


@dataclass(frozen=True)
class Elsewhere:
    """An installation, and the server that knows its tables."""

    installation: Installation
    server: Server
    variables: dict[str, str]

    def walkhouse(self, *arguments: str) -> Result:
        with environment(**self.variables):
            return CliRunner().invoke(cli, arguments)

    @property
    def settings(self) -> Settings:
        return Settings.from_environment(self.variables)

    def said_of(self, table: str) -> tuple[Path, dict[str, Any]]:
        """The file of metadata that the catalog names for a table, and what it says."""
        catalog = Catalog(self.settings.iceberg, self.settings.spark_catalog)
        file = catalog.metadata_file(*table.split("."))
        return file, json.loads(file.read_text(encoding="utf-8"))

    def tables(self) -> list[str]:
        """All tables of the catalog."""
        rows = self.server.ask(
            "iceberg", "select table_namespace || '.' || table_name from iceberg_tables order by 1"
        )
        return [table for (table,) in rows]

    def expect_readers_to_see(self, release: str) -> None:
        """Expect the pointer, the tags and the snapshots to be of a release."""
        file = release_folder(self.settings.published, release) / "walkhouse.duckdb"
        with iceberg_connection() as connection:
            connection.execute(f"attach '{file}' as released (read_only)")
            ((pointed, snapshots),) = connection.execute(
                f"select release_id, snapshots from {scan(self.said_of('meta.release')[0])}"
            ).fetchall()
            assert pointed == release
            for table in WATCHED:
                metadata, said = self.said_of(table)
                assert said["refs"][release]["snapshot-id"] == snapshots[table]
                rows = scan(metadata, snapshots[table])
                for one, other in ((rows, f"released.{table}"), (f"released.{table}", rows)):
                    only = f"select count(*) from (from {one} except all from {other})"
                    assert connection.execute(only).fetchall() == [(0,)], table


@pytest.fixture(scope="module")
def elsewhere(
    installation_of_module: Installation,
    scratch: Path,  # noqa: ARG001 - it is there before the first Java is
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Elsewhere]:
    spark_or_skip()
    if not JDBC_DRIVER.exists():
        missing("PostgreSQL's driver for Java")
    installation = installation_of_module
    configured = Lakehouse(tmp_path_factory.mktemp("elsewhere")).variables()
    with running_server() as server:
        server.ask("postgres", "create database iceberg")
        url = f"jdbc:postgresql://127.0.0.1:{server.port}/iceberg?user=postgres&password=correct%20horse"
        variables = {
            **{k: v for k, v in installation.environment.items() if k.startswith("WALKHOUSE")},
            **configured,
            "WALKHOUSE_HOME": str(installation.home),
            "WALKHOUSE_SPARK_CATALOG": url,
            "WALKHOUSE_SPARK_WAREHOUSE": str(installation.home / "tables"),
            "WALKHOUSE_PERSONAL_KEY": KEY,
        }
        end_session()
        try:
            yield Elsewhere(installation, server, variables)
        finally:
            end_session()


def land(elsewhere: Elsewhere, day: int, lines: list[Any]) -> None:
    folder = elsewhere.installation.landing / "events" / f"dt=2026-03-0{day + 1}"
    folder.mkdir(parents=True, exist_ok=True)
    write_lines(folder / "a.ndjson", lines, ascii_only=False)


def test_a_release_is_collected_from_it_and_readers_follow(elsewhere: Elsewhere) -> None:
    land(elsewhere, 0, planted(GONE, 0)[:-1])  # the last line is none of an event
    run = elsewhere.walkhouse("run")
    assert run.exit_code == 0, run.output
    release = current_release(elsewhere.settings.published)
    assert release is not None
    elsewhere.expect_readers_to_see(release.release_id)
    assert traces_in_files(elsewhere.installation.home / "tables", GONE)


def test_a_rollback_leads_them_back(elsewhere: Elsewhere) -> None:
    # A line that is none of an event changes few tables, and makes a release all the same.
    land(elsewhere, 1, [event("u-1", 0, day=1, type="pageChange")])
    run = elsewhere.walkhouse("run")
    assert run.exit_code == 0, run.output
    new, old = (each.release_id for each in releases(elsewhere.settings.published))
    elsewhere.expect_readers_to_see(new)
    went_back = elsewhere.walkhouse("rollback")
    assert went_back.exit_code == 0, went_back.output
    elsewhere.expect_readers_to_see(old)


def test_nothing_is_left_of_who_is_forgotten(elsewhere: Elsewhere) -> None:
    asked = elsewhere.walkhouse("forget", "--user", GONE)
    assert asked.exit_code == 0, asked.output
    run = elsewhere.walkhouse("run")
    assert run.exit_code == 0, run.output
    assert all(each.finished_at for each in load_requests(elsewhere.settings.home))
    assert traces_in_files(elsewhere.installation.home / "tables", GONE) == []
    assert traces_in_postgres(elsewhere.server.url("iceberg"), GONE) == []
    # What lists files has the smallest and largest values of their columns, compressed.
    elsewhere.expect_readers_to_see(releases(elsewhere.settings.published)[0].release_id)
    for table in elsewhere.tables():
        file, said = elsewhere.said_of(table)
        held = {each["snapshot-id"] for each in said.get("snapshots", ())}
        assert held == {each["snapshot-id"] for each in said["refs"].values()}, table
        assert len(list(file.parent.glob("snap-*.avro"))) == len(held), table
