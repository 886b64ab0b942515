"""The recipe for webhooks: a real nginx collects calls, `deliver` moves them, and they are read."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dagster_project.ingest.lake import Lake
from tests.docs.pages import commands
from tests.ingest.test_ingest import take_in
from tests.installation import CHECKOUT
from tests.tools import program

RECIPE = CHECKOUT / "deploy" / "webhooks"
PAGE = CHECKOUT / "docs" / "getting-data-in.md"
SECONDS = 20
IN_UTC = {**os.environ, "TZ": "UTC"}


@dataclass(frozen=True)
class Collector:
    """A running nginx.

    Attributes:
        port: where it listens.
        folder: has its `collected` files and a `landing`.
    """

    port: int
    folder: Path

    def post(self, path: str, body: bytes, *, method: str = "POST") -> int:
        """Call it as a webhook does; returns the status."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        connection.request(method, path, body, {"Content-Type": "application/json"})
        status = connection.getresponse().status
        connection.close()
        return status

    def collected(self) -> dict[str, bytes]:
        """What was collected, by file."""
        return {each.name: each.read_bytes() for each in (self.folder / "collected").iterdir()}

    def wait_for_lines(self, count: int) -> None:
        """Wait until so many lines are written: nginx writes them after it has answered."""
        until = time.monotonic() + SECONDS
        while sum(text.count(b"\n") for text in self.collected().values()) < count:
            assert time.monotonic() < until, f"{count} lines were not collected"
            time.sleep(0.02)

    def pass_a_day(self) -> str:
        """Let what was collected be of yesterday; returns its date."""
        yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
        for file in (self.folder / "collected").iterdir():
            file.rename(file.with_name(f"{yesterday}.{file.name.partition('.')[2]}"))
        return yesterday

    def deliver(self) -> None:
        """Do what cron does after midnight."""
        folders = [str(self.folder / name) for name in ("collected", "landing")]
        subprocess.run([str(RECIPE / "deliver"), *folders], env=IN_UTC, check=True)


@contextmanager
def serving(folder: Path) -> Iterator[Collector]:
    """Start nginx with the recipe's configuration, in this folder and on free ports."""
    nginx = program("nginx", among="/usr/sbin")
    text = (RECIPE / "nginx.conf").read_text(encoding="utf-8")
    ports = {old: free_port() for old in ("8480", "8481")}
    for old, new in ports.items():
        assert f"127.0.0.1:{old}" in text
        text = text.replace(f"127.0.0.1:{old}", f"127.0.0.1:{new}")
    text = text.replace("/srv/walkhouse/", f"{folder}/")
    (folder / "walkhouse.conf").write_text(text, encoding="utf-8")
    # What Debian's nginx.conf has around it, without what belongs to the system.
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        # Where root runs the tests, another user could not reach the folder.
        f"{'user root;' if os.geteuid() == 0 else ''}\n"
        f"daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nworker_processes 2;\n"
        f"events {{}}\nhttp {{\n{temporary}access_log off;\ninclude {folder}/walkhouse.conf;\n}}\n",
        encoding="utf-8",
    )
    (folder / "collected").mkdir()
    process = subprocess.Popen(
        [nginx, "-p", str(folder), "-c", str(folder / "nginx.conf")], env=IN_UTC
    )
    try:
        wait_until_it_listens(ports["8480"])
        yield Collector(ports["8480"], folder)
    finally:
        process.terminate()
        process.wait(timeout=SECONDS)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_until_it_listens(port: int) -> None:
    until = time.monotonic() + SECONDS
    while True:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < until, "nginx does not listen"
        time.sleep(0.02)


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    with serving(tmp_path) as running:
        yield running


def answer(number: int, **keys: object) -> bytes:
    """The call of a webhook for an answered survey question."""
    return json.dumps(
        {
            "created_at": int(datetime.now(UTC).timestamp() * 1000) + number,
            "sId": f"s-{number % 7}",
            "oId": 7001,
            "wm.euId": "u-17",
            "value": "gut, wirklich é 好",
            **keys,
        },
        ensure_ascii=False,
    ).encode()


