"""`walkhouse run`: the same assets as in the Dagster UI, executed in this process.

The runs are recorded in the installation's Dagster instance, where the UI shows them.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from dagster_project.forgotten import is_open, load_requests
from dagster_project.ingest.content import forget_catalogue_failure
from dagster_project.ingest.dumps import pending_dumps, reader_digest
from dagster_project.ingest.lake import Lake, LakeVersionError
from dagster_project.ingest.shared_lake import lake_of
from dagster_project.ingest.withdrawal import NOTHING_CONFIRMED, Confirmed
from dagster_project.locks import hold_run
from dagster_project.models.deployed import not_deployed
from dagster_project.operations.deploy import ensure_deployed
from dagster_project.operations.forgetting import finish
from dagster_project.operations.instance import (
    engines_kept,
    prepare_instance_folder,
    records_kept_open,
)
from dagster_project.operations.pending import Situation, look
from dagster_project.operations.watch import watch
from dagster_project.registry import definitions_of, load_invariants
from dagster_project.release.copies.send import copies_behind
from dagster_project.release.gate import Waiver
from dagster_project.release.publish import Release, current_release, end_hold
from dagster_project.settings import Settings, without_password
from dagster_project.stopping import asked_to_stop, go_on_or_stop
from dagster_project.words import counted

if TYPE_CHECKING:
    import dagster as dg

logger = logging.getLogger("walkhouse")


def bring_up_to_date(
    settings: Settings,
    waiver: Waiver | None,
    load_definitions: Callable[[], dg.Definitions],
    *,
    is_patient: bool = False,
    is_ingest_only: bool = False,
    confirmed: Confirmed = NOTHING_CONFIRMED,
) -> bool:
    """Take in what is pending, build, audit and release.

    What is published is also sent to the copies that do not hold it.

    Args:
        settings: of the installation.
        waiver: invariants that may fail this time.
        load_definitions: gives what exists in Dagster; called only where there is work, since it
            takes seconds.
        is_patient: leave what is still being written for another time.
        is_ingest_only: take in what is pending, and leave the rest to the machine that builds.
        confirmed: the withdrawals of many dumps at once that a person confirmed.

    Returns:
        whether the state of the landing, but for what was left, is published afterwards, and
        nothing is left of who is to be forgotten; or whether all of it is taken in.

    Raises:
        WaiverError: the waiver cannot be given.
        WithdrawalError: a dump that is confirmed as withdrawn did not leave the landing.
        OSError: the landing cannot be listed.
        LakeVersionError: the lake was written by another version, and cannot be read again.
        DeployError: nothing is deployed, and the dbt project cannot be.
        KeyRefusedError: a policy of personal data needs a key, and this is not the one.
        RuntimeError: nothing was ever taken in, and the landing is empty; or what Dagster records
            of the run cannot be written.
    """
    checkout, settings = settings, ensure_deployed(settings)
    definitions_of(settings).treatment.check(settings.home)
    if differs := not_deployed(checkout):
        logger.warning("%s", differs)
    if waiver:
        waiver.ids(load_invariants(settings.dbt_project))
    now = datetime.now(UTC) if is_patient else None
    forget_catalogue_failure(Lake(settings.lake))  # what a person asks for is tried again
    situation = _look(settings, now=now, confirmed=confirmed)
    confirmed.check(situation.pending.withdrawn)
    for day in situation.arriving:
        logger.info("dump %s: left for another time, it is still being written", day)
    for stray in situation.landed.strays:
        logger.warning("left alone: %s", stray)
    if situation.withdrawal_held:
        watch(settings, situation, None)
        return False
    if is_ingest_only and not situation.pending.dates:
        logger.info("nothing is pending: all dumps of the landing are taken in")
        return True
    if situation.release is None and not (situation.landed.dumps or situation.pending.dates):
        raise RuntimeError(
            f"{without_password(settings.landing)}: there is no dump in it, so nothing to publish; "
            "a dump is a folder events/dt=YYYY-MM-DD, and `walkhouse simulate` writes some"
        )
    if situation.is_published and not copies_behind(settings.copies, settings.published):
        logger.info("nothing is pending: the state of the landing is published")
        watch(settings, situation, [])  # whatever failed before was made good
        if not is_open(load_requests(settings.home)):
            return True
        prepare_instance(settings)
        with _recording() as instance:
            return _finish_forgetting(settings, instance)
    if not is_ingest_only:
        if situation.hold is not None:
            logger.info("%s; this run ends that", situation.hold.sentence)
        end_hold(settings.published)
    started = time.monotonic()
    try:
        _say_what_is_pending(situation)
        prepare_instance(settings)
        with _saying_what_dagster_cannot_write(settings), _recording() as instance:
            _execute(
                *(settings, situation, waiver, load_definitions, confirmed, instance),
                is_ingest_only=is_ingest_only,
            )
            is_forgotten = is_ingest_only or _finish_forgetting(settings, instance)
            situation = _look_after(settings, instance, now=now)
    except BaseException:
        if asked_to_stop():
            logger.warning("%s", _said_of_a_stopped_run(settings, situation))
        raise
    logger.info("done in %.0f s", time.monotonic() - started)
    if is_ingest_only:
        return not situation.pending.dates
    return situation.is_published and is_forgotten


def _finish_forgetting(settings: Settings, instance: dg.DagsterInstance) -> bool:
    """Whether nothing is left to do for anybody who is to be forgotten; it is said what is."""
    from dagster_project.operations.retention import remove_records

    left = finish(settings, settings.copies, partial(remove_records, instance, settings))
    for reason in left:
        logger.error("somebody is not forgotten yet: %s", reason)
    return not left


def look_after(settings: Settings, *, now: datetime | None = None) -> Situation:
    """Tell what is worth an alert by now, runs that failed included, and forget old runs.

    Dagster has an instance.

    What is still being written at the time `now`, if one is given, is left for another time.

    Raises:
        OSError: the landing cannot be listed.
        LakeVersionError: the lake was written by another version, and cannot be read again.
    """
    with _recording() as instance:
        return _look_after(settings, instance, now=now)


def _look_after(
    settings: Settings, instance: dg.DagsterInstance, *, now: datetime | None
) -> Situation:
    from dagster_project.operations.failed_runs import failed_runs
    from dagster_project.operations.retention import prune_records

    situation = _look(settings, now=now)
    watch(settings, situation, failed_runs(instance))
    prune_records(instance, settings)
    return situation


@contextlib.contextmanager
def _recording() -> Iterator[dg.DagsterInstance]:
    """Dagster's instance, whose storage takes a while to open."""
    # Dagster prints as it loads.
    with contextlib.redirect_stdout(io.StringIO()), engines_kept():
        import dagster as dg

        instance = dg.DagsterInstance.get()
    with instance:
        yield instance


