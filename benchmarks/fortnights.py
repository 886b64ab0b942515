"""Measures of a small installation: a fortnight, the day after it, and an analyst's loop.

All sides count processor time: what is measured is mostly what a run costs by itself.
"""

from __future__ import annotations

import shutil
import sys
from datetime import date
from pathlib import Path
from statistics import median

from benchmarks.days import FirstLoad, Reading, load
from benchmarks.tiny import imports, over_imports
from benchmarks.workbench import CHECKOUT, Installation, Run, Workbench

_EVENTS = 20_000
_FIRST_DAY = date(2026, 3, 1)
_NEXT_DAY = date(2026, 3, 16)  # a Monday: the simulated company does less at weekends
_IDLE_RUNS = 3
_DBT_PROJECT = CHECKOUT / "dbt_project"


def fortnight_over_imports(bench: Workbench) -> Reading:
    """Processor time of what `make run` does, from nothing to the release, over the imports."""
    loaded, _ = _fortnight(bench)
    return over_imports(loaded.run, imports(bench, log="fortnight-imports"))


def idle(bench: Workbench) -> Reading:
    """Median seconds of a run that finds nothing to do."""
    _, installation = _fortnight(bench)
    runs = [
        bench.walkhouse(installation, "run", log=f"idle-{number}").seconds
        for number in range(_IDLE_RUNS)
    ]
    return Reading(median(runs), ", ".join(f"{seconds:.1f} s" for seconds in runs))


def day_after_fortnight(bench: Workbench) -> Reading:
    """Processor time of the run that takes in one more day, over the imports."""
    _, installation = _fortnight(bench)
    day = bench.landing(start=_NEXT_DAY, days=1, events_per_day=_EVENTS)
    delivered = Path("events") / f"dt={_NEXT_DAY}"
    shutil.copytree(day / delivered, installation.landing / delivered)
    before = imports(bench, log="day-after-imports")
    return over_imports(bench.walkhouse(installation, "run", log="day-after"), before)


def analysts_loop(bench: Workbench) -> Reading:
    """Processor time of building or testing one report in a development copy, over `dbt parse`.

    The slower of both counts.
    """
    _, installation = _fortnight(bench)
    _dbt(bench, installation, "build", "--select", "+rpt_flows", log="analyst-first-build")
    parse = _dbt(bench, installation, "parse", log="analyst-parse")
    steps = {
        "build": _dbt(bench, installation, "build", "--select", "rpt_flows", log="analyst-build"),
        "test": _dbt(
            bench, installation, "test", "--select", "rpt_flows,test_type:unit", log="analyst-test"
        ),
    }
    told = ", ".join(f"{name} {run.processor_seconds:.1f} s" for name, run in steps.items())
    return Reading(
        max(run.processor_seconds for run in steps.values()) / parse.processor_seconds,
        f"{told}; parse {parse.processor_seconds:.1f} s, all in processor time",
    )


def _dbt(bench: Workbench, installation: Installation, *arguments: str, log: str) -> Run:
    folders = ("--project-dir", str(_DBT_PROJECT), "--profiles-dir", str(_DBT_PROJECT))
    program = str(Path(sys.executable).with_name("dbt"))
    environment = bench.environment(installation)
    return bench.execute([program, *arguments, *folders], environment=environment, log=log)


def _fortnight(bench: Workbench) -> tuple[FirstLoad, Installation]:
    if "fortnight" not in bench.memo:
        simulated = bench.landing(start=_FIRST_DAY, days=14, events_per_day=_EVENTS)
        installation = bench.installation("fortnight")
        shutil.copytree(simulated, installation.landing)
        bench.memo["fortnight"] = (load(bench, installation, log="fortnight"), installation)
    loaded: tuple[FirstLoad, Installation] = bench.memo["fortnight"]
    return loaded
