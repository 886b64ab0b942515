"""The object store that tests of copies share; those of PostgreSQL have a `server` of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.object_store import ObjectStore, object_store


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectStore]:
    with object_store() as store:
        yield store


@pytest.fixture
def store(
    server: ObjectStore, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> ObjectStore:
    """The server with an empty bucket for each test."""
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    fresh = ObjectStore(server.endpoint, f"bucket-{abs(hash(request.node.name))}")
    fresh.client().create_bucket(Bucket=fresh.bucket)
    return fresh