def _look(
    settings: Settings, *, now: datetime | None, confirmed: Confirmed = NOTHING_CONFIRMED
) -> Situation:
    """Where the installation stands; if nobody can say, that is worth an alert, too."""
    try:
        return look(settings, now=now, confirmed=confirmed)
    except (OSError, LakeVersionError) as error:
        watch(settings, error, None)
        raise


def prepare_instance(settings: Settings) -> None:
    """Give the installation its Dagster instance, unless DAGSTER_HOME names another one.

    Raises:
        RuntimeError: a newer Dagster wrote it, or its records cannot be migrated.
    """
    os.environ.update(settings.environment())
    if os.environ.get("DAGSTER_HOME"):
        return
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    prepare_instance_folder(settings.dagster_home)


def note_rollback(settings: Settings, release: Release, sentence: str) -> None:
    """Let the UI show a rollback with the asset of the release.

    Raises:
        RuntimeError: it cannot be recorded.
    """
    import dagster as dg

    prepare_instance(settings)
    with _saying_what_dagster_cannot_write(settings), dg.DagsterInstance.get() as instance:
        instance.report_runless_asset_event(
            dg.AssetObservation(
                asset_key=["release"],
                description=sentence,
                metadata={"release_id": release.release_id, "rolled_back": sentence},
            )
        )


def _execute(
    settings: Settings,
    situation: Situation,
    waiver: Waiver | None,
    load_defs: Callable[[], dg.Definitions],
    confirmed: Confirmed,
    instance: dg.DagsterInstance,
    *,
    is_ingest_only: bool,
) -> None:
    # Dagster and dbt print as they load and run; what a person needs is logged.
    with contextlib.redirect_stdout(io.StringIO()):
        from dagster_project.operations.requests import build_request, ingest_requests
        from dagster_project.operations.runs import BUILD, INGEST, close_abandoned_runs

        defs = load_defs()
        # Held until this process ends: what the sensors would start waits for both runs.
        build_id = str(uuid.uuid4())
        hold_run(settings.home, build_id)
        close_abandoned_runs(instance, settings.home)
        for request in ingest_requests(situation):
            events = _executed(
                instance,
                defs,
                INGEST,
                tags=request.tags,
                configuration={
                    **_QUIET,
                    "ops": {"dumps": {"config": {"withdraw": confirmed.texts}}},
                },
            )
            _log_failures(events)
        if is_ingest_only:
            return
        wanted = build_request(look(settings))
        if wanted is None:
            _send_copies(settings, defs, instance)
            return
        configuration: dict[str, Any] = dict(_QUIET)
        if waiver:
            configuration["resources"] = {
                "waivers": {
                    "config": {"invariants": list(waiver.invariants), "reason": waiver.reason}
                }
            }
        events = _executed(
            instance,
            defs,
            BUILD,
            run_id=build_id,
            tags=wanted.tags,
            configuration=configuration,
        )
        _log_failures(events)
        if not any(event.is_step_start and event.step_key == _COPIES for event in events):
            _send_copies(settings, defs, instance)  # of the release that readers still see


