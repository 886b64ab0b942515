"""Superset as BI people meet it: set up by the one command, read in a real browser.

What is on the screen is compared with the published tables, while releases come and go.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import expect

from bi.superset.bundle import bundle
from bi.superset.dashboards import DASHBOARDS, Dashboard
from bi.superset.server import Superset
from dagster_project.release.page.page import page_of
from dagster_project.release.report_file import REPORTS
from tests.bi.browser import PATIENCE, Reader, another, browser
from tests.installation import CHECKOUT, Installation, said

pytestmark = pytest.mark.superset

WITHHELD = "dt=2026-03-15"
ALL_DAYS = "2026-01-01 : 2027-01-01"
COUNT, SHARE, SMALL_SHARE, DECIMAL, SIGNED = "{:,}", "{:.1%}", "{:.2%}", "{:,.1f}", "{:+,.1f}"

# What each dashboard must show, asked of the tables in words of its own.
FIGURES = {
    "walkhouse-overview": {
        "Sessions": (COUNT, "count(*) from facts.fct_sessions where environment = 'production'"),
        "Completion rate": (
            SHARE,
            "count(*) filter (where result = 'completed') / count(*) from facts.fct_flow_plays "
            "where environment = 'production' and has_known_end",
        ),
        "NPS": (SIGNED, "sum(nps * nps_answers) / sum(nps_answers) from reports.rpt_surveys"),
    },
    "walkhouse-sessions": {
        "Sessions": (COUNT, "count(*) from facts.fct_sessions where environment = 'production'"),
        "Engagement": (
            SHARE,
            "avg(is_engaged::int) from facts.fct_sessions where environment = 'production'",
        ),
        "Minutes per session": (
            DECIMAL,
            "avg(duration_seconds) / 60 from facts.fct_sessions where environment = 'production'",
        ),
        "New people": (COUNT, "count(*) from facts.dim_people where sessions > 0"),
    },
    "walkhouse-items": {
        "Exposures": (
            COUNT,
            "count(*) from facts.fct_item_events "
            "where environment = 'production' and engagement = 'exposure'",
        ),
        "Interactions": (
            COUNT,
            "count(*) from facts.fct_item_events "
            "where environment = 'production' and engagement = 'interaction'",
        ),
        "Interaction rate": (
            SHARE,
            "sum(sessions_interacted) / sum(sessions_exposed_or_interacted) "
            "from reports.rpt_items_daily",
        ),
        "Items in use": (
            COUNT,
            "count(*) from (select distinct system_id, item_type, item_id, "
            "case when item_id is null then item_name end "
            "from facts.fct_item_events where environment = 'production')",
        ),
    },
    "walkhouse-flows": {
        "Plays": (COUNT, "count(*) from facts.fct_flow_plays where environment = 'production'"),
        "Failure rate": (
            SHARE,
            "count(*) filter (where result = 'failed') / count(*) from facts.fct_flow_plays "
            "where environment = 'production'",
        ),
        "Completion rate": (
            SHARE,
            "sum(completed) / sum(completable_plays) from reports.rpt_flows",
        ),
    },
    "walkhouse-surveys": {
        "Times opened": (COUNT, "count(*) from facts.fct_surveys where environment = 'production'"),
        "Response rate": (
            SHARE,
            "count(*) filter (where result = 'submitted') / count(*) from facts.fct_surveys "
            "where environment = 'production'",
        ),
        "NPS answers": (COUNT, "sum(nps_answers) from reports.rpt_surveys"),
        "NPS": (SIGNED, "sum(nps * nps_answers) / sum(nps_answers) from reports.rpt_surveys"),
    },
    "walkhouse-smarttips": {
        "Validations": (
            COUNT,
            "sum(passed + failed) from facts.fct_smarttips where environment = 'production'",
        ),
        "Failed validations": (
            SHARE,
            "sum(failed) / sum(passed + failed) from facts.fct_smarttips "
            "where environment = 'production'",
        ),
        "Right at first": (
            SHARE,
            "sum(sessions_passed_at_first) / sum(sessions_validated) from reports.rpt_smarttips",
        ),
    },
    "walkhouse-search": {
        "Searches": (
            COUNT,
            "count(*) from facts.fct_searches "
            "where environment = 'production' and keystroke_events > 0",
        ),
        "Searches with a click": (
            SHARE,
            "sum(searches_clicked) / sum(searches) from reports.rpt_searches",
        ),
    },
    "walkhouse-data-quality": {
        "Lines": (COUNT, "sum(lines) from meta.dump_ledger"),
        "Accepted": (COUNT, "count(*) from facts.fct_item_events"),
        "Quarantined lines": (
            SMALL_SHARE,
            "(select count(*) from meta.quarantine) / sum(lines) from meta.dump_ledger",
        ),
        "Late events": (
            SMALL_SHARE,
            "avg((dump_date > event_date)::int) from facts.fct_item_events",
        ),
        "Broken invariants": (COUNT, "count(*) from meta.invariants where not passed"),
    },
}
RELEASE = "release_id, last_dump_date, events from meta.release"


def figures(installation: Installation, slug: str) -> dict[str, str]:
    """What a dashboard must show now, as it must be written."""
    return {
        title: written.format(installation.ask(f"select {query}")[0][0])
        for title, (written, query) in FIGURES[slug].items()
    }


def begins_with(written: str) -> re.Pattern[str]:
    """What begins with a figure that ends there."""
    return re.compile(rf"^\s*{re.escape(written)}(?![\d.,%])")


def first_word(text: str) -> str:
    """The figure that a text begins with."""
    found = re.match(r"\s*[\d.,%]*", text)
    return found[0].strip() if found else ""


def release_of(installation: Installation) -> list[str]:
    """The release as the dashboards write it."""
    ((release, last, events),) = installation.ask(f"select {RELEASE}")
    return [release, f"{last:%Y-%m-%d}", f"{events:,}"]


@pytest.fixture(scope="module")
def published(installation_of_module: Installation) -> Installation:
    """A release of all dumps but the last one, which lies ready."""
    installation = installation_of_module
    arguments = ["--days", "15", "--events-per-day", "1200"]
    done = installation.walkhouse("simulate", *arguments)
    assert done.returncode == 0, said(done)
    dump = installation.landing / "events" / WITHHELD
    dump.rename(installation.landing.parent / WITHHELD)
    done = installation.walkhouse("run")
    assert done.returncode == 0, said(done)
    return installation


@dataclass(frozen=True)
class Server:
    """A Superset that runs."""

    address: str
    log: Path


@pytest.fixture(scope="module")
def superset(published: Installation) -> Iterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(f"http://127.0.0.1:{port}", published.home / "superset.log")
    with server.log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "bi.superset", "--port", str(port)],
            cwd=CHECKOUT,
            env=published.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_for(server, process)
            yield server
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(60)


def wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    """Return as soon as the server answers; the installation takes a minute or more."""
    for _ in range(1800):
        assert process.poll() is None, server.log.read_text(encoding="utf-8")
        try:
            with urllib.request.urlopen(f"{server.address}/health", timeout=60):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"Superset did not come up:\n{server.log.read_text(encoding='utf-8')}")


@pytest.fixture(scope="module")
def reader(superset: Server, published: Installation) -> Iterator[Reader]:
    password = (published.home / "superset" / "admin_password").read_text(encoding="utf-8")
    with browser(superset.address) as reader:
        reader.log_in("admin", password)
        yield reader


def look_at(reader: Reader, page: Dashboard, days: str = ALL_DAYS) -> None:
    reader.open(page.slug, charts=1 + sum(len(row.charts) for row in page.rows), days=days)


def test_secrets_are_made_at_set_up_and_are_not_printed(
    superset: Server, published: Installation
) -> None:
    output = superset.log.read_text(encoding="utf-8")
    for name in ("secret_key", "admin_password", "reader_password"):
        file = published.home / "superset" / name
        secret = file.read_text(encoding="utf-8")
        assert len(secret) >= 32
        assert file.stat().st_mode & 0o077 == 0
        assert secret not in output
    for user in ("admin", "reader"):
        assert f"log in as {user} with the password in {published.home}" in output
    assert f"{superset.address}/superset/dashboard/{DASHBOARDS[0].slug}/" in output


@pytest.mark.parametrize("page", DASHBOARDS, ids=lambda page: page.title)
def test_a_dashboard_shows_what_the_tables_say(
    page: Dashboard, reader: Reader, published: Installation
) -> None:
    look_at(reader, page)
    assert reader.table("Release") == [release_of(published)]
    for title, written in figures(published, page.slug).items():
        expect(reader.figure(title)).to_have_text(begins_with(written), timeout=PATIENCE)
    # Every chart has drawn something, and none says that it has no data or an error.
    for chart in (chart for row in page.rows for chart in row.charts):
        if chart.kind in ("pop_kpi", "big_number_total"):
            expect(reader.figure(chart.title)).to_have_text(re.compile(r"\d"), timeout=PATIENCE)
        else:
            drawn = reader.chart(chart.title).locator("canvas, table tbody tr").first
            expect(drawn).to_be_visible(timeout=PATIENCE)
    assert reader.refused == []


def test_a_table_on_the_screen_is_the_table_in_the_release(
    reader: Reader, published: Installation
) -> None:
    (page,) = (page for page in DASHBOARDS if page.slug == "walkhouse-surveys")
    look_at(reader, page)
    expected = published.ask(
        """
        select
            format('{} ({}, {})', item_name, item_id, system_name), sum(plays),
            sum(plays_submitted), sum(promoters)
        from reports.rpt_surveys inner join facts.dim_systems using (system_id)
        group by item_name, item_id, system_name
        """
    )
    on_screen = [(*row[:3], row[5]) for row in reader.table("Surveys")]
    assert sorted(on_screen) == sorted(tuple(map(str, row)) for row in expected)


def test_a_filter_narrows_what_is_counted(reader: Reader, published: Installation) -> None:
    (page,) = (page for page in DASHBOARDS if page.slug == "walkhouse-sessions")
    look_at(reader, page)
    ((system, sessions),) = published.ask(
        """
        select system_name, sum(report.sessions)
        from reports.rpt_sessions_daily as report inner join facts.dim_systems using (system_id)
        group by system_name order by system_name limit 1
        """
    )
    reader.choose("system", system)
    expect(reader.figure("Sessions")).to_have_text(begins_with(f"{sessions:,}"), timeout=PATIENCE)
    assert [row[0] for row in reader.table("Systems")] == [system]
    assert reader.table("Release") == [release_of(published)]


def test_a_department_narrows_what_its_people_did(reader: Reader, published: Installation) -> None:
    of_sales = """
        with sales as (
            select system_id, session_id, person_id, is_engaged, cast(started_at as date) as day
            from facts.fct_sessions
            inner join facts.dim_end_users using (end_user_id)
            inner join facts.dim_people using (person_id)
            where environment = 'production' and department = 'Sales'
        )
    """
    ((sessions, engaged, new_people, people),) = published.ask(
        f"""
        {of_sales}
        select
            count(*), avg(is_engaged::int), count(distinct person_id),
            count(distinct person_id) filter (where day > (select max(day) - 7 from sales))
        from sales
        """
    )
    (page,) = (page for page in DASHBOARDS if page.slug == "walkhouse-sessions")
    look_at(reader, page)
    reader.choose("department", "Sales")
    for title, written in {
        "Sessions": f"{sessions:,}",
        "Engagement": f"{engaged:.1%}",
        "New people": f"{new_people:,}",
        "People in 7 days": f"{people:,}",
    }.items():
        expect(reader.figure(title)).to_have_text(begins_with(written), timeout=PATIENCE)

    ((searches,), (clicked,)) = (
        published.ask(
            f"""
            {of_sales}
            select count(*) from facts.fct_searches
            inner join sales using (system_id, session_id)
            where environment = 'production' and keystroke_events > 0 and {condition}
            """
        )[0]
        for condition in ("true", "led_to_click")
    )
    (page,) = (page for page in DASHBOARDS if page.slug == "walkhouse-search")
    look_at(reader, page)
    reader.choose("department", "Sales")
    expect(reader.figure("Searches")).to_have_text(begins_with(f"{searches:,}"), timeout=PATIENCE)
    expect(reader.figure("Searches with a click")).to_have_text(
        begins_with(f"{clicked / searches:.1%}"), timeout=PATIENCE
    )
    assert reader.refused == []


def test_people_of_two_systems_count_in_each(reader: Reader, published: Installation) -> None:
    rows = published.ask(
        """
        select system_name, people_7_days from reports.rpt_active_people
        where report_date = (select max(report_date) from reports.rpt_active_people)
            and system_id is not null
        order by system_name
        """
    )
    (page,) = (page for page in DASHBOARDS if page.slug == "walkhouse-sessions")
    look_at(reader, page)
    reader.choose("system", *(system for system, _ in rows[:2]))
    both = sum(people for _, people in rows[:2])
    expect(reader.figure("People in 7 days")).to_have_text(
        begins_with(f"{both:,}"), timeout=PATIENCE
    )


def test_every_chart_draws_with_every_filter(reader: Reader) -> None:
    for page in DASHBOARDS:
        look_at(reader, page)
        for column in ("system", "department", "item_type"):
            reader.choose(column)
        errors = reader.page.locator("[data-test=slice-container]", has_text="Unexpected error")
        expect(errors).to_have_count(0, timeout=PATIENCE)
        assert reader.refused == [], page.title


def test_a_dashboard_begins_with_the_days_and_the_figures_of_the_page(
    reader: Reader, published: Installation
) -> None:
    with duckdb.connect(str(published.published), read_only=True) as release:
        tiles = {tile.term.label: tile for tile in page_of(release).sections[0].tiles}
    look_at(reader, DASHBOARDS[0], days="")
    for chart in DASHBOARDS[0].rows[0].charts:
        tile = tiles[chart.dataset.metric(chart.form["metric"]).label]
        assert tile.change
        expect(reader.figure(chart.title)).to_have_text(begins_with(tile.value), timeout=PATIENCE)


def test_a_reader_sees_all_and_changes_nothing(reader: Reader, published: Installation) -> None:
    password = (published.home / "superset" / "reader_password").read_text(encoding="utf-8")
    edit = "[data-test=edit-dashboard-button], button:has-text('Edit dashboard')"
    look_at(reader, DASHBOARDS[0])
    assert reader.page.locator(edit).count() > 0
    other = another(reader)
    other.log_in("reader", password)
    for page in (DASHBOARDS[0], DASHBOARDS[-1]):
        look_at(other, page)
        for title, written in figures(published, page.slug).items():
            expect(other.figure(title)).to_have_text(begins_with(written), timeout=PATIENCE)
        assert other.page.locator(edit).count() == 0
    assert other.outside == []


def test_the_browser_gets_nothing_from_elsewhere(reader: Reader) -> None:
    assert reader.outside == []


def test_pictures_are_taken_when_asked_for(reader: Reader) -> None:
    folder = os.environ.get("SCREENSHOTS")
    if not folder:
        pytest.skip("`make screenshots` takes the pictures of docs/bi.md")
    for page in DASHBOARDS:
        look_at(reader, page, days="")
        reader.take_picture(CHECKOUT / folder / f"{page.slug.removeprefix('walkhouse-')}.png")


def test_releases_come_and_go_under_an_open_dashboard(
    reader: Reader, published: Installation
) -> None:
    (page,) = (page for page in DASHBOARDS if page.slug == "walkhouse-sessions")
    look_at(reader, page)
    before, sessions_before = release_of(published), figures(published, page.slug)["Sessions"]
    dump = published.landing.parent / WITHHELD
    dump.rename(published.landing / "events" / WITHHELD)
    run = subprocess.Popen(
        [sys.executable, "-m", "dagster_project.cli", "run"],
        cwd=CHECKOUT,
        env=published.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    seen = []
    while run.poll() is None:
        look_at(reader, page)
        ((release, *_),) = reader.table("Release")
        seen.append((release, first_word(reader.figure("Sessions").inner_text())))
    assert run.returncode == 0
    after, sessions_after = release_of(published), figures(published, page.slug)["Sessions"]
    assert before[0] < after[0]
    assert sessions_before != sessions_after
    # Each chart asks by itself: a page that is drawn during the switch may show both releases.
    assert seen[0] == (before[0], sessions_before)
    assert {release for release, _ in seen} <= {before[0], after[0]}
    assert {sessions for _, sessions in seen} <= {sessions_before, sessions_after}
    assert seen == sorted(seen, key=lambda pair: (pair[0] == after[0], pair[1] == sessions_after))

    look_at(reader, page)
    assert reader.table("Release") == [after]
    for title, written in figures(published, page.slug).items():
        expect(reader.figure(title)).to_have_text(begins_with(written), timeout=PATIENCE)

    back = published.walkhouse("rollback")
    assert back.returncode == 0, said(back)
    look_at(reader, page)
    assert reader.table("Release") == [before]
    expect(reader.figure("Sessions")).to_have_text(begins_with(sessions_before), timeout=PATIENCE)
    assert reader.refused == []


TWO_READERS = """
import os, pathlib, runpy, sys
from sqlalchemy import create_engine, pool
from sqlalchemy.engine import make_url

