"""Fixtures of all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.installation import Installation


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have those that wait begin first, so that the others use the processor meanwhile."""
    items.sort(key=lambda item: item.get_closest_marker("waits") is None)


@pytest.fixture(scope="session")
def installation_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
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

    All modules use the same folder, one after the other, because dbt parses the project anew for
    every home, and that takes longer than a small run.
    """
    return emptied(installation_folder)
