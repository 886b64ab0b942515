"""Measures of very little: what a run costs by itself, over importing the libraries that it needs.

Both sides count processor time. On a machine that others use it says more than the clock does.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path

from benchmarks.days import Reading
from benchmarks.workbench import Installation, Run, Workbench, event_files

_DAYS = ("2026-03-03", "2026-03-04")
_LINES = 10
_IMPORTS = "import dagster, dagster_dbt, dbt.cli.main, duckdb"


@dataclass(frozen=True)
class TinyRuns:
    """The runs on two dumps of ten lines, and the process that only imports.

    Attributes:
        imports: that process, next to the runs.
        first: of a new landing with one dump, in an empty home.
        second: the run after it, with another dump.
    """

    imports: Run
    first: Run
    second: Run


def tiny_over_imports(bench: Workbench) -> Reading:
    """Processor time of a first run on ten lines over that of the imports."""
    runs = _tiny_runs(bench)
    return over_imports(runs.first, runs.imports)


def next_tiny_over_imports(bench: Workbench) -> Reading:
    """The same of the run after it, with a second dump of ten lines."""
    runs = _tiny_runs(bench)
    return over_imports(runs.second, runs.imports)


def imports(bench: Workbench, *, log: str) -> Run:
    """A process that only imports the libraries; with it, a run is compared."""
    return bench.execute([sys.executable, "-c", _IMPORTS], log=log)


def over_imports(run: Run, imports: Run) -> Reading:
    """Processor time of a run over that of the imports, which are measured next to it."""
    return Reading(
        run.processor_seconds / imports.processor_seconds,
        f"{run.processor_seconds:.1f} s of processor time, {run.seconds:.1f} s by the clock;"
        f" imports {imports.processor_seconds:.1f} s",
    )


def _tiny_runs(bench: Workbench) -> TinyRuns:
    """Both runs, once for both measures."""
    if "tiny" not in bench.memo:
        simulated = bench.landing(
            start=date.fromisoformat(_DAYS[0]),
            days=len(_DAYS),
            events_per_day=1,  # the fewest that a bench simulates
            form="player",
            compression="none",
        )
        installation = bench.installation("tiny")
        bench.walkhouse(installation, "parse", log="tiny-parse")
        before = imports(bench, log="tiny-imports")
        runs = []
        for number, day in enumerate(_DAYS):
            _deliver(installation, simulated, day)
            runs.append(bench.walkhouse(installation, "run", log=f"tiny-{number}"))
        bench.memo["tiny"] = TinyRuns(before, *runs)
    tiny: TinyRuns = bench.memo["tiny"]
    return tiny


def _deliver(installation: Installation, simulated: Path, day: str) -> None:
    """Land the first lines of a simulated dump."""
    source = next(file for file in event_files(simulated) if f"dt={day}" in file.parts)
    folder = installation.landing / "events" / f"dt={day}"
    folder.mkdir(parents=True)
    with source.open("rb") as lines:
        (folder / "part-000.ndjson").write_bytes(b"".join(islice(lines, _LINES)))
