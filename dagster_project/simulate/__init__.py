"""An invented company that uses WalkMe, written down as a landing (docs/getting-data-in.md).

Callers need `simulate(Scenario(...), landing)` only. The modules, from the outside in:

    scenario                       the options
    simulation                     the run
    writer                         files
    shards                         units of work
    chunks                         pieces of files, with their faults
    envelopes                      forms of records
    planting                       violations on purpose
    activities, sessions, people   who does what, and when
    company, items, catalogue      the items that were built for them
    definitions                    the seeds

Nothing here knows Dagster, dbt or the clock.
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
