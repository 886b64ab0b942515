"""What `walkhouse diff` finds, on files in which each kind of difference is planted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from dagster_project.cli import cli
from dagster_project.locks import warehouse_writer
from dagster_project.release.diff import Example, TableDiff, compare

KEY = {("reports", "rpt"): ("day", "item")}

# The key holds nulls and the values do, so that nothing can be equal by chance.
SAME = """
    create schema reports;
    create table reports.rpt (day date, item varchar, shown bigint, rate double, parts varchar[]);
    insert into reports.rpt values
        ('2026-03-01', 'a', 3, 0.5, ['x']),
        ('2026-03-01', null, 4, null, null),
        ('2026-03-02', 'a', null, 'nan', ['x', null]),
        (null, null, 1, 1, []);
"""


def file(path: Path, *statements: str) -> Path:
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)
    return path


@pytest.fixture
def left(tmp_path: Path) -> Path:
    return file(tmp_path / "left.duckdb", SAME)


def compared(left: Path, right: Path, *, examples: int = 0) -> TableDiff:
    (found,) = compare(left, right, KEY, examples=examples)
    return found


def changed(left: Path, *statements: str) -> Path:
    return file(left.with_name("right.duckdb"), SAME, *statements)


def test_the_same_rows_in_another_order_do_not_differ(left: Path) -> None:
    right = file(
        left.with_name("right.duckdb"),
        SAME,
        "create table again as from reports.rpt order by shown desc",
        "delete from reports.rpt",
        "insert into reports.rpt from again",
    )
    found = compared(left, right, examples=9)
    assert found.is_equal
    assert found == TableDiff("reports.rpt", (4, 4))


def test_a_file_is_equal_to_itself(left: Path) -> None:
    assert compared(left, left).is_equal


def test_rows_of_one_side_only_are_counted_and_shown(left: Path) -> None:
    right = changed(
        left,
        "delete from reports.rpt where item is null and day is not null",
        "insert into reports.rpt values ('2026-03-03', 'b', 1, 1, null)",
        "insert into reports.rpt values ('2026-03-03', null, 1, 1, null)",
    )
    found = compared(left, right, examples=1)
    assert (found.rows, found.only_in_a, found.only_in_b, found.changed) == ((4, 5), 1, 2, 0)
    assert [(each.kind, dict(each.key)["item"]) for each in found.examples] == [
        ("only in A", None),
        ("only in B", "b"),
    ]
    assert not found.is_equal


def test_changed_values_are_counted_by_column_also_from_and_to_null(left: Path) -> None:
    right = changed(
        left,
        "update reports.rpt set shown = null where item = 'a'",
        "update reports.rpt set rate = 0 where rate is null",
        "update reports.rpt set parts = ['x', 'y'] where day = '2026-03-02'",
        "update reports.rpt set shown = 2 where day is null",
    )
    found = compared(left, right, examples=9)
    assert (found.only_in_a, found.only_in_b, found.changed) == (0, 0, 4)
    assert dict(found.columns) == {"shown": 2, "rate": 1, "parts": 1}
    (first, *_) = found.examples
    assert first == Example(
        "changed",
        (("day", duckdb.sql("select date '2026-03-01'").fetchall()[0][0]), ("item", "a")),
        (("shown", 3, None),),
    )


def test_columns_that_come_go_or_change_their_type_are_named(left: Path) -> None:
    right = changed(
        left,
        "alter table reports.rpt drop column parts",
        "alter table reports.rpt add column fresh int",
        "alter table reports.rpt alter column shown type varchar",
    )
    found = compared(left, right)
    assert found.columns_only_in_a == ("parts",)
    assert found.columns_only_in_b == ("fresh",)
    assert found.retyped == (("shown", "BIGINT", "VARCHAR"),)
    assert (found.only_in_a, found.only_in_b, found.changed) == (0, 0, 0)
    assert not found.is_equal


@pytest.mark.parametrize(
    "statement",
    [
        "insert into reports.rpt from reports.rpt where day is null",
        "update reports.rpt set item = 'a' where day = '2026-03-01'",
    ],
)
def test_without_a_unique_key_whole_rows_are_compared(left: Path, statement: str) -> None:
    found = compared(left, changed(left, statement), examples=9)
    assert not found.is_keyed
    assert found.changed == 0
    assert found.only_in_b == 1
    assert found.only_in_b - found.only_in_a == (found.rows[1] or 0) - (found.rows[0] or 0)


def test_a_key_that_has_another_type_is_no_key(left: Path) -> None:
    right = changed(left, "alter table reports.rpt alter column day type varchar")
    found = compared(left, right)
    assert not found.is_keyed
    assert (found.only_in_a, found.only_in_b) == (0, 0)
    assert not found.is_equal


def test_a_table_that_one_side_lacks_differs_and_one_that_both_lack_is_left_out(
    left: Path, tmp_path: Path
) -> None:
    empty = file(tmp_path / "empty.duckdb")
    assert compared(left, empty) == TableDiff("reports.rpt", (4, None))
    assert not compared(empty, left).is_equal
    assert list(compare(empty, file(tmp_path / "empty too.duckdb"), KEY)) == []


# ---------- the command


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two releases, the second of which has one row more, and a development copy of the second."""
    home = tmp_path / "home"
    create = "create schema reports; create table reports.rpt_tasks"
    columns = "report_date date, system_id varchar, item_id varchar, tasks bigint"
    rows = ["'2026-03-01', 's', 'a', 1", "'2026-03-02', 's', 'a', 1"]
    for number, release in ((1, "20260301T000000-a"), (2, "20260302T000000-b")):
        folder = home / "published" / ".releases" / release
        folder.mkdir(parents=True)
        fill = [f"insert into reports.rpt_tasks values ({row})" for row in rows[:number]]
        file(folder / "walkhouse.duckdb", f"{create} ({columns})", *fill)
        header: dict[str, Any] = {
            "release_id": release,
            "published_at": "2026-03-01T00:00:00+00:00",
            "code_version": "1",
            "state": "x",
            "first_dump_date": None,
            "last_dump_date": None,
            "dumps": number,
            "events": number,
            "waivers": {},
        }
        (folder / "release.json").write_text(json.dumps(header), encoding="utf-8")
    (home / "published" / "current").symlink_to(".releases/20260302T000000-b")
    for name in ("warehouse", "dev"):
        file(home / f"{name}.duckdb", f"{create} ({columns})", *fill)
    return home


