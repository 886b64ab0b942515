"""The releases that all tests of readers share."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bi.releases import Published, publish_twice
from tests.conftest import emptied


@pytest.fixture(scope="session")
def published_twice(
    installation_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    worker_id: str,
) -> Published:
    """Built once, by whichever worker comes first; not to be changed."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "published-twice"
    with shared.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if shared.exists():
            return Published(shared)
        building = shared.with_suffix(".building")
        shutil.rmtree(building, ignore_errors=True)
        publish_twice(emptied(installation_folder), building)
        building.rename(shared)
    return Published(shared)


@pytest.fixture
def published(published_twice: Published, tmp_path: Path) -> Iterator[Published]:
    """A copy of the two releases, the later one current."""
    copy = published_twice.copy(tmp_path / "published")
    yield copy
    shutil.rmtree(copy.folder)
