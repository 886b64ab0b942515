"""A data engineer's day in the Dagster UI: a real server and daemon, its GraphQL and a browser.

The tests share one server and follow each other: take in dumps, see the release refused, waive,
backfill, be killed.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
import yaml
from playwright.sync_api import Page

from dagster_project.models.columns import portable_type
from tests.chromium import chromium
from tests.defs.questions import (
    LAUNCH_BACKFILL,
    PARTITIONS,
    RUNS,
    days,
    ended,
    look_with,
    runs_of,
    statuses,
    tags,
)
from tests.defs.server import LOCATION, Server, serving
from tests.docs.pages import blocks
from tests.installation import CHECKOUT, Installation, said

pytestmark = pytest.mark.waits

PLANTED = "launcher_play_once_per_session"
MISSING = "2026-03-03"
REEXECUTE = """
mutation ($again: ReexecutionParams, $changed: ExecutionParams) {
    launchRunReexecution(reexecutionParams: $again, executionParams: $changed) {
        ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    }
}
"""
LAUNCH = """
mutation ($parameters: ExecutionParams!) {
    launchRun(executionParams: $parameters) {
        ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    }
}
"""
CHECKS = """
query ($path: [String!]!) {
    assetNodeOrError(assetKey: {path: $path}) { ... on AssetNode {
        assetChecksOrError { ... on AssetChecks { checks {
            name
            executionForLatestMaterialization { evaluation {
                success severity description metadataEntries {
                    label
                    ... on IntMetadataEntry { intValue }
                    ... on MarkdownMetadataEntry { mdStr }
                    ... on PathMetadataEntry { path }
                    ... on TableMetadataEntry { table { records } }
                }
            } }
        } } }
    } }
}
"""
COLUMNS = """
{ assetNodes { assetKey { path } metadataEntries {
    label
    ... on TableSchemaMetadataEntry { schema { columns { name type description } } }
    ... on TableColumnLineageMetadataEntry { lineage {
        columnName columnDeps { assetKey { path } columnName }
    } }
} } }
"""
EVENTS = """
query ($run: ID!) {
    logsForRun(runId: $run) { ... on EventConnection { events {
        __typename ... on MessageEvent { message stepKey }
    } } }
}
"""


FAILURES = """
query ($run: ID!) {
    logsForRun(runId: $run) { ... on EventConnection { events {
        __typename ... on ExecutionStepFailureEvent {
            error { message stack }
            failureMetadata { metadataEntries {
                label
                ... on UrlMetadataEntry { url }
                ... on MarkdownMetadataEntry { mdStr }
            } }
        }
    } } }
}
"""


@pytest.fixture(scope="module")
def server(installation_of_module: Installation) -> Iterator[Server]:
    """A server of an installation with five dumps, one of which is missing."""
    simulate(installation_of_module, days=6)
    (dump,) = installation_of_module.landing.glob(f"events/dt={MISSING}")
    dump.rename(installation_of_module.landing / "held-back")
    with serving(installation_of_module) as running:
        yield running


@pytest.fixture(scope="module")
def taken_in(server: Server) -> dict[str, Any]:
    """The one run of the backfill of all six days."""
    backfill = server.ask(
        LAUNCH_BACKFILL,
        parameters={
            "assetSelection": [{"path": ["raw", "lines"]}, {"path": ["raw", "files"]}],
            "partitionNames": days("2026-03-01", 6),
        },
    )["launchPartitionBackfill"]["backfillId"]
    tag = {"key": "dagster/backfill", "value": backfill}
    return ended(server, {"tags": [tag]})[0]


@pytest.fixture(scope="module")
def refused(server: Server, taken_in: dict[str, Any]) -> dict[str, Any]:
    """The build that nobody but the sensor asked for."""
    del taken_in
    return ended(server, {"pipelineName": "build_and_release"})[0]


@pytest.fixture(scope="module")
def page(server: Server) -> Iterator[Page]:
    with chromium() as browser:
        opened = browser.new_page(viewport={"width": 1700, "height": 1300}, base_url=server.url)
        opened.set_default_timeout(120_000)
        yield opened


def test_the_server_knows_groups_jobs_schedule_and_sensors(server: Server) -> None:
    (repository,) = server.ask(
        """{ repositoriesOrError { ... on RepositoryConnection { nodes {
            assetGroups { groupName } schedules { name } sensors { name } jobs { name }
        } } } }"""
    )["repositoriesOrError"]["nodes"]
    assert {group["groupName"] for group in repository["assetGroups"]} == {
        "landing",
        "raw",
        "intermediate",
        "facts",
        "reports",
        "meta",
        "release",
    }
    assert {schedule["name"] for schedule in repository["schedules"]} == {"daily"}
    assert {sensor["name"] for sensor in repository["sensors"]} >= {"landing", "lake"}
    assert {job["name"] for job in repository["jobs"]} >= {"ingest_dumps", "build_and_release"}


def test_many_days_are_one_run_and_the_partitions_show_which_are_there(
    server: Server, taken_in: dict[str, Any]
) -> None:
    assert taken_in["status"] == "SUCCESS"
    assert tags(taken_in)["dagster/asset_partition_range_end"] == "2026-03-06"
    asset = server.ask(PARTITIONS)["assetNodeOrError"]
    assert statuses(asset) == {
        day: "MATERIALIZED" for day in days("2026-03-01", 6) if day != MISSING
    }
    (check,) = checks(server, "raw", "lines")
    assert check == "dump_is_sound"


def test_a_failed_check_shows_its_rows_and_the_query_that_finds_them_all(
    server: Server, refused: dict[str, Any]
) -> None:
    assert refused["status"] == "FAILURE"
    check = checks(server, "facts", "fct_launchers")[PLANTED]
    metadata = {entry["label"]: entry for entry in check["metadataEntries"]}
    assert (check["success"], check["severity"]) == (False, "ERROR")
    violations = metadata["violations"]["intValue"]
    examples = metadata["examples"]["table"]["records"]
    assert 0 < len(examples) <= violations
    # Whoever guesses an id could try it against the key of an event.
    assert {"session_id", "detail"} <= json.loads(examples[0]).keys()
    assert "event_key" not in json.loads(examples[0])
    assert json.loads(metadata["trend"]["table"]["records"][0])["violations"] == violations
    assert metadata["model"]["path"].endswith(f"models/audit/{PLANTED}.sql")
    query = metadata["all of them"]["mdStr"].split("```sql\n")[1].removesuffix("\n```")
    warehouse = server.installation.home / "warehouse.duckdb"
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        assert len(connection.execute(query).fetchall()) == violations


def test_a_failed_run_leads_to_its_failed_check_and_shows_no_stack(
    server: Server, refused: dict[str, Any]
) -> None:
    events = server.ask(FAILURES, run=refused["runId"])["logsForRun"]["events"]
    (failure,) = [event for event in events if event["__typename"] == "ExecutionStepFailureEvent"]
    assert failure["error"]["stack"] == []
    assert f"{PLANTED}: " in failure["error"]["message"]
    metadata = {each["label"]: each for each in failure["failureMetadata"]["metadataEntries"]}
    assert metadata[f"failed check {PLANTED}"]["url"].startswith("/assets/facts/fct_launchers?")
    assert f"invariants: [{PLANTED}]" in metadata["to publish all the same"]["mdStr"]


def test_every_invariant_has_the_query_that_finds_all_its_violations(
    server: Server, refused: dict[str, Any]
) -> None:
    del refused
    nodes = server.ask("{ assetNodes { assetKey { path } } }")["assetNodes"]
    found: dict[str, Any] = {}
    for node in nodes:
        if node["assetKey"]["path"][0] in ("facts", "reports", "meta"):
            found |= checks(server, *node["assetKey"]["path"])
    warehouse = server.installation.home / "warehouse.duckdb"
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for name, check in found.items():
            metadata = {entry["label"]: entry for entry in check["metadataEntries"]}
            query = metadata["all of them"]["mdStr"].split("```sql\n")[1].removesuffix("\n```")
            rows = len(connection.execute(query).fetchall())
            assert rows == metadata["violations"]["intValue"], name


def test_every_table_shows_the_columns_that_it_has_and_where_they_come_from(
    server: Server, refused: dict[str, Any]
) -> None:
    del refused
    shown, lineage = {}, {}
    for node in server.ask(COLUMNS)["assetNodes"]:
        entries = {entry["label"]: entry for entry in node["metadataEntries"]}
        key = tuple(node["assetKey"]["path"])
        if "dagster/column_schema" in entries:
            found = entries["dagster/column_schema"]["schema"]["columns"]
            shown[key] = {column["name"]: column["type"] for column in found}
        if "dagster/column_lineage" in entries:
            lineage[key] = {
                each["columnName"]: {
                    (*dep["assetKey"]["path"], dep["columnName"]) for dep in each["columnDeps"]
                }
                for each in entries["dagster/column_lineage"]["lineage"]
            }
    built: dict[tuple[str, str], dict[str, str]] = {}
    warehouse = server.installation.home / "warehouse.duckdb"
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        for schema, table, column, data_type in connection.execute(
            "select schema_name, table_name, column_name, data_type from duckdb_columns()"
            " where database_name = current_database() and not internal"
        ).fetchall():
            built.setdefault((schema, table), {})[column] = portable_type(data_type)
    assert shown == {key: columns for key, columns in built.items() if key in shown}
    assert shown.keys() >= {key for key in built if key[0] != "audit"}
    assert lineage["reports", "rpt_flows"]["completed"] == {("facts", "fct_flow_plays", "result")}


def test_a_refused_release_is_not_asked_for_again(server: Server, refused: dict[str, Any]) -> None:
    assert tags(refused)["walkhouse/conclusive"] == "true"
    assert "did not change" in look_with(server, "lake")["skipReason"]
    status = server.installation.walkhouse("status")
    assert f"{PLANTED}: " in said(status)


@pytest.mark.parametrize(
    ("address", "texts"),
    [
        ("/overview/activity/timeline", ["build_and_release"]),
        ("/locations/walkhouse/asset-groups/release/lineage", ["release", "duckdb"]),
        (
            "/assets/raw/lines?view=partitions&partition=2026-03-01",
            ["Materialized (5)", "lines_events", "quarantine_rate"],
        ),
        (
            f"/assets/facts/fct_launchers?view=checks&checkDetail={PLANTED}",
            ["tolerance 1.00%", "number 2 in the session", "trend"],
        ),
        ("/assets/intermediate/int_flow_events", ["timestamp", "from facts/fct_item_events"]),
    ],
)
def test_a_page_shows(page: Page, refused: dict[str, Any], address: str, texts: list[str]) -> None:
    del refused
    page.goto(address)
    for text in texts:
        page.get_by_text(text).first.wait_for()


def test_the_landing_shows_the_days_as_a_picture(page: Page, refused: dict[str, Any]) -> None:
    del refused
    page.goto("/assets/landing/dumps?view=events")
    picture = page.get_by_alt_text("by day").first
    picture.wait_for()
    assert picture.evaluate("each => each.naturalWidth") > 0


def test_a_failed_step_runs_again_alone_and_is_refused_again(
    server: Server, refused: dict[str, Any]
) -> None:
    again = {"parentRunId": refused["runId"], "strategy": "FROM_FAILURE"}
    launched = server.ask(REEXECUTE, again=again)["launchRunReexecution"]["run"]["runId"]
    (run,) = ended(server, {"runIds": [launched]})
    assert run["status"] == "FAILURE"
    assert steps(server, launched) == {"release"}


def test_a_waiver_in_the_configuration_of_the_failed_step_publishes(
    server: Server, refused: dict[str, Any]
) -> None:
    changed = {
        "selector": {**LOCATION, "jobName": "build_and_release"},
        "stepKeys": ["release"],
        "runConfigData": waiver(),
        "executionMetadata": {"parentRunId": refused["runId"], "rootRunId": refused["runId"]},
    }
    launched = server.ask(REEXECUTE, changed=changed)["launchRunReexecution"]["run"]["runId"]
    (run,) = ended(server, {"runIds": [launched]})
    assert run["status"] == "SUCCESS"
    ((waivers,),) = server.installation.ask("select waivers from meta.release")
    assert json.loads(waivers) == {PLANTED: "player 6.1 draws twice"}
    check = checks(server, "facts", "fct_launchers")[PLANTED]
    assert (check["success"], check["severity"]) == (False, "WARN")
    assert check["description"].endswith("; waived")


def test_the_release_says_how_old_its_newest_event_is(server: Server) -> None:
    def is_reported() -> bool:
        check = checks(server, "release").get("data_is_fresh")
        return bool(check and check["description"].startswith("the newest event is of 2026-03-"))

    server.wait_for("word of the sensor", is_reported)


def test_a_killed_run_keeps_nobody_waiting(server: Server, refused: dict[str, Any]) -> None:
    del refused
    parameters = {
        "selector": {**LOCATION, "jobName": "build_and_release"},
        "runConfigData": waiver(),
    }
    launched = server.ask(LAUNCH, parameters=parameters)["launchRun"]["run"]["runId"]
    server.wait_for("step under way", lambda: steps(server, launched))
    os.kill(process_of(server, launched), signal.SIGKILL)

    def is_recorded() -> bool:
        look_with(server, "lake")
        (run,) = server.ask(RUNS, filter={"runIds": [launched]})["runsOrError"]["results"]
        return bool(run["status"] == "FAILURE")

    server.wait_for("record of the killed run", is_recorded)
    assert list((server.installation.home / "locks").glob(f"run-{launched}")) == []


def test_a_backfill_is_cancelled_and_resumed_while_the_command_line_is_used(
    server: Server, refused: dict[str, Any]
) -> None:
    del refused
    installation = server.installation
    (installation.landing / "held-back").rename(installation.landing / f"events/dt={MISSING}")
    simulate(installation, days=8)
    partitions = days("2026-03-01", 8)
    backfill = launch_job_backfill(server, partitions)
    server.wait_for("first run", lambda: runs_of(server, backfill))
    server.ask(
        "mutation ($id: String!) { cancelPartitionBackfill(backfillId: $id) { __typename } }",
        id=backfill,
    )
    run = installation.walkhouse("run", "--waive", "all", "--reason", "seen")
    assert run.returncode == 0, said(run)
    again = launch_job_backfill(server, partitions)
    server.wait_for("end of the backfill", lambda: runs_of(server, again, finished=True))
    assert {each["status"] for each in runs_of(server, again)} == {"SUCCESS"}
    asset = server.ask(PARTITIONS)["assetNodeOrError"]
    assert statuses(asset) == dict.fromkeys(partitions, "MATERIALIZED")
    newest, *_ = server.ask(RUNS, filter={"pipelineName": "build_and_release"})["runsOrError"][
        "results"
    ]
    assert newest["repositoryOrigin"] == {"repositoryLocationName": "walkhouse"}
    assert tags(newest)["walkhouse/started_by"].startswith("walkhouse run on ")
    assert tags(newest)["user"]
    published = installation.ask("select count(distinct dump_date) from meta.dump_ledger")
    assert published == [(8,)]
    server.wait_for(
        "sensor with nothing to ask for",
        lambda: look_with(server, "lake")["skipReason"] == "what is in the lake is published",
    )


def simulate(installation: Installation, *, days: int) -> None:
    arguments = ["--days", str(days), "--events-per-day", "150", "--plant", f"{PLANTED}=30"]
    arguments.append("--replace")  # plants lie otherwise where there are more days
    simulated = installation.walkhouse("simulate", *arguments)
    assert simulated.returncode == 0, said(simulated)


def waiver() -> dict[str, Any]:
    """The configuration of a run by which the documentation has a person waive."""
    texts = [each.text for each in blocks(CHECKOUT / "docs" / "operating.md")]
    (text,) = [text for text in texts if text.startswith("resources:\n  waivers:")]
    configuration: dict[str, Any] = yaml.safe_load(text)
    return configuration


def launch_job_backfill(server: Server, partitions: list[str]) -> str:
    """A backfill of the ingest job."""
    parameters = {
        "selector": {
            "partitionSetName": "ingest_dumps_partition_set",
            "repositorySelector": LOCATION,
        },
        "partitionNames": partitions,
    }
    answer = server.ask(LAUNCH_BACKFILL, parameters=parameters)["launchPartitionBackfill"]
    return str(answer["backfillId"])


def checks(server: Server, *path: str) -> dict[str, Any]:
    """The last evaluation of each check of an asset."""
    found = server.ask(CHECKS, path=list(path))["assetNodeOrError"]["assetChecksOrError"]
    return {
        check["name"]: execution["evaluation"]
        for check in found.get("checks", [])
        if (execution := check["executionForLatestMaterialization"])
    }


def steps(server: Server, run_id: str) -> set[str]:
    """The steps that a run started."""
    events = server.ask(EVENTS, run=run_id)["logsForRun"]["events"]
    return {
        event["stepKey"] for event in events if event["__typename"] == "ExecutionStepStartEvent"
    }


def process_of(server: Server, run_id: str) -> int:
    """The process that executes a run, as Dagster noted it."""
    events = server.ask(EVENTS, run=run_id)["logsForRun"]["events"]
    (noted,) = (e["message"] for e in events if "Started process for run" in e.get("message", ""))
    return int(noted.split("pid: ")[1].split(")")[0])
