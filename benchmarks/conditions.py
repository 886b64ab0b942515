"""The machine and the versions under which something was measured."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks.workbench import CHECKOUT, Workbench

_GIB = 1 << 30
_SOURCES = ("dagster_project", "dbt_project")
_SUFFIXES = (".py", ".sql", ".csv", ".yml", ".yaml")
_NOT_SOURCES = ("target", "logs", "__pycache__")


@dataclass(frozen=True)
class Conditions:
    """What results have to have in common to stand in one table.

    Attributes:
        code: digest of the program and its models, see `code_digest`.
        disk: what the data folder lies on.
    """

    cpu: str
    cores: int
    memory: str
    disk: str
    system: str
    python: str
    duckdb: str
    dbt: str
    dagster: str
    code: str
    threads: int
    scale: float
    history_days: int


def conditions(bench: Workbench) -> Conditions:
    """Describe this machine and this checkout."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Conditions(
        cpu=_cpu(),
        cores=os.cpu_count() or 1,
        memory=f"{memory / _GIB:.0f} GiB",
        disk=_disk(bench.data),
        system=platform.platform(terse=True),
        python=platform.python_version(),
        duckdb=version("duckdb"),
        dbt=f"{version('dbt-core')}, dbt-duckdb {version('dbt-duckdb')}",
        dagster=version("dagster"),
        code=code_digest(),
        threads=bench.threads,
        scale=bench.scale,
        history_days=bench.history_days,
    )


def code_digest() -> str:
    """Digest of every source of Walkhouse: what was measured, whether or not it is committed."""
    digest = hashlib.sha256()
    for folder in _SOURCES:
        for path in sorted((CHECKOUT / folder).rglob("*")):
            name = path.relative_to(CHECKOUT)
            if path.suffix in _SUFFIXES and not set(name.parts) & set(_NOT_SOURCES):
                digest.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def _cpu() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _disk(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    usage = shutil.disk_usage(folder)
    sizes = f"{usage.total / _GIB:.0f} GiB, {usage.free / _GIB:.0f} GiB of them free"
    # POSIX knows no command for the type of a file system; `df -T` is GNU's.
    listed = subprocess.run(["df", "-T", str(folder)], capture_output=True, text=True, check=False)
    if listed.returncode:
        return sizes
    device, kind, *_ = listed.stdout.splitlines()[-1].split()
    return f"{device} ({kind}), {sizes}"
