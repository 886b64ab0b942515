"""`walkhouse ui`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from dagster_project.cli.printing import fail, say, settings_or_fail, writable_home_or_fail
from dagster_project.settings import CHECKOUT, Settings


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def ui(arguments: tuple[str, ...]) -> None:
    """Open this installation in the Dagster UI (`dg dev`, which takes further ARGUMENTS)."""
    from dagster_project.operations.run import prepare_instance

    settings = settings_or_fail()
    writable_home_or_fail(settings)
    try:
        prepare_instance(settings)
    except RuntimeError as error:
        fail(str(error))
    _have_columns(settings)
    os.chdir(CHECKOUT)
    program = str(Path(sys.executable).with_name("dg"))
    os.execv(program, [program, "dev", "--workspace", "workspace.yaml", *arguments])


def _have_columns(settings: Settings) -> None:
    """Find the columns of the dbt project, if it changed since they were found."""
    from dagster_project.models.prepared import load_columns, parts_digest

    if load_columns(settings.dbt_project, parts_digest(settings.dbt_project)):
        return
    say("finding the columns of the dbt project, which changed")
    # In a process of its own: this one becomes another program, and dbt would leave locks in it.
    # What else the UI can show it shows, if this fails, which says why itself.
    subprocess.run([sys.executable, "-m", "dagster_project.cli", "parse"], check=False)
