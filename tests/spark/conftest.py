"""One lakehouse, and one Spark, for all tests of a process."""

from __future__ import annotations

import pytest

from tests.spark.lakehouse import Lakehouse, spark_or_skip


@pytest.fixture(scope="session")
def lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    """It goes through one landing after the other: what a test finds, the one before left.

    The session of Spark belongs to its folder, so that a process has one. Modules that follow each
    other on it are a group of xdist.
    """
    spark_or_skip()
    lakehouse = Lakehouse(tmp_path_factory.mktemp("lakehouse"))
    lakehouse.empty()
    return lakehouse
