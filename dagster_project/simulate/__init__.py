"""An invented company that uses WalkMe, written down as a landing (`contract/landing.md`).

`simulate(Scenario(...), landing)` is all there is to it. The modules, from the outside in:
`scenario` what can be asked for, `simulation` the run, `writer` files, `shards` units of work,
`chunks` pieces of files with their faults, `envelopes` forms of records, `planting` violations,
`activities`, `sessions` and `people` who does what and when, `company` what was built for them,
`definitions` the seeds. Nothing here knows of Dagster, dbt or the clock.
"""

from dagster_project.simulate.definitions import DEFAULT_SEEDS
from dagster_project.simulate.planting import PLANTABLE
from dagster_project.simulate.scenario import FileSummary, Scenario, SimulationSummary
from dagster_project.simulate.simulation import simulate
from dagster_project.simulate.writer import OverwriteError

__all__ = [
    "DEFAULT_SEEDS",
    "PLANTABLE",
    "FileSummary",
    "OverwriteError",
    "Scenario",
    "SimulationSummary",
    "simulate",
]
