"""`walkhouse ui`."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import click

from dagster_project.cli.printing import fail, say, settings_or_fail, writable_home_or_fail
from dagster_project.settings import CHECKOUT, Settings


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to serve on.")
@click.option("--port", default=3000, show_default=True, help="Port to serve on.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def ui(host: str, port: int, arguments: tuple[str, ...]) -> None:
    """Serve this installation in the Dagster UI (`dg dev`, which takes further ARGUMENTS).

    It prints warnings and errors only; `--log-level info` shows what the daemon does.
    """
    from dagster_project.models.deployed import not_deployed
    from dagster_project.operations.deploy import ensure_deployed
    from dagster_project.operations.run import prepare_instance

    settings = settings_or_fail()
    writable_home_or_fail(settings)
    try:
        prepare_instance(settings)
        _have_columns(ensure_deployed(settings))
    except (OSError, RuntimeError) as error:
        fail(str(error))
    if differs := not_deployed(settings):
        say(differs)
    if not _is_free(host, port):
        fail(f"port {port} of {host} is taken: choose another one with --port")
    say(f"Dagster UI: http://{host}:{port} (ready in some seconds; Ctrl-C ends it)")
    os.chdir(CHECKOUT)
    program = str(Path(sys.executable).with_name("dg"))
    # The last one of an option wins, so that ARGUMENTS may ask for another level.
    options = ["--host", host, "--port", str(port), "--log-level", "warning"]
    os.execv(program, [program, "dev", "--workspace", "workspace.yaml", *options, *arguments])


def _is_free(host: str, port: int) -> bool:
    """Whether a server can listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        # As servers do, so that connections of an earlier one that are closing do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


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
