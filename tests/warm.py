"""Programs that begin warm: each is a fork of a process that has imported their libraries.

Whatever imports Dagster, dbt and DuckDB has worked for seconds before it begins, and the tests
start some hundred programs. A fork is a process like any other, with variables, a folder, output
and an exit code of its own; of Walkhouse itself nothing is imported before it begins. What a test
signals, kills or serves pages with starts as from a shell.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from multiprocessing import get_context
from pathlib import Path
from typing import Any

LIBRARIES = (
    *("dagster", "dagster_dbt", "dbt.cli.main", "dbt.adapters.duckdb", "duckdb"),
    *("numpy", "pandas", "pyarrow.parquet", "requests", "rich.console", "rich.table", "s3fs"),
    # What these import once they are at work.
    *("alembic.command", "dbt.task.build", "lets_plot", "sqlparse", "upath"),
    *(f"sqlalchemy.dialects.{name}" for name in ("mysql", "postgresql", "sqlite")),
)
# So many new objects come before Python looks for cycles among them, as in Walkhouse itself.
NEW_OBJECTS = 1_000_000


@dataclass
class Warm:
    """The process that others are forks of; it starts with the first of them.

    It has one program run at a time.
    """

    process: subprocess.Popen[str] | None = None
    turn: threading.Lock = field(default_factory=threading.Lock)

    def run(
        self, *command: str, cwd: Path, environment: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a program that is installed beside Python; gives its code and what it printed."""
        with (
            tempfile.NamedTemporaryFile() as stdout,
            tempfile.NamedTemporaryFile() as stderr,
            self.turn,
        ):
            request = {
                "command": command,
                "cwd": str(cwd),
                "environment": environment,
                "streams": [os.devnull, stdout.name, stderr.name],
            }
            server = self._server()
            assert server.stdin is not None
            assert server.stdout is not None
            server.stdin.write(json.dumps(request) + "\n")
            server.stdin.flush()
            code = int(server.stdout.readline())
            printed = [Path(each.name).read_text("utf-8") for each in (stdout, stderr)]
        return subprocess.CompletedProcess(command, code, *printed)

    def end(self) -> None:
        """End the process, once what it runs has ended."""
        if self.process is not None:
            self.process.communicate()
            self.process = None

    def _server(self) -> subprocess.Popen[str]:
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from tests.warm import main; main()"],
                cwd=Path(__file__).resolve().parents[1],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            atexit.register(self.end)
        return self.process


warm = Warm()


def main() -> None:
    """Import, then have a fork do what each line of the standard input asks for."""
    for library in LIBRARIES:
        importlib.import_module(library)
    scripts = {each.name: each for each in entry_points(group="console_scripts")}
    gc.set_threshold(NEW_OBJECTS)
    gc.freeze()
    # Under numbers of their own: standard input and output belong to the forks.
    with os.fdopen(os.dup(0)) as requests, os.fdopen(os.dup(1), "w") as answers:
        for line in requests:
            request = json.loads(line)
            if (program := request["command"][0]) != "walkhouse":
                scripts[program].load()  # for those of its kind that follow, too
            # It ends as forks have to: without waiting for threads that they do not have.
            fork = get_context("fork").Process(target=_be, args=(request, scripts))
            fork.start()
            fork.join()
            print(fork.exitcode, file=answers, flush=True)


def _be(request: dict[str, Any], scripts: dict[str, EntryPoint]) -> None:
    """Be the program that is asked for, with what a new process has of the one that starts it."""
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["cwd"])
    sys.argv = request["command"]
    for number, name in enumerate(request["streams"]):
        opened = os.open(name, os.O_RDWR)
        os.dup2(opened, number)
        os.close(opened)
    sys.exit(scripts[sys.argv[0]].load()())
