"""What a run would have to do: the landing, the lake and the release, compared.

The command line, the schedule and the sensors all decide by this.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from dagster_project.ingest.arrival import is_arriving, is_recent
from dagster_project.ingest.content import (
    LakeCatalogue,
    catalogue_failure,
    catalogue_signature,
    loaded_catalogue,
)
from dagster_project.ingest.dumps import Pending, pending_dumps, reader_digest
from dagster_project.ingest.lake import LakeVersionError
from dagster_project.ingest.landing import Landed, Landing
from dagster_project.ingest.shared_lake import lake_of
from dagster_project.ingest.withdrawal import NOTHING_CONFIRMED, Confirmed, held_withdrawal
from dagster_project.models.deployed import in_production
from dagster_project.models.treated import treated_otherwise
from dagster_project.registry import definitions_of
from dagster_project.release.publish import Hold, Release, current_release, held
from dagster_project.release.state import policy_of, project_digest, state_digest
from dagster_project.settings import Settings, without_password

logger = logging.getLogger("walkhouse")


@dataclass(frozen=True)
class Situation:
    """Where an installation stands.

    Attributes:
        landed: what lies in the landing.
        pending: dumps that the lake does not hold as they lie in the landing.
        failures: dumps that could not be loaded, and why.
        arriving: pending dumps that are still being written, and are not among `pending`.
        withdrawal_held: why dumps that left the landing are kept until a person confirms it, and
            nothing is done; None where that is not so.
        is_catalogue_pending: whether the lake holds another content catalogue, and the one in the
            landing was not tried yet.
        catalogue_failure: why the catalogue in the landing could not be read.
        key_refused: why personal data cannot be treated with this key, and nothing is done.
        treated_otherwise: why nothing is built from the lake before more is read.
        to_forget: how many requests to forget somebody are not finished.
        state: digest of what a build would now be made from.
        state_but_catalogue: the same without the content catalogue, which a build takes in first.
        release: what is published.
        hold: the rollback that keeps what is pending from being published, unless a person runs.
    """

    landed: Landed
    pending: Pending
    arriving: tuple[date, ...]
    failures: Mapping[date, str]
    is_catalogue_pending: bool
    state: str
    state_but_catalogue: str
    release: Release | None
    hold: Hold | None
    withdrawal_held: str | None = None
    catalogue_failure: str | None = None
    key_refused: str | None = None
    treated_otherwise: str | None = None
    to_forget: int = 0

    @property
    def held(self) -> str | None:
        """Why nothing is done before a person has seen to it."""
        return self.key_refused or self.withdrawal_held

    @property
    def is_built_from_lake(self) -> bool:
        """Whether what is published is what the lake and the dbt project say."""
        return self.release is not None and self.release.state == self.state

    @property
    def is_published(self) -> bool:
        """Whether the state of the landing is published."""
        return (
            self.is_built_from_lake
            and not self.pending.dates
            and not self.is_catalogue_pending
            and self.catalogue_failure is None
        )


def look(
    settings: Settings,
    *,
    now: datetime | None = None,
    confirmed: Confirmed = NOTHING_CONFIRMED,
) -> Situation:
    """Compare landing, lake and release; reads file listings and small files only.

    Args:
        settings: of the installation.
        now: given, what is still being written by then is left for another time.
        confirmed: the withdrawals that a person confirmed.

    Raises:
        OSError: the landing, or a shared lake, cannot be listed.
        LakeVersionError: the lake was written by another version, and cannot be read again.
    """
    settings = in_production(settings)
    lake = lake_of(settings)
    lake.read()  # with it, who is forgotten
    definitions = definitions_of(settings)
    landing = landing_of(settings)
    landed = landing.look()
    # Nothing in an older lake counts: an ingest of all dumps is what brings it to this format.
    is_readable = not lake.is_older(landed.days)
    if is_readable:
        lake.check()
    loaded = lake.dumps() if is_readable else {}
    catalogue = loaded_catalogue(lake) if is_readable else None
    signature = catalogue_signature(landed.catalogue, definitions)
    pending = pending_dumps(
        landed.dumps,
        loaded,
        reader=reader_digest(definitions),
        treatment=definitions.treatment,
    )
    awaited = lake.awaited()
    withdrawn = {*pending.withdrawn, *(awaited - landed.dumps.keys())}
    pending = replace(pending, withdrawn=tuple(sorted(withdrawn)))
    failed_catalogue = landed.catalogue_problem or catalogue_failure(lake, signature)
    is_catalogue_pending = catalogue is None or (
        failed_catalogue is None and catalogue.signature != signature
    )
    arriving: tuple[date, ...] = ()
    if now is not None:
        clock = {"now": now.timestamp(), "quiet_seconds": settings.quiet_seconds}
        arriving = tuple(
            day
            for day in (*pending.new, *pending.changed)
            if is_arriving(landing, landed.dumps[day], **clock)
        )
        pending = pending.without(arriving)
        if catalogue is not None and landed.catalogue and is_recent(landed.catalogue, **clock):
            is_catalogue_pending = False
    failures = {
        **(lake.failures() if is_readable else {}),
        **{
            day: f"dump {day}, {dump.problem}"
            for day, dump in landed.dumps.items()
            if dump.problem is not None
        },
    }
    fingerprints = {day: dump.fingerprint for day, dump in loaded.items()}
    project = project_digest(settings.dbt_project)
    return Situation(
        landed=landed,
        pending=pending,
        arriving=arriving,
        failures={day: failures[day] for day in pending.dates if day in failures},
        is_catalogue_pending=is_catalogue_pending,
        state=state_digest(
            fingerprints,
            catalogue.fingerprint if catalogue else "",
            project,
            policy=policy_of(settings),
        ),
        state_but_catalogue=state_digest(fingerprints, "", project, policy=policy_of(settings)),
        release=current_release(settings.published),
        hold=_hold(settings, landed, fingerprints, catalogue, is_pending=is_catalogue_pending),
        withdrawal_held=held_withdrawal(
            landed.dumps,
            loaded,
            awaited,
            limit_percent=settings.withdrawal_limit,
            confirmed=confirmed,
            expired=landed.expired,
        ),
        catalogue_failure=failed_catalogue,
        key_refused=definitions.treatment.refusal(settings.home),
        treated_otherwise=treated_otherwise(loaded, definitions.treatment.digest),
        to_forget=sum(each.finished_at is None for each in definitions.treatment.requests),
    )


def digests(settings: Settings) -> tuple[str, str]:
    """Of what lies in the landing and of what is in the lake; empty where that cannot be told."""
    try:
        lake = lake_of(settings)
        landed = landing_of(settings).look()
        if lake.is_older(landed.days):
            return "", ""
        fingerprints = {day: dump.fingerprint for day, dump in lake.dumps().items()}
        catalogue = loaded_catalogue(lake)
    except (OSError, LakeVersionError):
        return "", ""
    return _landing_digest(landed), _lake_digest(fingerprints, catalogue)


def _landing_digest(landed: Landed) -> str:
    days = [f"{day} {dump.signature}" for day, dump in sorted(landed.dumps.items())]
    stamp = landed.catalogue.stamp if landed.catalogue else ""
    return hashlib.sha256("\n".join([*days, stamp]).encode()).hexdigest()


def _lake_digest(fingerprints: Mapping[date, str], catalogue: LakeCatalogue | None) -> str:
    return state_digest(fingerprints, catalogue.fingerprint if catalogue else "", "")


def _hold(
    settings: Settings,
    landed: Landed,
    fingerprints: Mapping[date, str],
    catalogue: LakeCatalogue | None,
    *,
    is_pending: bool,
) -> Hold | None:
    """The rollback that still holds: until the landing changed, and what changed was taken in.

    A dump that is still arriving, or that cannot be read, is no reason to publish the same again.
    A build takes in the catalogue itself, so one that is pending is a reason.
    """
    hold = held(settings.published)
    if hold is None:
        return None
    has_landed = hold.landing not in ("", _landing_digest(landed))
    is_taken_in = is_pending or hold.lake != _lake_digest(fingerprints, catalogue)
    return None if has_landed and is_taken_in else hold


def refusals(settings: Settings, situation: Situation) -> list[str]:
    """Why the last build was not published; nothing if it was.

    A refusal is over as well when lake and project are again what is published.
    """
    if situation.is_built_from_lake or not settings.refusal.exists():
        return []
    reasons: list[str] = json.loads(settings.refusal.read_text(encoding="utf-8"))
    return reasons


def landing_of(settings: Settings) -> Landing:
    """The landing of an installation, without the dumps that it no longer keeps."""
    return Landing(settings.landing, keep_days=settings.keep_days)


def known_dump_dates(settings: Settings) -> set[date]:
    """The days of all dumps in the landing and the lake, as far as they can be listed."""
    known: set[date] = set()
    try:
        known |= set(lake_of(settings).dump_dates())
    except OSError as error:
        logger.warning("the lake cannot be listed: %s", error)
    try:
        known |= set(Landing(settings.landing).dump_dates())
    except OSError as error:
        logger.warning("the landing cannot be listed: %s", why_unlisted(settings, error))
    return known


def why_unlisted(settings: Settings, error: OSError) -> str:
    """What an error in listing the landing says, with the landing named once and no password."""
    where = without_password(settings.landing)
    reason = str(error).replace(settings.landing, where)
    return reason if where in reason else f"{where}: {reason}"
