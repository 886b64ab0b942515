"""Walkhouse: a warehouse for the item events of WalkMe.

The modules directly in this package say what exists in Dagster (assets, checks, jobs, schedules,
sensors, resources), one concept a file. `ingest`, `release`, `simulate`, `registry` and `settings`
hold the rules; they import neither Dagster nor dbt.
"""

__version__ = "0.1.0"
"""The version, in this one place; the package and `walkhouse --version` take it from here."""
