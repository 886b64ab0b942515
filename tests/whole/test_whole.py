"""Whole runs from the command line: what is published is what the reference says.

One run takes some ten seconds, so the themes share landings and the tests share runs.
"""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from dagster_project.simulate import Scenario, simulate
from tests.reference import reference
from tests.whole import landings
from tests.whole.compare import differences

CHECKOUT = Path(__file__).parents[2]
SEEDS = CHECKOUT / "dbt_project" / "seeds"


@dataclass(frozen=True)
class Installation:
    """A landing and a home of its own."""

    landing: Path
    home: Path

    @property
    def published(self) -> Path:
        """The file that BI tools open."""
        return self.home / "published" / "walkhouse.duckdb"

    def walkhouse(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line and give what it said."""
        return subprocess.run(
            [sys.executable, "-m", "dagster_project.cli", *arguments],
            cwd=CHECKOUT,
            env=os.environ
            | {"WALKHOUSE_LANDING": str(self.landing), "WALKHOUSE_HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
        )

    def differences(self) -> str:
        """How the published release differs from the reference, a sentence a line."""
        return "\n".join(differences(self.published, reference(self.landing, SEEDS))[:50])


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return Installation(landing=tmp_path / "landing", home=tmp_path / "home")


def said(run: subprocess.CompletedProcess[str]) -> str:
    return run.stdout + run.stderr


def test_many_themes_and_a_catalogue_are_published_as_the_reference_has_them(
    installation: Installation,
) -> None:
    landings.many_themes(installation.landing)
    landings.catalogue(installation.landing)
    run = installation.walkhouse(
        "run", "--waive", "all", "--reason", "lines that are wrong on purpose"
    )
    assert run.returncode == 0, said(run)
    assert installation.differences() == ""


def test_a_simulated_landing_is_published_as_the_reference_has_it(
    installation: Installation,
) -> None:
    scenario = Scenario(
        days=5,
        events_per_day=800,
        form="mixed",
        files_per_dump=2,
        manifest=True,
        late=0.05,
        duplicate=0.02,
        malformed=0.001,
        undefined=0.001,
        too_old=0.001,
        novel_keys=0.1,
    )
    simulate(scenario, installation.landing, seeds=SEEDS, processes=1)
    run = installation.walkhouse("run")
    assert run.returncode == 0, said(run)
    assert installation.differences() == ""


def test_dumps_that_their_manifests_refuse_are_left_out_and_named(
    installation: Installation,
) -> None:
    landings.late_events(installation.landing)
    for theme in landings.REFUSED_MANIFESTS.values():
        theme(installation.landing)
    run = installation.walkhouse("run")
    assert run.returncode != 0
    for dump_date in landings.REFUSED_MANIFESTS:
        assert dump_date in said(run)
    assert "b.ndjson" in said(run)
    assert "0" * 64 in said(run)
    assert installation.differences() == ""


def test_a_dump_over_the_quarantine_rate_keeps_everything_from_being_published(
    installation: Installation,
) -> None:
    landings.all_quarantine_reasons(installation.landing)
    run = installation.walkhouse("run")
    assert run.returncode != 0
    assert "quarantine_rate" in said(run)
    assert not installation.published.exists()
