"""A real browser for tests that read a page as people do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.tools import program

_FLAGS = [
    "--no-sandbox",  # which root, as in a container, needs
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Nothing is asked of the network but by the page.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    path = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()
