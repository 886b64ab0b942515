"""Release: the gate, and the step that lets readers see the new state."""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import dagster as dg
import duckdb

from dagster_project.defs.assets.landing import OWNERS
from dagster_project.defs.failures import failed
from dagster_project.defs.plots import dumps_by_day
from dagster_project.defs.pools import WAREHOUSE
from dagster_project.defs.resources import Installation, Waivers
from dagster_project.forgotten import Request, is_open, load_requests
from dagster_project.ingest.content import loaded_catalogue
from dagster_project.ingest.lake import Lake
from dagster_project.ingest.landing import first_kept
from dagster_project.locks import warehouse_writer
from dagster_project.models.dbt import DbtError
from dagster_project.models.deployed import Deployments
from dagster_project.models.pointer import point_to
from dagster_project.models.rebuilds import rebuilds_of_last_build
from dagster_project.operations.forgetting import finish, releases_to_remove, still_shown
from dagster_project.operations.retention import remove_records
from dagster_project.operations.runs import note_conclusive
from dagster_project.personal_data import load_tables
from dagster_project.registry import (
    Invariant,
    definitions_of,
    load_invariants,
    load_published_tables,
    load_settings_of_models,
    quarantine_tolerance,
)
from dagster_project.release.gate import Verdict, Waiver, WaiverError, verdict
from dagster_project.release.layout import WarehouseError, check_layout, expected_layout
from dagster_project.release.publish import (
    Hold,
    Kept,
    Release,
    ReleaseError,
    held,
    publish,
    release_id,
    releases,
    remove_releases,
    write_anew,
)
from dagster_project.release.state import policy_of, project_digest, state_digest
from dagster_project.replacing import replace_text
from dagster_project.settings import CODE_VERSION, Settings

logger = logging.getLogger("walkhouse")

RELEASE = dg.AssetKey(["release"])
AUDIT = "audit"
"""Metadata of a release: rows checked and violations by invariant; the checks show the trend."""
_BUILD = "run `walkhouse run`"


def release_asset(
    published_tables: Sequence[dg.AssetKey], *, is_copied: bool = False
) -> dg.AssetsDefinition:
    """The asset that publishes all of the given tables at once.

    Args:
        published_tables: their keys.
        is_copied: whether copies are sent after it.
    """

    @dg.asset(
        key=RELEASE,
        deps=published_tables,
        group_name="release",
        owners=OWNERS,
        kinds={"duckdb", "parquet"},
        pool=WAREHOUSE,
    )
    def release(
        context: dg.AssetExecutionContext, installation: Installation, waivers: Waivers
    ) -> dg.MaterializeResult[None]:
        """What BI tools read: one published, audited state of the warehouse.

        It is refused, with the reasons, unless the audit of exactly these tables passed. Readers
        then keep the release before.

        To publish although an invariant fails: Materialize this asset with "Open launchpad", and
        set `resources: waivers: config:` to `invariants: [<id>, …]` and a `reason`, which is
        published with the release.
        """
        settings = installation.settings
        with warehouse_writer(settings.home):
            if (hold := held(settings.published)) and _began_before(context, hold):
                note_conclusive(context)
                raise failed(hold.sentence)
            requests = load_requests(settings.home)  # before what is decided by them
            try:
                decision = _decide(settings, waivers.waiver)
            except WaiverError as error:
                note_conclusive(context)
                raise failed(str(error)) from None
            for warning in decision.warnings:
                logger.warning("%s", warning)
            if not decision.may_publish:
                replace_text(settings.refusal, json.dumps(list(decision.refusals), indent=1))
                note_conclusive(context)
                raise failed(
                    "not published:\n" + "\n".join(decision.refusals),
                    _failed_checks(settings, decision),
                )
            settings.refusal.unlink(missing_ok=True)
            try:
                published = _publish(settings, decision, waivers.waiver, requests)
            except (duckdb.Error, OSError, ReleaseError) as error:
                message = f"the release could not be written, readers keep the one before: {error}"
                logger.error("%s", message)
                raise failed(message) from None
            remove_releases(settings.published, releases_to_remove(settings))
            rebuilt = rebuilds_of_last_build(settings.warehouse).get("facts.fct_item_events")
            dumps = Lake(settings.lake).dumps()
        _show_waived_checks(context.instance, settings, decision)
        if not is_copied:
            finish_forgetting(context, settings, ())
        tolerance = quarantine_tolerance(load_invariants(settings.dbt_project))
        logger.info("published release %s", published.release_id)
        return dg.MaterializeResult(
            metadata={
                "release_id": published.release_id,
                "events": published.events,
                "dumps": published.dumps,
                "rebuilt": rebuilt.sentence if rebuilt else "no event",
                "by_day": dg.MetadataValue.md(dumps_by_day(dumps, tolerance)),
                AUDIT: {r.invariant: [r.checked, r.violations] for r in decision.results},
                "dbt_project": published.project,
                "waivers": dg.MetadataValue.json(dict(published.waivers)),
                "path": dg.MetadataValue.path(str(settings.published / "walkhouse.duckdb")),
            }
        )

    return release


