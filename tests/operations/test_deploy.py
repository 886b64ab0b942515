"""Deploying a project: what is checked, what the daemon and runs make of it, and what is held."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from click.testing import CliRunner, Result

from dagster_project.cli import cli
from dagster_project.defs.resources import Installation
from dagster_project.defs.schedules import daily_schedule
from dagster_project.defs.sensors import lake_sensor, landing_sensor
from dagster_project.ingest.content import ingest_catalogue
from dagster_project.ingest.lake import Lake, LakeDump
from dagster_project.ingest.landing import Landing
from dagster_project.models.deployed import DeployError, Deployments, in_production
from dagster_project.operations.deploy import ensure_deployed
from dagster_project.operations.pending import digests, look
from dagster_project.operations.watch import watch
from dagster_project.registry import load_definitions
from dagster_project.release.publish import Release, end_hold, roll_back, switch_to
from dagster_project.settings import Settings
from dagster_project.treatment import SEED
from tests.models.test_deployed import git
from tests.operations.tiny_project import MODEL, UNIT_TEST, write_tiny_project
from tests.treated import set_policies
from tests.whole import landings

NOT_DEPLOYED = "is not the deployed one"
FAILS_ITS_TEST = "select 1 - completed / plays + 1 as rate from {{ ref('plays') }}"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home where nothing is deployed, with a dump in the landing and the lake."""
    found = Settings(
        landing=str(tmp_path / "landing"),
        home=tmp_path / "home",
        dbt_project=tmp_path / "checkout" / "dbt_project",
        quiet_seconds=0,
    )
    found.dbt_project.parent.mkdir()
    write_tiny_project(found.dbt_project)
    take_in(found, "2026-03-01")
    return found


def land(settings: Settings, day: str) -> None:
    event = landings.player(landings.at(f"{day}T09:00:00Z"), "player/open", session="s")
    landings.put(Path(settings.landing), day, "a.ndjson", [event])


def take_in(settings: Settings, day: str) -> None:
    """Land a dump and have the lake hold it, without reading it."""
    land(settings, day)
    lake = Lake(settings.lake)
    lake.prepare()
    data = settings.home / "data"
    data.mkdir()
    dump = LakeDump(day, f"of {day}", "s", "r", (), "f/files.parquet", {}, 1, {}, ())
    lake.replace_dump(dump, data)
    definitions = load_definitions(settings.dbt_project)
    landing = Landing(settings.landing)
    catalogue = landing.look().catalogue
    ingest_catalogue(landing, lake, catalogue, definitions, scratch=settings.scratch)


def published(settings: Settings, release_id: str, state: str) -> None:
    folder = settings.published / ".releases" / release_id
    folder.mkdir(parents=True)
    release = Release(release_id, "2026-03-01T12:00:00+00:00", "1", state, None, None, 1, 1, {})
    (folder / "release.json").write_text(json.dumps(asdict(release)), encoding="utf-8")
    duckdb.connect(str(folder / "walkhouse.duckdb")).close()
    switch_to(settings.published, release_id)


def edit(settings: Settings, text: str, name: str = MODEL) -> None:
    (settings.dbt_project / name).write_text(text, encoding="utf-8")


def deploy(settings: Settings) -> str:
    """Deploy without looking it over, which takes seconds."""
    deployments = Deployments(settings.deployed)
    with deployments.deploying(), deployments.copy(settings.dbt_project) as copy:
        return deployments.deploy(copy, commit=None).digest


# ---------- by itself


def test_a_new_home_deploys_by_itself_and_says_so(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "walkhouse"):
        production = ensure_deployed(settings)
    assert production.dbt_project.parent == settings.deployed
    assert "nothing was deployed in this home yet: deployed" in caplog.text
    edit(settings, "select 1 as rate")
    assert ensure_deployed(settings) == production


