"""`walkhouse deploy`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from dagster_project.cli import show_diff
from dagster_project.cli.printing import console, fail, log_to_console, say, settings_or_fail
from dagster_project.rights import withhold_from_others
from dagster_project.settings import Settings

if TYPE_CHECKING:
    from dagster_project.models.deployed import Deployment
    from dagster_project.operations.deploy import Candidate

_EXAMPLES = 3


@click.command()
@click.option("--diff", "with_tables", is_flag=True, help="Show which tables it changes, and how.")
@click.option("--check", "only_check", is_flag=True, help="Look it over and deploy nothing.")
@click.option("--back", "go_back", is_flag=True, help="Return to the deployment before.")
def deploy(with_tables: bool, only_check: bool, go_back: bool) -> None:
    """Let production build from the dbt project as it is in the checkout now.

    Runs, the schedule and the sensors build from a copy of the project, not from the checkout.
    This shows which files differ from that copy, parses the project, builds it without any dump,
    runs its unit tests, and only then makes it the one that counts. `walkhouse run` builds and
    publishes it; a UI that is running takes it up when its code location is reloaded.
    """
    from dagster_project.models.deployed import DeployError
    from dagster_project.operations import deploy as deploying

    if go_back and (with_tables or only_check):
        fail("--back returns to what was checked before: leave --diff and --check out", code=2)
    settings = settings_or_fail()
    log_to_console()
    try:
        withhold_from_others(settings)
        if go_back:
            console.print(f"returned to {deploying.go_back(settings).sentence}", markup=False)
            _say_what_is_next()
            return
        with deploying.candidate(settings) as candidate:
            if candidate.before is not None and candidate.is_deployed:
                console.print(f"{candidate.before.sentence}: nothing differs", markup=False)
                return
            _files(candidate)
            _check(settings, candidate, with_tables=with_tables)
            if only_check:
                console.print("it may be deployed; --check deploys nothing")
                return
            _deployed(deploying.make_current(settings, candidate))
            _say_what_is_next()
    except (DeployError, OSError) as error:
        fail(str(error))


def _files(candidate: Candidate) -> None:
    if candidate.before is None:
        console.print("nothing is deployed yet")
        return
    console.print(f"deployed until now: {candidate.before.sentence}", markup=False)
    for change in candidate.changes:
        console.print(f"  {change.what:8} {change.name}", markup=False)


def _check(settings: Settings, candidate: Candidate, *, with_tables: bool) -> None:
    from dagster_project.operations import deploy as deploying
    from dagster_project.release.diff import DiffError

    say("parsing the project, building it without dumps, running its unit tests")
    deploying.check(settings, candidate.project)
    console.print("it parses, builds, and its unit tests pass")
    if not with_tables:
        return
    say("building a copy of the warehouse with it")
    try:
        found = deploying.tables_that_differ(settings, candidate, examples=_EXAMPLES)
    except DiffError as error:
        fail(str(error))
    if found is None:
        console.print("nothing was built yet: there are no tables to compare")
    else:
        console.print("A is the warehouse as it is, B what the project makes of it")
        show_diff.differences(console, found)


def _deployed(deployment: Deployment) -> None:
    console.print(f"deployed {deployment.words}", markup=False)


def _say_what_is_next() -> None:
    console.print(
        "`walkhouse run` builds and publishes it; a UI that is running takes it up when its code "
        "location is reloaded"
    )
