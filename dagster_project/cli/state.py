"""What an installation says of itself: `walkhouse status`, `settings` and `alerts`."""

from __future__ import annotations

import click

from dagster_project.cli import show
from dagster_project.cli.printing import (
    console,
    fail,
    log_to_console,
    settings_or_fail,
    writable_home_or_fail,
)
from dagster_project.settings import SettingsError, settings_in_force


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(as_json: bool) -> None:
    """Say what lies in the landing, what is pending, quarantined, published or refused."""
    try:
        show.status_as_json(settings_or_fail()) if as_json else show.status(
            console, settings_or_fail()
        )
    except (OSError, RuntimeError) as error:
        fail(str(error))


@click.command()
def settings() -> None:
    """Check the settings, and list what each is and which variable or file says so."""
    from dagster_project.defs.schedules import daily_schedule

    settings = settings_or_fail()
    show.settings(console, settings_in_force())
    try:
        daily_schedule(settings.schedule, settings.schedule_timezone)
    except SettingsError as error:
        fail(str(error), code=2)


@click.command()
@click.option("--test", is_flag=True, help="Post a test instead, and say whether it arrived.")
def alerts(test: bool) -> None:
    """Say what is worth an alert now, and post what was not posted yet.

    `run` and Dagster's daemon do so by themselves; cron may, where stale dumps matter.
    """
    from dagster_project.operations.alerts import Alert, AlertError, post
    from dagster_project.operations.run import look_after, prepare_instance

    settings = settings_or_fail()
    if test:
        if not settings.alert_url:
            fail("no address to post to: set WALKHOUSE_ALERT_URL", code=2)
        try:
            content = Alert.test().content(installation=settings.name, release_id=None)
            post(content, settings.alert_url)
        except AlertError as error:
            fail(str(error))
        console.print("the test was accepted")
        return
    writable_home_or_fail(settings)
    log_to_console()
    try:
        prepare_instance(settings)
        look_after(settings)
    except (OSError, RuntimeError) as error:
        fail(str(error))
    show.alerts(console, settings)
