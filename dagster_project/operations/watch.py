"""Looks an installation over for what is worth an alert, and tells it.

Called at the end of every `walkhouse run`, by `walkhouse alerts`, and once a minute by the sensor
`alerts` in Dagster's daemon, which sees to runs of the daemon, and to those that were killed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from dagster_project.ingest.lake import LakeVersionError
from dagster_project.ingest.shared_lake import lake_of
from dagster_project.models.deployed import in_production
from dagster_project.operations.alerts import (
    KINDS,
    Alert,
    Finding,
    failed_catalogue,
    failed_dumps,
    held_release,
    held_withdrawal,
    quarantined_dumps,
    refused_key,
    refused_release,
    stale_dumps,
    tell,
)
from dagster_project.operations.pending import Situation, refusals, why_unlisted
from dagster_project.registry import load_invariants
from dagster_project.release.publish import current_release
from dagster_project.settings import Settings, without_password

_OF_RUNS = ("run_failed", "copy_failed")


@dataclass(frozen=True)
class FailedStep:
    """A step that failed.

    Attributes:
        name: of the step.
        reasons: a line each.
        is_foreseen: whether the step said itself why; otherwise it met an error.
    """

    name: str
    reasons: tuple[str, ...]
    is_foreseen: bool

    @property
    def reason(self) -> str:
        """The first of them."""
        return self.reasons[0]


@dataclass(frozen=True)
class FailedRun:
    """A run of Dagster that failed.

    Attributes:
        run_id: Dagster's id of it.
        job: name of its job.
        days: the dump dates that it was to take in; none for a build.
        steps: those that failed; none if the run was killed.
    """

    run_id: str
    job: str
    days: tuple[date, ...]
    steps: tuple[FailedStep, ...]


def watch(
    settings: Settings,
    situation: Situation | OSError | LakeVersionError,
    failed_runs: list[FailedRun] | None,
    now: datetime | None = None,
) -> list[Alert]:
    """Tell what is news.

    Args:
        settings: of the installation.
        situation: where it stands, or why `look` could not say.
        failed_runs: the last runs that failed; None where nobody looked.
        now: the time, to find dumps stale; the clock's by default.

    Returns:
        what was news.
    """
    settings = in_production(settings)
    looked_for = {"landing_unreachable"}
    findings = []
    release = current_release(settings.published)
    if isinstance(situation, LakeVersionError):
        looked_for.add("lake_refused")
        findings.append(Finding("lake_refused", "lake", str(situation), str(situation)))
    elif isinstance(situation, OSError):
        where = without_password(settings.landing)
        reason = why_unlisted(settings, situation)
        findings.append(Finding("landing_unreachable", "landing", where, reason))
    else:
        looked_for |= KINDS.keys() - {"test", *_OF_RUNS}
        findings += _of_the_state(settings, situation, failed_runs or [], now or datetime.now(UTC))
        if failed_runs is not None:
            looked_for |= set(_OF_RUNS)
            findings += _of_runs(settings, situation, failed_runs)
    return tell(
        findings,
        looked_for,
        home=settings.home,
        url=settings.alert_url,
        installation=settings.name,
        release_id=release.release_id if release else None,
    )


def _of_the_state(
    settings: Settings, situation: Situation, failed_runs: list[FailedRun], now: datetime
) -> Iterator[Finding]:
    runs = {day: run.run_id for run in reversed(failed_runs) for day in run.days}
    builds = [run.run_id for run in failed_runs if not run.days]
    tolerance = next(
        invariant.tolerance
        for invariant in load_invariants(settings.dbt_project)
        if invariant.id == "quarantine_rate"
    )
    landed = situation.landed.dumps
    signatures = {day: dump.signature for day, dump in landed.items()}
    yield from refused_key(situation.key_refused)
    yield from failed_dumps(situation.failures, signatures, runs)
    yield from held_withdrawal(situation.withdrawal_held)
    yield from failed_catalogue(situation.catalogue_failure)
    yield from quarantined_dumps(lake_of(settings).dumps(), tolerance=tolerance)
    yield from stale_dumps(landed, now, hours=settings.stale_after_hours)
    yield from held_release(situation.hold)
    yield from refused_release(refusals(settings, situation), builds[0] if builds else None)


def _of_runs(
    settings: Settings, situation: Situation, failed_runs: list[FailedRun]
) -> Iterator[Finding]:
    """Failures that nothing else tells of: a full disk, a killed process, a copy not sent."""
    is_refused = bool(refusals(settings, situation))
    unexplained = set(situation.pending.dates) - set(situation.failures)
    for run in failed_runs:
        if run.days:
            says_why = any(step.name == "dumps" and step.is_foreseen for step in run.steps)
            if unexplained & set(run.days) and not says_why:
                yield _failed_run(run, f"{run.days[0]}", situation.state, run.steps)
            continue
        copies = [step for step in run.steps if step.name == "copies"]
        others = tuple(step for step in run.steps if step.name != "copies")
        for step in copies:
            yield from _failed_copies(settings, situation, step, run)
        if is_refused and others and all(step.name == "release" for step in others):
            continue
        if others or not (copies or situation.is_built_from_lake):
            yield _failed_run(run, "", situation.state, others)


def _failed_copies(
    settings: Settings, situation: Situation, step: FailedStep, run: FailedRun
) -> Iterator[Finding]:
    """Those that are still wanted; the whole step where it met an error."""
    wanted = {f"copy {url}: ": url for url in map(without_password, settings.copies)}
    state = situation.release.release_id if situation.release else ""
    for reason in step.reasons:
        copy = next((url for start, url in wanted.items() if reason.startswith(start)), None)
        if copy is None and wanted and not step.is_foreseen:
            copy = "copies"
        if copy is not None:
            yield Finding("copy_failed", copy, state, reason, run.run_id)


def _failed_run(run: FailedRun, subject: str, state: str, steps: tuple[FailedStep, ...]) -> Finding:
    reasons = "; ".join(f"step {step.name}: {step.reason}" for step in steps)
    return Finding(
        "run_failed",
        f"{run.job} {subject}".strip(),
        state,
        f"run {run.run_id} of {run.job}: {reasons or 'it ended before it was done'}",
        run.run_id,
    )
