"""One lakehouse, and one Spark, for all tests of a process."""

from __future__ import annotations

import os

import pytest

from tests.spark.lakehouse import Lakehouse, missing


@pytest.fixture(scope="session")
def only_lakehouse(tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    """The session of Spark belongs to its folder."""
    if reason := missing():
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    return Lakehouse(tmp_path_factory.mktemp("lakehouse"))


@pytest.fixture(scope="module")
def lakehouse(only_lakehouse: Lakehouse) -> Lakehouse:
    """Empty when a module begins; its tests find what the one before left."""
    only_lakehouse.empty()
    return only_lakehouse
