"""`walkhouse`, the command line: what a shell or cron does with an installation.

Commands only read arguments and print; what they do stands in the rooms below. Each file here is a
group of commands, `show` and `show_diff` print. Dagster is imported where a run needs it, so that
the other commands answer at once.
"""

from __future__ import annotations

import click

from dagster_project.cli import project, releases, run, simulate, state, ui
from dagster_project.cli.printing import say
from dagster_project.settings import CODE_VERSION
from dagster_project.stopping import ending_on_signals


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
    releases.releases,
    releases.rollback,
    releases.diff,
    project.dictionary,
    project.parse,
):
    cli.add_command(_command)


def main() -> None:
    """The console script."""
    with ending_on_signals(say):
        cli(prog_name="walkhouse")
