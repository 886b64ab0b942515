"""A PostgreSQL server of the tests' own, on loopback, with passwords."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from tests.tools import missing, program

PASSWORD = "correct horse"


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int

    def url(self, database: str, user: str = "postgres", password: str = PASSWORD) -> str:
        """The URL of a database, as in WALKHOUSE_COPIES."""
        quoted = password.replace(" ", "%20")
        return f"postgres://{user}:{quoted}@127.0.0.1:{self.port}/{database}"

    def ask(self, database: str, query: str, **connection: str) -> list[tuple[Any, ...]]:
        """Run a statement by itself."""
        with psycopg.connect(self.url(database, **connection), autocommit=True) as client:
            cursor = client.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def files(self, database: str) -> list[Path]:
        """The files of a database: tables, indexes, what is too long for them, the catalogue."""
        self.ask(database, "checkpoint")
        ((folder,),) = self.ask("postgres", "show data_directory")
        ((oid,),) = self.ask(
            "postgres", f"select oid from pg_database where datname = '{database}'"
        )
        return sorted((Path(folder) / "base" / str(oid)).iterdir())


def programs() -> Path | None:
    """Where the server's programs are, the newest first."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("pg_ctl")
    return next(iter(installed), Path(on_path).parent if on_path else None)


@contextmanager
def running_server() -> Iterator[Server]:
    """A fresh server; the test is skipped where none is installed, but fails in CI."""
    found = programs()
    if found is None:
        missing("PostgreSQL")
    # The server refuses to run as root, and its user may not enter the folders of pytest.
    user = "postgres" if os.geteuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="walkhouse-postgres-"))
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    if user:
        for path in (folder, folder / "password"):
            os.chown(path, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)

    def call(program: str, *arguments: str) -> None:
        subprocess.run(
            [str(found / program), *arguments],
            user=user,
            cwd=folder,
            check=True,
            stdout=(folder.parent / f"{folder.name}.log").open("a"),
            stderr=subprocess.STDOUT,
        )

    data = str(folder / "data")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = (
        f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        " -c fsync=off -c shared_buffers=32MB"
    )
    try:
        call(
            "initdb", "-D", data, "-U", "postgres", "-A", "scram-sha-256", "-E", "UTF8",
            "--locale", "C", "--no-sync", "--pwfile", str(folder / "password"),
        )  # fmt: skip
        call("pg_ctl", "-D", data, "-l", str(folder / "server.log"), "-o", options, "-w", "start")
        try:
            yield Server(port)
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)
        folder.with_name(f"{folder.name}.log").unlink()


@dataclass(frozen=True)
class Pooler:
    """A pooler before a server: each transaction of a client may get another session."""

    port: int

    def url(self, database: str) -> str:
        """The URL of a database, as in WALKHOUSE_COPIES."""
        return f"postgres://postgres@127.0.0.1:{self.port}/{database}"


@contextmanager
def running_pooler(server: Server) -> Iterator[Pooler]:
    """PgBouncer in transaction mode; the test is skipped where it is not installed."""
    pgbouncer = program("pgbouncer", among="/usr/sbin")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        pooler = Pooler(probe.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="walkhouse-pooler-") as folder:
        settings = Path(folder) / "pgbouncer.ini"
        settings.write_text(
            "[databases]\n"
            f"* = host=127.0.0.1 port={server.port} user=postgres password='{PASSWORD}'\n"
            "[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {pooler.port}\nunix_socket_dir =\n"
            "auth_type = any\npool_mode = transaction\n"
            "default_pool_size = 3\nmin_pool_size = 3\nserver_round_robin = 1\n",
            encoding="utf-8",
        )
        user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
        if user:
            for path in (folder, settings):
                os.chown(path, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        process = subprocess.Popen(
            [pgbouncer, "--quiet", str(settings)], user=user, cwd=folder, stderr=subprocess.DEVNULL
        )
        try:
            while process.poll() is None:
                with socket.socket() as client:
                    if client.connect_ex(("127.0.0.1", pooler.port)) == 0:
                        break
                time.sleep(0.05)
            yield pooler
        finally:
            process.terminate()
            process.wait()
