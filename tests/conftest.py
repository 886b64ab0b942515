"""Fixtures of all tests."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from click.testing import CliRunner

from dagster_project.cli import cli
from dagster_project.models.columns import Columns
from dagster_project.models.prepared import (
    PREPARED,
    load_columns,
    parsed_digest,
    parts_digest,
)
from dagster_project.rights import umask
from tests import processor_time
from tests.installation import CHECKOUT, DBT_PROJECT, Installation
from tests.releases import Published, publish_twice


def pytest_addoption(parser: pytest.Parser) -> None:
    """Ask for the costs of tests."""
    parser.addoption("--processor-time", action="store_true", help=processor_time.__doc__)


# To look for cycles of garbage as often as Python does takes a fifteenth of the tests' time.
gc.set_threshold(100_000)

# No test fails because the machine is busy.
hypothesis.settings.register_profile("walkhouse", deadline=None)
hypothesis.settings.load_profile("walkhouse")


def pytest_configure(config: pytest.Config) -> None:
    """Have no process compile what another did, where the environment forbids to keep bytecode.

    It is kept beside what pytest keeps, and read by all programs that the tests start.
    """
    if sys.dont_write_bytecode:
        sys.dont_write_bytecode = False
        sys.pycache_prefix = str(CHECKOUT / ".pytest_cache" / "bytecode")
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if config.getoption("--processor-time"):
        config.pluginmanager.register(processor_time.ProcessorTime())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have those begin first that wait, so that others use the processor meanwhile.

    Long ones follow, then other whole runs. So none of them is left alone at the end.
    """
    items.sort(
        key=lambda item: (
            item.get_closest_marker("waits") is None,
            item.get_closest_marker("long") is None,
            item.path.parent.name not in ("whole", "histories"),
        )
    )


@pytest.fixture(autouse=True)
def umask_of_before() -> Iterator[None]:
    """A command that a test calls in its own process sets the umask of all of that."""
    before = umask()
    yield
    os.umask(before)


@pytest.fixture(scope="session")
def installation_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tests of a process have their installations, each of which deploys the project.

    Parsing takes long: after a change to the project it is done once, and not by each of them.
    """
    if parsed_digest(DBT_PROJECT / PREPARED) != parts_digest(DBT_PROJECT):
        parse = [sys.executable, "-m", "dagster_project.cli", "parse"]
        subprocess.run(parse, check=True, cwd=CHECKOUT)
    return tmp_path_factory.mktemp("installation")


def emptied(folder: Path) -> Installation:
    fresh = Installation(folder / "landing", folder / "data")
    fresh.empty()
    return fresh


@pytest.fixture
def installation(installation_folder: Path) -> Installation:
    """An empty installation."""
    return emptied(installation_folder)


@pytest.fixture(scope="module")
def installation_of_module(installation_folder: Path) -> Installation:
    """An installation that is empty when the tests of a module begin.

    All modules use the same folder, one after the other.
    """
    return emptied(installation_folder)


@pytest.fixture(scope="session")
def installation_of_releases(
    installation_folder: Path,  # noqa: ARG001 - what it parses is there then
    tmp_path_factory: pytest.TempPathFactory,
    worker_id: str,
) -> Installation:
    """An installation that published twice, by whichever worker comes first; not to be changed."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "of-releases"
    installation = Installation(shared / "landing", shared / "home")
    is_done = shared.with_suffix(".done")
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_done.exists():
            installation.empty()
            publish_twice(installation)
            is_done.touch()
    return installation


@pytest.fixture(scope="session")
def published_twice(installation_of_releases: Installation) -> Published:
    """Its two releases; not to be changed."""
    return Published(installation_of_releases.published.parent)


@pytest.fixture
def published(published_twice: Published, tmp_path: Path) -> Iterator[Published]:
    """A copy of the two releases, the later one current."""
    copy = published_twice.copy(tmp_path / "published")
    yield copy
    shutil.rmtree(copy.folder)


@pytest.fixture(scope="session")
def columns() -> Columns:
    """The columns of the dbt project as `make setup` finds them; after a change to it, too."""
    parsed = CliRunner().invoke(cli, ["parse"], env={"WALKHOUSE_DBT_PROJECT": str(DBT_PROJECT)})
    assert parsed.exit_code == 0, parsed.output
    return load_columns(DBT_PROJECT, parts_digest(DBT_PROJECT))