def diff(home: Path, *arguments: str) -> Result:
    return CliRunner(env={"WALKHOUSE_HOME": str(home)}).invoke(cli, ["diff", *arguments])


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        ((), 0),
        (("current", "warehouse"), 0),
        (("20260302T000000-b", "current", "--table", "reports.rpt_tasks"), 0),
        (("previous", "current"), 1),
        (("previous",), 1),
    ],
)
def test_the_exit_code_says_whether_they_differ(
    home: Path, arguments: tuple[str, ...], exit_code: int
) -> None:
    result = diff(home, *arguments)
    assert result.exit_code == exit_code, result.output
    assert f"1 table compared: {1 - exit_code} equal, {exit_code} differ" in result.output


def test_what_differs_is_printed_with_examples(home: Path) -> None:
    said = diff(home, "previous", "current").output
    assert "reports.rpt_tasks: only in B: report_date=2026-03-02, system_id=s, item_id=a" in said
    assert "only in B: " not in diff(home, "previous", "current", "--limit", "0").output


def test_paths_are_compared_too(home: Path) -> None:
    assert diff(home, "current", str(home / "dev.duckdb")).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nothing",), "'nothing': there is no file"),
        (("current", "dev", "--table", "rpt_task"), "there is no table 'rpt_task' to compare"),
        (("current", "dev", "--table", "rpt_flows"), "reports.rpt_flows: in neither file"),
    ],
)
def test_what_cannot_be_compared_is_said(home: Path, arguments: tuple[str, ...], says: str) -> None:
    result = diff(home, *arguments)
    assert result.exit_code == 2
    assert says in result.output


def test_before_anything_is_published_the_error_says_what_to_do(tmp_path: Path) -> None:
    result = diff(tmp_path)
    assert result.exit_code == 2
    assert "nothing is published yet: run `walkhouse run` first" in result.output


def test_a_file_that_is_no_database_or_is_being_written_is_named(home: Path) -> None:
    (home / "text").write_text("no database, but long enough to be read as one", encoding="utf-8")
    result = diff(home, "current", str(home / "text"))
    assert result.exit_code == 2
    assert "text cannot be read" in result.output


@pytest.fixture
def reader(home: Path) -> Iterator[None]:
    with duckdb.connect(str(home / "dev.duckdb"), read_only=True):
        yield


@pytest.mark.usefixtures("reader")
def test_other_readers_do_not_disturb_it_and_nothing_is_written(home: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*.duckdb*")}
    assert diff(home).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in home.rglob("*.duckdb*")} == before


def test_the_warehouse_is_free_again_after_it_was_compared(home: Path) -> None:
    assert diff(home, "current", "warehouse").exit_code == 0
    with warehouse_writer(home):
        pass
