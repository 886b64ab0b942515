"""Alerts as such: what is one, that it is told once, and how it is posted."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from dagster_project.cli import cli
from dagster_project.defs.resources import Installation
from dagster_project.defs.sensors import alerts_sensor
from dagster_project.ingest.lake import FORMAT_VERSION, Lake, LakeDump
from dagster_project.operations.alerts import (
    KINDS,
    Alert,
    AlertError,
    Finding,
    alerts_of,
    open_alerts,
    post,
    quarantined_dumps,
    stale_dumps,
    tell,
)
from dagster_project.operations.pending import look
from dagster_project.operations.watch import FailedRun, FailedStep, watch
from dagster_project.settings import Settings
from tests.operations.hook import Hook, listening

REFUSED = Finding("release_refused", "rule", "1", "rule: 9 violations in 90 checked", "run-1")
FAILED = Finding("dump_failed", "2026-03-04", "a", "dump 2026-03-04, a.csv: not readable")


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as hook:
        yield hook


def told(findings: list[Finding], home: Path, url: str, kinds: set[str] | None = None) -> list[str]:
    """Kinds that were news."""
    news = tell(
        findings,
        kinds or KINDS,
        home=home,
        url=url,
        installation="stage",
        release_id="20260301T000000-abc",
    )
    return [alert.kind for alert in news]


def test_what_is_posted_is_what_is_documented(hook: Hook, tmp_path: Path) -> None:
    told([REFUSED], tmp_path, hook.url)
    assert hook.posted == [
        {
            "schema": "walkhouse.alert/1",
            "kind": "release_refused",
            "severity": "error",
            "title": "the new release is refused; readers keep the one before",
            "details": ["rule: 9 violations in 90 checked"],
            "more_details": 0,
            "text": "stage: the new release is refused; readers keep the one before\n"
            "rule: 9 violations in 90 checked",
            "installation": "stage",
            "release_id": "20260301T000000-abc",
            "run_id": "run-1",
        }
    ]


def test_the_same_is_told_once_and_again_when_it_came_back(hook: Hook, tmp_path: Path) -> None:
    assert told([REFUSED, FAILED], tmp_path, hook.url) == ["dump_failed", "release_refused"]
    assert told([FAILED, REFUSED], tmp_path, hook.url) == []
    assert told([FAILED], tmp_path, hook.url) == []
    assert told([REFUSED, FAILED], tmp_path, hook.url) == ["release_refused"]
    assert hook.kinds == ["dump_failed", "release_refused", "release_refused"]
    assert open_alerts(tmp_path)[0] == "dump_failed: 2026-03-04, posted"


def test_what_nobody_looked_for_is_not_over(hook: Hook, tmp_path: Path) -> None:
    assert told([REFUSED, FAILED], tmp_path, hook.url) != []
    assert told([], tmp_path, hook.url, {"dump_failed"}) == []
    assert told([REFUSED], tmp_path, hook.url) == []


def test_many_dumps_are_one_alert_with_the_first_of_them(hook: Hook, tmp_path: Path) -> None:
    many = [
        Finding("dump_failed", f"{day:03}", "", f"dump {day:03}: " + "x" * 600)
        for day in range(365)
    ]
    told(many, tmp_path, hook.url)
    (content,) = hook.posted
    assert content["title"] == "365 dumps could not be taken in"
    assert len(content["details"]) == 20
    assert content["more_details"] == 345
    assert content["text"].endswith("… and 345 more")
    assert max(map(len, content["details"])) == 500


def test_every_alert_is_a_line_in_the_log_also_without_an_address(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "walkhouse"):
        told([FAILED], tmp_path, "")
    assert "alert, dump_failed: 1 dump could not be taken in\ndump 2026-03-04, a.csv" in caplog.text


def test_what_could_not_be_posted_is_posted_later_and_logged_once(
    hook: Hook, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    hook.answers = [404]
    assert told([FAILED], tmp_path, hook.url) == ["dump_failed"]
    assert "could not be sent: 127.0.0.1 answered 404" in caplog.text
    assert "secret-token" not in caplog.text
    assert told([FAILED], tmp_path, hook.url) == []
    assert hook.kinds == ["dump_failed"]
    assert caplog.text.count("alert, dump_failed") == 1


def test_an_address_that_is_set_later_hears_of_what_still_holds(hook: Hook, tmp_path: Path) -> None:
    told([FAILED], tmp_path, "")
    told([FAILED], tmp_path, hook.url)
    assert hook.kinds == ["dump_failed"]


@pytest.mark.parametrize("answer", [429, 500, 503])
def test_what_may_pass_is_tried_again(hook: Hook, answer: int) -> None:
    hook.answers = [answer]
    post(Alert.test().content(installation="x", release_id=None), hook.url)
    assert hook.requests == 2
    assert hook.kinds == ["test"]


@pytest.mark.parametrize("answer", [302, 307, 400, 401])
def test_what_cannot_pass_is_not(hook: Hook, answer: int) -> None:
    hook.answers = [answer]
    with pytest.raises(AlertError, match=str(answer)):
        post(Alert.test().content(installation="x", release_id=None), hook.url)
    assert hook.requests == 1


def test_nobody_listening_is_said_without_the_address() -> None:
    with listening() as hook:
        url = hook.url
    with pytest.raises(AlertError, match=r"127\.0\.0\.1 did not answer") as error:
        post(Alert.test().content(installation="x", release_id=None), url)
    assert "secret-token" not in str(error.value)


def test_a_memory_cut_short_tells_again(
    hook: Hook, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "alerts.json").write_text('[{"kind": "dump_')
    assert told([FAILED], tmp_path, hook.url) == ["dump_failed"]
    assert "alerts.json cannot be read" in caplog.text


def test_the_worst_comes_first() -> None:
    assert [a.kind for a in alerts_of([REFUSED, FAILED])] == ["dump_failed", "release_refused"]


def test_the_sensor_tells_of_a_lake_of_a_newer_version(tmp_path: Path) -> None:
    settings = Settings(landing=str(tmp_path / "landing"), home=tmp_path / "home")
    (tmp_path / "landing" / "events").mkdir(parents=True)
    lake = Lake(settings.lake)
    lake.prepare()
    (lake.root / "version.json").write_text(json.dumps({"format_version": FORMAT_VERSION + 1}))
    with dg.DagsterInstance.ephemeral() as instance:
        resources = {"installation": Installation.of(settings)}
        told = alerts_sensor(dg.build_sensor_context(instance, resources=resources))
    assert isinstance(told, dg.SkipReason)
    assert (told.skip_message or "").startswith("lake_refused: the lake is of another version")


def test_only_copies_that_are_wanted_now_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "landing" / "events").mkdir(parents=True)
    here, gone = "s3://here/bi", "s3://gone/bi"
    settings = Settings(landing=str(tmp_path / "landing"), home=tmp_path / "home", copies=(here,))
    reasons = (f"copy {gone}: there is no such bucket", f"copy {here}: access denied")
    run = FailedRun("r", "send_copies", (), (FailedStep("copies", reasons, is_foreseen=True),))
    situation = look(settings)
    (told,) = watch(settings, situation, [run])
    assert told.details == (f"copy {here}: access denied",)
    unwanted = replace(settings, copies=())
    assert watch(unwanted, situation, [run]) == []
    assert open_alerts(settings.home) == []


def dump(day: str, *, events: int, quarantined: int) -> LakeDump:
    outcomes = {"events": events, "quarantined": quarantined}
    return LakeDump(day, f"f{events}", "s", "r", (), "f", outcomes, 0, {}, ())


@pytest.mark.parametrize(
    ("quarantined", "is_alert"), [(0, False), (1, False), (2, True), (100, True)]
)
def test_a_dump_is_quarantined_above_the_tolerance_and_not_at_it(
    quarantined: int, *, is_alert: bool
) -> None:
    day = date(2026, 3, 4)
    loaded = {day: dump("2026-03-04", events=100 - quarantined, quarantined=quarantined)}
    findings = quarantined_dumps(loaded, tolerance=0.01)
    assert bool(findings) == is_alert
    assert quarantined_dumps({day: dump("2026-03-04", events=0, quarantined=0)}, tolerance=0) == []


@pytest.mark.parametrize(
    ("now", "hours", "is_stale"),
    [
        (datetime(2026, 3, 6, 12, tzinfo=UTC), 36, False),
        (datetime(2026, 3, 6, 12, 0, 1, tzinfo=UTC), 36, True),
        (datetime(2026, 3, 6, 12, 0, 1, tzinfo=UTC), 0, False),
        (datetime(2030, 1, 1, tzinfo=UTC), 0, False),
    ],
)
def test_dumps_are_stale_so_many_hours_after_the_end_of_the_newest_day(
    now: datetime, hours: int, *, is_stale: bool
) -> None:
    days = [date(2026, 3, 1), date(2026, 3, 4), date(2099, 1, 1)]
    assert bool(stale_dumps(days, now, hours=hours)) == is_stale
    assert stale_dumps([], now, hours=hours) == []


def test_a_test_is_posted_when_asked_for(hook: Hook, tmp_path: Path) -> None:
    environment = {"WALKHOUSE_HOME": str(tmp_path), "WALKHOUSE_ALERT_URL": hook.url}
    walkhouse = CliRunner(env=environment)
    assert "accepted" in walkhouse.invoke(cli, ["alerts", "--test"]).output
    assert hook.kinds == ["test"]
    hook.answers = [403]
    refused = walkhouse.invoke(cli, ["alerts", "--test"])
    assert refused.exit_code == 1
    assert "answered 403" in refused.output
    nowhere = CliRunner(env={"WALKHOUSE_HOME": str(tmp_path)}).invoke(cli, ["alerts", "--test"])
    assert nowhere.exit_code == 2
    assert "set WALKHOUSE_ALERT_URL" in nowhere.output
