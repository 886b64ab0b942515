"""Where an installation stands, for programs: what `walkhouse status --json` prints.

    installation, landing, home   as set; without a password
    dumps                         by date: `loaded`, `failed`, `new`, `changed` or `withdrawn`
    failures                      by date: why a dump could not be taken in
    key_refused                   why personal data cannot be treated with this key, or null
    to_forget                     requests to forget somebody that are not finished
    treated_otherwise             why nothing is built before dumps are read again, or null
    withdrawal_held               why withdrawn dumps wait for a person, or null
    is_catalogue_pending          whether the content catalogue differs from that in the lake
    catalogue_failure             why the one in the landing could not be read, or null
    lines, quarantined            of the dumps in the lake
    quarantined_above_tolerance   by date: what is quarantined of its lines, or of its bytes
    left_alone                    paths in the landing that are no part of one
    release                       what readers see, as in `meta.release`; null before the first
    left_out                      what no report of it counts, as in `meta.left_out`
    is_up_to_date                 whether the release is the state of the landing
    hold                          who rolled back, when, and what from; null where nothing is held
    deployed                      the dbt project that is built; null before the first run
    is_checkout_deployed          whether the checkout's project is that one
    refusals                      why the last build was not published
    alerts                        what was told and still holds

`loaded` and `failed` are the partitions that the Dagster UI shows as materialized and failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from dagster_project.ingest.lake import LakeDump
from dagster_project.ingest.shared_lake import lake_of
from dagster_project.models.deployed import Deployments, not_deployed
from dagster_project.operations.alerts import open_alerts
from dagster_project.operations.pending import Situation, look, refusals
from dagster_project.registry import load_invariants, quarantine_tolerance
from dagster_project.release.headlines import in_no_report
from dagster_project.settings import Settings, without_password


def status(settings: Settings) -> dict[str, Any]:
    """Where the installation stands now.

    Raises:
        OSError: the landing cannot be listed.
        LakeVersionError: the lake was written by another version.
    """
    situation = look(settings)
    deployed = Deployments(settings.deployed).current()
    loaded = lake_of(settings).dumps()
    outcomes = [dump.outcomes for dump in loaded.values()]
    tolerance = quarantine_tolerance(load_invariants(settings.dbt_project))
    days = sorted(situation.landed.dumps.keys() | loaded.keys())
    return {
        "installation": settings.name,
        "landing": without_password(settings.landing),
        "home": str(settings.home),
        "dumps": {str(day): _dump_status(situation, day) for day in days},
        "failures": {str(day): message for day, message in situation.failures.items()},
        "key_refused": situation.key_refused,
        "treated_otherwise": situation.treated_otherwise,
        "to_forget": situation.to_forget,
        "withdrawal_held": situation.withdrawal_held,
        "is_catalogue_pending": situation.is_catalogue_pending,
        "catalogue_failure": situation.catalogue_failure,
        "lines": sum(sum(counts.values()) for counts in outcomes),
        "quarantined": sum(counts.get("quarantined", 0) for counts in outcomes),
        "quarantined_above_tolerance": {
            str(day): dump.quarantined
            for day, dump in loaded.items()
            if dump.quarantined_share > tolerance
        },
        "left_alone": [*situation.landed.strays, *left_alone(loaded)],
        "release": asdict(situation.release) if situation.release else None,
        "left_out": _left_out(settings) if situation.release else [],
        "is_up_to_date": situation.is_published,
        "hold": asdict(situation.hold) if situation.hold else None,
        "deployed": asdict(deployed) if deployed else None,
        "is_checkout_deployed": deployed is not None and not not_deployed(settings),
        "refusals": refusals(settings, situation),
        "alerts": open_alerts(settings.home),
    }


def left_alone(loaded: Mapping[date, LakeDump]) -> list[str]:
    """What was found to be no dump file when it was read; names tell of the rest."""
    return [
        f"dump {day}, {name}: no dump file by name nor content"
        for day, dump in loaded.items()
        for name in dump.left_alone
    ]


def _left_out(settings: Settings) -> list[dict[str, Any]]:
    return [asdict(each) for each in in_no_report(settings.published / "walkhouse.duckdb")]


def _dump_status(situation: Situation, day: date) -> str:
    pending = situation.pending
    for name, days in (
        ("failed", situation.failures),
        ("new", pending.new),
        ("changed", pending.changed),
        ("withdrawn", pending.withdrawn),
    ):
        if day in days:
            return name
    return "loaded"
