"""One lakehouse, and one Spark, for all tests of a process."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.spark.lakehouse import Lakehouse, spark_or_skip


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

    The session of Spark belongs to its folder, so that a process has one. Modules that follow each
    other on it are a group of xdist.
    """
    spark_or_skip()
    lakehouse = Lakehouse(tmp_path_factory.mktemp("lakehouse"))
    lakehouse.empty()
    return lakehouse
