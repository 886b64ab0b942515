"""Two real releases, one after the other, for the tests of what reads them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.release.publish import releases, switch_to
from dagster_project.simulate import Scenario, simulate
from tests.installation import SEEDS, Installation, said

DAYS = 4
EVENTS = 500


@dataclass(frozen=True)
class Published:
    """A published folder that holds two releases; the later one has one more dump."""

    folder: Path

    @property
    def first(self) -> str:
        """Id of the earlier release, without the last dump."""
        return releases(self.folder)[1].release_id

    @property
    def second(self) -> str:
        """Id of the later release."""
        return releases(self.folder)[0].release_id

    @property
    def database(self) -> Path:
        """What BI tools open."""
        return self.folder / "walkhouse.duckdb"

    def release(self, release_id: str) -> Path:
        """The folder of a release."""
        return self.folder / ".releases" / release_id

    def switch(self, release_id: str) -> None:
        """Let new readers see a release."""
        switch_to(self.folder, release_id)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Query the current release."""
        # Under its real name: a connection of this process to the link would outlive the switch.
        with duckdb.connect(str(self.database.resolve()), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def tables(self) -> list[tuple[str, str]]:
        """Schema and name of every table of the current release."""
        return [
            (schema, table)
            for schema, table in self.ask(
                "select schema_name, table_name from duckdb_tables() order by all"
            )
        ]

    def copy(self, folder: Path) -> Published:
        """The same once more, to switch or to spoil."""
        shutil.copytree(self.folder, folder, symlinks=True)
        for file in folder.glob(".releases/**/*"):
            file.chmod(0o755 if file.is_dir() else 0o644)
        return Published(folder)


def publish_twice(installation: Installation) -> None:
    """Run an installation for a few dumps, then for one more."""
    for days in (DAYS - 1, DAYS):
        scenario = Scenario(days=days, events_per_day=EVENTS, weekend=1, late=0.02)
        simulate(scenario, installation.landing, seeds=SEEDS, processes=1)
        run = installation.walkhouse("run")
        assert run.returncode == 0, said(run)
