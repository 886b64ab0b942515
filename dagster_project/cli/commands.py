"""All commands of `walkhouse`; each file beside this one is a group of them."""

from __future__ import annotations

import click

from dagster_project.cli import deploy, people, project, releases, run, simulate, state, ui
from dagster_project.settings import CODE_VERSION


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(CODE_VERSION, prog_name="walkhouse")
def cli() -> None:
    """A warehouse for the item events of WalkMe.

    Dumps arrive under WALKHOUSE_LANDING (default: data/landing in the checkout); everything that
    is written lies under WALKHOUSE_HOME (default: data). Readers open
    WALKHOUSE_HOME/published/walkhouse.duckdb.
    """


for _command in (
    run.run,
    simulate.simulate,
    ui.ui,
    state.status,
    state.settings,
    state.alerts,
    deploy.deploy,
    releases.releases,
    releases.rollback,
    releases.diff,
    people.export,
    people.forget,
    project.dictionary,
    project.parse,
):
    cli.add_command(_command)
