"""Several threads with a DuckDB cursor each, which end with the block that they belong to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue
from typing import Any, TypeVar

import duckdb

from dagster_project.stopping import go_on_or_stop, stop_this_thread_when

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_BETWEEN_INTERRUPTS = 0.05  # seconds; an interrupt ends a statement under way, and no later one


class Crew:
    """Threads at work; see `crew`."""

    def __init__(self, cursors: Sequence[duckdb.DuckDBPyConnection], name: str) -> None:
        self._cursors = cursors
        self._free: SimpleQueue[duckdb.DuckDBPyConnection] = SimpleQueue()
        for cursor in cursors:
            self._free.put(cursor)
        self._futures: list[Future[Any]] = []
        self._given_up = threading.Event()
        self._pool = ThreadPoolExecutor(
            len(cursors), name, initializer=stop_this_thread_when, initargs=(self._given_up,)
        )

    def map(
        self, work: Callable[[duckdb.DuckDBPyConnection, _Item], _Result], items: Sequence[_Item]
    ) -> Iterator[_Result]:
        """Begin the work on all items; gives the results in order, each as soon as it is there."""

        def with_a_cursor(item: _Item) -> _Result:
            go_on_or_stop()
            cursor = self._free.get()
            try:
                return work(cursor, item)
            finally:
                self._free.put(cursor)

        futures = [self._pool.submit(with_a_cursor, item) for item in items]
        self._futures += futures
        return (future.result() for future in futures)

    def give_up(self) -> None:
        """Interrupt what is under way, and begin nothing."""
        self._given_up.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        while not all(future.done() for future in self._futures):
            for cursor in self._cursors:
                cursor.interrupt()
            time.sleep(_BETWEEN_INTERRUPTS)
        self._pool.shutdown()

    def finish(self) -> None:
        """Wait for what is under way, and begin nothing."""
        self._pool.shutdown(cancel_futures=True)


@contextmanager
def crew(
    connection: duckdb.DuckDBPyConnection,
    size: int,
    *,
    name: str,
    prepare: Callable[[duckdb.DuckDBPyConnection], None] = lambda _: None,
) -> Iterator[Crew]:
    """Threads that work with cursors of a connection, for as long as the block lasts.

    A block that an exception leaves gives the work up; another waits for what was begun.

    Args:
        connection: of which each thread has a cursor.
        size: how many threads.
        name: what they are called.
        prepare: is called with each cursor.
    """
    with ExitStack() as held:
        cursors = [held.enter_context(connection.cursor()) for _ in range(size)]
        for cursor in cursors:
            prepare(cursor)
        workers = Crew(cursors, name)
        try:
            yield workers
        except BaseException:
            workers.give_up()
            raise
        else:
            workers.finish()
