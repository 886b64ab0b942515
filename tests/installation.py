"""An installation of Walkhouse as tests use it: a landing, a home, and the real command line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb

from dagster_project.models.deployed import Deployments
from dagster_project.models.prepared import PREPARED
from tests.warm import warm

CHECKOUT = Path(__file__).resolve().parents[1]
DBT_PROJECT = CHECKOUT / "dbt_project"
SEEDS = DBT_PROJECT / "seeds"
PROGRAMS = Path(sys.executable).parent


@dataclass(frozen=True)
class Installation:
    """A landing and a home of its own."""

    landing: Path
    home: Path
    dbt_project: Path = DBT_PROJECT

    @property
    def published(self) -> Path:
        """The file that BI tools open."""
        return self.home / "published" / "walkhouse.duckdb"

    @property
    def prepared(self) -> Path:
        """What dbt found out about the deployed project; nowhere before there is one."""
        deployed = Deployments(self.home / "deployed")
        current = deployed.current()
        return (deployed.project(current) if current else self.home / "nowhere") / PREPARED

    @property
    def environment(self) -> dict[str, str]:
        """The variables under which programs see this installation."""
        outside = {
            k: v for k, v in os.environ.items() if not k.startswith(("WALKHOUSE", "DAGSTER"))
        }
        return outside | {
            "WALKHOUSE_LANDING": str(self.landing),
            "WALKHOUSE_HOME": str(self.home),
            "WALKHOUSE_DBT_PROJECT": str(self.dbt_project),
            "WALKHOUSE_QUIET_SECONDS": "0",
            "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
        }

    def walkhouse(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the command line, with some more variables, and give what it said."""
        return self.program("walkhouse", *arguments, cwd=CHECKOUT, **variables)

    def dbt(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run dbt as an analyst does, from the dbt project."""
        return self.program("dbt", *arguments, cwd=self.dbt_project, **variables)

    def program(
        self, *command: str, cwd: Path = CHECKOUT, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program that is installed with Walkhouse in this installation's environment."""
        return warm.run(*command, cwd=cwd, environment=self.environment | variables)

    def execute(self, *command: str, cwd: Path = CHECKOUT) -> subprocess.CompletedProcess[str]:
        """Run any other program in this installation's environment."""
        return subprocess.run(
            command, cwd=cwd, env=self.environment, capture_output=True, text=True, check=False
        )

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Query what is published, as a BI tool does."""
        with duckdb.connect(str(self.published), read_only=True) as connection:
            return connection.execute(query).fetchall()

    def copy_to(self, folder: Path) -> Installation:
        """The same once more, to go on with where it stands, without a run of its own.

        Its next run takes the dumps in again: the system knows their files as others.
        """
        copy = replace(self, landing=folder / "landing", home=folder / "data")
        copy.empty()
        shutil.copytree(self.landing, copy.landing)
        shutil.copytree(self.home, copy.home, symlinks=True)
        return copy

    def empty(self) -> None:
        """Start anew."""
        shutil.rmtree(self.landing, ignore_errors=True)
        shutil.rmtree(self.home, ignore_errors=True)


def said(run: subprocess.CompletedProcess[str]) -> str:
    """All that a program printed."""
    return run.stdout + run.stderr
