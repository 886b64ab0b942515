"""The page of a release, opened in a browser: what it says, and what it does not let happen."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Browser, Page

from dagster_project.release.headlines import headlines
from dagster_project.release.page.page import rendered, write_page
from dagster_project.release.page.text import shown
from tests.chromium import chromium
from tests.releases import Published

HOSTILE = (
    "</script><img src=x onerror=alert(1)>",
    "</style></title></table><script>alert(1)</script>",
    '" onmouseover="alert(1)" x="',
    "' autofocus onfocus='alert(1)",
    "<a href='javascript:alert(1)'>click</a>",
    "{{ 7 * 7 }} {% include '/etc/passwd' %} ${7*7}",
    "&lt;b&gt; &amp; &#x3c;svg/onload=alert(1)&#x3e;",
    "\u202eright to left override",
    "عنوان طويل \u2067 isolated",
    "👩‍👩‍👧 family 😀",
    "w" * 5000,
    "many words " * 500,
    "",
    "   ",
    "\u0000\u0007\u001b[31m\r\nescape",
    "<svg><style>*{display:none}</style></svg>",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


class Opened:
    """A page in the browser, and all that it did that it should not have."""

    def __init__(self, browser: Browser, file: Path, **context: Any) -> None:
        self.page: Page = browser.new_context(**context).new_page()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(file.as_uri())

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def rows(self, title: str) -> list[list[str]]:
        """The texts of a table's cells, folded ones too."""
        found: list[list[str]] = self.page.evaluate(
            """title => [...document.querySelectorAll(`[aria-label="${title}"] tbody tr`)].map(
                row => [...row.children].map(cell => cell.textContent.trim()))""",
            title,
        )
        return found

    def assert_inert(self) -> None:
        assert self.complaints == []
        assert [url for url in self.requests if not url.startswith("file://")] == []
        assert len(self.requests) == 1


def spoiled(published: Published, path: Path) -> Path:
    """The current release with hostile text wherever users name things."""
    shutil.copyfile(published.database, path)
    with duckdb.connect(str(path)) as release:
        named = release.execute(
            "select schema_name, table_name, column_name from duckdb_columns()"
            " where data_type = 'VARCHAR' and schema_name = 'reports'"
            " and column_name in ('item_name', 'flow_item_name', 'search_term')"
        ).fetchall()
        release.execute("create temp table hostile (position bigint, name varchar)")
        release.executemany("insert into hostile values (?, ?)", list(enumerate(HOSTILE)))
        for schema, table, column in named:
            release.execute(
                f"update {schema}.{table} as named set {column} = hostile.name from hostile"
                f" where hostile.position = named.rowid % {len(HOSTILE)}"
            )
        release.execute("update meta.release set waivers = ?", ['{"rule": "<b>looked</b>"}'])
    return path


def test_what_the_page_says_is_what_the_tables_hold(browser: Browser, published: Published) -> None:
    opened = Opened(browser, published.folder / "index.html")
    release = published.release(published.second) / "walkhouse.duckdb"
    with duckdb.connect(str(release), read_only=True) as connection:
        numbers = headlines(connection)
    facts = dict(
        opened.page.evaluate(
            "[...document.querySelectorAll('.facts div')].map(each =>"
            " [each.children[0].textContent, each.children[1].firstChild.textContent])"
        )
    )
    assert facts["Events"] == f"{numbers['events']:,}"
    assert facts["Left out"] == f"{numbers['left_out']:,}"
    ((items,),) = published.ask("select count(distinct item_key) from reports.rpt_items_daily")
    assert facts["Items"] == f"{items:,}"
    assert opened.rows("In no report") == [
        [environment + reason, *map(str, counts)]
        for environment, reason, *counts in published.ask(
            "select environment, reason, events, sessions, end_users"
            " from meta.left_out order by events desc, environment"
        )
    ]
    assert facts["Sessions"] == f"{numbers['sessions']:,}"
    assert facts["Engaged"] == f"{numbers['engaged_sessions'] / numbers['sessions']:.2%}"
    assert facts["Quarantined"] == f"{numbers['quarantined'] / numbers['lines']:.2%}"
    assert facts["Last dump"] == "2026-03-04"
    assert published.second in opened.page.title()
    assert opened.text(".verdict").startswith(f"{numbers['invariants_passed']} of ")
    assert opened.rows("Quarantine by reason") == [
        [str(value) for value in row]
        for row in published.ask(
            "select reason, count(*) as lines, count(distinct dump_date), max(dump_date)"
            " from meta.quarantine group by reason order by lines desc, reason"
        )
    ]
    assert opened.rows("Sessions by day, numbers") == [
        [str(value) for value in row]
        for row in published.ask(
            "select report_date, sum(engaged_sessions), sum(sessions - engaged_sessions)"
            " from reports.rpt_sessions_daily group by report_date order by report_date desc"
        )
    ]
    assert [row[0] for row in opened.rows("Dumps")] == [
        "2026-03-04",
        "2026-03-03",
        "2026-03-02",
        "2026-03-01",
    ]
    assert len(opened.rows("Invariants that hold")) == numbers["invariants_passed"]
    assert opened.rows("Most played")[0][1] == str(
        published.ask("select max(plays) from reports.rpt_flows")[0][0]
    )
    opened.assert_inert()


