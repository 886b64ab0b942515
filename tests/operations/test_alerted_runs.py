"""Alerts of real runs; the tests follow in order."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from dagster_project.ingest.lake import FORMAT_VERSION
from tests.installation import Installation, said
from tests.operations.hook import Hook, listening
from tests.whole import landings

pytestmark = pytest.mark.long

BROKEN, REFUSED = "2026-03-02", "2026-03-03"

KILLED_AND_LOOKED_OVER = """
from datetime import date

import dagster as dg

from dagster_project.definitions import defs
from dagster_project.operations.requests import range_tags
from dagster_project.operations.runs import INGEST
from dagster_project.defs.resources import Installation
from dagster_project.settings import Settings

with dg.DagsterInstance.get() as instance:
    day = date(2026, 3, 1)
    killed = instance.create_run_for_job(
        defs.resolve_job_def(INGEST), tags=range_tags(day, day)
    )
    instance.report_run_failed(killed, message="its process ended before the run did")
    for _ in range(2):
        context = dg.build_sensor_context(
            instance,
            definitions=defs,
            resources={"installation": Installation.of(Settings.from_environment())},
        )
        tick = defs.resolve_sensor_def("alerts").evaluate_tick(context)
        print(tick.skip_message)
    print(killed.run_id)
"""


@dataclass(frozen=True)
class Alerted:
    """An installation and the hook that its alerts are posted to."""

    installation: Installation
    hook: Hook

    def set(self, **settings: object) -> None:
        """Write the settings file."""
        values = {"name": "house", "alert_url": self.hook.url, **settings}
        self.installation.home.mkdir(parents=True, exist_ok=True)
        (self.installation.home / "walkhouse.toml").write_text(
            "".join(f"{name} = {value!r}\n" for name, value in values.items())
        )


@pytest.fixture(scope="module")
def alerted(installation_of_module: Installation) -> Iterator[Alerted]:
    with listening() as hook:
        alerted = Alerted(installation_of_module, hook)
        alerted.set()
        yield alerted


def test_a_run_tells_of_failed_and_quarantined_dumps_and_of_the_refusal(alerted: Alerted) -> None:
    landing = alerted.installation.landing
    event = landings.player(landings.at("2026-03-01T09:00:00Z"), "player/open", session="s")
    landings.put(landing, "2026-03-01", "a.ndjson", [event])
    landings.put(landing, BROKEN, "a.parquet", b"PAR1 nothing of the kind PAR1")
    start = landings.at(f"{REFUSED}T09:00:00Z")
    clicks = [
        landings.player(start + 1000 * n, "launcher/play", session="bad", data__oId=7)
        for n in range(5)
    ]
    landings.put(landing, REFUSED, "a.ndjson", [*clicks, {"secret": "row"}])
    run = alerted.installation.walkhouse("run")
    assert run.returncode == 1
    contents = {content["kind"]: content for content in alerted.hook.posted}
    assert set(contents) == {"dump_failed", "quarantine_above_tolerance", "release_refused"}
    (failed,) = contents["dump_failed"]["details"]
    assert failed.startswith(f"dump {BROKEN}, a.parquet: not readable as Parquet")
    assert contents["quarantine_above_tolerance"]["details"] == [
        f"dump {REFUSED}: 1 of 6 lines (16.67%) are quarantined, tolerance 1.00%"
    ]
    refusal = "\n".join(contents["release_refused"]["details"])
    assert "launcher_play_once_per_session: 4 violations in 5 checked" in refusal
    assert contents["dump_failed"]["run_id"]
    assert contents["release_refused"]["run_id"] != contents["dump_failed"]["run_id"]
    assert {content["installation"] for content in alerted.hook.posted} == {"house"}
    assert "secret" not in str(contents)
    assert said(run).count("alert, dump_failed") == 1
    assert "secret-token" not in said(run)


def test_who_looks_again_tells_nothing_twice(alerted: Alerted) -> None:
    before = alerted.hook.requests
    looked = alerted.installation.walkhouse("alerts")
    assert looked.returncode == 0, said(looked)
    assert f"dump_failed: {BROKEN}, posted" in looked.stdout
    assert alerted.hook.requests == before


def test_a_hook_that_is_gone_fails_no_run_and_hears_of_it_later(alerted: Alerted) -> None:
    for day in (BROKEN, REFUSED):
        shutil.rmtree(alerted.installation.landing / "events" / f"dt={day}")
    alerted.set(alert_url="http://127.0.0.1:9/secret-token", stale_after_hours=36)
    run = alerted.installation.walkhouse("run")
    assert run.returncode == 0, said(run)
    assert "the alert on dumps_stale could not be sent: 127.0.0.1 did not answer" in said(run)
    assert "secret-token" not in said(run)
    alerted.set(stale_after_hours=36)
    looked = alerted.installation.walkhouse("alerts")
    assert looked.stdout == "dumps_stale: landing, posted\n"
    assert "the newest dump is that of 2026-03-01" in alerted.hook.posted[-1]["text"]
    alerted.set()
    assert "nothing is worth an alert" in alerted.installation.walkhouse("alerts").stdout


def test_the_sensor_tells_of_a_run_that_was_killed_and_once(alerted: Alerted) -> None:
    before = len(alerted.hook.posted)
    event = landings.player(landings.at("2026-03-01T10:00:00Z"), "player/open", session="t")
    landings.put(alerted.installation.landing, "2026-03-01", "b.ndjson", [event])
    home = str(alerted.installation.home / "dagster")
    looked = alerted.installation.execute(
        "env", f"DAGSTER_HOME={home}", "python", "-c", KILLED_AND_LOOKED_OVER
    )
    assert looked.returncode == 0, said(looked)
    *ticks, run_id = looked.stdout.splitlines()[-3:]
    assert ticks == ["run_failed: a run failed", "nothing is news"]
    (content,) = alerted.hook.posted[before:]
    assert content["run_id"] == run_id
    assert content["details"] == [f"run {run_id} of ingest_dumps: it ended before it was done"]


def test_a_lake_of_a_newer_version_is_told_of_once_until_it_is_gone(alerted: Alerted) -> None:
    version = alerted.installation.home / "lake" / "raw" / "version.json"
    current = version.read_text()
    version.write_text(json.dumps({"format_version": FORMAT_VERSION + 1}))
    before = len(alerted.hook.posted)
    for _ in range(2):
        run = alerted.installation.walkhouse("run")
        assert run.returncode == 1
        assert f"written in format {FORMAT_VERSION + 1} by another Walkhouse" in said(run)
    (content,) = alerted.hook.posted[before:]
    assert (content["kind"], content["severity"]) == ("lake_refused", "error")
    assert "install that one again, or move the folder away" in "".join(content["details"])
    version.write_text(current)
    alerted.installation.walkhouse("alerts")
    assert "lake_refused" not in (alerted.installation.home / "alerts.json").read_text()


def test_a_landing_that_is_gone_is_told_of(alerted: Alerted) -> None:
    shutil.rmtree(alerted.installation.landing)
    run = alerted.installation.walkhouse("run")
    assert run.returncode == 1
    content = alerted.hook.posted[-1]
    assert content["kind"] == "landing_unreachable"
    (detail,) = content["details"]
    assert detail.count(str(alerted.installation.landing)) == 1
