"""Copies of a release in a real PostgreSQL: what readers see, and what is sent."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from dagster_project.personal_data import load_tables
from dagster_project.release.copies.postgres import columns, held_release, send_release
from dagster_project.release.copies.send import send_copies
from dagster_project.release.copies.target import CopyError
from dagster_project.release.publish import releases
from tests.postgres_server import PASSWORD, Server, running_server
from tests.release.copies.by_hand import OWNER
from tests.release.page.test_page import spoiled
from tests.releases import Published

Rows = Counter[tuple[Any, ...]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


@pytest.fixture
def database(server: Server, request: pytest.FixtureRequest) -> str:
    """An empty database of the test's own."""
    name = f"db_{abs(hash(request.node.name))}"
    server.ask("postgres", f"create database {name}")
    return name


@pytest.fixture(scope="module")
def template(server: Server, published_twice: Published) -> str:
    """A database that holds the first release."""
    server.ask("postgres", "create database db_first")
    send(server.url("db_first"), published_twice, published_twice.first)
    return "db_first"


@pytest.fixture
def with_first(server: Server, template: str, request: pytest.FixtureRequest) -> str:
    """A database of the test's own that holds the first release; to send it takes longer."""
    name = f"db_{abs(hash(request.node.name))}"
    server.ask("postgres", f"create database {name} template {template}")
    return name


def send(url: str, published: Published, release_id: str) -> dict[str, int]:
    header = next(each for each in releases(published.folder) if each.release_id == release_id)
    folder = published.release(release_id)
    return dict(send_release(url, folder, header, keep=3, installation=OWNER))


def in_release(file: Path) -> dict[str, Rows]:
    """Every row of every table."""
    with duckdb.connect(str(file), read_only=True) as release:
        tables = release.execute("select schema_name, table_name from duckdb_tables()").fetchall()
        return {
            f"{schema}.{table}": Counter(
                release.execute(f"select * from {schema}.{table}").fetchall()
            )
            for schema, table in tables
        }


def in_copy(server: Server, database: str, like: dict[str, Rows], file: Path) -> dict[str, Rows]:
    """The same of a copy, columns in the order of the release."""
    tables = {
        f"{schema}.{table}"
        for schema, table in server.ask(
            database,
            "select schemaname, tablename from pg_tables"
            " where schemaname in ('facts', 'reports', 'meta')",
        )
    }
    assert tables == set(like)
    found = {}
    with duckdb.connect(str(file), read_only=True) as release:
        for table in tables:
            described = release.execute(f"describe {table}").fetchall()
            columns = ", ".join(f'"{row[0]}"' for row in described)
            found[table] = Counter(server.ask(database, f"select {columns} from {table}"))
    return found


def assert_copy_equals(server: Server, database: str, file: Path) -> None:
    expected = in_release(file)
    found = in_copy(server, database, expected, file)
    for table, rows in expected.items():
        assert found[table] == rows, table


def test_every_table_and_comment_is_that_of_the_release(
    server: Server, database: str, published: Published
) -> None:
    url = server.url(database)
    assert held_release(url) is None
    sent = send(url, published, published.second)
    file = published.release(published.second) / "walkhouse.duckdb"
    assert_copy_equals(server, database, file)
    assert held_release(url) == published.second
    assert sent["rows"] == sum(
        rows.total()
        for name in (file, file.with_name("walkhouse-reports.duckdb"))
        for rows in in_release(name).values()
    )
    comments = published.ask(
        "select schema_name || '.' || table_name, '', comment from duckdb_tables()"
        " union all select schema_name || '.' || table_name, column_name, comment"
        " from duckdb_columns() where not internal"
    )
    described = server.ask(
        database,
        "select relnamespace::regnamespace || '.' || relname, coalesce(attname, ''), description"
        " from pg_description join pg_class on pg_class.oid = objoid"
        " left join pg_attribute on attrelid = objoid and attnum = objsubid and attnum > 0"
        " where relnamespace::regnamespace::text in ('facts', 'reports', 'meta')"
        " and classoid = 'pg_class'::regclass and relkind = 'r'",
    )
    assert set(described) == set(comments)
    said = {(table, column): str(comment) for table, column, comment in described if column}
    for table in load_tables():
        for column in table.columns:
            comment = said[f"{table.schema}.{table.name}", column.name]
            assert comment.endswith(f" Personal data: {column.personal_data}."), column
    assert said["meta.release", "waivers"].endswith(" Personal data: direct.")


