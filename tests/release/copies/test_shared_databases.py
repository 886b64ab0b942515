"""Copies in a database that other people use as well: their objects, views, settings and rights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from dagster_project.release.copies.postgres import columns, held_release, send_release, session
from dagster_project.release.copies.send import send_copies
from dagster_project.release.copies.target import CopyError
from tests.postgres_server import PASSWORD, Pooler, Server, running_pooler, running_server
from tests.release.copies.by_hand import ANOTHER, FIRST, OWNER, SECOND, header, publish_by_hand

TABLES = """
    create schema facts;
    create schema reports;
    create schema meta;
    create table facts.fct_visits as
    select date '2026-03-01' + (range % 2)::integer as event_date, 'visit ' || range as visit,
    range as number, 1.5::double as seconds from range(10);
    create table reports.rpt_visits as select 1::bigint as visits, 2::bigint as users;
    create table reports.rpt_old as select 1 as number;
    create table meta.release as select 'RELEASE' as release_id;
"""
NEXT = """
    update facts.fct_visits set number = number + 100 where event_date = '2026-03-02';
    update reports.rpt_visits set visits = 7;
"""
COUNTS = "select (select release_id from meta.release), (select sum(number) from facts.fct_visits)"
EARLIER, LATER = (FIRST, 45), (SECOND, 545)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


@pytest.fixture(scope="module")
def pooler(server: Server) -> Iterator[Pooler]:
    with running_pooler(server) as running:
        yield running


@pytest.fixture
def database(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database of the test's own, and no role left from the test before."""
    name = f"db_{abs(hash(request.node.name))}"
    server.ask("postgres", f"create database {name}")
    yield name
    server.ask("postgres", f"drop database {name} with (force)")
    for (role,) in server.ask(
        "postgres", "select rolname from pg_roles where rolname !~ '^(pg_|postgres$)'"
    ):
        server.ask("postgres", f'drop owned by "{role}"; drop role "{role}"')


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two releases, the later one current."""
    folder = tmp_path_factory.mktemp("published")
    publish_by_hand(folder, FIRST, TABLES.replace("RELEASE", FIRST))
    publish_by_hand(folder, SECOND, TABLES.replace("RELEASE", SECOND) + NEXT)
    return folder


def send(url: str, published: Path, release_id: str, installation: str = OWNER) -> None:
    folder = published / ".releases" / release_id
    send_release(url, folder, header(release_id), keep=3, installation=installation)


def everything(server: Server, database: str) -> list[tuple[object, ...]]:
    """Every object of the database with its rows' versions, rights and comments."""
    found = server.ask(
        database,
        "select relnamespace::regnamespace::text, relname, relkind::text, relacl::text,"
        " (select string_agg(attname || atttypid::text, ',') from pg_attribute"
        "  where attrelid = pg_class.oid and attnum > 0),"
        " obj_description(oid) from pg_class"
        " where relnamespace::regnamespace::text !~ '^(pg_|information_schema)'"
        " union all select nspname, nspacl::text, '', '', '', '' from pg_namespace"
        " where nspname !~ '^pg_'"
        " union all select proname, '', '', '', '', '' from pg_proc"
        " where pronamespace::regnamespace::text !~ '^(pg_|information_schema)'"
        " order by 1, 2, 3",
    )
    rows = [
        server.ask(database, f'select xmin::text, t::text from "{schema}"."{name}" as t order by 2')
        for schema, name, kind, *_ in found
        if kind == "r"
    ]
    return [*found, *map(tuple, rows)]


