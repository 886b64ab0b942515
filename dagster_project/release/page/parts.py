"""The parts of a release's page, in their order.

Names of items, steps and searches are user input: they stand in tables, where they are escaped, and
never in charts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import duckdb

from dagster_project.release.page.families import (
    searches_section,
    smarttips_section,
    surveys_section,
)
from dagster_project.release.page.flows import flows_section
from dagster_project.release.page.items import items_section
from dagster_project.release.page.section import Section
from dagster_project.release.page.state import state_section
from dagster_project.release.page.use import use_section

PARTS: Sequence[tuple[str, Callable[[duckdb.DuckDBPyConnection], Section]]] = (
    ("State of the data", state_section),
    ("Use", use_section),
    ("Items", items_section),
    ("Guided flows", flows_section),
    ("Surveys", surveys_section),
    ("SmartTips", smarttips_section),
    ("Searches", searches_section),
)
"""Titles of the parts, in their order, and what reads each from an open release."""
