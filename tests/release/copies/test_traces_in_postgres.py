"""What a copy in PostgreSQL leaves on the disk of the server once somebody is gone from it.

The write-ahead log is left out: it is the server's, which recycles and archives it as it is told.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.release.copies.postgres import remove_traces, send_release
from dagster_project.release.copies.send import copies_behind, send_copies
from dagster_project.release.publish import current_release
from tests.postgres_server import PASSWORD, Server, running_server
from tests.release.copies.by_hand import FIRST, OWNER, SECOND, THIRD, publish_by_hand
from tests.whole.traces import byte_strings

GONE, LONG = "u-who-is-gone", "u-with-a-long-text"
TABLES = """
    create schema facts; create schema reports; create schema meta;
    create table facts.fct_item_events as
        select i as event_key, case when i % 3 = 0 then '{user}' else 'u-' || i end as end_user_id,
            case when i % 3 = 0 then repeat('{text} ', 2000) end as value,
            date '2026-03-01' + (i % 5)::int as event_date
        from range(600) as numbers (i);
    create table reports.rpt as select 1 as a;
    create table meta.release as select '{user}' as waivers;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


def traces(server: Server, database: str) -> set[str]:
    """The relations whose files hold who is gone."""
    sought = byte_strings(GONE) | byte_strings(LONG)
    held = {file.name for file in server.files(database) if any_in(file, sought)}
    names = dict(
        server.ask(
            database,
            "select pg_relation_filenode(oid)::text, oid::regclass::text from pg_class"
            " where pg_relation_filenode(oid) is not null",
        )
    )
    return {names.get(name, name) for name in held}


def any_in(file: Path, sought: set[bytes]) -> bool:
    content = file.read_bytes()
    return any(each in content for each in sought)


def send(published: Path, url: str) -> None:
    release = current_release(published)
    assert release
    send_release(url, published / "current", release, keep=1, installation=OWNER)


@pytest.mark.parametrize("owns_database", [True, False])
def test_no_file_of_the_database_holds_who_is_gone(
    server: Server, tmp_path: Path, owns_database: bool, caplog: pytest.LogCaptureFixture
) -> None:
    name = "owned" if owns_database else "granted"
    server.ask("postgres", f"create role {name} login password '{PASSWORD}' createrole")
    server.ask("postgres", f"create database {name}" + f" owner {name}" * owns_database)
    server.ask("postgres", f"grant create on database {name} to {name}")
    url = server.url(name, user=name)
    publish_by_hand(tmp_path, FIRST, TABLES.format(user=GONE, text=LONG))
    send(tmp_path, url)
    before = traces(server, name)
    assert {"facts.fct_item_events", "meta.release", "pg_statistic"} <= before, before
    publish_by_hand(tmp_path, SECOND, TABLES.format(user="p-1", text="(text)"))
    send(tmp_path, url)
    remove_traces(url, [SECOND], installation=OWNER)
    assert traces(server, name) == (set() if owns_database else {"pg_statistic"})
    says = "have the owner of the database run `vacuum (full) pg_catalog.pg_statistic`"
    assert (says in caplog.text) is not owns_database
    assert PASSWORD.split()[0] not in caplog.text


def publish_under(policies: str, published: Path, release_id: str) -> None:
    """A release of other policies, without who is gone."""
    folder = publish_by_hand(published, release_id, TABLES.format(user="p-1", text="(text)"))
    header = json.loads((folder / "release.json").read_text("utf-8"))
    header["treatment"] = policies
    (folder / "release.json").write_text(json.dumps(header), encoding="utf-8")


def test_nothing_of_other_policies_is_left(server: Server, tmp_path: Path) -> None:
    server.ask("postgres", "create database policies")
    url = server.url("policies")

    def sent() -> int:
        (state,) = send_copies([url], tmp_path, keep=1, installation=OWNER)
        assert state.problem is None
        assert copies_behind([url], tmp_path) == []
        table = "select pg_relation_filenode('facts.fct_item_events')"
        return int(server.ask("policies", table)[0][0])

    publish_by_hand(tmp_path, FIRST, TABLES.format(user=GONE, text=LONG))
    sent()
    assert traces(server, "policies")
    publish_under("a", tmp_path, SECOND)
    cleared = sent()
    assert traces(server, "policies") == set()
    # Readers wait once, and not with every release.
    publish_under("a", tmp_path, THIRD)
    assert sent() == cleared
    # Whoever was killed in between is made good by the next run.
    (tmp_path / ".clear-copies.json").unlink()
    assert copies_behind([url], tmp_path)
    assert sent() != cleared
