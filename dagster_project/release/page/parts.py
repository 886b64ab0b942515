"""The parts of a release's page, in their order: use first, the state of the data last.

Names of items, steps and searches are user input: they stand in tables, where they are escaped, and
never in charts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dagster_project.release.page.adoption import adoption_section
from dagster_project.release.page.changes import changes_section
from dagster_project.release.page.families import (
    searches_section,
    smarttips_section,
    surveys_section,
)
from dagster_project.release.page.flows import flows_section
from dagster_project.release.page.goals import goals_section
from dagster_project.release.page.headline import headline_section
from dagster_project.release.page.items import items_section
from dagster_project.release.page.section import Section
from dagster_project.release.page.source import Source
from dagster_project.release.page.state import state_section
from dagster_project.release.page.systems import systems_section
from dagster_project.release.page.use import use_section

PARTS: Sequence[tuple[str, Callable[[Source], Section]]] = (
    ("At a glance", headline_section),
    ("Gained and lost", changes_section),
    ("Use over time", use_section),
    ("Items", items_section),
    ("Guided flows", flows_section),
    ("Goals", goals_section),
    ("Surveys", surveys_section),
    ("SmartTips", smarttips_section),
    ("Searches", searches_section),
    ("Adoption", adoption_section),
    ("Systems", systems_section),
    ("Data quality and release", state_section),
)
"""Titles of the parts, in their order, and what reads each from an open release."""
