"""Forgetting that is killed, told to end, or meets another command: the next run finishes it.

The tests follow in order on one installation. Nothing that shows somebody is published once it was
asked to forget them, and in the end no byte of the home names them.
"""

from __future__ import annotations

import json
import signal
from datetime import date
from pathlib import Path

import pytest

from dagster_project.forgotten import load_requests
from dagster_project.locks import dump_writer
from tests.histories.test_kills import Run, start
from tests.installation import Installation, said
from tests.whole import landings
from tests.whole.traces import traces_in_files

KEY = "a key that is long enough for the tests"
FIRST, SECOND = "2026-03-01", "2026-03-02"
KILLED, TERMINATED, INTERRUPTED = "u-killed", "u-terminated", "u-interrupted"
BESIDE, ONE, OTHER = "u-beside-a-run", "u-one-of-two", "u-the-other"

pytestmark = pytest.mark.slow


def deliver(installation: Installation, day: str, *users: str) -> None:
    """A dump with an event of each user, and one of somebody else that names them."""
    noon = landings.at(f"{day}T12:00:00Z")
    events = []
    for number, user in enumerate(users):
        time = noon + 1000 * number
        events += [
            landings.player(time, "task/play", session=f"s-{number}", user=user),
            landings.player(time, "task/play", session="m", ctx__title=f"About {user}"),
        ]
    landings.put(installation.landing, day, "a.ndjson", events)


@pytest.fixture(scope="module")
def held(installation_of_module: Installation) -> Installation:
    """An installation that has published two dumps with all of them."""
    for day in (FIRST, SECOND):
        deliver(installation_of_module, day, KILLED, TERMINATED, INTERRUPTED, ONE, OTHER)
    run = installation_of_module.walkhouse("run", WALKHOUSE_PERSONAL_KEY=KEY)
    assert run.returncode == 0, said(run)
    return installation_of_module


def begin(installation: Installation, log: Path, *arguments: str) -> Run:
    return start(installation, log, *arguments, WALKHOUSE_PERSONAL_KEY=KEY)


def release_of(installation: Installation) -> str:
    return str(installation.ask("select release_id from meta.release")[0][0])


def to_forget(installation: Installation) -> int:
    status = installation.walkhouse("status", "--json", WALKHOUSE_PERSONAL_KEY=KEY)
    return int(json.loads(status.stdout)["to_forget"])


def assert_forgotten(installation: Installation, *users: str) -> None:
    assert all(each.finished_at for each in load_requests(installation.home))
    assert to_forget(installation) == 0
    for user in users:
        assert traces_in_files(installation.home, user) == []


def test_killed_again_and_again_the_last_run_finishes_it(
    held: Installation, tmp_path: Path
) -> None:
    before = release_of(held)
    counted = held.ask("select count(*) from facts.fct_item_events")
    command = begin(held, tmp_path / "forget.log", "forget", "--user", KILLED)
    command.wait_until(lambda: f"dump {FIRST}: " in command.said)
    command.kill()
    assert to_forget(held) == 1
    run = begin(held, tmp_path / "build.log")
    run.wait_until(lambda: run.has_built("facts.fct_item_events"))
    run.kill()
    run = begin(held, tmp_path / "release.log")
    run.wait_until(lambda: any(held.home.glob("published/.releases/.building-*/parquet")))
    run.kill()
    assert release_of(held) == before
    run = begin(held, tmp_path / "switch.log")
    run.wait_until(lambda: release_of(held) != before)
    run.kill()
    shown = f"select count(*) from facts.fct_item_events where end_user_id = '{KILLED}'"
    assert held.ask(shown) == [(0,)]
    assert to_forget(held) == 1
    run = begin(held, tmp_path / "last.log")
    assert run.finish() == 0, run.said
    assert_forgotten(held, KILLED)
    assert held.ask("select count(*) from facts.fct_item_events") == counted


def test_told_to_end_it_says_so_and_the_next_run_finishes_it(
    held: Installation, tmp_path: Path
) -> None:
    before = release_of(held)
    for user, told in ((TERMINATED, signal.SIGTERM), (INTERRUPTED, signal.SIGINT)):
        command = begin(held, tmp_path / f"{user}.log", "forget", "--user", user)
        with dump_writer(held.home, date.fromisoformat(SECOND)):
            command.wait_until(lambda running=command: "waiting for" in running.said)  # type: ignore[misc]  # a default binds it
            command.process.send_signal(told)
            assert command.finish() == 128 + told
        assert f"{told.name}: stopping" in command.said
        assert "Traceback" not in command.said
        assert user not in command.said
    assert release_of(held) == before
    assert to_forget(held) == 2
    run = begin(held, tmp_path / "last.log")
    assert run.finish() == 0, run.said
    assert_forgotten(held, TERMINATED, INTERRUPTED)


def test_beside_a_run_it_waits_and_what_the_run_took_in_is_read_again(
    held: Installation, tmp_path: Path
) -> None:
    deliver(held, "2026-03-03", BESIDE)
    run = begin(held, tmp_path / "run.log")
    run.wait_until(lambda: "dump 2026-03-03: " in run.said)
    command = begin(held, tmp_path / "forget.log", "forget", "--user", BESIDE)
    assert command.finish() == 0, command.said
    ended = run.finish()
    # Whether it was done before, or could not publish what shows somebody.
    assert ended == 0 or "holds somebody who is to be forgotten" in run.said, run.said
    assert "Traceback" not in run.said
    assert_forgotten(held, BESIDE)


def test_two_at_once_are_both_finished(held: Installation, tmp_path: Path) -> None:
    commands = [
        begin(held, tmp_path / f"{user}.log", "forget", "--user", user) for user in (ONE, OTHER)
    ]
    codes = [command.finish() for command in commands]
    assert codes == [0, 0], "\n".join(command.said for command in commands)
    assert_forgotten(held, ONE, OTHER)