def test_whatever_users_write_arrives_as_it_is(
    server: Server, database: str, published: Published, tmp_path: Path
) -> None:
    folder = published.release(published.second)
    spoiled(published, tmp_path / "spoiled.duckdb")
    with duckdb.connect(str(tmp_path / "spoiled.duckdb")) as release:
        release.execute(
            """
            create table reports.texts (position bigint, text varchar, number double);
            insert into reports.texts values
            (1, 'tab\t and \\t, new\nline and \\n, \r, \\N, \\.', 'nan'),
            (2, E'\\\\.', 'inf'), (3, E'before\n\\\\.\nafter', '-inf'), (4, '', 1e-310),
            (5, null, 0.1), (6, '\\N', 1e308), (7, '"quoted",''', -0.0), (8, '👩‍👩‍👧 عنوان', 1/3)
            """
        )
    shutil.move(tmp_path / "spoiled.duckdb", folder / "walkhouse.duckdb")
    send(server.url(database), published, published.second)

    def without_nul(row: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            each.replace("\u0000", "\u2400") if isinstance(each, str) else repr(each)
            for each in row
        )

    for table in ("reports.texts", "reports.rpt_flows", "reports.rpt_searches"):
        with duckdb.connect(str(folder / "walkhouse.duckdb"), read_only=True) as release:
            expected = Counter(map(without_nul, release.execute(f"from {table}").fetchall()))
        assert Counter(map(without_nul, server.ask(database, f"table {table}"))) == expected


@pytest.mark.long
def test_only_the_dates_that_changed_are_sent(
    server: Server, database: str, published: Published
) -> None:
    url = server.url(database)
    sent_first = send(url, published, published.first)
    written = "select event_key, event_date, xmin::text from facts.fct_item_events"
    before = {key: xmin for key, _, xmin in server.ask(database, written)}
    sent = send(url, published, published.second)
    after = server.ask(database, written)
    touched = {date for key, date, xmin in after if before.get(key) != xmin}
    kept = {date for _, date, _ in after} - touched
    assert touched
    assert kept
    first, second = (
        in_release(published.release(each) / "walkhouse.duckdb")
        for each in (published.first, published.second)
    )
    date = published.ask(
        "select column_index from duckdb_columns()"
        " where table_name = 'fct_item_events' and column_name = 'event_date'"
    )[0][0]
    then, now = first["facts.fct_item_events"], second["facts.fct_item_events"]
    changed = {row[date - 1] for row in (then - now) + (now - then)}
    assert touched == changed
    assert 0 < sent["rows"] < sent_first["rows"]
    assert_copy_equals(server, database, published.release(published.second) / "walkhouse.duckdb")
    assert send(url, published, published.second) == {"rows": 0, "tables": 0}


@pytest.mark.long
def test_a_copy_can_go_back_and_forth(server: Server, database: str, published: Published) -> None:
    url = server.url(database)
    for release_id in (published.second, published.first, published.second):
        send(url, published, release_id)
        assert held_release(url) == release_id
        assert_copy_equals(server, database, published.release(release_id) / "walkhouse.duckdb")


def test_a_reader_in_a_long_transaction_keeps_its_release_and_blocks_nobody(
    server: Server, with_first: str, published: Published
) -> None:
    # A lock that is waited for is an error here, on either side.
    impatient = "?options=-c%20lock_timeout%3D1000"
    old = in_release(published.release(published.first) / "walkhouse.duckdb")
    with closing(psycopg.connect(server.url(with_first) + impatient)) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        assert reader.execute("select release_id from meta.release").fetchall() == [
            (published.first,)
        ]
        send(server.url(with_first) + impatient, published, published.second)
        assert server.ask(with_first, "select release_id from meta.release") == [
            (published.second,)
        ]
        for table in ("facts.fct_item_events", "reports.rpt_items_daily", "meta.dump_ledger"):
            seen = reader.execute(f"select * from {table}".encode()).fetchall()
            assert Counter(seen) == old[table]


@pytest.mark.long
def test_readers_that_poll_while_releases_switch_see_whole_ones(
    server: Server, with_first: str, published: Published
) -> None:
    url = server.url(with_first)
    whole = {
        release_id: tuple(
            len(list(in_release(published.release(release_id) / "walkhouse.duckdb")[table]))
            for table in ("facts.fct_item_events", "facts.fct_sessions")
        )
        for release_id in (published.first, published.second)
    }
    seen: list[tuple[str, tuple[int, int]]] = []
    done = threading.Event()
    failures: list[BaseException] = []

    def poll() -> None:
        try:
            with psycopg.connect(url, autocommit=True) as reader:
                while not done.is_set():
                    row = reader.execute(
                        "select (select release_id from meta.release),"
                        " (select count(*) from facts.fct_item_events),"
                        " (select count(*) from facts.fct_sessions)"
                    ).fetchall()[0]
                    seen.append((row[0], (row[1], row[2])))
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=poll) for _ in range(2)]
    for thread in readers:
        thread.start()
    for release_id in (published.second, published.first, published.second):
        send(url, published, release_id)
    done.set()
    for thread in readers:
        thread.join()
    assert failures == []
    assert {release_id for release_id, _ in seen} == set(whole)
    assert all(counts == whole[release_id] for release_id, counts in seen)


