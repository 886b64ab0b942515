"""One lakehouse, and one Spark, for all tests of a process."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it has no types

from tests.spark.lakehouse import Lakehouse, land, simulated, spark_or_skip

ON_THE_LAKEHOUSE = ("test_parity", "test_release", "test_surroundings")
"""Modules that follow each other on one lakehouse; each of the others has tables of its own."""


class ByLakehouse(LoadScopeScheduling):  # type: ignore[misc]  # the same
    """Gives the tests of one lakehouse to one process, in their order."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.split("::", maxsplit=1)[0]
        return "lakehouse" if Path(module).stem in ON_THE_LAKEHOUSE else module


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByLakehouse:
    return ByLakehouse(config, log)


@pytest.fixture(scope="session")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where Spark keeps what it shuffles: a disk of its own, where one may be mounted."""
    folder = tmp_path_factory.getbasetemp() / "scratch"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", str(folder)]
    mounted = subprocess.run(mounting, capture_output=True, check=False)
    yield folder
    if mounted.returncode == 0:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="session")
def lakehouse(
    scratch: Path,  # noqa: ARG001 - it is there before the first Java is
    tmp_path_factory: pytest.TempPathFactory,
) -> Lakehouse:
    """It goes through one landing after the other: what a test finds, the one before left.

    The session of Spark belongs to its folder, so that a process has one.
    """
    spark_or_skip()
    lakehouse = Lakehouse(tmp_path_factory.mktemp("lakehouse"))
    lakehouse.empty()
    return lakehouse


@pytest.fixture
def built(lakehouse: Lakehouse) -> None:
    """Have the tables that the tests before left, or, without those, tables of three days."""
    if not lakehouse.iceberg.exists():
        land(lakehouse, simulated)
        lakehouse.build()
        lakehouse.rebuild()
