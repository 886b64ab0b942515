"""Clients of other versions than the project's own, each in a folder that is kept between runs."""

from __future__ import annotations

import fcntl
import getpass
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest


def client(name: str, *requirements: str) -> Path:
    """The folder of a client's packages, without what they depend on; installed once.

    Where no package index can be reached, the test is skipped, but fails in CI.
    """
    folder = Path(tempfile.gettempdir()) / f"walkhouse-clients-{getpass.getuser()}" / name
    folder.parent.mkdir(exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            return folder
        building = folder.with_suffix(".building")
        shutil.rmtree(building, ignore_errors=True)
        arguments = ["install", "--quiet", "--no-deps", "--target", str(building), *requirements]
        installed = subprocess.run(
            [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        if installed.returncode:
            message = f"{name} cannot be installed here: {installed.stderr.strip()[-300:]}"
            if os.environ.get("CI"):
                pytest.fail(message)
            pytest.skip(message)
        building.rename(folder)
    return folder


class Program:
    """A Python program with a client's packages before all others, which can be talked to.

    It prints an answer, waits for a line, and prints the next.
    """

    def __init__(self, code: str, *arguments: str | Path, packages: Path | None = None) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        if packages:
            environment["PYTHONPATH"] = str(packages)
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def answer(self) -> str:
        """The next line that it prints; fails with what it complained of if there is none."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            pytest.fail(self._process.communicate()[1])
        return line.rstrip("\n")

    def go_on(self) -> None:
        """Let it go on."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """Let it end, which it must do well."""
        _, complaint = self._process.communicate("\n", timeout=60)
        assert self._process.returncode == 0, complaint