@pytest.mark.long
@pytest.mark.parametrize(
    ("accident", "said"),
    [
        ("raise exception 'no space left on device'", "no space left on device"),
        ("perform pg_terminate_backend(pg_backend_pid())", "terminating connection"),
    ],
)
def test_a_copy_that_breaks_off_leaves_the_old_release_and_the_next_mends_it(
    server: Server, with_first: str, published: Published, accident: str, said: str
) -> None:
    url = server.url(with_first)
    server.ask(
        with_first,
        f"create function accident() returns trigger language plpgsql as"
        f" 'begin {accident.replace(chr(39), chr(39) * 2)}; return new; end';"
        " create trigger accident before insert on meta.release"
        " for each row execute function accident()",
    )
    with pytest.raises(CopyError, match=said):
        send(url, published, published.second)
    assert held_release(url) == published.first
    assert_copy_equals(server, with_first, published.release(published.first) / "walkhouse.duckdb")
    server.ask(with_first, "drop trigger accident on meta.release")
    send(url, published, published.second)
    assert_copy_equals(server, with_first, published.release(published.second) / "walkhouse.duckdb")


def test_the_reader_of_reports_reads_the_second_file_and_nothing_else(
    server: Server, with_first: str, published: Published
) -> None:
    send(server.url(with_first), published, published.second)
    server.ask("postgres", "drop role if exists clerk")
    server.ask("postgres", "create role clerk login password 'pw' in role walkhouse_report_reader")
    clerk = {"user": "clerk", "password": "pw"}
    expected = {
        name.replace(".", "_", 1).partition("_")[2]: rows
        for name, rows in in_release(
            published.release(published.second) / "walkhouse-reports.duckdb"
        ).items()
    }
    assert {"rpt_sessions_daily", "dim_items", "release"} < expected.keys()
    for table, rows in expected.items():
        found = server.ask(with_first, f"select count(*) from walkhouse_reports.{table}", **clerk)
        assert found == [(rows.total(),)], table
    for schema, table in published.tables():
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            server.ask(with_first, f"select 1 from {schema}.{table}", **clerk)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        server.ask(with_first, "delete from walkhouse_reports.release", **clerk)
    (published.release(published.first) / "walkhouse-reports.duckdb").unlink()
    send(server.url(with_first), published, published.first)  # of an earlier version: it has none
    assert not server.ask(
        with_first, "select 1 from pg_tables where schemaname = 'walkhouse_reports'"
    )


