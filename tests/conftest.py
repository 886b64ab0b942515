"""Fixtures of all tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.installation import Installation


@pytest.fixture(scope="session")
def installation_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("installation")


@pytest.fixture
def installation(installation_folder: Path) -> Installation:
    """An empty installation."""
    fresh = Installation(installation_folder / "landing", installation_folder / "home")
    fresh.empty()
    return fresh
