"""`walkhouse ui` of an installation, as tests use it: its GraphQL, and its pages in a browser."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.installation import CHECKOUT, Installation

LOCATION = {"repositoryName": "__repository__", "repositoryLocationName": "walkhouse"}
_PATIENCE_SECONDS = (
    600.0  # for a machine that has much else to do; nothing waits longer than it must
)
_BETWEEN_LOOKS_SECONDS = 2.0  # each costs the servers some of the processor
_T = TypeVar("_T")


@dataclass(frozen=True)
class Server:
    """Webserver and daemon of an installation."""

    installation: Installation
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Where the pages are."""
        return f"http://127.0.0.1:{self.port}"

    def ask(self, query: str, **variables: Any) -> Any:
        """The data that GraphQL answers with; an error fails the test with its message."""
        request = urllib.request.Request(
            f"{self.url}/graphql",
            data=json.dumps({"query": query, "variables": variables}).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                answer = json.load(response)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{query}: {error.read().decode()}") from error
        assert not answer.get("errors"), answer["errors"]
        return answer["data"]

    def wait_for(self, what: str, look: Callable[[], _T | None]) -> _T:
        """What `look` finds, as soon as it finds something."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            assert self.process.poll() is None, "the UI ended by itself"
            if found := look():
                return found
            time.sleep(_BETWEEN_LOOKS_SECONDS)
        raise AssertionError(f"there was no {what} within {_PATIENCE_SECONDS:.0f} seconds")


@contextmanager
def serving(installation: Installation) -> Iterator[Server]:
    """Start the UI as the documentation says, and end it with all the servers it started."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    installation.home.mkdir(parents=True, exist_ok=True)
    arguments = ["ui", "--host", "127.0.0.1", "--port", str(port)]
    with (installation.home / "ui.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dagster_project.cli", *arguments],
            cwd=CHECKOUT,
            env=installation.environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            server = Server(installation, port, process)
            server.wait_for("answer of the UI", lambda: _is_loaded(server))
            yield server
        finally:
            _end(process)


def _is_loaded(server: Server) -> bool:
    query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"
    try:
        return bool(server.ask(query)["repositoriesOrError"].get("nodes"))
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process group; on a busy machine its servers may not end by themselves."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
        except ProcessLookupError:
            return
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            continue