def test_a_home_of_an_earlier_version_deploys_by_itself_and_says_so(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    published(settings, "r1", "built from the checkout")
    with caplog.at_level(logging.INFO, "walkhouse"):
        ensure_deployed(settings)
    assert "an earlier Walkhouse built from the checkout" in caplog.text


def test_a_new_version_changes_no_policy_of_personal_data_by_itself(settings: Settings) -> None:
    set_policies(settings.dbt_project, {"user_name": "drop"})
    deploy(settings)
    record = settings.deployed / "deployments.json"
    older = [{**each, "code_version": "0.0.1"} for each in json.loads(record.read_text())]
    record.write_text(json.dumps(older))
    set_policies(settings.dbt_project, {})  # as the new version comes
    with pytest.raises(DeployError, match="has other policies of personal data"):
        ensure_deployed(settings)
    assert not in_production(settings).dbt_project.is_relative_to(settings.deployed)
    set_policies(settings.dbt_project, {"user_name": "drop"})
    assert ensure_deployed(settings).dbt_project.is_relative_to(settings.deployed)


def test_a_policy_that_names_no_column_is_not_deployed(settings: Settings) -> None:
    seed = settings.dbt_project / "seeds" / f"{SEED}.csv"
    seed.write_text(seed.read_text().replace("user_name,keep", "user_nmae,drop"))
    with pytest.raises(DeployError, match=f"{SEED}.csv, line 15: 'user_nmae' is no personal data"):
        ensure_deployed(settings)
    assert Deployments(settings.deployed).all() == []


@pytest.mark.long
def test_a_new_version_deploys_its_own_project_unless_somebody_is_changing_it(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    deploy(settings)
    record = settings.deployed / "deployments.json"
    older = [{**each, "code_version": "0.0.1"} for each in json.loads(record.read_text())]
    record.write_text(json.dumps(older))
    checkout = settings.dbt_project.parent
    git(checkout, "init")
    git(checkout, "add", ".")
    git(checkout, "commit", "--message", "upgraded")
    whole = (settings.dbt_project / MODEL).read_text()
    edit(settings, FAILS_ITS_TEST)
    with pytest.raises(DeployError, match=r"Walkhouse 0\.0\.1, and this is .* not committed"):
        ensure_deployed(settings)
    git(checkout, "commit", "--all", "--message", "with an error")
    with pytest.raises(DeployError, match=f"unit test {UNIT_TEST}"):
        ensure_deployed(settings)
    assert Deployments(settings.deployed).all()[0].code_version == "0.0.1"
    edit(settings, whole)
    git(checkout, "commit", "--all", "--message", "without it")
    with caplog.at_level(logging.INFO, "walkhouse"):
        ensure_deployed(settings)
    assert "belongs to Walkhouse 0.0.1, and this is" in caplog.text
    (current, before) = Deployments(settings.deployed).all()
    assert (current.fits, before.fits) == (True, False)
    assert current.is_modified is False


def test_code_that_changed_deploys_the_same_project_again_and_checks_nothing(
    settings: Settings,
) -> None:
    deploy(settings)
    record = settings.deployed / "deployments.json"
    older = [{**each, "code": "of before"} for each in json.loads(record.read_text())]
    record.write_text(json.dumps(older))
    assert in_production(settings) == settings
    production = ensure_deployed(settings)
    assert production.dbt_project.name == older[0]["digest"]
    assert Deployments(settings.deployed).all()[0].fits


def test_a_first_project_that_does_not_parse_is_not_deployed(settings: Settings) -> None:
    edit(settings, "select * from {{ ref('nowhere') }}")
    with pytest.raises(DeployError, match=r"(?s)is not deployed:\n.*models/flows.sql.*nowhere"):
        ensure_deployed(settings)
    assert Deployments(settings.deployed).all() == []
    assert not list(settings.deployed.glob(".building-*"))


# ---------- by a person


@pytest.fixture
def walkhouse(settings: Settings) -> CliRunner:
    return CliRunner(env=settings.environment())


def call(walkhouse: CliRunner, *arguments: str) -> Result:
    return walkhouse.invoke(cli, ["deploy", *arguments])


@pytest.mark.long
def test_a_person_deploys_and_returns(walkhouse: CliRunner, settings: Settings) -> None:
    first = deploy(settings)
    assert "nothing differs" in call(walkhouse).output
    edit(settings, "select completed * 1.0 / plays as rate from {{ ref('plays') }}")
    checked = call(walkhouse, "--check")
    assert checked.exit_code == 0, checked.output
    assert "changed  models/flows.sql" in checked.output
    assert in_production(settings).dbt_project.name == first
    deployed = call(walkhouse, "--diff")
    assert deployed.exit_code == 0, deployed.output
    assert "its unit tests pass" in deployed.output
    assert "nothing was built yet" in deployed.output
    second = in_production(settings).dbt_project.name
    assert f"deployed {second}" in deployed.output
    assert second != first
    assert f"returned to {first}" in call(walkhouse, "--back").output
    assert in_production(settings).dbt_project.name == first
    again = call(walkhouse, "--back")
    assert again.exit_code == 1
    assert "there is no earlier deployment" in again.output
    assert call(walkhouse, "--back", "--diff").exit_code == 2


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (MODEL, FAILS_ITS_TEST, UNIT_TEST),
        (MODEL, "select * from {{ ref('nowhere') }}", "nowhere"),
        (MODEL, "select {% if %} 1", "flows.sql"),
        (MODEL, "select nothing as rate from {{ ref('plays') }}", "models/flows.sql: model flows"),
        ("models/flows.yml", "models: [", "models/flows.yml"),
        ("seeds/raw_names.csv", "a,b\n1,2\n", "the seeds, or `vars` in dbt_project.yml"),
    ],
)
def test_what_is_not_as_it_should_be_is_not_deployed(
    walkhouse: CliRunner, settings: Settings, name: str, text: str, says: str
) -> None:
    before = deploy(settings)
    edit(settings, text, name)
    refused = call(walkhouse)
    assert refused.exit_code == 1
    assert f"the dbt project in {settings.dbt_project} is not deployed:" in refused.output
    assert says in refused.output
    assert ".building-" not in refused.output
    assert in_production(settings).dbt_project.name == before
    assert not list(settings.deployed.glob(".building-*"))


