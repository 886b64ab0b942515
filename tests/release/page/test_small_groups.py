"""The page of a release that hides small groups: it draws what is left, and says so."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from dagster_project.personal_data import load_tables
from dagster_project.release.page.page import write_page
from dagster_project.release.page.small_groups import hidden_sentence, without_small_groups
from dagster_project.release.report_file import REPORTS, write_report_file
from tests.releases import Published


@pytest.mark.long
@pytest.mark.parametrize("smallest_group", [5, 1_000_000])
def test_the_page_draws_what_is_not_hidden_and_says_that_something_is(
    published: Published, tmp_path: Path, smallest_group: int
) -> None:
    release = tmp_path / "walkhouse.duckdb"
    shutil.copyfile(published.release(published.second) / "walkhouse.duckdb", release)
    with duckdb.connect(str(release)) as connection:
        connection.execute("update meta.release set smallest_group = ?", [smallest_group])
    write_report_file(
        release,
        tmp_path / REPORTS,
        load_tables(),
        smallest_group=smallest_group,
        config={"threads": 1},
    )
    write_page(release, tmp_path / "index.html", reports=tmp_path / REPORTS)
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert hidden_sentence(smallest_group) in page
    assert "could not be read" not in page
    assert ("There are too few people" in page) is (smallest_group > 5)
    ((newest,),) = published.ask("select max(event_date) from facts.fct_item_events")
    assert f">{newest}<" in page
    terms = published.ask("select distinct search_term from reports.rpt_searches")
    assert terms
    for (term,) in terms:
        assert len(term) < 6 or term not in page
    with without_small_groups(release, tmp_path / REPORTS) as read:
        people = read.execute("select people from reports.rpt_events_daily").fetchall()
        assert all(count == 0 or count >= smallest_group for (count,) in people)
        assert bool(people) is (smallest_group == 5)
        assert read.execute("select count(*) from reports.rpt_searches").fetchall() == [(0,)]
        systems = "select count(*) from facts.dim_systems"
        assert read.execute(systems).fetchall() == published.ask(systems)


def test_where_nothing_is_hidden_nothing_is_said() -> None:
    assert hidden_sentence(1) == ""
