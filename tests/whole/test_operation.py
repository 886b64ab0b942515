"""One installation over some days of its life, by the command line; the tests follow in order."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from dagster_project.registry import load_invariants
from tests.installation import Installation, said
from tests.test_registry import RECONCILED
from tests.whole import landings
from tests.whole.plants import TAMPERED_FACTS, TAMPERED_REPORTS, TAMPERING

pytestmark = pytest.mark.long

BAD_DAY = "2026-03-04"


@pytest.fixture(scope="module")
def walkhouse(installation_of_module: Installation) -> Installation:
    return installation_of_module


def files_of(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def current(walkhouse: Installation) -> str:
    ((release_id,),) = walkhouse.ask("select release_id from meta.release")
    return str(release_id)


def test_before_anything_arrived_the_error_says_what_to_do(walkhouse: Installation) -> None:
    run = walkhouse.walkhouse("run")
    assert run.returncode == 1
    assert "does not exist; set WALKHOUSE_LANDING, or try `walkhouse simulate`" in said(run)


def test_the_simulator_fills_the_landing_once(walkhouse: Installation) -> None:
    arguments = ("simulate", "--days", "3", "--events-per-day", "600", "--start", "2026-03-01")
    assert walkhouse.walkhouse(*arguments).returncode == 0
    before = files_of(walkhouse.landing)
    assert len([path for path in before if "dt=2026-03-0" in str(path)]) >= 3
    assert walkhouse.walkhouse(*arguments).returncode == 0
    assert files_of(walkhouse.landing) == before


def test_a_run_publishes_and_says_what_and_where(walkhouse: Installation) -> None:
    run = walkhouse.walkhouse("run")
    assert run.returncode == 0, said(run)
    ((events, dumps),) = walkhouse.ask("select events, dumps from meta.release")
    assert dumps == 3
    assert walkhouse.ask("select count(*) from facts.fct_item_events") == [(events,)]
    for shown in (current(walkhouse), str(walkhouse.published), "sessions", "people"):
        assert shown in run.stdout


def test_nobody_but_owner_and_group_may_read_what_a_run_wrote(walkhouse: Installation) -> None:
    for path in (walkhouse.home, *walkhouse.home.rglob("*")):
        if not path.is_symlink():  # a link has no rights of its own
            assert not stat.S_IMODE(path.stat().st_mode) & 0o027, path


def test_nothing_violates_an_invariant_where_nothing_is_planted(walkhouse: Installation) -> None:
    found = walkhouse.ask("select invariant, violations from meta.invariants where checked > 0")
    assert {name for name, violations in found if violations} == set()
    assert len(walkhouse.ask("select invariant from meta.invariants")) == len(load_invariants())


def test_a_second_run_has_nothing_to_do_and_changes_nothing(walkhouse: Installation) -> None:
    before = files_of(walkhouse.home)
    run = walkhouse.walkhouse("run")
    assert run.returncode == 0
    assert "nothing is pending" in said(run)
    assert files_of(walkhouse.home) == before


def test_a_dump_that_breaks_a_rule_is_refused_and_the_old_release_stays(
    walkhouse: Installation,
) -> None:
    before = current(walkhouse)
    start = landings.at(f"{BAD_DAY}T09:00:00Z")
    events = [
        landings.player(
            start + 1000 * number, "launcher/play", session=f"bad-{number % 9}", data__oId=7
        )
        for number in range(18)
    ]
    landings.put(walkhouse.landing, BAD_DAY, "a.ndjson", [*events, {"no": "event"}])
    run = walkhouse.walkhouse("run")
    assert run.returncode == 1
    assert "launcher_play_once_per_session: 9 violations" in said(run)
    assert "quarantine_rate: 1 violations in 4 checked" in said(run)
    assert f"readers still see release {before}" in said(run)
    assert current(walkhouse) == before


def test_the_status_tells_why(walkhouse: Installation) -> None:
    status = walkhouse.walkhouse("status")
    assert status.returncode == 0
    assert "launcher_play_once_per_session: 9 violations" in status.stdout.replace("\n", " ")
    assert current(walkhouse) in status.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--waive", "launcher_play_once_per_session"), "needs a reason"),
        (("--waive", "nonsense", "--reason", "x"), "no invariant 'nonsense'"),
        (("--waive", "event_key_is_unique", "--reason", "x"), "structural"),
        (("--reason", "x"), "--reason is for --waive"),
    ],
)
def test_a_waiver_that_cannot_be_given_stops_before_anything_runs(
    walkhouse: Installation, arguments: tuple[str, ...], says: str
) -> None:
    run = walkhouse.walkhouse("run", *arguments)
    assert run.returncode == 2
    assert says in said(run)


def test_a_waived_release_is_published_and_says_so(walkhouse: Installation) -> None:
    run = walkhouse.walkhouse(
        "run",
        "--waive",
        "launcher_play_once_per_session,quarantine_rate",
        "--reason",
        "a known bug of a player",
    )
    assert run.returncode == 0, said(run)
    ((waivers,),) = walkhouse.ask("select waivers from meta.release")
    assert json.loads(waivers) == {
        "launcher_play_once_per_session": "a known bug of a player",
        "quarantine_rate": "a known bug of a player",
    }
    assert "a known bug of a player" in run.stdout


def test_readers_can_be_sent_back_and_the_next_run_publishes_the_landing_again(
    walkhouse: Installation,
) -> None:
    waived = current(walkhouse)
    rolled_back = walkhouse.walkhouse("rollback")
    assert rolled_back.returncode == 0
    assert current(walkhouse) != waived
    listed = walkhouse.walkhouse("releases").stdout
    assert f"* {current(walkhouse)}" in listed
    assert f"  {waived}" in listed
    assert walkhouse.walkhouse("rollback").returncode == 1


def test_a_withdrawn_dump_leaves_the_release_and_a_broken_one_keeps_no_other_back(
    walkhouse: Installation,
) -> None:
    shutil.rmtree(walkhouse.landing / "events" / f"dt={BAD_DAY}")
    landings.put(walkhouse.landing, "2026-03-05", "a.parquet", b"PAR1 nothing of the kind PAR1")
    landings.put(walkhouse.landing, "2026-03-07", "a.ndjson", b"{}\n")
    wrong = landings.entry("a.ndjson", b"something else", 1)
    landings.put_manifest(walkhouse.landing, "2026-03-07", [wrong])
    landings.put(
        walkhouse.landing,
        "2026-03-06",
        "a.ndjson",
        [landings.player(landings.at("2026-03-06T09:00:00Z"), "player/open", session="last")],
    )
    for year in (2019, 2099):  # before the first partition, and far ahead of the clock
        event = landings.player(landings.at(f"{year}-05-06T09:00:00Z"), "player/open", session="x")
        landings.put(walkhouse.landing, f"{year}-05-06", "a.ndjson", [event])
    run = walkhouse.walkhouse("run")
    assert run.returncode == 1
    assert "dump 2026-03-05, a.parquet: not readable as Parquet" in said(run)
    assert "dump 2026-03-07, a.ndjson: its sha256 is" in said(run)
    assert str(wrong["sha256"]) in said(run)
    days = walkhouse.ask("select distinct dump_date::varchar from facts.fct_item_events")
    assert {day for (day,) in days} == {
        "2019-05-06",
        "2026-03-01",
        "2026-03-02",
        "2026-03-03",
        "2026-03-06",
        "2099-05-06",
    }
    assert walkhouse.ask("select waivers from meta.release") == [("{}",)]


def test_the_runs_are_recorded_for_the_ui(walkhouse: Installation) -> None:
    with dg.DagsterInstance.from_config(str(walkhouse.home / "dagster")) as instance:
        runs = {(run.job_name, run.status.value) for run in instance.get_runs()}
        days = instance.get_materialized_partitions(dg.AssetKey(["raw", "lines"]))
    ended = {("ingest_dumps", how) for how in ("SUCCESS", "FAILURE")}
    assert ended | {("build_and_release", "FAILURE")} <= runs
    assert "2026-03-03" in days
    assert "2026-03-05" not in days


def test_an_analyst_builds_and_tests_the_models_without_touching_the_warehouse(
    walkhouse: Installation,
) -> None:
    warehouse = walkhouse.home / "warehouse.duckdb"
    before = warehouse.stat().st_mtime_ns
    built = walkhouse.dbt("build")
    assert built.returncode == 0, said(built)
    assert " WARN=0 ERROR=0 SKIP=0" in said(built)
    assert warehouse.stat().st_mtime_ns == before
    with duckdb.connect(str(walkhouse.home / "dev.duckdb"), read_only=True) as dev:
        events = dev.execute("select count(*) from facts.fct_item_events").fetchall()
    assert events == walkhouse.ask("select count(*) from facts.fct_item_events")


@pytest.fixture(scope="module")
def tampered(walkhouse: Installation) -> Iterator[dict[str, bool]]:
    """Whether each invariant passed, in a warehouse whose tables were changed behind its back."""
    with duckdb.connect(str(walkhouse.home / "warehouse.duckdb")) as warehouse:
        for statement in (one for each in TAMPERING.values() for one in each):
            warehouse.execute(statement)
    target = str(walkhouse.prepared)
    # What builds know of what they built does not tell them of changes behind their back.
    audited = walkhouse.dbt(
        "run",
        "--full-refresh",
        *("--target", "prod"),
        *("--target-path", target),
        *("--select", "int_accepted_lines", "int_line_counts", "int_published_keys_by_home"),
        *("audit", "int_invariant_results+"),
    )
    assert audited.returncode == 0, said(audited)
    with duckdb.connect(str(walkhouse.home / "warehouse.duckdb"), read_only=True) as warehouse:
        yield dict(warehouse.execute("select invariant, passed from meta.invariants").fetchall())


@pytest.mark.parametrize("invariant", TAMPERING)
def test_each_structural_invariant_fails_on_a_table_that_was_changed(
    tampered: dict[str, bool], invariant: str
) -> None:
    assert tampered[invariant] is False


@pytest.mark.usefixtures("tampered")
def test_only_the_reports_whose_totals_were_changed_do_not_add_up(walkhouse: Installation) -> None:
    with duckdb.connect(str(walkhouse.home / "warehouse.duckdb"), read_only=True) as warehouse:
        rows = warehouse.execute(
            "select distinct split_part(detail, '.', 1) from meta.invariant_violations"
            " where invariant = 'reports_add_up'"
        ).fetchall()
    untouched = {name for name, rule in RECONCILED.items() if rule["fact"] not in TAMPERED_FACTS}
    assert {report for (report,) in rows} & untouched == TAMPERED_REPORTS


def test_the_release_refuses_in_a_run_of_its_own(
    walkhouse: Installation, tampered: dict[str, bool]
) -> None:
    assert not all(tampered.values())
    before = current(walkhouse)
    home = str(walkhouse.home / "dagster")
    (walkhouse.home / "refusal.json").unlink(missing_ok=True)
    alone = walkhouse.program("dg", "launch", "--assets", "release", DAGSTER_HOME=home)
    assert alone.returncode != 0
    assert "event_key_is_unique" in (walkhouse.home / "refusal.json").read_text(encoding="utf-8")
    assert current(walkhouse) == before
