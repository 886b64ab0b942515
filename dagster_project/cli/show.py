"""What the commands print."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

import duckdb
from rich.console import Console
from rich.table import Table

from dagster_project.ingest.shared_lake import lake_of
from dagster_project.models.deployed import Deployments, not_deployed
from dagster_project.operations.alerts import open_alerts
from dagster_project.operations.pending import look, refusals
from dagster_project.operations.status import left_alone
from dagster_project.operations.status import status as status_of
from dagster_project.registry import load_invariants, quarantine_tolerance
from dagster_project.release.copies.send import copies_behind as behind
from dagster_project.release.copies.send import copy_states
from dagster_project.release.headlines import headlines, in_no_report
from dagster_project.release.publish import Release, current_release
from dagster_project.release.publish import releases as all_releases
from dagster_project.settings import SettingInForce, Settings, unknown_variables
from dagster_project.words import counted


def release(console: Console, settings: Settings) -> None:
    """What readers see: which release, where, and the headline numbers."""
    current = current_release(settings.published)
    if current is None:
        return
    file = settings.published / "walkhouse.duckdb"
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            numbers = headlines(connection)
    except (duckdb.CatalogException, duckdb.BinderException):
        console.print(
            f"readers see release {current.release_id}; another version published it with other "
            f"tables: see {settings.published / 'index.html'}",
            markup=False,
        )
        return
    table = Table(title=f"Release {current.release_id}", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    sessions, lines = numbers["sessions"], numbers["lines"]
    for label, value in (
        ("dumps", f"{current.dumps:,}"),
        ("from, to", f"{current.first_dump_date or '-'}, {current.last_dump_date or '-'}"),
        ("events in production", f"{numbers['events']:,}"),
        ("events in no report", f"{numbers['left_out']:,}"),
        ("sessions", f"{sessions:,}"),
        ("of them engaged", _share(numbers["engaged_sessions"], sessions)),
        ("people", f"{numbers['people']:,}"),
        ("items", f"{numbers['items']:,}"),
        ("duplicate lines", _share(numbers["duplicates"], lines)),
        ("quarantined lines", _share(numbers["quarantined"], lines)),
        (
            "invariants that hold",
            f"{numbers['invariants_passed']} of {numbers['invariants']}",
        ),
    ):
        table.add_row(label, value)
    console.print(table)
    for invariant, reason in current.waivers.items():
        console.print(f"waived {invariant}: {reason}", markup=False)
    console.print(f"published in {settings.published}:", markup=False)
    console.print(f"  {file}", markup=False)
    console.print(f"  {settings.published / 'parquet'}", markup=False)
    console.print(f"  {settings.published / 'index.html'}", markup=False)


def what_is_missing(
    console: Console, settings: Settings, what: str = "the state of the landing is not published"
) -> None:
    """Why the state of the landing is not published, or something else that is said first."""
    situation = look(settings)
    if situation.is_published and situation.to_forget:
        console.print(
            f"walkhouse: {counted(situation.to_forget, 'request')} to forget somebody cannot be "
            "finished yet; see above, `walkhouse run` goes on with it",
            style="red",
        )
        return
    console.print(f"walkhouse: {what}", style="red")
    for reason in (
        situation.key_refused,
        situation.withdrawal_held,
        situation.treated_otherwise,
    ):
        if reason:
            console.print(f"  {reason}", markup=False)
    for message in situation.failures.values():
        console.print(f"  {message}", markup=False)
    if situation.catalogue_failure:
        console.print(f"  content/items.ndjson: {situation.catalogue_failure}", markup=False)
    days = [day for day in situation.pending.dates if day not in situation.failures]
    if days and not situation.withdrawal_held:
        console.print(f"  not taken in: {_days(days)}; see the Dagster UI", markup=False)
    for reason in refusals(settings, situation):
        console.print(f"  refused: {reason}", markup=False)
    current = situation.release
    if current:
        console.print(f"  readers still see release {current.release_id}", markup=False)


def copies_behind(console: Console, settings: Settings) -> bool:
    """Say which copies do not hold the current release; true where every copy does."""
    copies = behind(settings.copies, settings.published)
    for copy in copies:
        found = copy.problem or f"it holds {copy.release_id or 'no release'}"
        console.print(f"walkhouse: copy {copy.url} is behind: {found}", markup=False, style="red")
    current = current_release(settings.published)
    if copies and current:
        console.print(
            f"  release {current.release_id} itself is published in {settings.published}; "
            "the next `walkhouse run` sends the copies that are behind",
            markup=False,
        )
    return not copies


def status(console: Console, settings: Settings) -> None:
    """Where the installation stands."""
    situation = look(settings)
    loaded = lake_of(settings).dumps()
    outcomes = [dump.outcomes for dump in loaded.values()]
    lines = sum(sum(counts.values()) for counts in outcomes)
    quarantined = sum(counts.get("quarantined", 0) for counts in outcomes)

    def say(what: str, text: str) -> None:
        console.print(f"{what + ':':20} {text}", markup=False)

    say("landing", settings.landing)
    say("home", str(settings.home))
    say("dumps seen", f"{len(situation.landed.dumps)}, {len(loaded)} of them loaded")
    for what, days in (
        ("pending, new", situation.pending.new),
        ("pending, changed", situation.pending.changed),
        ("pending, withdrawn", situation.pending.withdrawn),
    ):
        if days:
            say(what, _days(days))
    if situation.key_refused:
        say("key refused", situation.key_refused)
    if situation.treated_otherwise:
        say("not built", situation.treated_otherwise)
    if situation.to_forget:
        say("to be forgotten", f"{situation.to_forget}, which `walkhouse run` goes on with")
    if situation.withdrawal_held:
        say("withdrawal held", situation.withdrawal_held)
    if situation.is_catalogue_pending:
        say("pending", "the content catalogue")
    if not situation.pending.dates and not situation.is_catalogue_pending:
        say("pending", "nothing")
    say("quarantined", f"{_share(quarantined, lines)} of {counted(lines, 'line')}")
    for day, message in situation.failures.items():
        say(f"failed {day}", message)
    if situation.catalogue_failure:
        say("failed catalogue", situation.catalogue_failure)
    tolerance = quarantine_tolerance(load_invariants(settings.dbt_project))
    for day, dump in loaded.items():
        if dump.quarantined_share > tolerance:
            say(f"quarantined {day}", f"{dump.quarantined}, tolerance {tolerance:.2%}")
    for name in (*situation.landed.strays, *left_alone(loaded)):
        say("left alone", name)
    current = situation.release
    if current is None:
        say("last release", "none")
    else:
        say("last release", f"{current.release_id}, {current.published_at}")
        say("is up to date", "yes" if situation.is_published else "no")
        if current.project:
            say("its dbt project", project_in_words(current))
        for each in in_no_report(settings.published / "walkhouse.duckdb"):
            say(
                "in no report",
                f"{each.environment}: {counted(each.events, 'event')}, "
                f"{counted(each.sessions, 'session')}, "
                f"{counted(each.end_users, 'end user')}; {each.reason}",
            )
    if situation.hold:
        say("held", situation.hold.sentence)
    deployed = Deployments(settings.deployed).current()
    say("deployed project", deployed.sentence if deployed else "none")
    if differs := not_deployed(settings):
        say("the checkout", differs)
    for reason in refusals(settings, situation):
        say("last refusal", reason)
    for copy in copy_states(settings.copies):
        say("copy", f"{copy.url}, {copy.problem or copy.release_id or 'nothing yet'}")


def status_as_json(settings: Settings) -> None:
    """Where the installation stands, for programs."""
    print(json.dumps(status_of(settings), indent=1, ensure_ascii=False))


def alerts(console: Console, settings: Settings) -> None:
    """What was told and still holds."""
    found = open_alerts(settings.home)
    for line in found or ["nothing is worth an alert"]:
        console.print(line, markup=False)


def settings(console: Console, in_force: Sequence[SettingInForce]) -> None:
    """Every setting, its value and where it was said; secrets are left out."""
    for each in in_force:
        console.print(f"{each.name + ':':20} {each.value or '-'} ({each.source})", markup=False)
    for sentence in unknown_variables():
        console.print(f"left alone: {sentence}", markup=False)


def releases(console: Console, settings: Settings) -> None:
    """The releases on disk, the newest first."""
    current = current_release(settings.published)
    found = all_releases(settings.published)
    if not found:
        console.print("nothing is published yet: `walkhouse run` publishes the landing")
    for each in found:
        is_current = current is not None and each.release_id == current.release_id
        waived = f", waived: {', '.join(each.waivers)}" if each.waivers else ""
        console.print(
            f"{'*' if is_current else ' '} {each.release_id}  {each.published_at}  "
            f"{counted(each.dumps, 'dump')} from {each.first_dump_date or '-'} to "
            f"{each.last_dump_date or '-'}, {counted(each.events, 'event')}{waived}",
            markup=False,
        )


def project_in_words(release: Release) -> str:
    """Which dbt project built a release."""
    commit = release.project_commit
    modified = ", modified" if release.is_project_modified else ""
    return f"{release.project} (commit {commit[:12]}{modified})" if commit else release.project


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({part / whole:.2%})" if whole else f"{part:,}"


def _days(days: Sequence[date]) -> str:
    if len(days) <= 3:
        return ", ".join(str(day) for day in days)
    return f"{len(days)} days from {days[0]} to {days[-1]}"
