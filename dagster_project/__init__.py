"""Walkhouse: a warehouse for the item events of WalkMe.

Imports run down these floors, never up and never in a circle:

    cli            the command line
    definitions    everything that exists in Dagster, on one screen
    defs           what exists in Dagster, one concept a file
    operations     what to do next, and what to tell
    models         the dbt project, seen from Python
    ingest         landing to lake
    release        warehouse to release, its page and its copies
    simulate       the invented company
    settings, registry, locks, object_store, replacing, crew, stopping

The rooms `ingest`, `release` and `simulate` import neither Dagster nor dbt.
"""

__version__ = "0.1.0"
"""The version, in this one place; the package and `walkhouse --version` take it from here."""
