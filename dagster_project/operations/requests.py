"""Run requests: the runs that bring the installation to the state of the landing.

The command line executes them in its own process; the schedule and the sensors hand them to
Dagster's daemon. Both take them from here. A request stands in its run's tags as a digest of what
the run would be made from. Dagster drops a request whose run key was ever used, so that of a sensor
names the occasion as well: the run after which it is made.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from dagster_project.ingest.lake import LakeVersionError
from dagster_project.ingest.shared_lake import lake_of
from dagster_project.operations.attempts import next_attempt
from dagster_project.operations.pending import Situation, look
from dagster_project.operations.runs import (
    BUILD,
    COPY,
    INGEST,
    RANGE_END,
    RANGE_START,
    REQUEST,
    History,
    days_of,
    history,
    runs_under_way,
)
from dagster_project.release.copies.send import copies_behind
from dagster_project.release.publish import current_release
from dagster_project.settings import Settings

_MOST_DAYS = 100
"""Days of one ingest: Dagster writes down each of them before it begins, and says nothing."""


def range_tags(first: date, last: date) -> dict[str, str]:
    """The tags by which Dagster knows the partitions of a run."""
    return {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}


def contiguous_ranges(days: Iterable[date], *, most: int = 0) -> Iterator[tuple[date, date]]:
    """First and last day of each stretch of days without a gap, in order.

    Args:
        days: in any order.
        most: so many days make the longest stretch; 0 for no limit.
    """
    first: date | None = None
    last: date | None = None
    for day in sorted(set(days)):
        if first is None or last is None:
            first = day
        elif day - last > timedelta(days=1) or (most and (day - first).days >= most):
            yield first, last
            first = day
        last = day
    if first is not None and last is not None:
        yield first, last


def ingest_requests(situation: Situation) -> Iterator[dg.RunRequest]:
    """One request for each stretch of days with pending dumps; a long stretch is divided."""
    for first, last in contiguous_ranges(situation.pending.dates, most=_MOST_DAYS):
        signatures = [
            f"{day} {dump.signature}"
            for day, dump in situation.landed.dumps.items()
            if first <= day <= last
        ]
        key = _digest(f"{first} {last}", *signatures)
        yield dg.RunRequest(run_key=key, tags={**range_tags(first, last), REQUEST: key})


def build_request(situation: Situation) -> dg.RunRequest | None:
    """The request for a build, unless what is in the lake is published, or may not be built."""
    if situation.treated_otherwise:
        return None
    if situation.is_built_from_lake and not situation.is_catalogue_pending:
        return None
    catalogue = situation.landed.catalogue
    # The catalogue as it lies in the landing: the key stays the same when the build takes it in.
    key = _digest(situation.state_but_catalogue, catalogue.stamp if catalogue else "")
    return dg.RunRequest(run_key=key, tags={REQUEST: key})


def ingest_due(
    settings: Settings, instance: dg.DagsterInstance, location: str | None = None
) -> list[dg.RunRequest] | dg.SkipReason:
    """The ingests to start now, or why there is none.

    Nothing is started beside a run under way: what that one leaves is asked for after it. A dump
    that is still being written is left for another time.
    """
    if under_way := runs_under_way(instance, settings.home, location):
        return dg.SkipReason(f"waits for {_named(under_way)}")
    try:
        situation = look(settings, now=datetime.now(UTC))
    except (OSError, LakeVersionError) as error:
        return dg.SkipReason(str(error))
    if situation.held:
        return dg.SkipReason(situation.held)
    requests = list(ingest_requests(situation))
    if not requests:
        if situation.arriving:
            days = ", ".join(map(str, sorted(situation.arriving)))
            return dg.SkipReason(f"waits for what is still being written: {days}")
        return dg.SkipReason("no dump is new, changed or withdrawn")
    before = history(instance, INGEST, location)
    wanted: list[dg.RunRequest] = []
    reasons: list[str] = []
    for request in requests:
        due = _once_due(request, before)
        if isinstance(due, dg.RunRequest):
            wanted.append(due)
        else:
            days = f"{request.tags[RANGE_START]} to {request.tags[RANGE_END]}"
            reasons.append(f"{days}: {due.skip_message}")
    return wanted or dg.SkipReason("; ".join(reasons))


def build_due(
    settings: Settings, instance: dg.DagsterInstance, location: str | None = None
) -> dg.RunRequest | dg.SkipReason:
    """The build to start now, or why there is none.

    It waits until no dump is being taken in, so that many ingests are followed by one build.
    """
    if under_way := runs_under_way(instance, settings.home, location):
        return dg.SkipReason(f"waits for {_named(under_way)}")
    try:
        situation = look(settings, now=datetime.now(UTC))
    except (OSError, LakeVersionError) as error:
        return dg.SkipReason(str(error))
    if situation.held:
        return dg.SkipReason(situation.held)
    if situation.release is None and not lake_of(settings).dumps():
        return dg.SkipReason("no dump was taken in yet")
    if situation.treated_otherwise:
        return dg.SkipReason(situation.treated_otherwise)
    request = build_request(situation)
    if request is None and situation.to_forget:  # a run that went before was cut short
        key = _digest(situation.state, f"{situation.to_forget} to forget")
        request = dg.RunRequest(run_key=key, tags={REQUEST: key})
    if request is None:
        return dg.SkipReason("what is in the lake is published")
    if situation.hold is not None:
        return dg.SkipReason(situation.hold.sentence)
    return _once_due(request, history(instance, BUILD, location))


def copies_due(
    settings: Settings,
    urls: Sequence[str],
    instance: dg.DagsterInstance,
    location: str | None = None,
) -> dg.RunRequest | dg.SkipReason:
    """The sending of copies to start now, or why there is none.

    A build sends them itself; this is for those that could not be sent then.
    """
    if under_way := runs_under_way(instance, settings.home, location):
        return dg.SkipReason(f"waits for {_named(under_way)}")
    release = current_release(settings.published)
    if release is None:
        return dg.SkipReason("nothing is published yet")
    if not copies_behind(urls, settings.published):
        return dg.SkipReason("all copies hold the release")
    key = _digest("copies", release.release_id, *urls)
    request = dg.RunRequest(run_key=key, tags={REQUEST: key})
    return _once_due(request, history(instance, COPY, location))


def _once_due(request: dg.RunRequest, before: History) -> dg.RunRequest | dg.SkipReason:
    """The request as one of this occasion, if it is time for an attempt."""
    attempts = before.attempts(request.tags[REQUEST], days_of(request.tags))
    if attempts:
        due_at = next_attempt(attempts)
        if due_at is None:
            return dg.SkipReason("failed for what the data say, and they did not change since")
        if due_at > datetime.now(UTC):
            return dg.SkipReason(
                f"failed {len(attempts)} times; asked for again at {due_at:%H:%M} UTC"
            )
    return dg.RunRequest(run_key=f"{request.run_key} after {before.newest}", tags=request.tags)


def _named(run_ids: set[str]) -> str:
    first, *others = sorted(run_ids)
    return f"run {first[:8]}" + (f" and {len(others)} more" if others else "")


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
