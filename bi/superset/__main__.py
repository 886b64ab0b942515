"""`make superset`: serves the dashboards of the current release on this machine."""

from __future__ import annotations

from pathlib import Path

import click

from bi.superset.dashboards import DASHBOARDS
from bi.superset.server import (
    ADMINISTRATOR,
    READER,
    Superset,
    SupersetError,
    reports_to_show,
)
from dagster_project.settings import CHECKOUT, Settings, SettingsError

START = DASHBOARDS[0].slug


@click.command()
@click.option("--port", default=8088, show_default=True, help="Where the server listens.")
@click.option(
    "--environment",
    type=click.Path(file_okay=False, path_type=Path),
    default=CHECKOUT / ".superset",
    help="Folder of Superset's virtual environment; default: .superset in the checkout.",
)
def main(port: int, environment: Path) -> None:
    """Install Superset where it is missing, import the dashboards, and start the server.

    Where numbers about small groups are hidden, the dashboards read what names no person.
    """
    try:
        settings = Settings.from_environment()
        superset = Superset(environment.absolute(), settings.home / "superset")
        click.echo(f"installing Superset in {superset.environment}, unless it is there")
        superset.install()
        click.echo(f"setting up dashboards of {settings.published}")
        reports = reports_to_show(settings)
        superset.set_up(settings.published / "walkhouse.duckdb", reports=reports)
    except (SettingsError, SupersetError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Walkhouse in Superset: http://127.0.0.1:{port}/superset/dashboard/{START}/")
    click.echo(f"to read, log in as {READER} with the password in {superset.reader_password_file}")
    click.echo(
        f"to change things, log in as {ADMINISTRATOR} with the password in {superset.password_file}"
    )
    superset.serve(port)


main()
