"""Superset in an environment of its own: makes it, sets it up, and starts it on this machine."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bi.superset.bundle import write_bundle
from dagster_project.release.publish import current_release
from dagster_project.release.report_file import REPORTS
from dagster_project.settings import Settings

HERE = Path(__file__).resolve().parent
LOCK = HERE / "requirements.lock"
ADMINISTRATOR = "admin"
READER = "reader"


class SupersetError(Exception):
    """Superset could not be set up; the message says what to do."""


@dataclass(frozen=True)
class Superset:
    """One installation of Superset.

    Attributes:
        environment: folder of its virtual environment, which installations may share.
        home: folder of its own files: metadata, keys, dashboards, logs.
    """

    environment: Path
    home: Path

    @property
    def password_file(self) -> Path:
        """The file with the administrator's password; the first set-up makes it."""
        return self.home / "admin_password"

    @property
    def reader_password_file(self) -> Path:
        """The file with the password of who only reads; the first set-up makes it."""
        return self.home / "reader_password"

    def install(self) -> None:
        """Make the virtual environment, unless it exists with the versions of the lock.

        Raises:
            SupersetError: a package could not be installed.
        """
        ready = self.environment / "ready"
        wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
        if ready.exists() and ready.read_text(encoding="utf-8") == wanted:
            return
        _run([sys.executable, "-m", "venv", "--clear", str(self.environment)])
        python = str(self._program("python"))
        uv = shutil.which("uv")
        if uv:
            install = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", python]
        else:
            install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*install, "--no-deps", "--requirement", str(LOCK)])
        ready.write_text(wanted, encoding="utf-8")

    def set_up(self, release: Path, *, reports: Path | None = None) -> None:
        """Bring metadata and dashboards up to date.

        Args:
            release: the DuckDB file that BI tools open.
            reports: its second file, which is opened instead where small groups are hidden.

        Raises:
            SupersetError: there is no release, or Superset refused something.
        """
        if not release.exists():
            raise SupersetError(f"nothing is published at {release}: `walkhouse run` publishes")
        self.home.mkdir(parents=True, exist_ok=True)
        _make_secret(self.home / "secret_key")
        _make_secret(self.password_file)
        _make_secret(self.reader_password_file)
        dashboards = self.home / "walkhouse_dashboards"
        today = datetime.now(UTC).date()
        left_out = write_bundle(release, dashboards, reports=reports, today=today)
        log = self.home / "prepare.log"
        users = [ADMINISTRATOR, str(self.password_file), READER, str(self.reader_password_file)]
        arguments = [str(dashboards), *users, *left_out]
        command = [str(self._program("python")), str(HERE / "prepare.py"), *arguments]
        with log.open("w", encoding="utf-8") as output:
            done = subprocess.run(
                command, env=self._variables(), stdout=output, stderr=output, check=False
            )
        if done.returncode != 0:
            last = "\n".join(log.read_text(encoding="utf-8").splitlines()[-15:])
            raise SupersetError(f"Superset could not be set up; the end of {log}:\n{last}")

    def serve(self, port: int) -> None:
        """Become the server: the process ends with it."""
        command = [
            str(self._program("gunicorn")),
            "--bind",
            f"127.0.0.1:{port}",
            "--worker-class",
            "gthread",
            "--threads",
            "8",
            "--timeout",
            "120",
            "--no-control-socket",
            "superset.app:create_app()",
        ]
        os.execve(command[0], command, self._variables())

    def _program(self, name: str) -> Path:
        return self.environment / "bin" / name

    def _variables(self) -> dict[str, str]:
        # Nothing of the environment that Walkhouse runs in, or of another Superset.
        outside = ("PYTHON", "SUPERSET", "FLASK", "GUNICORN", "WALKHOUSE", "DAGSTER", "DBT")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(outside)}
        return kept | {
            "PATH": f"{self.environment / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
            "SUPERSET_CONFIG_PATH": str(HERE / "superset_config.py"),
            "SUPERSET_HOME": str(self.home),
            "FLASK_APP": "superset.app:create_app()",
        }


def reports_to_show(settings: Settings) -> Path | None:
    """The second file of the current release, where the release or the settings hide small groups.

    None where dashboards show the first one.
    """
    release = current_release(settings.published)
    smallest = max(settings.smallest_group, release.smallest_group if release else 1)
    return settings.published / REPORTS if release and smallest > 1 else None


def _make_secret(file: Path) -> None:
    """Write a random word that only its owner can read, unless the file exists."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(32), encoding="utf-8")


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()
        raise SupersetError(f"`{' '.join(command)}` ended with {done.returncode}:\n{said}")