def finish_forgetting(
    context: dg.AssetExecutionContext, settings: Settings, copies: Sequence[str]
) -> None:
    """Remove what shows people who are forgotten, now that no release does.

    Raises:
        Failure: something is left; the next run goes on.
    """
    if left := finish(settings, copies, partial(remove_records, context.instance, settings)):
        raise failed("\n".join(f"somebody is not forgotten yet: {reason}" for reason in left))


def _began_before(context: dg.AssetExecutionContext, hold: Hold) -> bool:
    """Whether somebody rolled back while the run was under way already."""
    record = context.instance.get_run_record_by_id(context.run.run_id)
    rolled_back_at = datetime.fromisoformat(hold.at) + timedelta(seconds=1)  # it has no fractions
    return record is not None and record.create_timestamp < rolled_back_at


def how_to_waive(registry: Sequence[Invariant], failing: Sequence[str]) -> dict[str, Any]:
    """Metadata that says how a person lets invariants pass once; empty where none can be."""
    waivable = [each.id for each in registry if each.waivable and each.id in failing]
    if not waivable:
        return {}
    steps = (
        "Look at the examples first. Then open [the asset `release`](/assets/release), choose "
        "Materialize with *Open launchpad*, and run it with:\n\n"
        "```yaml\nresources:\n  waivers:\n    config:\n"
        f"      invariants: [{', '.join(waivable)}]\n      reason: who looked, and why it is fine\n"
        "```"
    )
    return {"to publish all the same": dg.MetadataValue.md(steps)}


def _failed_checks(settings: Settings, decision: Verdict) -> dict[str, Any]:
    """Links to the checks that keep a release back, and how they can be waived."""
    keys = _check_keys(settings)
    failing = [r for r in decision.results if r.severity == "error" and not r.passed]
    links = {
        f"failed check {result.invariant}": dg.MetadataValue.url(
            f"/assets/{'/'.join(keys[result.invariant].path)}"
            f"?view=checks&checkDetail={result.invariant}"
        )
        for result in failing
        if result.invariant in keys
    }
    registry = load_invariants(settings.dbt_project)
    return {
        **links,
        **how_to_waive(registry, [result.invariant for result in failing]),
    }


def _show_waived_checks(
    instance: dg.DagsterInstance, settings: Settings, decision: Verdict
) -> None:
    """Turn the checks of waived invariants to warnings, also where they ran in another run."""
    keys = _check_keys(settings)
    for result in decision.results:
        if result.invariant in decision.waived:
            instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(
                    asset_key=keys[result.invariant],
                    check_name=result.invariant,
                    passed=False,
                    severity=dg.AssetCheckSeverity.WARN,
                    description=f"{result.sentence}; waived",
                    metadata={"checked": result.checked, "violations": result.violations},
                )
            )


def _check_keys(settings: Settings) -> dict[str, dg.AssetKey]:
    """The asset that the check of each invariant stands on."""
    schemas = {table: schema for schema, table in load_published_tables(settings.dbt_project)}
    return {
        invariant.id: dg.AssetKey([schemas[invariant.table], invariant.table])
        for invariant in load_invariants(settings.dbt_project)
    }