settings = runpy.run_path(sys.argv[1])
link, new = pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])

def connect():
    url, options = settings["DB_CONNECTION_MUTATOR"](make_url(f"duckdb:///{link}"), {})
    options["connect_args"] = {"read_only": True, "config": {"enable_external_access": "false"}}
    return create_engine(url, poolclass=pool.NullPool, **options).connect()

def ask(connection):
    return connection.exec_driver_sql("select * from release").scalar()

busy = connect()
print(ask(busy))
link.unlink()
link.symlink_to(new)
print(ask(connect()), ask(busy))
try:
    connect().exec_driver_sql(f"select * from read_text('{sys.argv[1]}')").all()
except Exception as error:
    print("file system operations are disabled" in str(error))
"""


@pytest.mark.usefixtures("superset")
def test_a_query_sees_the_new_release_while_another_reads_the_old_one(
    published: Installation, tmp_path: Path
) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        with duckdb.connect(str(tmp_path / name / "walkhouse.duckdb")) as connection:
            connection.execute(f"create table release as select '{name}'")
    link = tmp_path / "walkhouse.duckdb"
    link.symlink_to(tmp_path / "old" / "walkhouse.duckdb")
    settings = CHECKOUT / "bi" / "superset" / "superset_config.py"
    new = tmp_path / "new" / "walkhouse.duckdb"
    python = CHECKOUT / ".superset" / "bin" / "python"
    done = subprocess.run(
        [python, "-c", TWO_READERS, str(settings), str(link), str(new)],
        env={"PATH": os.environ["PATH"], "SUPERSET_HOME": str(published.home / "superset")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, said(done)
    assert done.stdout.split() == ["old", "new", "old", "True"]


def test_where_small_groups_are_hidden_dashboards_show_the_second_file_alone(
    reader: Reader, published: Installation
) -> None:
    run = published.walkhouse("run", WALKHOUSE_SMALLEST_GROUP="5")
    assert run.returncode == 0, said(run)
    reports = published.home / "published" / REPORTS
    superset = Superset(CHECKOUT / ".superset", published.home / "superset")
    superset.set_up(published.published, reports=reports)
    shown = bundle(published.published, reports=reports)
    for page in DASHBOARDS:
        position = shown[f"dashboards/{page.slug}.yaml"]["position"]
        charts = [found for found in position if found.startswith("CHART-")]
        reader.open(page.slug, charts=len(charts), days=ALL_DAYS)
        expect(reader.page.get_by_text("Numbers about fewer than 5 people")).to_be_visible()
        errors = reader.page.locator("[data-test=slice-container]", has_text="Unexpected error")
        expect(errors).to_have_count(0, timeout=PATIENCE)
        assert reader.table("Release") == [release_of(published)]
    assert reader.refused == []
    # What the second file has nothing for is gone, also from the list of all charts.
    listed = reader.page.request.get(f"{reader.address}/api/v1/chart/?q=(page_size:100)").json()
    titles = {chart["slice_name"] for chart in listed["result"]}
    assert "Sessions by day" in titles
    assert not titles & {"Terms", "Who did not use it", "Adoption by department"}


def test_nothing_published_is_said_and_nothing_is_started(tmp_path: Path) -> None:
    nothing = Installation(tmp_path / "landing", tmp_path / "home")
    environment = CHECKOUT / ".superset"
    done = nothing.execute(sys.executable, "-m", "bi.superset", "--environment", str(environment))
    assert done.returncode == 1
    assert f"nothing is published at {nothing.published}: `walkhouse run`" in done.stderr
    assert not (nothing.home / "superset").exists()
