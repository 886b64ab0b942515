"""What tests of the ingest share."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from dagster_project.ingest.dumps import ingest_connection
from dagster_project.registry import load_definitions


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