def _decide(settings: Settings, waiver: Waiver | None) -> Verdict:
    lake = Lake(settings.lake)
    catalogue = loaded_catalogue(lake)
    if not settings.warehouse.exists():
        return Verdict((f"the warehouse was never built; {_BUILD}",), (), (), ())
    if awaited := sorted(lake.awaited()):
        refusals = [
            f"dump {day}: an older Walkhouse took it in, and it could not be read again; deliver "
            "it anew, or withdraw it"
            for day in awaited
        ]
        return Verdict(tuple(refusals), (), (), ())
    if refusals := still_shown(settings):
        return Verdict(tuple(refusals), (), (), ())
    expected = expected_layout(settings.dbt_project)
    try:
        is_older = check_layout(settings.warehouse, expected)
    except WarehouseError as error:
        return Verdict((str(error),), (), (), ())
    if is_older:
        return Verdict((f"the warehouse is older than layout {expected}; {_BUILD}",), (), (), ())
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        return verdict(
            warehouse,
            load_invariants(settings.dbt_project),
            load_published_tables(settings.dbt_project),
            lake_dumps={day: dump.fingerprint for day, dump in lake.dumps().items()},
            catalogue=catalogue.fingerprint if catalogue else "",
            project=project_digest(settings.dbt_project),
            waiver=waiver,
        )


def _publish(
    settings: Settings, decision: Verdict, waiver: Waiver | None, requests: Sequence[Request]
) -> Release:
    lake = Lake(settings.lake)
    dumps = lake.dumps()
    catalogue = loaded_catalogue(lake)
    if is_open(requests):  # a release begins as a copy of the file, deleted rows and all
        limits = {"threads": settings.threads, "memory_limit": settings.memory_limit}
        write_anew(settings.warehouse, limits)
    with duckdb.connect(str(settings.warehouse), read_only=True) as warehouse:
        events = warehouse.execute("select count(*) from facts.fct_item_events").fetchall()[0][0]
        project = warehouse.execute("select any_value(project_digest) from audit.inputs").fetchall()
    state = state_digest(
        {day: dump.fingerprint for day, dump in dumps.items()},
        catalogue.fingerprint if catalogue else "",
        project[0][0],
        policy=policy_of(settings),
    )
    deployment = Deployments(settings.deployed).of(settings.dbt_project)
    now = datetime.now(UTC)
    release = Release(
        release_id=release_id(now, state),
        published_at=now.isoformat(timespec="milliseconds"),
        code_version=CODE_VERSION,
        state=state,
        first_dump_date=min(dumps).isoformat() if dumps else None,
        last_dump_date=max(dumps).isoformat() if dumps else None,
        dumps=len(dumps),
        events=events,
        waivers=dict.fromkeys(decision.waived, waiver.reason if waiver else ""),
        project=deployment.digest if deployment else "",
        project_commit=deployment.git_commit if deployment else None,
        is_project_modified=deployment.is_modified if deployment else None,
        smallest_group=settings.smallest_group,
        variables=load_settings_of_models(settings.dbt_project),
        treatment=definitions_of(settings).treatment.digest,
        requests_known=len(requests),
    )
    publish(
        settings.warehouse,
        settings.published,
        release,
        load_published_tables(settings.dbt_project),
        keep=settings.keep_releases,
        threads=settings.threads,
        memory_limit=settings.memory_limit,
        of_people=load_tables(settings.dbt_project),
        kept=_kept(settings, max(dumps)) if settings.keep_days and dumps else None,
        before_switch=partial(_point_to, settings, release) if settings.engine == "spark" else None,
    )
    return release


def _point_to(
    settings: Settings, release: Release, snapshots: Mapping[str, int], keep: Sequence[str]
) -> None:
    """Let readers of Iceberg's tables see the release.

    Raises:
        ReleaseError: Spark cannot do it.
    """
    if not snapshots:
        return
    try:
        gone = set(releases_to_remove(settings))
        before = releases(settings.published)
        gone |= {each.release_id for each in before if each.treatment != release.treatment}
        left = [each for each in keep if each not in gone]
        # Whoever is to be forgotten is in the snapshots of before as well, and so is what another
        # policy kept.
        forgets = bool(gone) or is_open(load_requests(settings.home))
        point_to(settings, release, snapshots, keep=left, forgets=forgets)
    except DbtError as error:
        raise ReleaseError(str(error)) from None


def _kept(settings: Settings, newest: date) -> Kept:
    return Kept(
        first_dump=first_kept(newest, settings.keep_days),
        first_report=first_kept(newest, max(settings.keep_days, settings.keep_report_days)),
    )
