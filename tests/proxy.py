"""A proxy between a client and an object store, that does to connections what networks do."""

from __future__ import annotations

import re
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import unquote

Trouble = Callable[[str, int], "int | str | None"]
"""What happens to the n-th request (from 1) for a path: nothing (None), an error that the store
answers with (its name), or a connection that breaks after so many bytes of content have passed."""

_SLOW_DOWN = (
    b"<?xml version='1.0' encoding='UTF-8'?><Error><Code>%b</Code>"
    b"<Message>Reduce your request rate.</Message></Error>"
)


def breaking_after(content_bytes: int, name: str, *, times: int = 1_000_000) -> Trouble:
    """Connections break in the middle of a file, so many times."""

    def trouble(path: str, number: int) -> int | None:
        return content_bytes if path.endswith(name) and number <= times else None

    return trouble


@dataclass
class Proxy:
    """A running proxy.

    Attributes:
        endpoint: the URL under which clients reach the store through it.
        trouble: what happens to answers of the store; may be changed at any time.
        upload_trouble: what happens to requests with content, which the store then never sees.
        answer_trouble: what happens to answers to requests with content, after the store did what
            was asked.
        unknown_header: one that the store does not know: it never sees it.
        requests: method and path with query of every request so far.
    """

    endpoint: str
    trouble: Trouble | None = None
    upload_trouble: Trouble | None = None
    answer_trouble: Trouble | None = None
    unknown_header: str = ""
    requests: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, request: str) -> int:
        """Note a request; gives how many of the same kind there were, this one included."""
        with self._lock:
            self.requests.append(request)
            return sum(request.split("?")[0] == other.split("?")[0] for other in self.requests)


@contextmanager
def proxy(upstream: str) -> Iterator[Proxy]:
    """A proxy to the store at an endpoint, for as long as it is needed."""
    host, port = upstream.removeprefix("http://").split(":")

    class Handler(socketserver.BaseRequestHandler):
        """One connection: requests, each on a connection of its own upstream."""

        def handle(self) -> None:
            client: socket.socket = self.request
            while head := _head(client):
                method, target, _ = head.decode("latin-1").split(" ", 2)
                number = running.count(f"{method} {unquote(target)}")
                path = unquote(target).split("?")[0]
                trouble = None
                if method == "GET" and running.trouble:
                    trouble = running.trouble(path, number)
                length = _content_length(head)
                if length and running.upload_trouble:
                    trouble = running.upload_trouble(path, number)
                    if trouble == 0:
                        return
                if b"100-continue" in head:
                    client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
                    head = re.sub(rb"\r\nExpect: [^\r]*", b"", head, flags=re.IGNORECASE)
                if length and isinstance(trouble, int):
                    _received(client, trouble)
                    return
                content = _received(client, length)
                if isinstance(trouble, str):
                    error = _SLOW_DOWN % trouble.encode()
                    status = (
                        b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/xml\r\n"
                    )
                    client.sendall(status + b"Content-Length: %d\r\n\r\n" % len(error) + error)
                    continue
                if running.unknown_header:
                    header = rb"\r\n%b: [^\r]*" % running.unknown_header.encode()
                    head = re.sub(header, b"", head, flags=re.IGNORECASE)
                with socket.create_connection((host, int(port))) as store:
                    store.sendall(re.sub(rb"\r\n\r\n$", b"\r\nConnection: close\r\n\r\n", head))
                    store.sendall(content)
                    answer = _until_closed(store)
                start = answer.index(b"\r\n\r\n") + 4
                if length and running.answer_trouble:
                    trouble = running.answer_trouble(path, number)
                    if trouble == 0:
                        return
                if isinstance(trouble, int) and len(answer) > start + trouble:
                    client.sendall(answer[: start + trouble])
                    return
                client.sendall(answer)
                return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        running = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()
            thread.join()


def _head(client: socket.socket) -> bytes:
    """The lines of a request up to its content; nothing of that is read."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        seen = client.recv(1 << 16, socket.MSG_PEEK)
        if not seen:
            return b""
        end = (head + seen).find(b"\r\n\r\n")
        head += client.recv(len(seen) if end < 0 else end + 4 - len(head))
    return re.sub(rb"\r\nConnection: [^\r]*", b"", head, flags=re.IGNORECASE)


def _content_length(head: bytes) -> int:
    """How many bytes of content follow the lines of a request."""
    assert b"chunked" not in head.lower(), "the proxy only knows content of a length"
    found = re.search(rb"\r\nContent-Length: (\d+)", head, re.IGNORECASE)
    return int(found[1]) if found else 0


def _received(client: socket.socket, length: int) -> bytes:
    """So many bytes, or fewer where the client ends before."""
    content = bytearray()
    while len(content) < length and (received := client.recv(min(1 << 20, length - len(content)))):
        content += received
    return bytes(content)


def _until_closed(store: socket.socket) -> bytes:
    answer = bytearray()
    while received := store.recv(1 << 16):
        answer += received
    return bytes(answer)
