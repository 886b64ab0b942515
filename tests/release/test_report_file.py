"""The second file of a release: who is in it, and what could be found out from it."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.personal_data import Column, Elsewhere, Table, load_tables
from dagster_project.release.publish import RELEASE_COLUMNS
from dagster_project.release.report_file import REPORTS, write_report_file
from tests.releases import Published

OF_PEOPLE = {table.name: table for table in load_tables()}


def written(
    folder: Path, tables: Sequence[Table], smallest_group: int
) -> duckdb.DuckDBPyConnection:
    """The second file of the release in a folder, open."""
    (folder / REPORTS).unlink(missing_ok=True)
    write_report_file(
        folder / "walkhouse.duckdb",
        folder / REPORTS,
        tables,
        smallest_group=smallest_group,
        config={"threads": 1},
    )
    return duckdb.connect(str(folder / REPORTS), read_only=True)


def columns_of(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str, str]]:
    return set(
        connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() where not internal"
        ).fetchall()
    )


def test_it_holds_what_the_columns_say_is_of_nobody(published: Published) -> None:
    expected = {
        (table.schema, table.name, column.name)
        for table in load_tables()
        if all(c.personal_data == "none" for c in table.columns if c.name in table.key)
        for column in table.columns
        if column.personal_data == "none"
    } | {
        ("meta", "release", column.name)
        for column in RELEASE_COLUMNS
        if column.personal_data == "none"
    }
    file = published.release(published.second) / REPORTS
    with duckdb.connect(str(file), read_only=True) as reports:
        assert columns_of(reports) == expected
        assert reports.execute("select release_id from meta.release").fetchall() == [
            (published.second,)
        ]
        rows = (
            "select report_date, system_id, sessions from reports.rpt_sessions_daily order by all"
        )
        assert reports.execute(rows).fetchall() == published.ask(rows)


def test_no_id_of_a_person_is_in_any_text_of_it(published: Published) -> None:
    """Whatever the columns say: the ids are looked for in the values."""
    ids = {
        str(value)
        for row in published.ask(
            "select distinct end_user_id, session_id, play_id, user_name, visit_id"
            " from facts.fct_item_events"
        )
        for value in row
        if value and len(value) > 3
    }
    assert len(ids) > 100
    file = published.release(published.second) / REPORTS
    with duckdb.connect(str(file), read_only=True) as reports:
        for schema, table, column in sorted(columns_of(reports)):
            values = reports.execute(
                f'select distinct "{column}"::varchar from "{schema}"."{table}"'
            ).fetchall()
            assert not ids & {value for (value,) in values}, (schema, table, column)


def test_a_column_that_does_not_say_what_it_holds_is_taken_for_a_person(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "walkhouse.duckdb")) as release:
        release.execute("create schema reports")
        release.execute("create table reports.a as select 1 as id, 'x' as known, 'y' as unknown")
        release.execute("create table reports.b as select 'z' as unknown")
    known, unknown = Column("known", "none"), Column("unknown", None)
    tables = [
        Table("reports", "a", ("id",), (Column("id", "none"), known, unknown)),
        Table("reports", "b", ("unknown",), (unknown,)),
    ]
    with written(tmp_path, tables, 1) as reports:
        assert columns_of(reports) == {("reports", "a", "id"), ("reports", "a", "known")}


REPORT = Table(
    "reports",
    "rpt",
    ("day", "item"),
    (
        Column("day", "none"),
        Column("item", "none"),
        Column("users", "none", people="all"),
        Column("plays", "none", people="all"),
        Column("done", "none", people="part", part_of="plays"),
        Column("rate", "none", people="part"),
        Column("position", "none", people="none"),
        Column("forgotten", "none"),
    ),
    counted_by=("users",),
    totals_over=(("day",), ("item",)),
)


def hidden(tmp_path: Path, rows: Iterable[tuple[Any, ...]], smallest_group: int = 5) -> list[str]:
    """How much of each row (day, item, users, plays, done) is shown: `all`, `totals` or `none`."""
    (tmp_path / "walkhouse.duckdb").unlink(missing_ok=True)
    with duckdb.connect(str(tmp_path / "walkhouse.duckdb")) as release:
        release.execute("create schema reports")
        release.execute(
            "create table reports.rpt (day int, item int, users bigint, plays bigint, done bigint,"
            " rate double, position integer, forgotten bigint)"
        )
        for row in rows:
            release.execute("insert into reports.rpt values (?, ?, ?, ?, ?, 0.5, 1, 1)", row)
    with written(tmp_path, [REPORT], smallest_group) as reports:
        found = reports.execute("from reports.rpt order by day, item").fetchall()
    shown = []
    for _, _, users, plays, done, rate, position, forgotten in found:
        assert (users is None, done is None) == (plays is None, rate is None)
        assert position == 1
        assert smallest_group == 1 or forgotten is None
        shown.append("none" if users is None else "totals" if done is None else "all")
    return shown


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        # By itself: enough people, too few, a part of too few, all but too few, nobody.
        ([(1, 1, 5, 50, 10)], ["all"]),
        ([(1, 1, 4, 50, 10)], ["none"]),
        ([(1, 1, 5, 50, 4)], ["totals"]),
        ([(1, 1, 5, 50, 46)], ["totals"]),
        ([(1, 1, 5, 50, 0)], ["all"]),
        ([(1, 1, 5, 50, 50)], ["all"]),
        ([(1, 1, 0, 0, 0)], ["all"]),
        ([(1, 1, 0, 7, 0)], ["none"]),  # done by somebody whom nobody counts
        ([(1, 1, 9, 3, 0)], ["none"]),  # three plays are of three people at the most
        # The total of the day less the visible rows is the hidden one: the smallest goes as well.
        ([(1, 1, 2, 9, 0), (1, 2, 30, 90, 0), (1, 3, 20, 90, 0)], ["none", "all", "none"]),
        ([(1, 1, 2, 9, 0), (2, 2, 30, 90, 0)], ["none", "all"]),
        ([(1, 1, 2, 9, 0), (2, 1, 30, 90, 0)], ["none", "none"]),
        # Two are hidden, and they may be the same two people: a third, with enough.
        ([(1, 1, 2, 9, 0), (1, 2, 2, 9, 0), (1, 3, 20, 90, 0)], ["none", "none", "none"]),
        # What a second one is hidden for may itself need a second one, the other way.
        (
            [(1, 1, 2, 9, 0), (1, 2, 6, 90, 0), (2, 2, 30, 90, 0), (2, 3, 40, 90, 0)],
            ["none", "none", "none", "none"],
        ),
        # Details of one row: those of a second.
        ([(1, 1, 9, 90, 2), (1, 2, 30, 90, 40), (1, 3, 20, 90, 40)], ["totals", "all", "totals"]),
    ],
)
def test_what_is_hidden_is_what_could_be_found_out(
    tmp_path: Path, rows: list[tuple[int, ...]], expected: list[str]
) -> None:
    assert hidden(tmp_path, rows) == expected
    assert set(hidden(tmp_path, rows, smallest_group=1)) == {"all"}


def test_reports_about_the_same_rows_hide_the_same(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "walkhouse.duckdb")) as release:
        release.execute("create schema reports")
        release.execute("create table reports.a as select 1 as item, 3 as users")
        release.execute("create table reports.b as select 1 as item, 9 as users")
        release.execute("create table reports.c as select 1 as step, 1 as of_item, 70 as plays")
        release.execute("create table reports.d as select 1 as item, 70 as plays")
    users, plays = Column("users", "none", people="all"), Column("plays", "none", people="all")
    item = Column("item", "none")
    tables = [
        Table("reports", "a", ("item",), (item, users), counted_by=("users",)),
        Table("reports", "b", ("item",), (item, users), counted_by=("users",)),
        Table(
            "reports",
            "c",
            ("step",),
            (Column("step", "none"), Column("of_item", "none", people="none"), plays),
            counted_in=Elsewhere("b", {"item": "of_item"}),
        ),
        Table("reports", "d", ("item",), (item, plays)),  # nobody counts its people
    ]
    with written(tmp_path, tables, 5) as reports:
        for table, column in (("a", "users"), ("b", "users"), ("c", "plays"), ("d", "plays")):
            assert reports.execute(f"select {column} from reports.{table}").fetchall() == [(None,)]
    with written(tmp_path, tables, 3) as reports:
        for table, value in (("a", 3), ("b", 9), ("c", 70), ("d", None)):
            (row,) = reports.execute(f"from reports.{table}").fetchall()
            assert row[-1] == value


@dataclass(frozen=True)
class Event:
    """What somebody did, as far as the reports by day count it."""

    day: str
    system: str
    item_type: str
    item: str
    user: str


def world(seed: int) -> list[Event]:
    """Some hundred events of a small company, in which most groups are small."""
    chance = random.Random(seed)
    users = [f"u{number}" for number in range(chance.choice([6, 12, 40]))]
    return [
        Event(
            f"2026-03-0{chance.randint(1, 3)}",
            chance.choice("st"),
            item_type,
            f"{item_type} {chance.randint(1, 3)}",
            chance.choice(users[: chance.choice([3, len(users)])]),
        )
        for _ in range(chance.choice([40, 150, 400]))
        for item_type in [chance.choice(["Task", "Launcher"])]
    ]


@pytest.mark.parametrize("seed", range(6))
def test_no_difference_of_what_is_shown_is_about_fewer_people(tmp_path: Path, seed: int) -> None:
    """Of random companies: each total less the visible rows, by the people who are really in it."""
    smallest = 4
    cells: dict[tuple[str, ...], list[Event]] = defaultdict(list)
    pairs: dict[tuple[str, ...], list[Event]] = defaultdict(list)
    for event in world(seed):
        cells[event.day, event.system, event.item, event.item_type].append(event)
        pairs[event.day, event.system, event.item_type].append(event)
    with duckdb.connect(str(tmp_path / "walkhouse.duckdb")) as release:
        release.execute("create schema reports")
        release.execute(
            "create table reports.rpt_items_daily (report_date date, system_id varchar,"
            " item_key varchar, item_type varchar, exposures bigint, people bigint)"
        )
        release.execute(
            "create table reports.rpt_events_daily (report_date date, system_id varchar,"
            " item_type varchar, event varchar, events bigint, people bigint)"
        )
        for key, events in cells.items():
            values = [*key, len(events), len({each.user for each in events})]
            release.execute("insert into reports.rpt_items_daily values (?,?,?,?,?,?)", values)
        for key, events in pairs.items():
            values = [*key, "Play", len(events), len({each.user for each in events})]
            release.execute("insert into reports.rpt_events_daily values (?,?,?,?,?,?)", values)
        has = {
            (table, column)
            for table, column in release.execute(
                "select table_name, column_name from duckdb_columns() where not internal"
            ).fetchall()
        }
    tables = [
        Table(
            table.schema,
            table.name,
            table.key,
            tuple(column for column in table.columns if (table.name, column.name) in has),
            counted_by=table.counted_by,
            totals_over=table.totals_over,
            details_in=table.details_in,
        )
        for table in (OF_PEOPLE["rpt_items_daily"], OF_PEOPLE["rpt_events_daily"])
    ]
    with written(tmp_path, tables, smallest) as reports:
        items = reports.execute(
            "select report_date::varchar, system_id, item_key, item_type, exposures"
            " from reports.rpt_items_daily"
        ).fetchall()
        shown_pairs = reports.execute(
            "select report_date::varchar, system_id, item_type, people"
            " from reports.rpt_events_daily"
        ).fetchall()
    visible = {tuple(key) for *key, exposures in items if exposures is not None}
    for key in visible:
        assert len({each.user for each in cells[key]}) >= smallest
    for *pair, people_shown in shown_pairs:
        assert people_shown is None or len({each.user for each in pairs[tuple(pair)]}) >= smallest
    for over in ((0, 1), (0, 1, 3), (1, 2)):
        groups: dict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
        for cell in cells:
            groups[tuple(cell[place] for place in over)].append(cell)
        for group in groups.values():
            people = {each.user for cell in group if cell not in visible for each in cells[cell]}
            is_all_hidden = not visible & set(group)
            assert not people or is_all_hidden or len(people) >= smallest
