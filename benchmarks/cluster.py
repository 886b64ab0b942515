"""A standalone Spark on this machine: a master, and workers of one core each."""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_PATIENCE_SECONDS = 120
_GROUPS = Path("/sys/fs/cgroup")
_MEMBERS = "cgroup.procs"
_PERIOD = 100_000  # microseconds, the default of version 1


class ClusterError(Exception):
    """The cluster did not come up; the message says where it says why."""


@dataclass
class Cluster:
    """A master and its workers, while they run.

    Attributes:
        address: as the setting `spark_remote` has it.
        workers: their processes; the executors of a killed one end as well.
        is_bounded: whether each worker has no more than its share of the processor.
    """

    address: str
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    is_bounded: bool = False


@contextlib.contextmanager
def standalone(
    folder: Path, *, workers: int, memory: str = "1g", share: float | None = None
) -> Iterator[Cluster]:
    """Have a cluster for a while.

    Args:
        folder: for logs and scratch files.
        workers: how many.
        memory: what each gives its executor.
        share: how much of a core each may use, where this machine lets its groups be bounded.

    Raises:
        ClusterError: it did not come up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    address = f"spark://127.0.0.1:{_free_port()}"
    port = address.rpartition(":")[2]
    with contextlib.ExitStack() as stack:
        master = ["master.Master", "--host", "127.0.0.1", "--port", port, "--webui-port", "0"]
        process = stack.enter_context(_running(folder / "master", master))
        log = folder / "master" / "log"
        _wait_for(process, log, "I have been elected leader")
        cluster = Cluster(address)
        for number in range(1, workers + 1):
            place = folder / f"worker-{number}"
            worker = ["worker.Worker", "--cores", "1", "--memory", memory, "--webui-port", "0"]
            worker += ["--host", "127.0.0.1", "--work-dir", str(place / "work"), address]
            group = stack.enter_context(bound_group(share)) if share else None
            cluster.workers.append(stack.enter_context(_running(place, worker)))
            if group:
                (group / _MEMBERS).write_text(str(cluster.workers[-1].pid), encoding="ascii")
            cluster.is_bounded = group is not None
        _wait_for(process, log, "Registering worker", times=workers)
        yield cluster


@contextlib.contextmanager
def bound_group(share: float) -> Iterator[Path | None]:
    """Have a control group, of version 1 or 2, that uses no more than a share of a core."""
    quota = str(int(share * _PERIOD))
    if (_GROUPS / "cpu").is_dir():
        folder, bound, text = _GROUPS / "cpu", "cpu.cfs_quota_us", quota
    else:
        folder, bound, text = _GROUPS, "cpu.max", f"{quota} {_PERIOD}"
    group = folder / f"walkhouse-{uuid.uuid4()}"
    try:
        group.mkdir()
        (group / bound).write_text(text, encoding="ascii")
    except OSError:  # there are no groups, or no right to them
        with contextlib.suppress(OSError):
            group.rmdir()
        yield None
        return
    try:
        yield group
    finally:
        patience = time.monotonic() + _PATIENCE_SECONDS
        while (group / _MEMBERS).read_text(encoding="ascii") and time.monotonic() < patience:
            time.sleep(0.1)  # what was killed has not ended yet
        group.rmdir()


@contextlib.contextmanager
def _running(folder: Path, arguments: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the cluster, in a group with all that it starts."""
    folder.mkdir(parents=True, exist_ok=True)
    home = Path(str(importlib.import_module("pyspark").__file__)).parent
    java = Path(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else "java"
    variables: Mapping[str, str] = {
        "SPARK_HOME": str(home),
        "SPARK_SCALA_VERSION": "2.12",  # a worker looks for it where Spark is compiled, else
        "SPARK_LOCAL_DIRS": str(folder / "scratch"),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }
    command = [str(java), "-Xmx512m", "-cp", f"{home}/jars/*"]
    command += [f"org.apache.spark.deploy.{arguments[0]}", *arguments[1:]]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            env={**os.environ, **variables},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):  # it, and all of its group, ended before
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        shutil.rmtree(folder / "scratch", ignore_errors=True)


def _wait_for(
    process: subprocess.Popen[bytes], log: Path, sentence: str, *, times: int = 1
) -> None:
    patience = time.monotonic() + _PATIENCE_SECONDS
    while log.read_text(encoding="utf-8", errors="replace").count(sentence) < times:
        if process.poll() is not None or time.monotonic() > patience:
            raise ClusterError(f"the Spark did not come up, see {log}")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
