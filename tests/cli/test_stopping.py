"""A command that is told to end ends: whatever it is at, whichever signal tells it.

Each phase is held open by what a real one waits for: a lock of another process, a store that does
not answer, a statement that takes for ever.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pytest

from dagster_project.crew import crew
from dagster_project.locks import dump_writer, warehouse_writer
from tests.installation import CHECKOUT, Installation
from tests.whole import landings

IN_TIME = 30.0
PATIENCE = 300.0  # until a phase begins, on a machine that has much else to do
ENDLESS = "select count(*) from range(1000000000) a, range(1000000000) b where a % 7 = b"
BUILD = """
import contextlib, functools, io, sys
from pathlib import Path
from dagster_project.stopping import ending_on_signals
say = functools.partial(print, file=sys.stderr)
with ending_on_signals(say), contextlib.redirect_stdout(io.StringIO()):
    from dagster_project.models.dbt import build, dbt_project, ensure_manifest
    from dagster_project.settings import Settings
    project = dbt_project(Settings(home=Path(sys.argv[1]), dbt_project=Path(sys.argv[2])))
    ensure_manifest(project)
    list(build(project, []))
"""
STUBBORN = """
import contextlib, time
from dagster_project.stopping import ending_on_signals
with ending_on_signals(print):
    print("begun", flush=True)
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(60)
"""
LIBRARY = """
import logging, sys, threading, time
from dagster_project.stopping import ending_on_signals, go_on_or_stop

def wait():
    print("begun", flush=True)
    time.sleep(60)

def close(work=wait):
    try:
        work()
    except BaseException:
        logging.getLogger("library").exception("closing failed")
        raise

def close_what_then_breaks():
    def work():
        try:
            wait()
        except BaseException:
            raise OSError("the connection broke")
    close(work)

class Finalised:
    def __del__(self):
        wait()

def fail():
    raise ValueError("an ordinary error")

def work_in_a_thread():
    def work():
        while True:
            go_on_or_stop(0.01)
    thread = threading.Thread(target=work)
    thread.start()
    try:
        wait()
    finally:
        thread.join()

with ending_on_signals(print):
    try:
        close(fail)
    except ValueError:
        pass
    places = {
        "log": close,
        "log of another error": close_what_then_breaks,
        "finaliser": Finalised,
        "thread": work_in_a_thread,
    }
    places[sys.argv[1]]()
    go_on_or_stop()
"""
OF_AN_ANALYST = {
    f"DBT_{name}": value
    for name, value in {
        "DEFER": "1",
        "EMPTY": "1",
        "ENGINE_STATE": "/nowhere",
        "EXCLUDE": "*",
        "FAVOR_STATE": "1",
        "PROFILE": "somebody",
        "PROFILES_DIR": "/nowhere",
        "PROJECT_DIR": "/nowhere",
        "STATE": "/nowhere",
        "TARGET": "dev",
        "TARGET_PATH": "/nowhere",
        "WARN_ERROR": "1",
    }.items()
}
"""What a shell may say of dbt, which production does not hear of."""
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@dataclass
class Command:
    """A program under way."""

    process: subprocess.Popen[str]
    lines: list[str]

    def wait_for(self, text: str) -> None:
        """Return once it printed something."""
        until = time.monotonic() + PATIENCE
        while not any(text in line for line in self.lines):
            assert self.process.poll() is None, f"ended before {text!r}: {self.said}"
            assert time.monotonic() < until, f"never said {text!r}: {self.said}"
            time.sleep(0.02)

    def end_with(self, *signals: signal.Signals) -> int:
        """Tell it to end; gives its exit code."""
        for each in signals:
            self.process.send_signal(each)
            time.sleep(0.3)
        return self.process.wait(IN_TIME)

    @property
    def said(self) -> str:
        """All that it printed."""
        return "".join(self.lines)


def _hear_signals() -> None:
    """Whoever runs the tests may have them ignored, as `nohup` and shells do for their children."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_DFL)


@contextmanager
def command(*words: str, environment: dict[str, str]) -> Iterator[Command]:
    """Start a program in a process group of its own, as a shell does."""
    process = subprocess.Popen(
        words,
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=_hear_signals,
    )
    assert process.stdout is not None
    running = Command(process, [])
    reader = threading.Thread(target=lambda: running.lines.extend(process.stdout or ()))
    reader.start()
    try:
        yield running
    finally:
        process.kill()
        process.wait()
        reader.join()


@contextmanager
def walkhouse_run(installation: Installation, **variables: str) -> Iterator[Command]:
    environment = {**installation.environment, **variables}
    words = (sys.executable, "-m", "dagster_project.cli", "run")
    with command(*words, environment=environment) as running:
        yield running


