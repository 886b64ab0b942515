"""People who are forgotten: in a whole home, an object store and PostgreSQL, nothing names them.

The tests follow in order on one installation.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from dagster_project.forgotten import load_requests
from dagster_project.operations.forgetting import ask
from dagster_project.release.publish import releases
from dagster_project.settings import Settings
from tests.installation import Installation, said
from tests.object_store import ObjectStore, object_store
from tests.postgres_server import running_server
from tests.whole import landings
from tests.whole.traces import traces_in_files, traces_in_postgres, traces_in_store

KEY = "a key that is long enough for the tests"
AWKWARD = 'jürgen "j" o\'neil'
NEAR = 'jürgen "j" o\'neal'
SHORT, REMOVED, PREFIX = "7", "u-left-out", "u-lef"
NOON = landings.at("2026-03-01T12:00:00Z")
DAY_MS = 86_400_000
SYSTEMS = ("a" * 32, "b" * 32)
OF_RUNS = {("meta", "rebuilds"), ("meta", "release"), ("meta", "forgotten")}


def event(user: str, number: int, *, day: int = 0, session: str = "s", **paths: Any) -> Any:
    record: dict[str, Any] = {
        "time": NOON + day * DAY_MS + number * 60_000,
        "type": "play",
        "data": {"type": "task", "oId": str(1000 + number), "oName": f"Task {number}"},
        "sId": session,
        "wm": {"uId": SYSTEMS[0], "euId": user, "euIdSource": "Identifier", "env": 0},
        "ctx": {"location": {"hostname": "app.example.com", "pathname": "/x"}, "title": "T"},
    }
    for path, value in paths.items():
        *parents, leaf = path.split("__")
        node = record
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = value
    return record


def everywhere(user: str) -> dict[str, Any]:
    """The id of a user wherever it may stand in an event."""
    return {
        "data__oName": f"Ask {user}",
        "data__owName": f"Ask {user}",
        "data__value": f"I am {user}",
        "data__pId": "1772355590001-4711-g",
        "ctx__title": f"Profile of {user}",
        "ctx__location__pathname": f"/people/{user}/edit",
        "ctx__visitId": "v",
        "wm__interactionGuid": "g",
        "wm__userVars__name": user,
        "wm__userVars__info": f"manager: {user}",
    }


def planted(user: str, day: int) -> list[Any]:
    """Lines that hold a user, and some that hold nobody like them."""
    session = f"{day} {len(user)}"
    return [
        event(user, 0, day=day, session=f"one {session}", **everywhere(user)),
        event(user, 1, day=day, session=f"two {session}", **everywhere(user)),
        event(user, 2, day=day, session=f"two {session}", wm__uId=SYSTEMS[1]),
        event("manager", 3, day=day, session="m", **everywhere(user)),
        event(user, 4, day=day, type="pageChange", **everywhere(user)),
        {"type": "play", "data": {"type": "task"}, "sId": "q", "wm": {"euId": user}},
    ]


@dataclass(frozen=True)
class Disturbed:
    """An installation with copies, before anybody was forgotten and after."""

    installation: Installation
    store: ObjectStore
    database: str
    variables: dict[str, str]

    def walkhouse(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.installation.walkhouse(*arguments, **self.variables)

    @property
    def settings(self) -> Settings:
        return Settings.from_environment(self.installation.environment | self.variables)

    def rows_of(self, user: str) -> list[tuple[Any, ...]]:
        """The events of a user, without what tells of the order in which they came."""
        return self.installation.ask(
            "select * exclude (event_key) from facts.fct_item_events where end_user_id ="
            f" $user${user}$user$ order by all"
        )


def write_lines(file: Path, lines: list[Any], *, ascii_only: bool) -> None:
    texts = (json.dumps(line, ensure_ascii=ascii_only) for line in lines)
    file.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")


pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def disturbed(installation_of_module: Installation) -> Iterator[Disturbed]:
    installation = installation_of_module
    with object_store() as store, running_server() as server:
        server.ask("postgres", "create database walkhouse")
        database = server.url("walkhouse")
        copies = f"s3://{store.bucket}/copy {database}"
        variables = {
            **store.environment,
            "WALKHOUSE_COPIES": copies,
            "WALKHOUSE_PERSONAL_KEY": KEY,
        }
        made = Disturbed(installation, store, database, variables)
        arguments = ("--days", "3", "--events-per-day", "700", "--start", "2026-03-01")
        simulated = installation.walkhouse("simulate", *arguments)
        assert simulated.returncode == 0, said(simulated)
        events = installation.landing / "events"
        write_lines(
            events / "dt=2026-03-01" / "planted.ndjson",
            [
                *planted(AWKWARD, 0),
                event(NEAR, 5, session="near", **everywhere(NEAR)),
                event(SHORT, 6, session="short", data__value="7"),
                event(REMOVED, 7, session="removed", **everywhere(REMOVED)),
                event(PREFIX, 8, session="prefix", **everywhere(PREFIX)),
            ],
            ascii_only=True,
        )
        write_lines(
            events / "dt=2026-03-03" / "planted.ndjson",
            [*planted(AWKWARD, 2), planted(AWKWARD, 0)[0]],  # one of them a duplicate
            ascii_only=False,
        )
        run = made.walkhouse("run")
        assert run.returncode == 0, said(run)
        yield made


def traces(disturbed: Disturbed, folder: Path, user: str) -> list[str]:
    folder.mkdir()
    return [
        *traces_in_files(disturbed.installation.home, user),
        *traces_in_store(disturbed.store, folder, user),
        *traces_in_postgres(disturbed.database, user),
    ]


def test_nobody_is_forgotten_whom_nobody_knows(disturbed: Disturbed) -> None:
    release = releases(disturbed.installation.home / "published")
    for arguments in (["--user", "nobody"], ["--user", AWKWARD, "--system", "c" * 32]):
        forget = disturbed.walkhouse("forget", *arguments)
        assert forget.returncode == 1, said(forget)
        assert "nothing is held" in said(forget)
        assert arguments[1] not in said(forget)
    without_key = disturbed.installation.walkhouse("forget", "--user", AWKWARD)
    assert without_key.returncode == 2
    assert "WALKHOUSE_PERSONAL_KEY" in said(without_key)
    another = {"WALKHOUSE_PERSONAL_KEY": KEY[::-1]}
    with_another = disturbed.installation.walkhouse("forget", "--user", AWKWARD, **another)
    assert with_another.returncode == 2
    assert "not the key of this home" in said(with_another)
    assert load_requests(disturbed.installation.home) == ()
    assert releases(disturbed.installation.home / "published") == release


def test_nothing_names_who_is_forgotten(disturbed: Disturbed, tmp_path: Path) -> None:
    home = disturbed.installation.home
    before = {user: disturbed.rows_of(user) for user in (NEAR, SHORT, PREFIX, REMOVED)}
    counts = "select count(*), count(distinct session_id) from facts.fct_item_events"
    counted = disturbed.installation.ask(counts)
    export = disturbed.walkhouse("export", "--user", AWKWARD, "--to", str(home / "export"))
    assert export.returncode == 0, said(export)
    with duckdb.connect(str(home / "dev.duckdb")) as development:
        development.execute("create table a as select ? as end_user_id", [AWKWARD])
    assert len(traces(disturbed, tmp_path / "before", AWKWARD)) > 20
    untouched = next(home.glob("lake/raw/dumps/dt=2026-03-02/dump.json"))
    is_read_at = untouched.stat().st_mtime_ns

    forget = disturbed.walkhouse("forget", "--user", AWKWARD)
    assert forget.returncode == 0, said(forget)
    assert AWKWARD not in said(forget)
    assert "events/dt=2026-03-01/planted.ndjson" in forget.stdout
    assert traces(disturbed, tmp_path / "after", AWKWARD) == []
    assert untouched.stat().st_mtime_ns == is_read_at
    assert {user: disturbed.rows_of(user) for user in before} == before
    assert disturbed.installation.ask(counts) == counted
    assert disturbed.installation.ask("select request, dumps, events from meta.forgotten") == [
        (1, 2, 7)
    ]
    rebuilt = disturbed.installation.ask(
        "select distinct date::varchar from meta.rebuilds where table_name = 'fct_item_events'"
        " and build = (select max(build) from meta.rebuilds) order by 1"
    )
    assert rebuilt == [("2026-03-01",), ("2026-03-03",)]
    assert len(releases(home / "published")) == 1
    (request,) = load_requests(home)
    assert request.finished_at is not None
    held = disturbed.walkhouse("export", "--user", AWKWARD, "--to", str(tmp_path / "answer"))
    assert held.returncode == 1, said(held)
    assert "nothing is held" in said(held)
    again = disturbed.walkhouse("forget", "--user", AWKWARD)
    assert again.returncode == 0, said(again)
    assert "forgotten already" in said(again)


def test_their_events_lead_to_nobody_and_not_to_each_other(disturbed: Disturbed) -> None:
    rows = disturbed.installation.ask(
        "select session_id, end_user_id, play_id, interaction_guid, visit_id, user_name,"
        " page_path, page_title, value from facts.fct_item_events"
        " where session_id like 'one %' or session_id like 'two %' order by all"
    )
    assert len(rows) == 6
    for column in range(1, 5):
        by_session: dict[str, set[str]] = {}
        for row in rows:
            if row[column] is not None:
                by_session.setdefault(row[column], set()).add(row[0])
        assert all(len(sessions) == 1 for sessions in by_session.values()), column
    assert {row[5:8] for row in rows} == {(None, None, None)}
    assert {row[8] for row in rows} == {None, "(text)"}


def test_what_was_asked_for_is_finished_by_the_next_run(
    disturbed: Disturbed, tmp_path: Path
) -> None:
    """As if `walkhouse forget` had been killed when the request was written."""
    home = disturbed.installation.home
    before = {user: disturbed.rows_of(user) for user in (NEAR, SHORT, PREFIX)}
    (count,) = disturbed.installation.ask("select count(*) from facts.fct_item_events")[0]
    asked = ask(disturbed.settings, [REMOVED, "nobody"], is_removal=True)
    assert (len(asked.requests), asked.nobody) == (1, (2,))
    back = disturbed.walkhouse("rollback")
    assert back.returncode == 1, said(back)
    assert "to be forgotten" in said(back)
    status = json.loads(disturbed.walkhouse("status", "--json").stdout)
    assert status["to_forget"] == 1
    assert status["dumps"]["2026-03-01"] == "changed"
    # Late, and once more, they come again: nothing brings them back.
    late = disturbed.installation.landing / "events" / "dt=2026-03-04"
    late.mkdir()
    write_lines(
        late / "planted.ndjson",
        [*planted(AWKWARD, 2)[:3], event(REMOVED, 9, day=2), event("new", 10, day=2)],
        ascii_only=True,
    )
    run = disturbed.walkhouse("run")
    assert run.returncode == 0, said(run)
    assert traces(disturbed, tmp_path / "copied", REMOVED) == []
    assert traces_in_files(home, AWKWARD) == []
    assert {user: disturbed.rows_of(user) for user in before} == before
    assert disturbed.installation.ask("select count(*) from facts.fct_item_events") == [(count,)]
    assert disturbed.installation.ask(
        "select ignored, accepted, duplicate from meta.dump_ledger where dump_date = '2026-03-04'"
    ) == [(1, 1, 3)]
    assert disturbed.installation.ask(
        "select request, is_removal, dumps, events from meta.forgotten order by request"
    ) == [(1, False, 3, 10), (2, True, 2, 2)]
    assert all(each.finished_at for each in load_requests(home))


def test_a_full_rebuild_comes_to_the_same(disturbed: Disturbed, tmp_path: Path) -> None:
    old = disturbed.installation.home
    fresh = Installation(disturbed.installation.landing, tmp_path / "home")
    fresh.home.mkdir()
    for name in ("forgotten.json", "personal-key.fingerprint"):
        shutil.copy(old / name, fresh.home)
    run = fresh.walkhouse("run", WALKHOUSE_PERSONAL_KEY=KEY)
    assert run.returncode == 0, said(run)
    with duckdb.connect() as connection:
        for name, home in (("kept", old), ("fresh", fresh.home)):
            file = (home / "published" / "walkhouse.duckdb").resolve()
            connection.execute(f"attach '{file}' as {name} (read_only)")
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'fresh'"
        ).fetchall()
        for schema, table in set(tables) - OF_RUNS:
            for one, other in (("kept", "fresh"), ("fresh", "kept")):
                query = f"from {one}.{schema}.{table} except all from {other}.{schema}.{table}"
                assert connection.execute(query).fetchall() == [], (table, one)
