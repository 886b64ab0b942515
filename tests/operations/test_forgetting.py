"""Asking to forget people, and what is left to do until they are."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner, Result

from dagster_project.cli import cli
from dagster_project.forgotten import FILE, RequestsError, load_requests
from dagster_project.ingest.dumps import (
    ingest_connection,
    pending_dumps,
    reader_digest,
    take_in_dump,
    write_schema,
)
from dagster_project.ingest.lake import Lake
from dagster_project.ingest.landing import Landing
from dagster_project.keyed_hash import FINGERPRINT_FILE, KeyRefusedError
from dagster_project.operations.forgetting import ask, finish, still_shown
from dagster_project.registry import definitions_of
from dagster_project.release.publish import releases
from dagster_project.release.state import policy_of
from dagster_project.settings import Settings
from tests.operations.test_export import event
from tests.release.copies.by_hand import FIRST, SECOND, THIRD, publish_by_hand

KEY = "a key that is long enough for the tests"
ASKED, OTHER = 'jürgen "j" o\'neil', "u-2"
SYSTEM = "system-of-one"
TABLES = """
    create schema facts; create schema meta;
    create table facts.fct_item_events as
        from (values ('k1', $a$ASKED$a$, 's', '/x'), ('k2', 'u-2', 's', '/people/u-22'))
        as events (event_key, end_user_id, system_id, page_path);
    create table meta.quarantine as select 'torn' as reason, '{"a": 1' as line;
    create table facts.dim_end_users as
        from (values ($a$ASKED$a$, 'p'), ('u-2', 'q'), ('browser-3', 'p'))
        as users (end_user_id, person_id);
