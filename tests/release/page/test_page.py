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
from dagster_project.release.item_rates import ITEM_RATES
from dagster_project.release.page.page import page_of, rendered, write_page
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
            """title => [...document.querySelectorAll(
                `[aria-label="${title}"] tbody tr:not(.said)`
            )].map(row => [...row.children].map(cell => cell.textContent.trim()))""",
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


def tiles(opened: Opened) -> dict[str, list[str]]:
    """The lines of each tile by its heading, without its explanation."""
    found: dict[str, list[str]] = opened.page.evaluate(
        "Object.fromEntries([...document.querySelectorAll('.tile')].map(tile =>"
        " [tile.querySelector('h3').textContent,"
        "  [...tile.querySelectorAll(':scope > p')].map(line => line.textContent.trim())]))"
    )
    return found


def test_what_the_page_says_is_what_the_tables_hold(browser: Browser, published: Published) -> None:
    opened = Opened(browser, published.folder / "index.html")
    release = published.release(published.second) / "walkhouse.duckdb"
    with duckdb.connect(str(release), read_only=True) as connection:
        numbers = headlines(connection)
    said = tiles(opened)
    assert said["Events"][0] == f"{numbers['events']:,}"
    assert said["Events in no report"][0] == f"{numbers['left_out']:,}"
    assert said["Sessions"] == [f"{numbers['sessions']:,}"]
    engaged, sessions = numbers["engaged_sessions"], numbers["sessions"]
    assert said["Engagement rate"] == [
        f"{engaged / sessions:.1%}",
        f"{engaged:,} of {sessions:,} sessions",
    ]
    assert said["Quarantined lines"][0] == f"{numbers['quarantined'] / numbers['lines']:.2%}"
    assert said["Last dump"] == ["2026-03-04", "4 dumps, 1 to 4 March 2026"]
    assert said["Newest event"][1].endswith("on the day of the last dump")
    ((completed, plays),) = published.ask(
        "select count(*) filter (where result = 'completed'), count(*) from facts.fct_flow_plays"
        " where environment = 'production' and has_known_end"
    )
    assert said["Completion rate"] == [
        f"{completed / plays:.1%}",
        f"{completed:,} of {plays:,} plays",
    ]
    assert opened.rows("In no report") == [
        [environment + reason, *map(str, counts)]
        for environment, reason, *counts in published.ask(
            "select environment, reason, events, sessions, end_users"
            " from meta.left_out order by events desc, environment"
        )
    ]
    assert published.second in opened.page.title()
    assert opened.text(".verdict").startswith(f"{numbers['invariants_passed']} of ")
    assert opened.rows("Quarantine by reason") == [
        [str(value) for value in row]
        for row in published.ask(
            "select reason, count(distinct dump_date), max(dump_date), count(*) as lines"
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
    ((name, rate, part, whole),) = published.ask(
        "select item_name, completion_rate, completed, completable_plays from reports.rpt_flows"
        " order by plays desc, item_type, item_id limit 1"
    )
    flow = opened.rows("Most played")[0]
    assert flow[0].startswith(name)
    assert " ".join(flow[1].split()) == f"{rate:.1%} {part:,} of {whole:,} plays"
    opened.assert_inert()


def test_use_comes_first_and_the_release_last(browser: Browser, published: Published) -> None:
    opened = Opened(browser, published.folder / "index.html")
    parts = opened.page.locator("h2").all_text_contents()
    assert parts[0] == "At a glance"
    assert parts[-1] == "Data quality and release"


def test_a_smarttip_that_validates_is_not_judged_by_who_looked_at_it(
    published: Published,
) -> None:
    with duckdb.connect(str(published.database.resolve()), read_only=True) as release:
        rows = release.execute(
            f"select item_key, did from {ITEM_RATES.relation} where item_type = 'SmartTip'"
        ).fetchall()
        validating = {
            key
            for (key,) in release.execute(
                "select item_key from reports.rpt_smarttips group by item_key"
                " having sum(validations) > 0"
            ).fetchall()
        }
    assert validating
    assert {did for key, did in rows if key in validating} == {"right at first"}
    assert {did for key, did in rows if key not in validating} == {"looked at"}


def test_goals_are_told_where_they_clearly_go_with_a_flow(
    browser: Browser, published: Published, tmp_path: Path
) -> None:
    file = tmp_path / "walkhouse.duckdb"
    shutil.copyfile(published.database, file)
    with duckdb.connect(str(file)) as release:
        release.execute(
            """
            create temp table told as
            select * replace (
                50 as people_completed, 40 as people_completed_reached, 0.8 as completed_rate,
                200 as people_never_shown, 20 as people_never_shown_reached,
                0.1 as never_shown_rate,
                case row_number() over (order by flow_item_key, goal_item_key)
                    when 1 then 0.5614 else -0.01 end as difference_to_never_shown_low,
                0.8003 as difference_to_never_shown_high
            )
            from reports.rpt_flow_impact
            """
        )
        release.execute("delete from reports.rpt_flow_impact")
        release.execute("insert into reports.rpt_flow_impact from told")
        ((name, goal, caveat),) = release.execute(
            "select flow_item_name, goal_item_name, caveat from reports.rpt_flow_impact"
            " where difference_to_never_shown_low > 0"
        ).fetchall()
    write_page(file, tmp_path / "index.html")
    opened = Opened(browser, tmp_path / "index.html")
    # The interval of the others leaves room for no difference.
    (row,) = opened.rows("Flows whose goal goes with completing them")
    assert row[0].startswith(name)
    assert [" ".join(cell.split()) for cell in row[1:]] == [
        "80.0% 40 of 50 people",
        "10.0% 20 of 200 people",
        "+70.0 points",
    ]
    said = opened.text("body")
    assert f"The goal is {goal}. At 95 %, +56.1 to +80.0 points." in said
    assert caveat in said
    # Nobody has a week behind them yet.
    page = (published.folder / "index.html").read_text(encoding="utf-8")
    assert "Of no flow is it clear that its goal goes with completing it." in page


def test_every_number_is_explained(published: Published) -> None:
    with duckdb.connect(str(published.database.resolve()), read_only=True) as release:
        page = page_of(release)
    for section in page.sections:
        assert section.problem == ""
        for tile in section.tiles:
            assert tile.term.meaning, tile.term.label
        for chart in section.charts:
            assert chart.terms, chart.title
            assert all(meaning for _, meaning in chart.terms), chart.title
        for table in section.tables:
            for column in table.columns:
                is_number = column.kind not in ("name", "text")
                assert column.meaning or table.more or not is_number, (table.title, column.label)
            assert all(term.meaning for term in table.terms), table.title


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


def months_long(published: Published, path: Path) -> Path:
    """The current release with its days again and again, eighteen weeks of them."""
    shutil.copyfile(published.database, path)
    with duckdb.connect(str(path)) as release:
        dated = release.execute(
            "select schema_name || '.' || table_name, column_name from duckdb_columns()"
            " where column_name in ('report_date', 'dump_date')"
            " and (schema_name = 'reports' or table_name = 'dump_ledger')"
        ).fetchall()
        for table, day in dated:
            # Of the older half, each second row: less was used.
            release.execute(
                f"insert into {table} select again.* replace (again.{day} - 7 * week::int as {day})"
                f" from {table} as again, range(1, 18) as weeks (week)"
                " where week < 9 or again.rowid % 2 = 0"
            )
        release.execute("update meta.release set first_dump_date = first_dump_date - 119")
    return path


@pytest.mark.parametrize("kind", ["as it is", "hostile", "months"])
def test_the_page_fits_the_screen(
    browser: Browser, published: Published, tmp_path: Path, kind: str
) -> None:
    file = published.folder / "index.html"
    if kind != "as it is":
        make = spoiled if kind == "hostile" else months_long
        file = tmp_path / "index.html"
        write_page(make(published, tmp_path / "release.duckdb"), file)
    opened = Opened(browser, file)
    opened.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    for width in (320, 390, 768, 1280):
        opened.page.set_viewport_size({"width": width, "height": 740})
        assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
        cut = opened.page.evaluate(
            "[...document.querySelectorAll('.scroll, .tile, .card, td, th')]"
            ".filter(each => each.clientWidth && each.scrollWidth > each.clientWidth + 1)"
            ".map(each => each.getAttribute('aria-label') || each.textContent)"
        )
        assert cut == [], width


def test_on_a_phone_the_rate_stands_beside_the_name(browser: Browser, published: Published) -> None:
    opened = Opened(
        browser, published.folder / "index.html", viewport={"width": 390, "height": 740}
    )
    boxes = opened.page.evaluate(
        "[...document.querySelectorAll('.rows tbody tr')].filter(row => row.offsetHeight"
        " && row.querySelector('.main')).map(row => ["
        "row.querySelector('th').getBoundingClientRect().top,"
        "row.querySelector('.main').getBoundingClientRect().top,"
        "row.querySelector('.main').getBoundingClientRect().right])"
    )
    assert len(boxes) > 20
    for name, rate, right in boxes:
        assert abs(name - rate) < 2
        assert right <= 390


def test_paper_keeps_colours_and_headings_with_what_follows(
    browser: Browser, published: Published
) -> None:
    opened = Opened(browser, published.folder / "index.html", color_scheme="dark")
    opened.page.emulate_media(media="print")

    def styles(selector: str, name: str) -> set[str]:
        return set(
            opened.page.evaluate(
                "([selector, name]) => [...document.querySelectorAll(selector)]"
                ".map(each => getComputedStyle(each)[name])",
                [selector, name],
            )
        )

    for coloured in (".key", ".bar rect", "[class*=heat-]", ".spark polyline", ".chart"):
        assert styles(coloured, "printColorAdjust") == {"exact"}, coloured
    assert styles(".heading", "breakAfter") == {"avoid"}
    assert styles(".heading", "breakInside") == {"avoid"}
    assert styles(".cards", "display") == {"block"}  # a grid would not keep a heading with it
    assert styles("body", "backgroundColor") == {"rgb(255, 255, 255)"}


def test_months_are_shown_in_weeks_and_compared_with_those_before(
    browser: Browser, published: Published, tmp_path: Path
) -> None:
    release = months_long(published, tmp_path / "long.duckdb")
    write_page(release, tmp_path / "index.html")
    opened = Opened(browser, tmp_path / "index.html")
    with duckdb.connect(str(release), read_only=True) as connection:
        ((last,),) = connection.execute(
            "select max(report_date) from reports.rpt_sessions_daily"
        ).fetchall()
        now, before, in_all = (
            connection.execute(
                "select sum(sessions) from reports.rpt_sessions_daily"
                " where report_date > ?::date - ?::int and report_date <= ?::date - ?::int",
                [last, oldest, last, newest],
            ).fetchall()[0][0]
            for oldest, newest in ((28, 0), (56, 28), (500, 0))
        )
    assert tiles(opened)["Sessions"][0].split(" ", 1) == [
        f"{now:,}",
        f"{now / before - 1:+.1%}" if now != before else "no change",
    ]
    rows = opened.rows("Sessions by week, numbers")
    assert len(rows) == 18
    assert sum(int(n.replace(",", "")) for row in rows for n in row[1:]) == in_all
    assert opened.text("main").count("28 days") == 1


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
    assert html.count("This part could not be read") == 2  # surveys, and items by their rates
    assert "rpt_surveys" in html
    for kept in ("Most played", "Engagement rate", "SmartTips that validate"):
        assert kept in html


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
