"""What readers notice of a release: the same queries, beside a run and without one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from benchmarks.days import Reading
from benchmarks.histories import long_history
from benchmarks.workbench import CHECKOUT, RunFailedError, Workbench

_READERS = 8
# Alone, readers are watched for as long as the run took beside which they were, up to this.
_LONGEST_ALONE_SECONDS = 120.0

Seconds = dict[str, list[float]]


def readers_beside_release(bench: Workbench) -> Reading:
    """The worst report's 95th percentile during a run up to its release, over the same alone."""
    history = long_history(bench)
    history.come_before("release")
    history.deliver("release")
    published = history.installation.published
    during: Seconds = {}
    with _readers(bench, published, "readers-beside", during):
        run = bench.walkhouse(history.installation, "run", log=f"{history.name}-release")
    alone: Seconds = {}
    with _readers(bench, published, "readers-alone", alone):
        time.sleep(min(run.seconds, _LONGEST_ALONE_SECONDS))
    ratios = {report: _p95(during[report]) / _p95(alone[report]) for report in alone}
    worst = max(ratios, key=lambda report: ratios[report])
    return Reading(
        ratios[worst],
        f"{worst}: {_p95(during[worst]) * 1000:.1f} ms, alone {_p95(alone[worst]) * 1000:.1f} ms"
        f" ({len(during[worst]):,} and {len(alone[worst]):,} queries); median of the reports"
        f" {median(ratios.values()):.2f} x; {_READERS} readers, {history.days} days,"
        f" run {run.seconds:.1f} s",
    )


@contextmanager
def _readers(bench: Workbench, published: Path, name: str, seconds: Seconds) -> Iterator[None]:
    """Let readers ask for the length of a `with` block; what their answers took is added.

    Raises:
        RunFailedError: a reader ended with an error, such as a lock that it met.
    """
    folder = bench.data / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    stop = folder / "stop"
    program = CHECKOUT / "benchmarks" / "programs" / "read_reports.py"
    processes = []
    for number in range(_READERS):
        arguments = {
            "published": str(published),
            "stop": str(stop),
            "target": str(folder / f"{number}.json"),
        }
        command = [sys.executable, str(program), json.dumps(arguments)]
        with (folder / f"{number}.log").open("wb") as log:
            processes.append(subprocess.Popen(command, stdout=log, stderr=log))
    try:
        yield
    finally:
        stop.touch()
        codes = [process.wait() for process in processes]
    if any(codes):
        raise RunFailedError(f"a reader ended with an error, see {folder}/*.log")
    gathered: Seconds = defaultdict(list)
    for path in sorted(folder.glob("*.json")):
        for report, answers in json.loads(path.read_text(encoding="utf-8")).items():
            gathered[report] += answers
    seconds.update(gathered)


def _p95(seconds: list[float]) -> float:
    return quantiles(seconds, n=20)[-1]