"""
DAYS = [date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 3)]


def in_system(user: str, system: str, oid: int) -> str:
    record = json.loads(event(user, oid=oid))
    record["wm"]["uId"] = system
    return json.dumps(record)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return prepared(tmp_path)


def prepared(tmp_path: Path) -> Settings:
    """A home with three dumps, of which two hold somebody, and two releases, of which one does."""
    landing = tmp_path / "landing"
    dumps: Mapping[date, list[str]] = {
        DAYS[0]: [event(ASKED), event(OTHER), in_system("u-3", SYSTEM, 3)],
        DAYS[1]: [event(OTHER, oid=2), in_system("u-3", "another", 4)],
        DAYS[2]: [event(OTHER, oid=5), event(ASKED)[:-2] + ","],
    }
    for day, lines in dumps.items():
        folder = landing / "events" / f"dt={day}"
        folder.mkdir(parents=True)
        (folder / "a.ndjson").write_text("\n".join(lines), encoding="utf-8")
    settings = Settings(landing=str(landing), home=tmp_path / "home", personal_key=KEY, threads=1)
    read(settings)
    tables = TABLES.replace("ASKED", ASKED)
    publish_by_hand(settings.published, FIRST, tables.replace(ASKED, "u-4"))
    publish_by_hand(settings.published, SECOND, tables)
    return settings


def read(settings: Settings) -> dict[date, str]:
    """Take in what is pending; gives the fingerprints of all dumps."""
    definitions = definitions_of(settings)
    lake, landing = Lake(settings.lake), Landing(settings.landing)
    lake.prepare()
    with ingest_connection(
        definitions, threads=1, memory_limit="1GB", scratch=settings.scratch
    ) as connection:
        write_schema(connection, lake)
        for day, dump in landing.look().dumps.items():
            take_in_dump(
                *(landing, lake, dump, day, connection, definitions), scratch=settings.scratch
            )
    return {day: dump.fingerprint for day, dump in lake.dumps().items()}


def changed(settings: Settings) -> tuple[date, ...]:
    """The dumps that have to be read again."""
    definitions = definitions_of(settings)
    return pending_dumps(
        Landing(settings.landing).look().dumps,
        Lake(settings.lake).dumps(),
        reader=reader_digest(definitions),
        treatment=definitions.treatment,
    ).changed


def command(settings: Settings, *arguments: str, **variables: str) -> Result:
    environment = settings.environment() | variables
    return CliRunner(env=environment).invoke(cli, ["forget", *arguments])


def nothing(_: Any) -> list[str]:
    return []


def publish_without_them(settings: Settings, release_id: str = THIRD) -> None:
    """What a run publishes when all dumps are read again."""
    folder = publish_by_hand(settings.published, release_id, "create table t as select 1 as a")
    header = json.loads((folder / "release.json").read_text("utf-8"))
    header["requests_known"] = len(load_requests(settings.home))
    (folder / "release.json").write_text(json.dumps(header), encoding="utf-8")


def test_only_what_holds_somebody_is_read_again_and_nothing_is_published_before(
    settings: Settings,
) -> None:
    before, policy = read(settings), policy_of(settings)
    assert policy == ""
    asked = ask(settings, [ASKED])
    assert asked.landed == ("events/dt=2026-03-01/a.ndjson", "events/dt=2026-03-03/a.ndjson")
    assert asked.other_ids == ("browser-3",)
    (request,) = load_requests(settings.home)
    assert request.dumps == (DAYS[0], DAYS[2])
    assert request.releases == (SECOND,)
    assert ASKED not in (settings.home / FILE).read_text(encoding="utf-8")
    assert changed(settings) == (DAYS[0], DAYS[2])
    assert [reason.split()[1] for reason in still_shown(settings)] == ["2026-03-01", "2026-03-03"]
    assert finish(settings, (), nothing) == still_shown(settings)
    assert policy_of(settings) != policy
    after = read(settings)
    assert changed(settings) == ()
    assert still_shown(settings) == []
    assert [before[day] == after[day] for day in DAYS] == [False, True, False]
    assert Lake(settings.lake).dumps()[DAYS[0]].forgotten_events == {"1": 1}
    assert read(settings) == after
    assert "no release" in finish(settings, (), nothing)[0]
    publish_without_them(settings)
    assert finish(settings, (), nothing) == []
    assert [release.release_id for release in releases(settings.published)] == [THIRD, FIRST]
    assert load_requests(settings.home)[0].finished_at


def test_a_file_that_comes_again_as_it_was_is_not_read_again(settings: Settings) -> None:
    ask(settings, [ASKED])
    after = read(settings)
    file = Path(settings.landing) / "events" / "dt=2026-03-01" / "a.ndjson"
    file.write_bytes(file.read_bytes())
    lines = next(Lake(settings.lake).dump_folder(DAYS[0]).glob("*/lines-0000.parquet"))
    written = lines.stat().st_mtime_ns
    assert read(settings) == after
    assert lines.stat().st_mtime_ns == written


def test_an_id_that_is_nobodys_changes_nothing(settings: Settings) -> None:
    for arguments in (["--user", "u"], ["--user", "u-99"], ["--user", ASKED, "--system", "s"]):
        said = command(settings, *arguments)
        assert said.exit_code == 1, said.output
        assert "nothing is held of id 1 of 1" in said.output
    assert not (settings.home / FILE).exists()
    # Neither is the key that of the home now.
    assert not (settings.home / FINGERPRINT_FILE).exists()


def test_what_names_nobody_is_refused(settings: Settings, tmp_path: Path) -> None:
    for arguments in (
        [],
        ["--user", " "],
        ["--user", "\udcff"],
        ["--users", str(tmp_path / "nowhere")],
        ["--users", str(tmp_path)],
    ):
        assert command(settings, *arguments).exit_code == 2
    listed = tmp_path / "listed"
    for content in (b"", b"\n\r\n ", "jürgen".encode("latin-1")):
        listed.write_bytes(content)
        assert command(settings, "--users", str(listed)).exit_code == 2
    exported = CliRunner(env=settings.environment()).invoke(cli, ["export", "--user", "\udcff"])
    assert exported.exit_code == 2


def test_a_list_is_read_as_it_was_written(settings: Settings, tmp_path: Path) -> None:
    listed = tmp_path / "listed"
    runner = CliRunner(env=settings.environment())
    nobody = [f"walkhouse: nothing is held of id {place} of 3" for place in (1, 2, 3)]
    for encoding, end in [("utf-8", "\n"), ("utf-8-sig", "\r\n"), ("utf-16", "\r")]:
        content = end.join(["u-99", "", "ünders", "u-99", "U-2", ""]).encode(encoding)
        listed.write_bytes(content)
        for arguments, piped in ((str(listed), None), ("-", content)):
            said = runner.invoke(cli, ["forget", "--users", arguments], input=piped)
            assert (said.exit_code, said.output.splitlines()) == (1, nobody)


def test_of_a_list_those_are_forgotten_who_are_somebody(settings: Settings) -> None:
    asked = ask(settings, [ASKED, "nobody", "u-3"])
    assert ([each.number for each in asked.requests], asked.nobody) == ([1, 2], (2,))
    again = ask(settings, ["u-3", "nobody"])
    assert again.requests[0].number == 3  # nothing was read again: it is still held
    read(settings)
    assert ask(settings, ["u-3", "nobody", ASKED]).known == (1, 3)


def test_a_person_is_forgotten_in_one_system_and_then_left_out_in_all(settings: Settings) -> None:
    asked = ask(settings, ["u-3"], system_id=SYSTEM)
    assert [each.dumps for each in asked.requests] == [(DAYS[0],)]
    read(settings)
    assert [each.dumps for each in ask(settings, ["u-3"]).requests] == [(DAYS[1],)]
    read(settings)
    removal = ask(settings, ["u-3"], is_removal=True)
    assert [each.dumps for each in removal.requests] == [(DAYS[0], DAYS[1])]
    read(settings)
    dumps = Lake(settings.lake).dumps()
    assert [dumps[day].outcomes.get("ignored", 0) for day in DAYS] == [1, 1, 0]
    assert dumps[DAYS[0]].forgotten_events == {"3": 1}


@pytest.mark.parametrize("policy", ["pseudonym", "pseudonym per system", "drop"])
def test_under_a_policy_the_id_is_the_one_that_came(
    settings: Settings, tmp_path: Path, policy: str
) -> None:
    project = tmp_path / "dbt_project"
    (project / "seeds").mkdir(parents=True)
    for file in [
        *settings.dbt_project.glob("seeds/*.csv"),
        settings.dbt_project / "dbt_project.yml",
    ]:
        target = project / file.relative_to(settings.dbt_project)
        target.write_bytes(file.read_bytes())
    seed = project / "seeds" / "personal_data_policies.csv"
    kept = seed.read_text("utf-8")
    seed.write_text(kept.replace("end_user_id,keep", f"end_user_id,{policy}"), encoding="utf-8")
    treated = replace(settings, dbt_project=project)
    definitions_of(treated).treatment.check(treated.home)
    read(treated)
    asked = ask(treated, ["u-3"])
    if policy == "drop":
        assert asked.nobody == (1,)
        return
    assert asked.requests[0].dumps == (DAYS[0], DAYS[1])
    before = ids(treated)
    read(treated)
    after = ids(treated)
    assert len(after) == len(before)
    assert len(set(before) - set(after)) == (1 if policy == "pseudonym" else 2)
    assert all(user.startswith("p-") for user in after)


def ids(settings: Settings) -> list[str]:
    lake = Lake(settings.lake)
    parts = [
        str(lake.dump_folder(day) / part)
        for day, dump in lake.dumps().items()
        for part in dump.lines
    ]
    rows = duckdb.sql(
        f"select end_user_id from read_parquet({parts}) where outcome = 'event' order by all"
    ).fetchall()
    return [user for (user,) in rows]


def test_another_key_or_none_is_refused(settings: Settings) -> None:
    with pytest.raises(KeyRefusedError, match="needs a key"):
        ask(replace(settings, personal_key=""), [ASKED])
    ask(settings, [ASKED])
    another = replace(settings, personal_key=KEY[::-1])
    for _ in range(2):
        with pytest.raises(KeyRefusedError):
            ask(another, [ASKED])
        with pytest.raises(KeyRefusedError):
            definitions_of(another).treatment.check(settings.home)
        assert definitions_of(replace(settings, personal_key="")).treatment.refusal(settings.home)
        # Without it, any key could become that of the home.
        (settings.home / FINGERPRINT_FILE).unlink(missing_ok=True)
        assert "they would come back" in str(
            definitions_of(another).treatment.refusal(settings.home)
        )


def test_a_list_that_cannot_be_read_is_no_empty_one(settings: Settings) -> None:
    for content in ("", "{}", '[{"number": 1}]', '[{"dumps": 1, "releases": []}]'):
        (settings.home / FILE).write_text(content, encoding="utf-8")
        if content == "{}":
            continue
        with pytest.raises(RequestsError, match="cannot be read"):
            definitions_of(settings)


def test_what_cannot_be_removed_is_said_and_keeps_the_request_open(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "walkhouse")
    ask(settings, [ASKED])
    read(settings)
    publish_without_them(settings)
    export = settings.home / "export" / "answer"
    log = settings.home / "deployed" / "a" / "target" / "prepared" / "dbt.log"
    for folder in (export, log.parent):
        folder.mkdir(parents=True)
    (export / "everything.json").write_text(json.dumps({"a": [{"b": ASKED}]}), encoding="utf-8")
    (export / "facts.csv").write_text("b", encoding="utf-8")
    log.write_text(f"cannot convert {ASKED}\n", encoding="utf-8")
    other = log.with_name("other.log")
    other.write_text(f"cannot convert {OTHER}\n", encoding="utf-8")
    notes = settings.home / "notes.txt"
    notes.write_text(f"ask ({ASKED})\n", encoding="utf-8")
    with duckdb.connect(str(settings.development)) as development:
        development.execute("create table t as select 1 as a")
    of_spark, of_analysts = Path(settings.iceberg), Path(f"{settings.iceberg}-dev")
    for folder in (of_spark, of_analysts):
        folder.mkdir()
    left = finish(
        settings, ("postgres://nobody@127.0.0.1:1/nowhere",), lambda _: ["records are in use"]
    )
    assert [reason.split(":")[0] for reason in left] == [
        f"{of_spark} has tables that Spark built before, which may show somebody who is forgotten",
        f"{notes} names somebody who is forgotten",
        "records are in use",
        "copy postgres",
    ]
    assert load_requests(settings.home)[0].finished_at is None
    assert not export.exists()
    assert not log.exists()
    assert other.exists()
    assert not settings.development.exists()
    assert not of_analysts.exists()
    assert ASKED not in caplog.text
    notes.unlink()
    of_spark.rmdir()
    assert finish(settings, (), nothing) == []
    assert load_requests(settings.home)[0].finished_at
