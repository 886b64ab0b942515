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
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dagster_project.ingest.content import forget_catalogue_failure
from dagster_project.ingest.lake import Lake, LakeVersionError
from dagster_project.ingest.withdrawal import NOTHING_CONFIRMED, Confirmed
from dagster_project.locks import hold_run
from dagster_project.operations.instance import prepare_instance_folder, records_kept_open
from dagster_project.operations.pending import Situation, look
from dagster_project.operations.watch import watch
from dagster_project.registry import load_invariants
from dagster_project.release.copies.send import copies_behind
from dagster_project.release.gate import Waiver
from dagster_project.settings import Settings

if TYPE_CHECKING:
    import dagster as dg

logger = logging.getLogger("walkhouse")


def bring_up_to_date(
    settings: Settings,
    waiver: Waiver | None,
    load_definitions: Callable[[], dg.Definitions],
    *,
    is_patient: bool = False,
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
        confirmed: the withdrawals of many dumps at once that a person confirmed.

    Returns:
        whether the state of the landing, but for what was left, is published afterwards.

    Raises:
        WaiverError: the waiver cannot be given.
        WithdrawalError: a dump that is confirmed as withdrawn did not leave the landing.
        OSError: the landing cannot be listed.
        LakeVersionError: the lake was written by another version, and cannot be read again.
        RuntimeError: what Dagster records of the run cannot be written.
    """
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
    if situation.is_published and not copies_behind(settings.copies, settings.published):
        logger.info("nothing is pending: the state of the landing is published")
        watch(settings, situation, None)
        return True
    started = time.monotonic()
    _say_what_is_pending(situation)
    prepare_instance(settings)
    with _saying_what_dagster_cannot_write(settings):
        _execute(settings, situation, waiver, load_definitions, confirmed)
    situation = look_after(settings, now=now)
    logger.info("done in %.0f s", time.monotonic() - started)
    return situation.is_published


def look_after(settings: Settings, *, now: datetime | None = None) -> Situation:
    """Tell what is worth an alert by now, runs that failed included; Dagster has an instance.

    What is still being written at the time `now`, if one is given, is left for another time.

    Raises:
        OSError: the landing cannot be listed.
        LakeVersionError: the lake was written by another version, and cannot be read again.
    """
    import dagster as dg

    from dagster_project.operations.failed_runs import failed_runs

    situation = _look(settings, now=now)
    with dg.DagsterInstance.get() as instance:
        watch(settings, situation, failed_runs(instance))
    return situation


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


def _execute(
    settings: Settings,
    situation: Situation,
    waiver: Waiver | None,
    load_definitions: Callable[[], dg.Definitions],
    confirmed: Confirmed,
) -> None:
    # Dagster and dbt print as they load and run; what a person needs is logged.
    with contextlib.redirect_stdout(io.StringIO()):
        import dagster as dg

        from dagster_project.operations.requests import (
            BUILD,
            INGEST,
            build_request,
            ingest_requests,
        )
        from dagster_project.operations.runs import close_abandoned_runs
        from dagster_project.operations.shell import execute

        defs = load_definitions()
        # Held until this process ends: what the sensors would start waits for both runs.
        build_id = str(uuid.uuid4())
        hold_run(settings.home, build_id)
        with dg.DagsterInstance.get() as instance:
            close_abandoned_runs(instance, settings.home)
            for request in ingest_requests(situation):
                ingested = execute(
                    defs,
                    INGEST,
                    instance,
                    tags=request.tags,
                    run_config={
                        **_QUIET,
                        "ops": {"dumps": {"config": {"withdraw": confirmed.texts}}},
                    },
                )
                _log_failures(ingested.all_events)
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
            with records_kept_open(instance, build_id):
                built = execute(
                    defs,
                    BUILD,
                    instance,
                    run_id=build_id,
                    tags=wanted.tags,
                    run_config=configuration,
                )
            _log_failures(built.all_events)
            if not any(
                event.is_step_start and event.step_key == _COPIES for event in built.all_events
            ):
                _send_copies(settings, defs, instance)  # of the release that readers still see


def _send_copies(settings: Settings, defs: dg.Definitions, instance: dg.DagsterInstance) -> None:
    if not copies_behind(settings.copies, settings.published):
        return
    from dagster_project.operations.requests import COPY
    from dagster_project.operations.shell import execute

    sent = execute(defs, COPY, instance, run_config=_QUIET)
    _log_failures(sent.all_events)


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
    """Say why steps failed, but for failed dumps and refusals, which are kept and shown later."""
    for event in events:
        if not event.is_step_failure:
            continue
        failure = event.step_failure_data
        if failure.user_failure_data is None or event.step_key not in _SHOWN_LATER:
            reason = failure.error.to_string() if failure.error else event.message
            logger.error("step %s failed: %s", event.step_key, reason)


_COPIES = "copies"
_SHOWN_LATER = ("dumps", "release", _COPIES)
_QUIET: Mapping[str, Any] = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def _say_what_is_pending(situation: Situation) -> None:
    pending = situation.pending
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
