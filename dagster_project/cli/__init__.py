"""`walkhouse`, the command line: what a shell or cron does with an installation.

Commands only read arguments and print; what they do stands elsewhere. Dagster is imported where
a run needs it, so that the other commands answer at once.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import click
from rich.console import Console

from dagster_project.cli import show
from dagster_project.settings import (
    CHECKOUT,
    CODE_VERSION,
    Settings,
    SettingsError,
    settings_in_force,
)

console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(CODE_VERSION, prog_name="walkhouse")
def cli() -> None:
    """A warehouse for the item events of WalkMe.

    Dumps arrive under WALKHOUSE_LANDING (default: data/landing in the checkout); everything that
    is written lies under WALKHOUSE_HOME (default: data). Readers open
    WALKHOUSE_HOME/published/walkhouse.duckdb.
    """


@cli.command()
@click.option(
    "--waive",
    metavar="ID[,ID…]|all",
    help="Publish although these invariants fail. Needs --reason.",
)
@click.option("--reason", default="", help="Why they are waived; published with the release.")
@click.option(
    "--patient",
    "is_patient",
    is_flag=True,
    help="Leave dumps that are still being written, as the schedule and the sensor do.",
)
def run(waive: str | None, reason: str, is_patient: bool) -> None:
    """Take in every new, changed or withdrawn dump; build, audit, release, and send the copies.

    Exit code 0 only if the state of the landing is published, and every copy holds it.
    """
    from dagster_project.release.gate import Waiver, WaiverError

    settings = _settings()
    waiver = Waiver(tuple(part.strip() for part in waive.split(",")), reason) if waive else None
    if reason and waiver is None:
        _fail("--reason is for --waive: say which invariants, or all", code=2)
    _log_to_console()
    from dagster_project.run import bring_up_to_date

    try:
        is_published = bring_up_to_date(settings, waiver, is_patient=is_patient)
    except (SettingsError, WaiverError) as error:
        _fail(str(error), code=2)
    except (OSError, RuntimeError) as error:
        _fail(str(error))
    if (settings.published / "walkhouse.duckdb").exists():
        show.release(console, settings)
    if not is_published:
        show.what_is_missing(errors, settings)
    is_copied = show.copies_behind(errors, settings)
    if not (is_published and is_copied):
        sys.exit(1)


@cli.command()
@click.option("--seed", default=1, show_default=True, help="Another seed is another company.")
@click.option(
    "--start",
    default="2026-03-01",
    show_default=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day of the first dump.",
)
@click.option("--days", default=14, show_default=True, help="How many dumps, one a day.")
@click.option("--events-per-day", default=20_000, show_default=True, help="On a working day.")
@click.option(
    "--form",
    default="mixed",
    show_default=True,
    type=click.Choice(["player", "flat", "csv", "parquet", "mixed"]),
    help="Form of the records.",
)
@click.option(
    "--compression", default="gz", show_default=True, type=click.Choice(["gz", "zst", "none"])
)
@click.option("--files-per-dump", default=1, show_default=True)
@click.option("--manifest/--no-manifest", default=False, help="Write a manifest into each dump.")
@click.option("--catalogue/--no-catalogue", default=True, help="Write the content catalogue.")
@click.option("--late", type=float, help="Share of events in a later dump.")
@click.option("--duplicate", type=float, help="Share of events that arrive twice.")
@click.option("--malformed", type=float, help="Share of lines that are no record.")
@click.option("--missing", type=float, help="Share of lines without a required column.")
@click.option("--bad-timestamp", type=float, help="Share of lines whose time cannot be read.")
@click.option("--future", type=float, help="Share of lines from after the dump.")
@click.option("--too-old", type=float, help="Share of lines from long before the dump.")
@click.option("--undefined", type=float, help="Share of lines with a pair that is not defined.")
@click.option("--novel-keys", type=float, help="Share of sessions with keys never seen before.")
@click.option(
    "--redeliver",
    multiple=True,
    metavar="DAY",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Write this dump in its corrected version; may be given more than once.",
)
@click.option(
    "--plant",
    multiple=True,
    metavar="INVARIANT=N",
    help="Plant N violations of an invariant; may be given more than once.",
)
def simulate(
    start: datetime, redeliver: tuple[datetime, ...], plant: tuple[str, ...], **knobs: Any
) -> None:
    """Write the dumps of an invented company into the landing.

    A little of everything goes wrong, as it does; the shares set how much. The same arguments
    give the same bytes, and what is there already is left untouched.
    """
    from dagster_project.simulate import Scenario, simulate

    settings = _settings()
    if "://" in settings.landing:
        _fail("the simulator writes to a local landing only: set WALKHOUSE_LANDING to a folder")
    try:
        scenario = Scenario.everyday(
            start=start.date(),
            redelivered=tuple(day.date() for day in redeliver),
            plant=dict(_planted(text) for text in plant),
            **{name: value for name, value in knobs.items() if value is not None},
        )
        summary = simulate(
            scenario,
            Path(settings.landing),
            progress=_say,
            seeds=settings.dbt_project / "seeds",
        )
    except ValueError as error:
        _fail(str(error), code=2)
    console.print(
        f"{summary.dumps} dumps with {summary.accepted:,} events in {settings.landing}",
        markup=False,
    )


def _planted(text: str) -> tuple[str, int]:
    name, _, number = text.partition("=")
    if not number.isdigit():
        raise ValueError(
            f"--plant {text}: say INVARIANT=N, such as launcher_play_once_per_session=5"
        )
    return name, int(number)


def _say(message: str) -> None:
    errors.print(message, markup=False)


@cli.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def ui(arguments: tuple[str, ...]) -> None:
    """Open this installation in the Dagster UI (`dg dev`, which takes further ARGUMENTS)."""
    from dagster_project.run import prepare_instance

    settings = _settings()
    try:
        prepare_instance(settings)
    except RuntimeError as error:
        _fail(str(error))
    _have_columns(settings)
    os.chdir(CHECKOUT)
    program = str(Path(sys.executable).with_name("dg"))
    os.execv(program, [program, "dev", "--workspace", "workspace.yaml", *arguments])


def _have_columns(settings: Settings) -> None:
    """Find the columns of the dbt project, if it changed since they were found."""
    from dagster_project.prepared import load_columns, parts_digest

    if load_columns(settings.dbt_project, parts_digest(settings.dbt_project)):
        return
    _say("finding the columns of the dbt project, which changed")
    # In a process of its own: this one becomes another program, and dbt would leave locks in it.
    # What else the UI can show it shows, if this fails, which says why itself.
    subprocess.run([sys.executable, "-m", "dagster_project.cli", "parse"], check=False)


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="For programs: see `dagster_project.status`.")
def status(as_json: bool) -> None:
    """Say what lies in the landing, what is pending, quarantined, published or refused."""
    try:
        show.status_as_json(_settings()) if as_json else show.status(console, _settings())
    except (OSError, RuntimeError) as error:
        _fail(str(error))


@cli.command()
def settings() -> None:
    """Check the settings, and list what each is and which variable or file says so."""
    from dagster_project.schedules import daily_schedule

    settings = _settings()
    show.settings(console, settings_in_force())
    try:
        daily_schedule(settings.schedule, settings.schedule_timezone)
    except SettingsError as error:
        _fail(str(error), code=2)


@cli.command()
@click.option("--test", is_flag=True, help="Post a test instead, and say whether it arrived.")
def alerts(test: bool) -> None:
    """Say what is worth an alert now, and post what was not posted yet.

    `run` and Dagster's daemon do so by themselves; cron may, where stale dumps matter.
    """
    from dagster_project.alerts import Alert, AlertError, post
    from dagster_project.run import look_after, prepare_instance

    settings = _settings()
    if test:
        if not settings.alert_url:
            _fail("no address to post to: set WALKHOUSE_ALERT_URL", code=2)
        try:
            content = Alert.test().content(installation=settings.name, release_id=None)
            post(content, settings.alert_url)
        except AlertError as error:
            _fail(str(error))
        console.print("the test was accepted")
        return
    _log_to_console()
    try:
        prepare_instance(settings)
        look_after(settings)
    except (OSError, RuntimeError) as error:
        _fail(str(error))
    show.alerts(console, settings)


@cli.command()
def releases() -> None:
    """List the releases on disk, the newest first; `*` marks the one that readers see."""
    show.releases(console, _settings())


@cli.command()
@click.argument("release_id", required=False)
def rollback(release_id: str | None) -> None:
    """Let readers see an earlier release: RELEASE_ID, or the one before the current.

    The copies go back as well. The next `walkhouse run` publishes the state of the landing again;
    correct or withdraw the dumps, or stop the schedule, before it does.
    """
    from dagster_project.locks import copies_writer, warehouse_writer
    from dagster_project.release.copies import send_copies
    from dagster_project.release.publish import ReleaseError, roll_back

    settings = _settings()
    try:
        with warehouse_writer(settings.home):
            release = roll_back(settings.published, release_id)
    except ReleaseError as error:
        _fail(str(error))
    console.print(f"readers now see release {release.release_id}")
    with copies_writer(settings.home):
        send_copies(settings.copies, settings.published, keep=settings.keep_releases)
    if not show.copies_behind(errors, settings):
        sys.exit(1)


@cli.command()
@click.argument("a", default="current")
@click.argument("b", default="dev")
@click.option(
    "--table",
    "tables",
    multiple=True,
    metavar="NAME",
    help="Compare this table only, such as rpt_flows; may be given more than once.",
)
@click.option("--limit", default=3, show_default=True, help="Examples of each kind and table.")
def diff(a: str, b: str, tables: tuple[str, ...], limit: int) -> None:
    """Say in which rows and columns two warehouses differ, table by table.

    A and B are release ids, paths of DuckDB files, or `current`, `previous` (releases), `dev`
    (what plain `dbt build` writes) and `warehouse` (what runs build). Exit code 0 if every table
    is equal, 1 if one differs, 2 if they cannot be compared.
    """
    from dagster_project.cli import show_diff
    from dagster_project.release.diff import DiffError, difference

    try:
        found = difference(_settings(), a, b, tables=tables, examples=limit)
    except DiffError as error:
        _fail(str(error), code=2)
    show_diff.differences(console, found)
    if not found.is_none:
        sys.exit(1)


@cli.command()
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if it is out of date.")
def dictionary(check: bool) -> None:
    """Write the data dictionary of this checkout, docs/data-dictionary.md.

    It describes every published table and column, the event definitions and the invariants, as
    the dbt project does.
    """
    from dagster_project.dbt import DbtError, load_manifest
    from dagster_project.dictionary import DICTIONARY, data_dictionary
    from dagster_project.registry import load_event_definitions, load_invariants, load_variables
    from dagster_project.resources import dbt_project

    try:
        manifest = load_manifest(dbt_project(_settings()))
    except DbtError as error:
        _fail(str(error))
    text = data_dictionary(
        manifest, load_variables()["published"], load_event_definitions(), load_invariants()
    )
    if DICTIONARY.exists() and DICTIONARY.read_text(encoding="utf-8") == text:
        console.print(f"{DICTIONARY} is current", markup=False)
    elif check:
        _fail(f"{DICTIONARY} is out of date: run `make dictionary`")
    else:
        DICTIONARY.write_text(text, encoding="utf-8")
        console.print(f"wrote {DICTIONARY}", markup=False)


@cli.command()
def parse() -> None:
    """Parse the dbt project ahead of the first run of any installation; `make setup` does.

    It also finds out what columns the tables have and where they come from, for the UI.
    """
    from dagster_project.dbt import DbtError, ensure_columns
    from dagster_project.prepared import PREPARED
    from dagster_project.resources import dbt_project

    settings = _settings()
    try:
        ensure_columns(dbt_project(settings, target=settings.dbt_project / PREPARED))
    except DbtError as error:
        _fail(str(error))


def main() -> None:
    """The console script."""
    cli(prog_name="walkhouse")


def _settings() -> Settings:
    try:
        return Settings.from_environment()
    except SettingsError as error:
        _fail(str(error), code=2)


def _fail(message: str, *, code: int = 1) -> NoReturn:
    errors.print(f"walkhouse: {message}", markup=False, style="red")
    sys.exit(code)


def _log_to_console() -> None:
    logger = logging.getLogger("walkhouse")
    logger.setLevel(logging.INFO)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", "%H:%M:%S"))
    logger.addHandler(handler)
    logger.propagate = False