def _executed(
    instance: dg.DagsterInstance,
    defs: dg.Definitions,
    job: str,
    *,
    run_id: str | None = None,
    tags: Mapping[str, str] | None = None,
    configuration: Mapping[str, Any] | None = None,
) -> Sequence[dg.DagsterEvent]:
    """Execute a job in this process; what came of it.

    Raises:
        Stopped: the process was told to end; the run is recorded as cancelled.
    """
    from dagster_project.operations.shell import recorded_as, who_started

    run_id = run_id or str(uuid.uuid4())
    with records_kept_open(instance, run_id), recorded_as(job, instance):
        try:
            result = defs.resolve_job_def(job).execute_in_process(
                instance=instance,
                run_id=run_id,
                tags={**(tags or {}), **who_started()},
                run_config=dict(configuration or _QUIET),
                raise_on_error=False,
            )
            go_on_or_stop()  # Dagster records an interrupted run as failed, and is done with it
        finally:
            run = instance.get_run_by_id(run_id) if (told := asked_to_stop()) else None
            if told and run and not run.is_success:
                instance.report_run_canceled(run, message=f"told to end by {told.name}")
    return result.all_events


def _send_copies(settings: Settings, defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    if not copies_behind(settings.copies, settings.published):
        return
    from dagster_project.operations.runs import COPY

    _log_failures(_executed(instance, defs, COPY))


def _said_of_a_stopped_run(settings: Settings, before: Situation) -> str:
    """What is done, and what the next run will do; nothing is listed for it."""
    landed = before.landed.dumps
    try:
        loaded = lake_of(settings).dumps()
    except OSError:  # a shared lake that cannot be reached
        return "stopped: the next `walkhouse run` goes on from there"
    definitions = definitions_of(settings)
    left = set(
        pending_dumps(
            landed,
            loaded,
            reader=reader_digest(definitions),
            treatment=definitions.treatment,
        ).dates
    )
    count = len(before.pending.dates)
    taken_in = count - len(left & set(before.pending.dates))
    release = current_release(settings.published)
    if release is None:
        published = "nothing is published yet"
    elif before.release is None or release.release_id != before.release.release_id:
        published = f"release {release.release_id} is published"
    else:
        published = f"readers still see release {release.release_id}"
    return (
        f"stopped: {taken_in:,} of {count:,} pending dumps are taken in, and {published}; the next "
        "`walkhouse run` goes on from there"
    )


@contextlib.contextmanager
def _saying_what_dagster_cannot_write(settings: Settings) -> Iterator[None]:
    """A full disk, for example, is first met where Dagster records the run.

    Raises:
        RuntimeError: the record could not be written.
    """
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        where = os.environ.get("DAGSTER_HOME", settings.dagster_home)
        raise RuntimeError(
            f"{where}: the record of the run could not be written: "
            f"{getattr(error, 'orig', error)}; "
            "make room on the disk and run again"
        ) from error


def _log_failures(events: Iterable[dg.DagsterEvent]) -> None:
    """Say why steps failed, but for failed dumps and refusals, which are kept and shown later.

    Where an error was met it stands in Dagster's records.
    """
    for event in events:
        if not event.is_step_failure:
            continue
        failure = event.step_failure_data
        said = failure.user_failure_data
        if said is None:
            error = failure.error
            while error is not None and error.cause is not None:
                error = error.cause
            reason = error.message.strip() if error else event.message
            logger.error("step %s failed: %s (see the Dagster UI)", event.step_key, reason)
        elif event.step_key not in _SHOWN_LATER:
            logger.error("step %s failed: %s", event.step_key, said.description)


_COPIES = "copies"
_SHOWN_LATER = ("dumps", "release", _COPIES)
_QUIET: Mapping[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def _say_what_is_pending(situation: Situation) -> None:
    pending = situation.pending
    if expired := set(situation.landed.expired) & set(pending.withdrawn):
        logger.info("%s too old to be kept (WALKHOUSE_KEEP_DAYS)", counted(len(expired), "dump"))
    for what, days in (
        ("new", pending.new),
        ("changed", pending.changed),
        ("withdrawn", pending.withdrawn),
    ):
        if days:
            span = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
            logger.info(
                "%d %s %s: %s", len(days), what, "dump" if len(days) == 1 else "dumps", span
            )
