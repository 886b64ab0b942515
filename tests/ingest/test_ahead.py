"""Items that are made in another thread come as they would have come anyway."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from dagster_project.ingest.ahead import made_ahead


def test_items_come_in_order_and_end() -> None:
    with made_ahead(iter(range(20)), at_most=3) as items:
        assert list(items) == list(range(20))


def test_an_error_is_raised_where_its_item_is_asked_for() -> None:
    def two_and_an_error() -> Iterator[int]:
        yield from (1, 2)
        raise OSError("unreadable")

    with made_ahead(two_and_an_error(), at_most=5) as items:
        assert [next(items), next(items)] == [1, 2]
        with pytest.raises(OSError, match="unreadable"):
            next(items)


def test_who_leaves_early_leaves_no_thread() -> None:
    with made_ahead(iter(range(1000)), at_most=2) as items:
        assert next(items) == 0
    assert not [each for each in threading.enumerate() if each.name.startswith("ahead")]
