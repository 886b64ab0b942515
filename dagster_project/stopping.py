"""How a command ends that is told to: by Ctrl-C, by `kill`, or because its terminal was closed.

The first signal is raised in the main thread, where it unwinds the `with` blocks that own threads,
locks and half-written files. Dagster and dbt put handlers of their own in place while they work,
and some libraries turn what these raise into an ordinary error. So a watcher sees every signal,
whoever handles it: after the first no lock is given any more, and the process ends in time whatever
it is at; with the second it ends at once. That is as safe as being killed, which any run may be.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GRACE_SECONDS = 20.0

_asked: signal.Signals | None = None
_thread = threading.local()


class Stopped(BaseException):
    """This process was told to end; no `Exception`, so that nobody takes it for a failure."""


def asked_to_stop() -> signal.Signals | None:
    """The signal that told this process to end, if one did."""
    return _asked


def go_on_or_stop(seconds: float = 0.0) -> None:
    """Called where something new begins, and now and then by what takes long; may wait a while.

    Raises:
        Stopped: this process was told to end, and somebody took that for an ordinary error; or
            nobody waits any more for what this thread does.
    """
    given_up: threading.Event | None = getattr(_thread, "given_up", None)
    if given_up is None:
        time.sleep(seconds)
    elif given_up.wait(seconds):
        raise Stopped
    if _asked is not None:
        raise Stopped


def stop_this_thread_when(given_up: threading.Event) -> None:
    """Have `go_on_or_stop` raise in this thread once the event is set."""
    _thread.given_up = given_up


@contextmanager
def ending_on_signals(say: Callable[[str], None]) -> Iterator[None]:
    """End the process when it is told to, with the exit code that shells know: 128 + the signal.

    Only the main thread can call it, and once in the life of a process.

    Args:
        say: prints a line; also called from another thread.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    for each in _SIGNALS:
        # `nohup` has the end of a terminal ignored.
        if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN:
            signal.signal(each, _raise_what_is_raised if each == signal.SIGHUP else _raise)
    _have_nobody_report_the_end()
    has_said = threading.Event()
    watching = (read, say, has_said)
    threading.Thread(target=_watch, args=watching, name="signals", daemon=True).start()
    try:
        yield
    except BaseException as error:
        # What was under way when a signal came may end in any error, or in an exit code of its own.
        if _asked is None:
            raise
        if not isinstance(error, Stopped | KeyboardInterrupt | SystemExit):
            say(f"what was under way ended with {type(error).__name__}: {error}")
    if _asked is not None:
        has_said.wait(1)
        sys.exit(_exit_code(_asked))


def _have_nobody_report_the_end() -> None:
    """Keep the end that was asked for from being printed as an error, with a traceback.

    A signal may come while a library closes something, which logs whatever is raised then, or while
    Python finalises an object, where nothing can be raised on. A thread may end with it, too.
    """
    of_object, of_thread = sys.unraisablehook, threading.excepthook

    def report_of_object(unraisable: sys.UnraisableHookArgs) -> None:
        if not _is_the_end(unraisable.exc_value):
            of_object(unraisable)

    def report_of_thread(ended: threading.ExceptHookArgs) -> None:
        if not _is_the_end(ended.exc_value):
            of_thread(ended)

    sys.unraisablehook, threading.excepthook = report_of_object, report_of_thread
    if logging.lastResort is not None:
        logging.lastResort.addFilter(
            lambda record: not (record.exc_info and _is_the_end(record.exc_info[1]))
        )


def _is_the_end(error: BaseException | None) -> bool:
    """Whether an error is the end that was asked for, or was raised because of it."""
    while error is not None and not isinstance(error, Stopped | KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return _asked is not None and error is not None


@contextmanager
def as_keyboard_interrupt() -> Iterator[None]:
    """Have signals raise `KeyboardInterrupt`: what dbt knows how to end by, where Dagster's is not.

    In another thread than the main one, to which no signal comes, it does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        for each in before:
            signal.signal(each, signal.default_int_handler)
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _raise(signum: int, _frame: FrameType | None) -> NoReturn:
    global _asked
    _asked = _asked or signal.Signals(signum)
    raise Stopped


def _raise_what_is_raised(signum: int, frame: FrameType | None) -> None:
    """The end of a terminal is told as Ctrl-C is, to whom that is told now."""
    handler = signal.getsignal(signal.SIGINT)
    if callable(handler):
        handler(signum, frame)


def _watch(pipe: int, say: Callable[[str], None], has_said: threading.Event) -> None:
    global _asked
    (first,) = os.read(pipe, 1)
    _asked = _asked or signal.Signals(first)
    say(f"{_asked.name}: stopping; once more ends it at once")
    has_said.set()
    is_second, _, _ = select.select([pipe], [], [], _GRACE_SECONDS)
    if not is_second:
        say("what was under way did not end in time, and is cut short: the next run makes it good")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(_exit_code(_asked))


def _exit_code(received: signal.Signals) -> int:
    return 128 + received