FOREIGN = {
    "table": "create table {} (id integer); insert into {} select generate_series(1, 10501)",
    "partitioned table": "create table {} (id integer) partition by range (id)",
    "view": "create view {} as select 1 as id",
    "materialized view": "create materialized view {} as select 1 as id",
    "sequence": "create sequence {}",
    "composite type": "create type {} as (id integer)",
    "enum": "create type {} as enum ('a')",
    "domain": "create domain {} as integer",
    "function": "create function {}() returns integer language sql as 'select 1'",
    "index": "create table facts.mine (id integer); create index fct_visits on facts.mine (id)",
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_somebody_else_made_is_named_and_left_as_it_is(
    server: Server, database: str, published: Path, kind: str
) -> None:
    server.ask(database, "create schema facts; " + FOREIGN[kind].replace("{}", "facts.fct_visits"))
    before = everything(server, database)
    with pytest.raises(CopyError, match=r"did not create them: \w[\w ]* facts\.fct_visits; give"):
        send(server.url(database), published, FIRST)
    assert everything(server, database) == before


@pytest.mark.parametrize("name", ["held", "slices", "tables"])
def test_a_schema_of_the_ledgers_name_that_is_somebody_elses_is_left_alone(
    server: Server, database: str, published: Path, name: str
) -> None:
    server.ask(database, f"create schema walkhouse; create table walkhouse.{name} (dog text)")
    before = everything(server, database)
    for attempt in (held_release, lambda url: send(url, published, FIRST)):
        with pytest.raises(CopyError, match=rf"did not create them: walkhouse\.{name}"):
            attempt(server.url(database))
    assert everything(server, database) == before


def test_other_objects_in_schemas_of_these_names_are_no_hindrance_and_no_business_of_readers(
    server: Server, database: str, published: Path
) -> None:
    server.ask(database, "create schema reports; create table reports.sales as select 7 as amount")
    for release_id in (FIRST, SECOND):
        send(server.url(database), published, release_id)
    assert server.ask(database, "table reports.sales") == [(7,)]
    allowed = "select has_table_privilege('walkhouse_reader', 'reports.{}', 'select')"
    assert server.ask(database, allowed.format("sales")) == [(False,)]
    assert server.ask(database, allowed.format("rpt_visits")) == [(True,)]


def test_a_table_that_took_the_place_of_ours_is_not_ours(
    server: Server, database: str, published: Path
) -> None:
    send(server.url(database), published, FIRST)
    server.ask(
        database,
        "alter table facts.fct_visits rename to was_ours;"
        " create table facts.fct_visits as table facts.was_ours",
    )
    before = everything(server, database)
    with pytest.raises(CopyError, match=r"did not create them: table facts\.fct_visits;"):
        send(server.url(database), published, SECOND)
    assert everything(server, database) == before
    server.ask(database, "drop table facts.fct_visits")
    send(server.url(database), published, SECOND)
    assert server.ask(database, COUNTS) == [LATER]
    assert server.ask(database, "select count(*) from facts.was_ours") == [(10,)]


def test_a_table_that_is_gone_from_the_release_is_dropped_only_where_it_is_ours(
    server: Server, database: str, published: Path, tmp_path: Path
) -> None:
    url = server.url(database)
    send(url, published, FIRST)
    server.ask(
        database, "drop table reports.rpt_old; create table reports.rpt_old as select 'mine'"
    )
    publish_by_hand(tmp_path, SECOND, TABLES + "drop table reports.rpt_old")
    send(url, tmp_path, SECOND)
    assert server.ask(database, "table reports.rpt_old") == [("mine",)]


ENTANGLED = {
    "refers to": "alter table reports.rpt_visits add primary key (visits);"
    " create table public.mine (id bigint references reports.rpt_visits on delete cascade);"
    " insert into public.mine values (1)",
    "inherits from": "create table public.mine () inherits (reports.rpt_visits);"
    " insert into public.mine values (1, 2)",
}


@pytest.mark.parametrize("how", ENTANGLED)
def test_rows_of_others_that_hang_on_ours_are_not_deleted_with_them(
    server: Server, database: str, published: Path, how: str
) -> None:
    send(server.url(database), published, FIRST)
    server.ask(database, ENTANGLED[how])
    before = everything(server, database)
    with pytest.raises(CopyError, match=rf"table public\.mine {how} reports\.rpt_visits"):
        send(server.url(database), published, SECOND)
    assert everything(server, database) == before


def test_a_copy_belongs_to_the_installation_that_sent_first(
    server: Server, database: str, published: Path
) -> None:
    url = server.url(database)
    send(url, published, FIRST, OWNER)
    before = everything(server, database)
    with pytest.raises(CopyError, match=f"{OWNER}.*delete from walkhouse.held") as raised:
        send(url, published, SECOND, ANOTHER)
    assert ANOTHER in str(raised.value)
    assert everything(server, database) == before
    server.ask(database, "delete from walkhouse.held")
    send(url, published, SECOND, ANOTHER)
    with pytest.raises(CopyError, match=f"belongs to another installation .{ANOTHER}"):
        send(url, published, SECOND, OWNER)


def test_a_copy_of_an_earlier_version_is_taken_over_with_its_tables(
    server: Server, database: str, published: Path
) -> None:
    url = server.url(database)
    send(url, published, FIRST)
    server.ask(
        database,
        "alter table walkhouse.held drop column installation; drop table walkhouse.tables",
    )
    assert held_release(url) == FIRST
    send(url, published, SECOND)
    assert server.ask(database, COUNTS) == [LATER]
    assert server.ask(database, "table walkhouse.held") == [(SECOND, OWNER)]


VIEWS = """
    create schema analysts;
    create view analysts.daily as select event_date, sum(number) from facts.fct_visits group by 1;
    create materialized view analysts.kept as select visits from reports.rpt_visits;
    create view reports.mine as select * from reports.rpt_visits
"""


def test_views_of_readers_go_on_where_their_columns_stay(
    server: Server, database: str, published: Path, tmp_path: Path
) -> None:
    url = server.url(database)
    send(url, published, FIRST)
    server.ask(database, VIEWS)
    changed = (
        "alter table facts.fct_visits add column mood varchar default 'calm';"
        "alter table facts.fct_visits drop column seconds"
    )
    publish_by_hand(tmp_path, SECOND, TABLES.replace("RELEASE", SECOND) + NEXT + changed)
    send(url, tmp_path, SECOND)
    assert server.ask(database, "select sum(sum)::bigint from analysts.daily") == [(545,)]
    assert server.ask(database, "table reports.mine") == [(7, 2)]
    assert server.ask(database, "select distinct mood from facts.fct_visits") == [("calm",)]


LOST = {
    "a column that went": (
        "alter table facts.fct_visits drop column number;"
        "alter table reports.rpt_visits drop column visits",
        r"facts\.fct_visits\.number is not in this release, and is used by view analysts\.daily; "
        r"reports\.rpt_visits\.visits .* mat.* view analysts\.kept, view reports\.mine\. Drop",
    ),
    "another type": (
        "alter table reports.rpt_visits alter visits type varchar",
        r"reports\.rpt_visits\.visits has another type now, and is used by mat.* analysts\.kept",
    ),
    "a table that went": (
        "drop table reports.rpt_visits",
        r"reports\.rpt_visits is not in this release, and is used by materialized view",
    ),
}


@pytest.mark.parametrize("what", LOST)
def test_views_that_need_what_went_are_named_and_nothing_is_changed(
    server: Server, database: str, published: Path, tmp_path: Path, what: str
) -> None:
    url = server.url(database)
    send(url, published, FIRST)
    server.ask(database, VIEWS)
    statements, message = LOST[what]
    new = "alter table facts.fct_visits add column mood varchar;"
    publish_by_hand(tmp_path, SECOND, TABLES.replace("RELEASE", SECOND) + new + statements)
    before = everything(server, database)
    with pytest.raises(CopyError, match=message):
        send(url, tmp_path, SECOND)
    assert everything(server, database) == before
    server.ask(database, "drop schema analysts cascade; drop view reports.mine")
    send(url, tmp_path, SECOND)
    assert held_release(url) == SECOND


def test_a_copy_that_is_cut_leaves_no_trace_of_the_new_columns(
    server: Server, database: str, published: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.url(database)
    send(url, published, FIRST)
    new = "alter table facts.fct_visits add column mood varchar; drop table reports.rpt_old"
    publish_by_hand(tmp_path, SECOND, TABLES.replace("RELEASE", SECOND) + new)
    monkeypatch.setattr(columns, "_TRIES", 1)
    before = everything(server, database)
    with closing(psycopg.connect(url)) as reader:
        reader.execute("select * from reports.rpt_old")
        with pytest.raises(CopyError, match=r"reports\.rpt_old: its columns changed"):
            send(url, tmp_path, SECOND)
    assert everything(server, database) == before


SETTINGS = {
    "statement_timeout": "1ms",
    "idle_in_transaction_session_timeout": "1ms",
    "idle_session_timeout": "1s",
    "lock_timeout": "1ms",
    "search_path": "evil, pg_catalog",
    "role": "nobody",
    "default_transaction_read_only": "on",
    "default_transaction_isolation": "serializable",
    "DateStyle": "SQL, DMY",
    "TimeZone": "Asia/Tokyo",
    "IntervalStyle": "sql_standard",
    "client_encoding": "LATIN1",
    "standard_conforming_strings": "off",
    "extra_float_digits": "-15",
    "lc_messages": "C",
}
EVIL = """
    create schema evil;
    create function evil.hashtext(text) returns integer language sql as 'select 1/0';
    create function evil.format_type(oid, integer) returns integer language sql as 'select 1/0';
    create view evil.pg_class as select 1 as nothing
"""


@pytest.mark.parametrize(
    ("name", "where"),
    [*((name, "role loader") for name in SETTINGS), ("all", "role loader"), ("all", "database")],
)
def test_settings_of_the_account_and_the_database_change_nothing(
    server: Server, database: str, published: Path, name: str, where: str
) -> None:
    server.ask("postgres", "create role nobody; create role loader login createrole password 'pw'")
    server.ask("postgres", f"grant nobody to loader; grant create on database {database} to loader")
    server.ask(database, EVIL + "; grant usage on schema evil to public")
    settings = SETTINGS if name == "all" else {name: SETTINGS[name]}
    for each, value in settings.items():
        if each == "role" and where == "database":
            continue
        quoted = value if each == "search_path" else f"'{value}'"
        place = where if where != "database" else f"database {database}"
        server.ask("postgres", f"alter {place} set {each} = {quoted}")
    url = server.url(database, user="loader", password="pw")
    for release_id in (FIRST, SECOND):
        send(url, published, release_id)
        assert held_release(url) == release_id
    server.ask("postgres", f"alter database {database} reset all")  # the test asks as well
    visits = server.ask(
        database, "select visit, to_char(event_date, 'YYYY-MM-DD') from facts.fct_visits"
    )
    assert len(visits) == 10
    assert ("visit 3", "2026-03-02") in visits


def test_a_timeout_that_cuts_the_first_message_short_is_no_failure(
    server: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A sequence counts the tries, also those that are rolled back; the first three are slow.
    server.ask(database, "create sequence public.tries")
    server.ask("postgres", f"alter database {database} set statement_timeout = '50ms'")
    slow = "select pg_sleep(case when nextval('public.tries') <= 3 then 10 else 0 end);"
    monkeypatch.setattr(session, "_BEGIN", session._BEGIN.replace(";", f"; {slow}", 1))
    assert held_release(server.url(database)) is None
    assert server.ask(database, "select last_value from public.tries") == [(4,)]


def test_it_works_behind_a_pooler_that_gives_each_transaction_another_session(
    server: Server, pooler: Pooler, database: str, published: Path, tmp_path: Path
) -> None:
    url = pooler.url(database)
    publish_by_hand(
        tmp_path,
        SECOND,
        TABLES.replace("RELEASE", SECOND) + "alter table facts.fct_visits add x int",
    )
    for folder, release_id in ((published, FIRST), (tmp_path, SECOND), (published, FIRST)):
        send(url, folder, release_id)
        assert held_release(url) == release_id
    assert server.ask(database, COUNTS) == [EARLIER]
    with psycopg.connect(url, prepare_threshold=None) as after:  # nothing of ours is left behind
        shown = [
            after.execute(f"show {name}".encode()).fetchone() for name in ("role", "lock_timeout")
        ]
    assert shown == [("none",), ("0",)]


def modest(server: Server, database: str) -> str:
    """The URL of an account without any right, but to connect."""
    server.ask("postgres", "create role modest login password 'pw'")
    return server.url(database, user="modest", password="pw")


def test_an_account_that_lacks_rights_is_told_all_of_them_as_statements(
    server: Server, database: str, published: Path
) -> None:
    url = modest(server, database)
    server.ask(database, "create schema facts; create schema meta")
    with pytest.raises(CopyError, match="this account lacks rights; have somebody") as raised:
        send(url, published, FIRST)
    statements = str(raised.value).split(" run: ")[1].split("; ")
    assert statements == [
        "create role walkhouse_reader nologin",
        f"grant create on database {database} to modest",
        "grant usage, create on schema facts to modest",
        "grant usage, create on schema meta to modest",
        "grant usage on schema facts to walkhouse_reader",
        "grant usage on schema meta to walkhouse_reader",
    ]
    server.ask(database, "; ".join(statements))
    for release_id in (FIRST, SECOND):
        send(url, published, release_id)
    assert server.ask(database, COUNTS) == [LATER]


def test_with_all_schemas_and_the_role_made_before_no_right_on_the_database_is_needed(
    server: Server, database: str, published: Path
) -> None:
    url = modest(server, database)
    server.ask("postgres", "create role walkhouse_reader nologin")
    for schema in ("facts", "reports", "meta", "walkhouse"):
        server.ask(database, f"create schema {schema} authorization modest")
    send(url, published, FIRST)
    server.ask("postgres", "create role analyst login password 'pw' in role walkhouse_reader")
    assert server.ask(database, COUNTS, user="analyst", password="pw") == [EARLIER]


def test_tables_that_another_account_of_the_installation_made_are_named(
    server: Server, database: str, published: Path
) -> None:
    send(server.url(database), published, FIRST)
    url = modest(server, database)
    server.ask(database, f"grant create on database {database} to modest")
    for schema in ("facts", "reports", "meta", "walkhouse"):
        server.ask(database, f"grant usage, create on schema {schema} to modest")
        server.ask(database, f"grant all on all tables in schema {schema} to modest")
    with pytest.raises(
        CopyError, match=r"run: alter table facts\.fct_visits owner to modest; alter"
    ):
        send(url, published, SECOND)


FUNCTION = (
    "create function meddle() returns trigger language plpgsql as 'begin {}; return new; end'"
)
TRIGGER = "create trigger meddle before insert on {} for each row execute function meddle()"
ACCIDENTS = {
    "unique": ["create unique index on facts.fct_visits ((number > 100)) where number > 100"],
    "check": ["alter table facts.fct_visits add check (number < 100)"],
    "type": [
        FUNCTION.format("perform new.visit::integer"),
        TRIGGER.format("facts.fct_visits"),
    ],
}


@pytest.mark.parametrize("kind", ACCIDENTS)
def test_what_the_database_says_of_rows_is_not_repeated(
    server: Server, database: str, published: Path, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    url = server.url(database)
    send(url, published, FIRST)
    for statement in ACCIDENTS[kind]:
        server.ask(database, statement)
    (state,) = send_copies([url], published, keep=3, installation=OWNER)
    assert state.problem is not None
    assert "facts.fct_visits: a value was refused" in state.problem
    shown = f"{state} {caplog.text}"
    for word in ("visit 3", "visit 1", "DETAIL", "CONTEXT", "line 1", PASSWORD):
        assert word not in shown


def test_a_database_without_room_says_so_and_keeps_what_it_had(
    server: Server, database: str, published: Path
) -> None:
    url = server.url(database)
    send(url, published, FIRST)
    full = (
        "raise disk_full using message = ''could not extend file: No space left on device'',"
        " detail = ''row visit 3'', hint = ''Check.''"
    )
    server.ask(database, FUNCTION.format(full))
    server.ask(database, TRIGGER.format("meta.release"))
    with pytest.raises(CopyError, match=r"^could not extend file: No space left on device$"):
        send(url, published, SECOND)
    assert server.ask(database, COUNTS) == [EARLIER]


@pytest.mark.parametrize("password", ["correct-horse", "p@ss/w?rd #1", "100%25"])
def test_no_error_shows_a_password_however_it_is_written(
    server: Server, database: str, password: str
) -> None:
    written = quote(password, safe="")
    for url in (
        f"postgres://postgres:{written}@127.0.0.1:{server.port}/{database}",
        f"postgres://postgres@127.0.0.1:{server.port}/{database}?password={written}",
        f"postgres://postgres:{written}@127.0.0.1:1/{database}",
        f"postgres://postgres:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{server.port}/{PASSWORD}",
    ):
        with pytest.raises(CopyError) as raised:
            held_release(url)
        for secret in (password, quote(password), written, PASSWORD):
            assert secret not in str(raised.value)
