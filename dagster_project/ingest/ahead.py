"""Has the next items of an iterator ready while its user is at work."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_Item = TypeVar("_Item")


@contextmanager
def made_ahead(items: Iterator[_Item], *, at_most: int) -> Iterator[Iterator[_Item]]:
    """The same items, made in another thread for as long as the block lasts.

    An error of the iterator is raised where its item is asked for.

    Args:
        items: an iterator that nobody else uses meanwhile.
        at_most: how many items are made before they are asked for.
    """
    end = object()
    with ThreadPoolExecutor(1, "ahead") as beside:
        coming = deque(beside.submit(next, items, end) for _ in range(at_most))

        def one_by_one() -> Iterator[_Item]:
            while (item := coming.popleft().result()) is not end:
                coming.append(beside.submit(next, items, end))
                yield item  # type: ignore[misc]  # it is not the end

        try:
            yield one_by_one()
        finally:
            beside.shutdown(wait=False, cancel_futures=True)
