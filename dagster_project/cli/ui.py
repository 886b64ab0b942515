"""`walkhouse ui`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from dagster_project.cli.printing import fail, say, settings_or_fail
from dagster_project.settings import CHECKOUT, Settings


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def ui(arguments: tuple[str, ...]) -> None:
    """Open this installation in the Dagster UI (`dg dev`, which takes further ARGUMENTS)."""
    from dagster_project.models.deployed import not_deployed
    from dagster_project.operations.deploy import ensure_deployed
    from dagster_project.operations.run import prepare_instance

    settings = settings_or_fail()
    try:
        prepare_instance(settings)
        _have_columns(ensure_deployed(settings))
    except (OSError, RuntimeError) as error:
        fail(str(error))
    if differs := not_deployed(settings):
        say(differs)
    os.chdir(CHECKOUT)
    program = str(Path(sys.executable).with_name("dg"))
    os.execv(program, [program, "dev", "--workspace", "workspace.yaml", *arguments])


def _have_columns(settings: Settings) -> None:
    """Find the columns of the deployed dbt project, unless they are known."""
    from dagster_project.models.prepared import load_columns, parts_digest

    if load_columns(settings.dbt_project, parts_digest(settings.dbt_project)):
        return
    say("finding the columns of the deployed dbt project")
    # In a process of its own: this one becomes another program, and dbt would leave locks in it.
    # What else the UI can show it shows, if this fails, which says why itself.
    environment = {**os.environ, **settings.environment()}
    command = [sys.executable, "-m", "dagster_project.cli", "parse"]
    subprocess.run(command, env=environment, check=False)