def test_the_reader_reads_the_published_schemas_and_nothing_else(
    server: Server, with_first: str, published: Published
) -> None:
    server.ask(with_first, "create schema secret; create table secret.salaries (amount integer)")
    send(server.url(with_first), published, published.second)
    server.ask("postgres", "drop role if exists analyst")
    server.ask("postgres", "create role analyst login password 'pw' in role walkhouse_reader")
    analyst = {"user": "analyst", "password": "pw"}
    for schema, table in published.tables():
        server.ask(with_first, f"select count(*) from {schema}.{table}", **analyst)
    for forbidden in (
        "select * from secret.salaries",
        "select * from walkhouse.held",
        "select * from walkhouse.slices",
        "delete from facts.fct_item_events",
        "insert into meta.release select * from meta.release",
        "update reports.rpt_flows set plays = 0",
        "truncate facts.fct_sessions",
        "create table facts.mine (number integer)",
        "create table public.mine (number integer)",
        "drop table facts.fct_sessions",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            server.ask(with_first, forbidden, **analyst)


def altered(published: Published, release_id: str, statements: str) -> Path:
    """Change the file of a release."""
    file = published.release(release_id) / "walkhouse.duckdb"
    with duckdb.connect(str(file)) as release:
        release.execute(statements)
    return file


CHANGES = """
    alter table facts.fct_sessions add column mood varchar;
    update facts.fct_sessions set mood = 'calm';
    comment on column facts.fct_sessions.mood is 'How it went.';
    alter table facts.fct_launchers drop column clicks;
    alter table reports.rpt_flows alter column plays type varchar;
    comment on column reports.rpt_flows.plays is 'A text now.';
    alter table meta.dump_ledger rename column bytes to size;
    drop table reports.rpt_tasks;
    drop table meta.invariant_violations;
    create table reports.rpt_moods as select 'calm' as mood, 12.34::decimal(9, 2) as score
"""


@pytest.mark.long
def test_columns_and_tables_that_changed_change_in_the_copy(
    server: Server, with_first: str, published: Published
) -> None:
    url = server.url(with_first)
    launchers = Counter(server.ask(with_first, "select item_id from facts.fct_launchers"))
    file = altered(published, published.second, CHANGES)
    with closing(psycopg.connect(url)) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.execute("select 1 from meta.release")
        send(url, published, published.second)
        # What it has not touched yet is still there for it, less the column that is gone.
        held = reader.execute("select item_id from facts.fct_launchers").fetchall()
        assert Counter(held) == launchers
    assert_copy_equals(server, with_first, file)
    assert server.ask(
        with_first,
        "select col_description('reports.rpt_flows'::regclass, attnum), atttypid::regtype::text"
        " from pg_attribute where attrelid = 'reports.rpt_flows'::regclass and attname = 'plays'",
    ) == [("A text now.", "text")]
    send(url, published, published.first)
    assert_copy_equals(server, with_first, published.release(published.first) / "walkhouse.duckdb")


def test_a_change_of_columns_gives_up_rather_than_make_readers_queue(
    server: Server, with_first: str, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(columns, "_TRIES", 2)
    monkeypatch.setattr(columns, "_PAUSE_SECONDS", 0)
    url = server.url(with_first)
    file = altered(published, published.second, CHANGES)
    with closing(psycopg.connect(url)) as reader:
        reader.execute("select count(*) from facts.fct_launchers")
        with pytest.raises(CopyError, match=r"facts\.fct_launchers: its columns changed"):
            send(url, published, published.second)
        assert server.ask(with_first, "select release_id from meta.release") == [(published.first,)]
    send(url, published, published.second)
    assert_copy_equals(server, with_first, file)


def test_two_senders_at_once_do_not_mix(
    server: Server, database: str, published: Published
) -> None:
    url = server.url(database)
    with psycopg.connect(url) as other:
        other.execute("select pg_advisory_xact_lock(hashtext('walkhouse copy'))")
        with pytest.raises(CopyError, match="another process is sending"):
            send(url, published, published.second)


def test_errors_say_what_to_do_and_no_password(
    server: Server, database: str, published: Published
) -> None:
    server.ask("postgres", "drop role if exists modest")
    server.ask("postgres", "create role modest login password 'pw of modest'")
    server.ask("postgres", f"grant all on database {database} to modest")
    for url, secret, message in (
        (server.url(database, password="wrong one"), "wrong one", "password authentication failed"),
        (server.url("nowhere"), PASSWORD, 'database "nowhere" does not exist'),
        (f"postgres://me:{'hidden'}@127.0.0.1:1/x", "hidden", "refused"),
        ("postgres://me:hidden@127.0.0.1:port/x?nonsense=1", "hidden", "URL cannot be read"),
    ):
        with pytest.raises(CopyError, match=message) as raised:
            held_release(url)
        assert secret not in str(raised.value)
    for reader in ("walkhouse_reader", "walkhouse_report_reader"):
        if server.ask("postgres", f"select 1 from pg_roles where rolname = '{reader}'"):
            for (name,) in server.ask(
                "postgres", "select datname from pg_database where datname like 'db_%'"
            ):
                server.ask(name, f"drop owned by {reader}")
            server.ask("postgres", f"drop role {reader}")
    modest = server.url(database, user="modest", password="pw of modest")
    statements = "create role walkhouse_reader nologin; create role walkhouse_report_reader nologin"
    with pytest.raises(CopyError, match=statements):
        send(modest, published, published.second)
    server.ask("postgres", statements)
    send(modest, published, published.second)
    assert held_release(modest) == published.second


def test_copies_go_to_every_database_and_one_that_fails_keeps_none_back(
    server: Server, database: str, published: Published
) -> None:
    urls = [server.url("nowhere"), server.url(database)]
    failed, sent = send_copies(urls, published.folder, keep=3, installation=OWNER)
    assert failed.problem is not None
    assert "nowhere" in failed.problem
    assert PASSWORD not in repr(failed)
    assert sent.release_id == published.second
    assert sent.sent is not None
    assert sent.sent["rows"] > 0