def test_every_chart_is_drawn_with_words_and_numbers_beside_it(
    browser: Browser, published: Published
) -> None:
    page = Opened(browser, published.folder / "index.html").page
    charts = page.locator("figure")
    assert charts.count() >= 6
    for number in range(charts.count()):
        chart = charts.nth(number)
        assert chart.locator("[role=img]").get_attribute("aria-label")
        marks = chart.locator("svg rect[fill^=var], svg path[stroke^=var], svg polyline").count()
        assert marks > 0
        assert chart.locator("table tbody tr").count() > 0
        box = chart.locator("svg").bounding_box()
        assert box is not None
        assert box["height"] > 100
    assert page.locator("h1").count() == 1
    assert page.locator("html").get_attribute("lang") == "en"
    ids: list[str] = page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("width", [320, 360, 768, 1280])
def test_the_page_fits_the_screen(browser: Browser, published: Published, width: int) -> None:
    opened = Opened(
        browser, published.folder / "index.html", viewport={"width": width, "height": 740}
    )
    opened.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_is_readable_in_a_light_and_in_a_dark_theme(
    browser: Browser, published: Published
) -> None:
    brightness = """selector => {
        const style = getComputedStyle(document.querySelector(selector));
        const colour = style[selector === 'body' ? 'backgroundColor' : 'fill'];
        return colour.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
    }"""
    ground, text = {}, {}
    for scheme in ("light", "dark"):
        page = Opened(browser, published.folder / "index.html", color_scheme=scheme).page
        ground[scheme] = page.evaluate(brightness, "body")
        text[scheme] = page.evaluate(brightness, ".chart text")
    assert ground["light"] > 200 > 60 > ground["dark"]
    assert ground["light"] - text["light"] > 100
    assert text["dark"] - ground["dark"] > 100


def test_hostile_names_are_shown_and_do_nothing(
    browser: Browser, published: Published, tmp_path: Path
) -> None:
    write_page(spoiled(published, tmp_path / "spoiled.duckdb"), tmp_path / "index.html")
    opened = Opened(browser, tmp_path / "index.html", viewport={"width": 360, "height": 740})
    page = opened.page
    names = set(page.locator("bdi").all_text_contents())
    written = {shown(name) for name in HOSTILE}
    assert len(names & written) > len(written) // 2
    assert "<b>looked</b>" in names
    page.locator("tbody bdi").first.hover(force=True)
    assert page.evaluate("document.querySelectorAll('script, img, iframe, object').length") == 0
    assert page.evaluate("document.querySelectorAll('style').length") == 1
    handlers = "[...document.querySelectorAll('*')].flatMap(each => [...each.attributes])"
    assert page.evaluate(f"{handlers}.filter(each => each.name.startsWith('on')).length") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    opened.assert_inert()


def test_the_policy_of_the_page_stops_what_would_act(
    browser: Browser, published: Published, tmp_path: Path
) -> None:
    html = (published.folder / "index.html").read_text(encoding="utf-8")
    act = "<script>document.title='acted'</script><img src='http://127.0.0.1:9/x.png'>"
    (tmp_path / "index.html").write_text(html.replace("</footer>", f"{act}</footer>"), "utf-8")
    opened = Opened(browser, tmp_path / "index.html")
    assert opened.page.title().startswith("Walkhouse")
    assert len([text for text in opened.complaints if "Content Security Policy" in text]) == 2


def test_a_release_without_data_has_a_page(
    browser: Browser, published: Published, tmp_path: Path
) -> None:
    shutil.copyfile(published.database, tmp_path / "empty.duckdb")
    with duckdb.connect(str(tmp_path / "empty.duckdb")) as release:
        for schema, table in published.tables():
            if table != "release":
                release.execute(f"delete from {schema}.{table}")
        release.execute(
            "update meta.release set first_dump_date = null, last_dump_date = null, dumps = 0"
        )
    write_page(tmp_path / "empty.duckdb", tmp_path / "index.html")
    opened = Opened(browser, tmp_path / "index.html")
    assert "No data." in opened.text("main")
    assert "could not be read" not in opened.text("main")
    opened.assert_inert()


def test_a_report_that_is_gone_leaves_a_gap_that_says_so(
    published: Published, tmp_path: Path
) -> None:
    shutil.copyfile(published.database, tmp_path / "less.duckdb")
    with duckdb.connect(str(tmp_path / "less.duckdb")) as release:
        release.execute("drop table reports.rpt_surveys")
        html = rendered(release)
    assert html.count("This part could not be read") == 1
    assert "rpt_surveys" in html
    assert "Most played" in html


def test_the_page_is_the_same_whenever_it_is_written(published: Published) -> None:
    release = published.release(published.second) / "walkhouse.duckdb"
    with duckdb.connect(str(release), read_only=True) as connection:
        once, again = rendered(connection), rendered(connection)
    assert once == again == (published.folder / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"https?://(?!www\.w3\.org)", once)


def test_a_name_is_never_invisible_nor_endless() -> None:
    assert shown(None) == "(no name)"
    assert shown("") == "(empty)"
    assert shown("\t \u0000") == "(blank)"
    assert shown("a\u0000b\r\nc") == "a b c"
    assert len(shown("w" * 5000)) == 120
    assert shown("عنوان") == "عنوان"
