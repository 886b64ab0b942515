"""A real browser, and how the dashboards of Superset are read in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, Locator, Page, Response, expect

from tests.chromium import chromium

PATIENCE = 180_000
"""Milliseconds that anything may take to appear; on a busy machine Superset takes long."""


@dataclass
class Reader:
    """A person who is logged in and looks at dashboards.

    Attributes:
        page: the browser's page.
        address: of Superset, without a slash at the end.
        outside: addresses elsewhere that answered; there should be none.
        refused: requests to Superset that it answered with an error.
    """

    page: Page
    address: str
    outside: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def note(self, response: Response) -> None:
        """Remember what should not happen."""
        if not response.url.startswith((self.address, "data:", "blob:")):
            self.outside.append(response.url)
        elif response.status >= 400:
            self.refused.append(f"{response.status} {response.url}: {response.text()}")

    def log_in(self, user: str, password: str) -> None:
        """Log in as people do."""
        self.page.goto(f"{self.address}/login/")
        self.page.locator("#username").fill(user)
        self.page.locator("#password").fill(password)
        self.page.locator("[data-test=login-button], button[type=submit]").first.click()
        expect(self.page.locator("[data-test=navbar-top]")).to_be_visible(timeout=PATIENCE)

    def open(self, slug: str, *, charts: int, days: str = "") -> None:
        """Open a dashboard, or open it anew, and wait until all of its charts are there.

        Args:
            slug: the last part of its address.
            charts: how many there are.
            days: the date filter; empty for the days that it begins with.
        """
        chosen = (
            f"(NATIVE_FILTER-date:(extraFormData:(time_range:'{days}'),"
            f"filterState:(value:'{days}'),id:NATIVE_FILTER-date,ownState:()))"
        )
        asked = f"?native_filters={quote(chosen)}" if days else ""
        self.page.goto(f"{self.address}/superset/dashboard/{slug}/{asked}")
        drawn = self.page.locator("[data-test=slice-container]")
        expect(drawn).to_have_count(charts, timeout=PATIENCE)
        self.wait()

    def wait(self) -> None:
        """Wait until no chart is being drawn."""
        expect(self.page.locator(".loading")).to_have_count(0, timeout=PATIENCE)

    def chart(self, title: str) -> Locator:
        """The chart of this title."""
        return self.page.locator(f'[data-test-chart-name="{title}"]')

    def figure(self, title: str) -> Locator:
        """What stands in the chart of a figure: the figure first."""
        return self.chart(title).locator("[data-test=slice-container]")

    def table(self, title: str) -> list[list[str]]:
        """The rows of a table, as they are written."""
        rows = self.chart(title).locator("tbody tr")
        expect(rows.first).to_be_visible(timeout=PATIENCE)
        return [row.locator("td").all_inner_texts() for row in rows.all()]

    def choose(self, column: str, *values: str) -> None:
        """Choose values of a dashboard's filter; without any, the first that it offers."""
        self.page.locator(f".ant-select[data-test='NATIVE_FILTER-{column}']").click()
        offered = ".ant-select-dropdown:not(.ant-select-dropdown-hidden) .ant-select-item-option"
        for value in values:
            self.page.locator(f"{offered}[title='{value}']").click()
        if not values:
            self.page.locator(offered).first.click()
        self.page.keyboard.press("Escape")
        self.page.locator("[data-test='filter-bar__apply-button']").click()
        self.wait()

    def take_picture(self, file: Path) -> None:
        """Save the whole dashboard as a picture."""
        size = self.page.viewport_size
        assert size
        content = self.page.locator("[data-test=grid-content]").bounding_box()
        assert content
        tall = int(content["y"] + content["height"]) + 16
        self.page.set_viewport_size({"width": size["width"], "height": tall})
        self.wait()
        before, picture = b"", self.page.screenshot()
        while before != picture:  # charts grow into their places
            before, picture = picture, self.page.screenshot()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture)
        self.page.set_viewport_size(size)


@contextmanager
def browser(address: str) -> Iterator[Reader]:
    """A reader in a fresh browser."""
    with chromium() as started:
        yield _reader(started, address)


def another(reader: Reader) -> Reader:
    """Somebody else, in the same browser; the two share no log-in."""
    started = reader.page.context.browser
    assert started
    return _reader(started, reader.address)


def _reader(started: Browser, address: str) -> Reader:
    page = started.new_page(
        viewport={"width": 1440, "height": 1000}, device_scale_factor=0.8, locale="en-US"
    )
    page.set_default_timeout(PATIENCE)
    reader = Reader(page, address)
    page.on("response", reader.note)
    return reader
