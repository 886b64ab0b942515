"""What tests of the ingest share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import duckdb
import pytest

from dagster_project.ingest.dumps import ingest_connection
from dagster_project.registry import load_definitions
from tests.object_store import ObjectStore, object_store
from tests.proxy import Proxy, proxy


@pytest.fixture(scope="module")
def connection(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads dumps."""
    scratch = tmp_path_factory.mktemp("scratch")
    with ingest_connection(
        load_definitions(), threads=1, memory_limit="1GB", scratch=scratch
    ) as opened:
        yield opened


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[ObjectStore, Proxy]]:
    """A store, and the proxy through which Walkhouse reaches it."""
    with ExitStack() as stack:
        store = stack.enter_context(object_store())
        way = stack.enter_context(proxy(store.endpoint))
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in {**store.environment, "AWS_ENDPOINT_URL": way.endpoint}.items():
            patched.setenv(name, value)
        yield store, way


@pytest.fixture
def way(server: tuple[ObjectStore, Proxy]) -> Proxy:
    """The proxy, which does nothing to connections yet."""
    _, way = server
    way.requests.clear()
    way.trouble = way.upload_trouble = way.answer_trouble = None
    return way


@pytest.fixture
def store(server: tuple[ObjectStore, Proxy], request: pytest.FixtureRequest) -> ObjectStore:
    """The store with an empty bucket for each test."""
    fresh = ObjectStore(server[0].endpoint, f"bucket-{abs(hash(request.node.name))}")
    fresh.client().create_bucket(Bucket=fresh.bucket)
    return fresh
