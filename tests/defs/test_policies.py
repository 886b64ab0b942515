"""With the wrong key nothing is read and nothing is built, whoever asks for it, and all say why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from dagster_project.cli import cli
from dagster_project.ingest.lake import Lake
from dagster_project.keyed_hash import FINGERPRINT_FILE
from dagster_project.models.deployed import Deployments
from dagster_project.operations.pending import look
from dagster_project.operations.requests import build_due, build_request, ingest_due
from dagster_project.operations.status import status
from dagster_project.operations.watch import watch
from dagster_project.settings import Settings
from tests.defs.test_withdrawals import ingest, put, reason
from tests.treated import A_KEY, ANOTHER_KEY, project_with, set_policies

DAYS = [date(2026, 3, 1) + timedelta(days=number) for number in range(3)]
MISSING = "needs a key: set WALKHOUSE_PERSONAL_KEY"
WRONG = "it is not the key of this home"


@dataclass(frozen=True)
class Home:
    """An installation with policies, whose lake holds two of three dumps."""

    settings: Settings
    instance: dg.DagsterInstance

    def files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.settings.home.rglob("*") if path.is_file()}

    def end_runs(self) -> None:
        """Runs of this process are held by it, and sensors would wait for them."""
        shutil.rmtree(self.settings.home / "locks")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    settings = Settings(
        landing=str(tmp_path / "landing"),
        home=tmp_path / "home",
        quiet_seconds=0,
        dbt_project=project_with({"end_user_id": "pseudonym"}, tmp_path / "project"),
        personal_key=A_KEY,
    )
    monkeypatch.setenv("WALKHOUSE_PERSONAL_KEY", A_KEY)
    for day in DAYS:
        put(settings, day)
    with dg.DagsterInstance.ephemeral() as instance:
        assert ingest(settings, instance, *DAYS[:2]).success
        yield Home(settings, instance)


@pytest.mark.parametrize(("key", "said"), [("", MISSING), (ANOTHER_KEY, WRONG)])
def test_dagster_refuses_it(
    home: Home, monkeypatch: pytest.MonkeyPatch, key: str, said: str
) -> None:
    home.end_runs()
    before = home.files()
    monkeypatch.setenv("WALKHOUSE_PERSONAL_KEY", key)
    settings = replace(home.settings, personal_key=key)

    assert said in reason(ingest(settings, home.instance, *DAYS))
    home.end_runs()
    for due in (ingest_due(settings, home.instance), build_due(settings, home.instance)):
        assert isinstance(due, dg.SkipReason)
        assert said in (due.skip_message or "")
    assert said in status(settings)["key_refused"]
    assert home.files() == before
    (alert,) = watch(settings, look(settings), [], now=datetime.now(UTC))
    assert alert.kind == "key_refused"
    assert said in alert.text


@pytest.mark.parametrize(("key", "said"), [("", MISSING), (ANOTHER_KEY, WRONG)])
def test_the_command_line_refuses_it(home: Home, key: str, said: str) -> None:
    deployments = Deployments(home.settings.deployed)
    with deployments.deploying(), deployments.copy(home.settings.dbt_project) as copy:
        deployments.deploy(copy, commit=None)
    before = home.files()
    variables = {
        "WALKHOUSE_HOME": str(home.settings.home),
        "WALKHOUSE_LANDING": home.settings.landing,
        "WALKHOUSE_DBT_PROJECT": str(home.settings.dbt_project),
        "WALKHOUSE_PERSONAL_KEY": key,
    }
    runner = CliRunner(env=variables)

    for command, code in (("run", 2), ("status", 0)):
        result = runner.invoke(cli, [command])
        assert result.exit_code == code, result.output
        assert said in result.output.replace("\n", " ")
        assert "Traceback" not in result.output
        assert key not in result.output or not key
    assert home.files() == before


def test_with_the_key_the_run_goes_on(home: Home) -> None:
    assert ingest(home.settings, home.instance, *DAYS).success
    assert sorted(Lake(home.settings.lake).dumps()) == DAYS
    assert look(home.settings).key_refused is None


def test_neither_a_file_nor_a_record_has_the_key(home: Home) -> None:
    records = [
        str(record)
        for run in home.instance.get_runs()
        for record in (run, *home.instance.all_logs(run.run_id))
    ]

    assert records
    assert not [path for path, content in home.files().items() if A_KEY.encode() in content]
    assert not [record for record in records if A_KEY in record]
    assert (home.settings.home / FINGERPRINT_FILE).exists()


def test_nothing_is_built_while_the_lake_holds_what_was_read_under_other_policies(
    home: Home,
) -> None:
    assert not look(home.settings).treated_otherwise
    set_policies(home.settings.dbt_project, {"end_user_id": "pseudonym", "browser": "drop"})
    said = look(home.settings).treated_otherwise or ""
    assert "the lake has 2 dumps (2026-03-01, 2026-03-02) from before the policies" in said
    assert look(home.settings).pending.changed == tuple(DAYS[:2])

    assert ingest(home.settings, home.instance, DAYS[0], DAYS[0]).success
    assert build_request(look(home.settings)) is None
    home.end_runs()
    due = build_due(home.settings, home.instance)
    assert isinstance(due, dg.SkipReason)
    assert "the lake has 1 dump (2026-03-02)" in (due.skip_message or "")

    assert ingest(home.settings, home.instance, *DAYS).success
    assert build_request(look(home.settings)) is not None


def test_a_key_that_was_given_up_reads_the_dumps_anew(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home.settings.home / FINGERPRINT_FILE).unlink()
    monkeypatch.setenv("WALKHOUSE_PERSONAL_KEY", ANOTHER_KEY)
    settings = replace(home.settings, personal_key=ANOTHER_KEY)
    assert ingest(settings, home.instance, DAYS[2], DAYS[2]).success

    assert look(settings).pending.changed == tuple(DAYS[:2])
    assert look(settings).treated_otherwise