# ---------- the daemon


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


def loaded(settings: Settings) -> Installation:
    """The installation as a code location has it that is loaded now."""
    return Installation.of(in_production(settings), checkout=settings.dbt_project)


def lake_says(
    instance: dg.DagsterInstance, installation: Installation
) -> dg.RunRequest | dg.SkipReason:
    due = lake_sensor(dg.build_sensor_context(instance, resources={"installation": installation}))
    assert isinstance(due, dg.RunRequest | dg.SkipReason)
    return due


def skipped(due: object) -> str:
    assert isinstance(due, dg.SkipReason), due
    return due.skip_message or ""


def test_an_edit_in_the_checkout_is_not_published_and_the_sensor_says_so(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    deploy(settings)
    published(settings, "r1", look(settings).state)
    code_location = loaded(settings)
    assert skipped(lake_says(instance, code_location)) == "what is in the lake is published"
    edit(settings, "select 1 as rate")
    said = skipped(lake_says(instance, code_location))
    assert said.startswith("what is in the lake is published; the dbt project in")
    assert NOT_DEPLOYED in said


def test_after_a_deployment_the_sensors_ask_for_a_reload_and_then_for_a_build(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    deploy(settings)
    published(settings, "r1", look(settings).state)
    before = loaded(settings)
    edit(settings, "select 1 as rate")
    deploy(settings)
    resources = {"installation": before}
    said = [
        skipped(lake_says(instance, before)),
        skipped(landing_sensor(dg.build_sensor_context(instance, resources=resources))),
        skipped(
            daily_schedule("0 6 * * *", "UTC")(
                dg.build_schedule_context(instance, resources=resources)
            )
        ),
    ]
    assert all("reload the code location `walkhouse`" in each for each in said)
    assert isinstance(lake_says(instance, loaded(settings)), dg.RunRequest)
    with Deployments(settings.deployed).deploying():
        Deployments(settings.deployed).back()
    assert skipped(lake_says(instance, loaded(settings))).startswith("what is in the lake is")


# ---------- a rollback


@pytest.fixture
def rolled_back(settings: Settings) -> Settings:
    deploy(settings)
    published(settings, "r1", "what was before")
    published(settings, "r2", look(settings).state)
    landing, lake = digests(settings)
    roll_back(settings.published, by="ann", landing=landing, lake=lake)
    return settings


def test_the_daemon_does_not_publish_what_was_rolled_back_from(
    rolled_back: Settings, instance: dg.DagsterInstance
) -> None:
    said = skipped(lake_says(instance, loaded(rolled_back)))
    assert said.startswith("r2 was rolled back by ann at ")
    assert "held: readers see r1" in said
    edit(rolled_back, "select 1 as rate")
    deploy(rolled_back)
    assert "rolled back by ann" in skipped(lake_says(instance, loaded(rolled_back)))


def test_it_is_held_until_what_landed_is_taken_in(
    rolled_back: Settings, instance: dg.DagsterInstance
) -> None:
    land(rolled_back, "2026-03-02")  # still being written, or not to be read
    assert "rolled back by ann" in skipped(lake_says(instance, loaded(rolled_back)))
    take_in(rolled_back, "2026-03-02")
    assert isinstance(lake_says(instance, loaded(rolled_back)), dg.RunRequest)


def test_another_catalogue_ends_it(rolled_back: Settings, instance: dg.DagsterInstance) -> None:
    catalogue = Path(rolled_back.landing) / "content" / "items.ndjson"
    catalogue.parent.mkdir()
    catalogue.write_text("{}\n")
    assert isinstance(lake_says(instance, loaded(rolled_back)), dg.RunRequest)


def test_a_landing_that_could_not_be_listed_then_holds_until_somebody_runs(
    rolled_back: Settings, instance: dg.DagsterInstance
) -> None:
    published(rolled_back, "r3", "another")
    nowhere = replace(rolled_back, landing=rolled_back.landing + "-of-another-time")
    landing, lake = digests(nowhere)
    assert landing == ""
    roll_back(rolled_back.published, "r1", by="ben", landing=landing, lake=lake)
    take_in(rolled_back, "2026-03-02")
    assert "r3 was rolled back by ben" in skipped(lake_says(instance, loaded(rolled_back)))
    end_hold(rolled_back.published)  # as `walkhouse run` does
    assert isinstance(lake_says(instance, loaded(rolled_back)), dg.RunRequest)


def test_the_status_and_an_alert_say_who_rolled_back(rolled_back: Settings) -> None:
    walkhouse = CliRunner(env=rolled_back.environment())
    status = json.loads(walkhouse.invoke(cli, ["status", "--json"]).output)
    assert (status["hold"]["by"], status["hold"]["rolled_back_from"]) == ("ann", "r2")
    assert status["is_checkout_deployed"] is True
    assert status["deployed"]["digest"] == in_production(rolled_back).dbt_project.name
    assert "held: r2 was rolled back by ann" in " ".join(
        walkhouse.invoke(cli, ["status"]).output.split()
    )
    now = datetime.now(UTC)
    told = watch(rolled_back, look(rolled_back), [], now)
    assert [alert.kind for alert in told] == ["release_held"]
    assert "rolled back by ann" in told[0].text


def test_a_person_rolls_back_and_the_ui_shows_it(settings: Settings) -> None:
    deploy(settings)
    published(settings, "r1", "what was before")
    published(settings, "r2", look(settings).state)
    environment = {**settings.environment(), "DAGSTER_HOME": None}
    done = CliRunner(env=environment).invoke(cli, ["rollback"])
    assert done.exit_code == 0, done.output
    assert "r2 was rolled back by" in done.output
    assert look(settings).hold is not None
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as recorded:
        (shown,) = recorded.fetch_observations(dg.AssetKey(["release"]), limit=5).records
    observation = shown.asset_observation
    assert observation is not None
    assert "held: readers see r1" in str(observation.metadata["rolled_back"].value)