@contextmanager
def silent_store() -> Iterator[tuple[socket.socket, dict[str, str]]]:
    """A server that never answers, and the variables under which it is used."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(PATIENCE)
        yield (
            server,
            {
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.getsockname()[1]}",
                "AWS_ACCESS_KEY_ID": "nobody",
                "AWS_SECRET_ACCESS_KEY": "nothing",
                "AWS_REGION": "us-east-1",
                "AWS_EC2_METADATA_DISABLED": "true",
            },
        )


@pytest.fixture
def landed(installation: Installation) -> Installation:
    """An installation with three dumps that nobody took in."""
    for day in ("2026-03-01", "2026-03-02", "2026-03-03"):
        event = landings.player(landings.at(f"{day}T09:00:00Z"), "player/open", session="s")
        landings.put(installation.landing, day, "a.ndjson", [event])
    return installation


@pytest.mark.long
@pytest.mark.parametrize("told", SIGNALS, ids=lambda told: told.name)
def test_listing_a_store_that_does_not_answer(
    installation: Installation, told: signal.Signals
) -> None:
    with silent_store() as (server, variables):
        variables["WALKHOUSE_LANDING"] = "s3://bucket/landing"
        with walkhouse_run(installation, **variables) as run, server.accept()[0]:
            assert run.end_with(told) == 128 + told
    assert f"{told.name}: stopping" in run.said
    assert "Traceback" not in run.said


@pytest.mark.long
def test_importing(landed: Installation) -> None:
    with walkhouse_run(landed) as run:
        run.wait_for("3 new dumps")
        assert run.end_with(signal.SIGINT) == 128 + signal.SIGINT
    assert "stopped: 0 of 3 pending dumps are taken in, and nothing is published yet" in run.said
    assert "Traceback" not in run.said


@pytest.mark.long
def test_waiting_for_a_dump_beside_dumps_that_are_read(landed: Installation) -> None:
    with ExitStack() as held, walkhouse_run(landed, WALKHOUSE_THREADS="2") as run:
        held.enter_context(dump_writer(landed.home, date(2026, 3, 2)))
        run.wait_for("waiting for process")
        run.wait_for("dump 2026-03-01")
        assert run.end_with(signal.SIGTERM) == 128 + signal.SIGTERM
    assert "Traceback" not in run.said
    assert re.search("stopped: [12] of 3 pending dumps are taken in", run.said)
    assert not [*landed.home.glob("lake/raw/dumps/dt=*/building-*")]
    assert not [*landed.home.glob("lake/raw/dumps/dt=*/failure.txt")]
    assert statuses(landed) == ["CANCELED"]
    with warehouse_writer(landed.home):
        pass  # free


@pytest.mark.parametrize(
    ("told", "is_cut_short"), [([signal.SIGTERM, signal.SIGINT], False), ([signal.SIGTERM], True)]
)
def test_what_does_not_end_is_cut_short_in_time_or_by_a_second_signal(
    told: list[signal.Signals], *, is_cut_short: bool
) -> None:
    with command(sys.executable, "-c", STUBBORN, environment=dict(os.environ)) as run:
        run.wait_for("begun")
        began = time.monotonic()
        assert run.end_with(*told) == 128 + signal.SIGTERM
        assert (time.monotonic() - began > 15) == is_cut_short
    assert ("is cut short" in run.said) == is_cut_short
    assert "begun\nSIGTERM: stopping" in run.said


@pytest.mark.parametrize("told", SIGNALS, ids=lambda told: told.name)
@pytest.mark.parametrize("place", ["log", "log of another error", "finaliser", "thread"])
def test_no_library_reports_the_end_that_was_asked_for_and_every_other_error(
    place: str, told: signal.Signals
) -> None:
    with command(sys.executable, "-c", LIBRARY, place, environment=dict(os.environ)) as run:
        run.wait_for("begun")
        assert run.end_with(told) == 128 + told
    assert run.said.count("Traceback") == 1
    assert "ValueError: an ordinary error" in run.said
    assert "Stopped" not in run.said


def statuses(installation: Installation) -> list[str]:
    """Of all runs that Dagster recorded."""
    path = installation.home / "dagster" / "history" / "runs.db"
    with sqlite3.connect(path) as records:
        return [status for (status,) in records.execute("select status from runs order by id")]


@pytest.mark.long
def test_a_model_whose_statement_takes_for_ever(tmp_path: Path) -> None:
    project = tmp_path / "project"
    (project / "models").mkdir(parents=True)
    (project / "dbt_project.yml").write_text("name: tiny\nprofile: tiny\n")
    (project / "profiles.yml").write_text(
        "tiny: {target: prod, outputs: {prod: {type: duckdb, threads: 1,"
        f" path: {tmp_path / 'warehouse.duckdb'}}}}}}}\n"
    )
    begun = tmp_path / "begun.csv"
    for number in range(3):
        (project / "models" / f"endless_{number}.sql").write_text(
            "{{ config(materialized='table', pre_hook=\"copy (select 1) to '"
            f"{begun}'\") }}}} {ENDLESS}"
        )
    words = (sys.executable, "-c", BUILD, str(tmp_path / "home"), str(project))
    with command(*words, environment={**os.environ, **OF_AN_ANALYST}) as run:
        while not begun.exists():
            assert run.process.poll() is None, run.said
            time.sleep(0.02)
        assert run.end_with(signal.SIGHUP) == 128 + signal.SIGHUP
    assert "SIGHUP: stopping" in run.said
    assert "is cut short" not in run.said
    assert "Traceback" not in run.said


def test_a_statement_of_a_thread_ends_with_the_block_that_an_exception_leaves() -> None:
    began = threading.Event()

    def work(cursor: duckdb.DuckDBPyConnection, number: int) -> int:
        if number == 0:
            return 0
        began.set()
        cursor.execute(ENDLESS)
        raise AssertionError("it ended")

    def interrupted(connection: duckdb.DuckDBPyConnection) -> None:
        with crew(connection, 2, name="tested") as workers:
            assert next(workers.map(work, range(20))) == 0
            began.wait()
            raise KeyboardInterrupt

    with duckdb.connect(config={"threads": 2}) as connection, pytest.raises(KeyboardInterrupt):
        interrupted(connection)
    assert not [each for each in threading.enumerate() if each.name.startswith("tested")]


def test_work_that_was_begun_is_finished_when_a_block_is_left_early() -> None:
    done = []

    def work(cursor: duckdb.DuckDBPyConnection, number: int) -> None:
        done.extend(cursor.execute("select ?::int", [number]).fetchall())

    with duckdb.connect() as connection, crew(connection, 1, name="tested") as workers:
        next(workers.map(work, range(1000)))
    assert 1 <= len(done) < 1000
