"""One lakehouse, and one Spark, for all tests of a process."""

from __future__ import annotations

import os

import pytest

from tests.spark.lakehouse import Lakehouse, missing


@pytest.fixture(scope="session")
def lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    """Empty when the first test begins; the others find what the one before left."""
    if reason := missing():
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    bench = Lakehouse(tmp_path_factory.mktemp("lakehouse"))
    bench.empty()
    return bench
