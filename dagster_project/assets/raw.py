"""Raw: the lake, typed Parquet by dump date, and the content catalogue."""

import logging
import time
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import dagster as dg

from dagster_project.assets.landing import OWNERS
from dagster_project.ingest.content import ingest_catalogue
from dagster_project.ingest.dumps import (
    DumpError,
    ingest_connection,
    take_in_dump,
    write_schema,
)
from dagster_project.ingest.lake import Lake, LakeDump
from dagster_project.ingest.landing import Landed, Landing
from dagster_project.locks import dump_writer, lake_writer, warehouse_writer
from dagster_project.object_store import ObjectStoreError
from dagster_project.registry import load_definitions
from dagster_project.resources import Installation
from dagster_project.settings import Settings

logger = logging.getLogger("walkhouse")

LINES = dg.AssetKey(["raw", "lines"])
FILES = dg.AssetKey(["raw", "files"])
# Seconds before another attempt. The client of the store has tried for some seconds by then.
_WAITS = (20, 60)

CONTENT_ITEMS = dg.AssetKey(["raw", "content_items"])


def dumps_asset(partitions: dg.PartitionsDefinition[str]) -> dg.AssetsDefinition:
    """The asset that takes dumps into the lake, partitioned by dump date."""

    def spec(key: dg.AssetKey, description: str) -> dg.AssetSpec:
        return dg.AssetSpec(
            key,
            deps=[["landing", "dumps"]],
            description=description,
            group_name="raw",
            owners=OWNERS,
            kinds={"parquet", "duckdb"},
            skippable=True,  # only dumps that exist are reported, one by one
        )

    @dg.multi_asset(
        name="dumps",
        specs=[
            spec(LINES, "One row per line of every dump, typed and classified."),
            spec(FILES, "One row per file of every dump, with its lines by outcome."),
        ],
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def dumps(
        context: dg.AssetExecutionContext, installation: Installation
    ) -> Iterator[dg.MaterializeResult[None]]:
        """Take in the dumps of the run's partitions: new, changed and withdrawn ones."""
        settings = installation.settings
        definitions = load_definitions(settings.dbt_project)
        landing = Landing(settings.landing)
        try:
            landed = landing.look()
        except ObjectStoreError as error:
            raise _failure(context, [str(error)], can_pass=error.can_pass) from error
        lake = _lake_of_this_format(settings, landed)
        failures: list[DumpError] = []
        with (
            lake_writer(settings.home),
            ingest_connection(
                definitions,
                threads=settings.threads,
                memory_limit=settings.memory_limit,
                scratch=settings.scratch,
            ) as connection,
        ):
            write_schema(connection, lake)
            for partition in context.partition_keys:
                day = date.fromisoformat(partition)
                started = time.monotonic()
                try:
                    with dump_writer(settings.home, partition):
                        dump = take_in_dump(
                            landing,
                            lake,
                            landed.dumps.get(day),
                            day,
                            connection,
                            definitions,
                            scratch=settings.scratch,
                        )
                except DumpError as error:
                    logger.error("%s", error)
                    failures.append(error)
                    continue
                if dump is not None:
                    seconds = time.monotonic() - started
                    logger.info("dump %s: %s (%.1f s)", partition, _outcomes(dump), seconds)
                    for key in (LINES, FILES):
                        context.log_event(
                            dg.AssetMaterialization(
                                key,
                                partition=partition,
                                metadata={**_metadata(dump), "seconds": seconds},
                            )
                        )
        if failures:
            can_pass = any(error.can_pass for error in failures)
            raise _failure(context, [str(error) for error in failures], can_pass=can_pass)
        yield from ()

    return dumps


@dg.asset(
    key=CONTENT_ITEMS,
    deps=[["landing", "content_catalogue"]],
    group_name="raw",
    owners=OWNERS,
    kinds={"parquet"},
)
def content_items(installation: Installation) -> dg.MaterializeResult[None]:
    """One row per system and item of the content catalogue; none without a catalogue."""
    settings = installation.settings
    landing = Landing(settings.landing)
    landed = landing.look()
    lake = _lake_of_this_format(settings, landed)
    with lake_writer(settings.home):
        catalogue = ingest_catalogue(
            landing,
            lake,
            landed.catalogue,
            load_definitions(settings.dbt_project),
            scratch=settings.scratch,
        )
    for problem in catalogue.problems:
        logger.warning("content/items.ndjson, %s: left out", problem)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": catalogue.items,
            "lines_left_out": catalogue.lines_left_out,
            "problems": dg.MetadataValue.md("\n".join(f"- {p}" for p in catalogue.problems)),
        }
    )


def _failure(
    context: dg.AssetExecutionContext, reasons: Sequence[str], *, can_pass: bool
) -> Exception:
    """The end of an ingest that failed: another attempt, but only where the reason may pass.

    A retry policy of Dagster's would try again after any error.
    """
    if can_pass and context.retry_number < len(_WAITS):
        wait = _WAITS[context.retry_number]
        logger.info("trying again in %d s what may pass", wait)
        return dg.RetryRequested(max_retries=len(_WAITS), seconds_to_wait=wait)
    return dg.Failure(
        description="\n".join(reasons),
        metadata={"failed_dumps": len(reasons)},
        allow_retries=False,
    )


def _lake_of_this_format(settings: Settings, landed: Landed) -> Lake:
    """The lake, ready to take in dumps; an older one is set aside, to be read again.

    Raises:
        LakeVersionError: it cannot be.
    """
    lake = Lake(settings.lake)
    if lake.is_older(landed.dumps):
        with warehouse_writer(settings.home):
            if lake.is_older(landed.dumps):  # another run may have been first
                lake.set_aside()
    lake.prepare()
    return lake


def _outcomes(dump: LakeDump) -> str:
    counts = dump.outcomes
    lines = sum(counts.values())
    parts = [
        f"{counts[outcome]:,} {outcome}"
        for outcome in ("events", "ignored", "control", "quarantined")
        if counts.get(outcome)
    ]
    return f"{lines:,} lines: {', '.join(parts) or 'nothing in it'}"


def _metadata(dump: LakeDump) -> dict[str, Any]:
    lines = sum(dump.outcomes.values())
    return {
        "dagster/partition_row_count": lines,
        "bytes": dump.bytes,
        "fingerprint": dump.fingerprint,
        **{f"lines_{outcome}": count for outcome, count in dump.outcomes.items()},
        "quarantine_rate": dump.outcomes.get("quarantined", 0) / lines if lines else 0.0,
        "event_dates": dg.MetadataValue.json(dict(dump.event_dates)),
    }