def counts(lake: Lake) -> dict[str, int]:
    (dump,) = lake.dumps().values()
    return {outcome: count for outcome, count in dump.outcomes.items() if count}


def test_calls_become_the_dump_of_their_day(collector: Collector, tmp_path: Path) -> None:
    address = "/walkme/change-me/survey-question/submitted"
    with ThreadPoolExecutor(8) as senders:
        bodies = [answer(number) for number in range(200)]
        assert set(senders.map(lambda body: collector.post(address, body), bodies)) == {204}
    assert collector.post("/walkme/change-me/task/complete", answer(0, oId=310)) == 204
    assert collector.post(address, b'{"created_at": 17723556600') == 204
    collector.wait_for_lines(202)

    # Of today nothing is delivered yet.
    collector.deliver()
    assert not (collector.folder / "landing").exists()
    day = collector.pass_a_day()
    collector.deliver()
    assert collector.collected() == {}

    lake, failed = take_in(tmp_path, collector.folder / "landing")
    assert failed == {}
    assert [str(each) for each in lake.dumps()] == [day]
    assert counts(lake) == {"events": 201, "quarantined": 1}


def test_a_day_in_two_parts_loses_neither(collector: Collector) -> None:
    for number in range(2):
        assert collector.post("/walkme/change-me/task/complete", answer(number)) == 204
        collector.wait_for_lines(1)
        day = collector.pass_a_day()
        collector.deliver()
    folder = collector.folder / f"landing/events/dt={day}/item_type=task/event=complete"
    assert sorted(file.name for file in folder.iterdir()) == ["part-1.ndjson", "part-2.ndjson"]


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/walkme/guessed/task/complete", "POST", 404),
        ("/walkme/change-me/task/../../etc/complete", "POST", 404),
        ("/walkme/change-me/task/complete/more", "POST", 404),
        ("/walkme/change-me/task/a.b", "POST", 404),
        ("/walkme/change-me/task/complete", "GET", 403),
    ],
)
def test_other_calls_are_refused_and_leave_nothing(
    collector: Collector, path: str, method: str, status: int
) -> None:
    assert collector.post(path, answer(0), method=method) == status
    assert collector.collected() == {}


def test_a_body_of_any_size_is_whole_or_refused(collector: Collector) -> None:
    address = "/walkme/change-me/task/complete"
    room = 256 * 1024
    whole = answer(0, value="x" * (room - len(answer(0, value=""))))
    assert len(whole) == room
    assert collector.post(address, whole) == 204
    assert collector.post(address, whole + b" ") == 413
    collector.wait_for_lines(1)
    (text,) = collector.collected().values()
    assert text == whole + b"\n"


def test_the_call_on_the_page_is_answered_as_it_says(collector: Collector) -> None:
    (line,) = [each for each in commands(PAGE) if each.startswith("curl")]
    _, _, body, address = shlex.split(line)
    path = re.sub(r"^http://127\.0\.0\.1:8480", "", address)
    request = urllib.request.Request(
        f"http://127.0.0.1:{collector.port}{path}", data=body.encode(), method="POST"
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as said:
        assert said.status == 204
    collector.wait_for_lines(1)
    (name,) = collector.collected()
    assert name == f"{datetime.now(UTC):%Y-%m-%d}.survey-question.submitted.ndjson"


def test_what_the_page_says_of_the_recipe_is_there() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for part in ("deploy/webhooks/nginx.conf", "deploy/webhooks/deliver"):
        assert part in page
        assert (CHECKOUT / part).exists()
    (cron,) = [line for line in page.splitlines() if line.startswith("5 0 * * *")]
    assert cron in (RECIPE / "deliver").read_text(encoding="utf-8")
