"""A web hook on this machine, which keeps what was posted and answers as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Hook:
    """What arrived, and the answers still to give; 200 after them."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    requests: int = 0
    posted: list[dict[str, Any]] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        return [content["kind"] for content in self.posted]


@contextmanager
def listening() -> Iterator[Hook]:
    """A hook that listens until it is left."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.requests += 1
            answer = hook.answers.pop(0) if hook.answers else 200
            if answer == 200:
                assert self.headers["Content-Type"] == "application/json"
                hook.posted.append(json.loads(body))
            self.send_response(answer)
            self.send_header("Location", hook.url)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Say nothing: the tests read what arrived."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.url = f"http://127.0.0.1:{server.server_port}/hooks/secret-token"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join()
