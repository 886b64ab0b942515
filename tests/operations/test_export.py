"""An answer to who asks what is held of them: all of it, and of nobody else."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dagster_project.cli import cli
from tests.ingest.test_ingest import take_in
from tests.release.copies.by_hand import FIRST, publish_by_hand

ASKED, OTHER = 'jürgen "j" o\'neil', "u-2"
TABLES = """
    create schema facts; create schema reports; create schema meta;
    create table facts.fct_item_events as
        from (values ('k1', $a$ASKED$a$, 'menu'), ('k2', 'u-2', 'task'))
        as events (event_key, end_user_id, item_id);
    create table facts.fct_sessions as select 'u-2' as end_user_id, 7 as events;
    create table facts.dim_end_users as
        from (values ($a$ASKED$a$, 'p'), ('u-2', 'q'), ('browser-3', 'p'))
        as users (end_user_id, person_id);
    create table facts.dim_people as
        from (values ('p', 'nurse'), ('q', 'clerk')) as people (person_id, user_role);
    create table meta.invariant_violations as
        from (values ('k1', 'twice'), ('k2', 'late')) as violations (event_key, detail);
    create table reports.rpt_tasks as select 3 as end_users;
"""


def event(user: str, kind: str = "play", oid: int = 1) -> str:
    return json.dumps(
        {
            "time": 1772355600123 + oid,
            "type": kind,
            "data": {"type": "task", "oId": oid},
            "sId": "s",
            "wm": {"euId": user},
        }
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    lines = [
        event(ASKED),
        event(ASKED),  # once more
        event(ASKED, kind="pageChange"),  # is no item event, and in no table
        event(OTHER),
        event(ASKED)[:-2] + ",",  # is no JSON
        event(OTHER, oid=2)[:-2] + ",",
    ]
    dump = tmp_path / "landing" / "events" / "dt=2026-03-01"
    dump.mkdir(parents=True)
    (dump / "a.ndjson").write_text("\n".join(lines), encoding="utf-8")
    (dump / "b.ndjson").write_text(event(OTHER, oid=3), encoding="utf-8")
    _, failed = take_in(tmp_path, tmp_path / "landing")
    assert not failed
    home = tmp_path / "home"
    (home / "lake").mkdir(parents=True)
    (tmp_path / "lake").rename(home / "lake" / "raw")
    publish_by_hand(home / "published", FIRST, TABLES.replace("ASKED", ASKED))
    return home


def export(home: Path, user: str, folder: Path) -> Result:
    arguments = ["export", "--user", user, "--to", str(folder)]
    return CliRunner(env={"WALKHOUSE_HOME": str(home)}).invoke(cli, arguments)


def test_everything_that_is_held_of_one_person_is_written_and_nothing_of_another(
    home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "answer"
    said = export(home, ASKED, folder)
    assert said.exit_code == 0, said.output
    content = json.loads((folder / "everything.json").read_text(encoding="utf-8"))
    tables = content["tables"]
    assert tables["facts.fct_item_events"] == [
        {"event_key": "k1", "end_user_id": ASKED, "item_id": "menu"}
    ]
    assert tables["facts.dim_people"] == [{"person_id": "p", "user_role": "nurse"}]
    assert [row["detail"] for row in tables["meta.invariant_violations"]] == ["twice"]
    lines = tables["lake.lines"]
    assert [line["source_row"] for line in lines] == [1, 2, 3, 5]
    assert {line["outcome"] for line in lines} == {"event", "ignored", "quarantined"}
    assert "facts.fct_sessions" not in tables
    assert OTHER not in (folder / "everything.json").read_text(encoding="utf-8")
    assert content["landing"] == ["events/dt=2026-03-01/a.ndjson"]
    assert content["other_ids_of_the_person"] == ["browser-3"]
    for table, rows in tables.items():
        with (folder / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            read = list(csv.DictReader(file))
        assert [list(row) for row in read] == [list(row) for row in rows]
    assert "1 files of the landing" in said.output
    assert "browser-3" in said.output
    assert ASKED not in said.output
    assert folder.stat().st_mode & 0o077 == 0


def test_an_id_that_is_nobodys_is_said_and_nothing_is_written(home: Path, tmp_path: Path) -> None:
    for user in ("nobody", "", " ", "u", "rgen", "%", ".*", "'; drop table x; --"):
        said = export(home, user, tmp_path / "answer")
        assert said.exit_code == 1, (user, said.output)
        is_empty = not user.strip()
        assert ("is empty" if is_empty else "nothing is held of an end user") in said.output
    assert not (tmp_path / "answer").exists()


def test_a_folder_that_is_there_and_a_home_without_a_release_are_said(
    home: Path, tmp_path: Path
) -> None:
    said = export(home, ASKED, home)
    assert said.exit_code == 1
    assert "is there already" in said.output
    said = export(tmp_path / "empty", ASKED, tmp_path / "answer")
    assert said.exit_code == 1
    assert "nothing is published yet" in said.output
