"""Raw: the lake, typed Parquet by dump date, and the content catalogue."""

import logging
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import date
from functools import partial
from typing import Any

import dagster as dg
from pydantic import Field

from dagster_project.defs.assets.landing import DUMPS, OWNERS
from dagster_project.defs.failures import failed
from dagster_project.defs.plots import dumps_by_day
from dagster_project.defs.resources import Installation
from dagster_project.forgotten import FORGOTTEN_COLUMNS, RequestsError
from dagster_project.ingest.classification import LINE_COLUMNS
from dagster_project.ingest.content import (
    CatalogueError,
    content_columns,
    ingest_catalogue,
    keep_catalogue,
    loaded_catalogue,
)
from dagster_project.ingest.dumps import (
    FILE_COLUMNS,
    DayTaken,
    DumpError,
    ingest_connection,
    taking_in_dumps,
    write_schema,
)
from dagster_project.ingest.lake import Lake, LakeDump, LakeVersionError
from dagster_project.ingest.landing import Landed, Landing
from dagster_project.ingest.shared_lake import lake_of
from dagster_project.ingest.withdrawal import NOTHING_CONFIRMED, Confirmed, held_withdrawal
from dagster_project.keyed_hash import KeyRefusedError
from dagster_project.locks import dump_writer, lake_writer, warehouse_writer
from dagster_project.models.columns import portable_type
from dagster_project.object_store import ObjectStoreError
from dagster_project.operations.pending import landing_of
from dagster_project.operations.runs import note_conclusive
from dagster_project.registry import (
    definitions_of,
    load_definitions,
    load_invariants,
    quarantine_tolerance,
)
from dagster_project.settings import Settings
from dagster_project.words import counted

logger = logging.getLogger("walkhouse")

LINES = dg.AssetKey(["raw", "lines"])
FILES = dg.AssetKey(["raw", "files"])
IS_SOUND = "dump_is_sound"
IS_READ = "catalogue_is_read"

# Seconds before another attempt. The client of the store has tried for some seconds by then.
_WAITS = (20, 60)

_TURNS = 4  # days of each thread, until they are reported

_Event = dg.AssetMaterialization | dg.AssetObservation | dg.AssetCheckEvaluation | dg.Output[None]

CONTENT_ITEMS = dg.AssetKey(["raw", "content_items"])
FORGOTTEN = dg.AssetKey(["raw", "forgotten"])


class Withdrawals(dg.Config):
    """What a person confirms of an ingest; set it in the run's configuration."""

    withdraw: list[str] = Field(
        default_factory=list,
        description="Dates of dumps that were withdrawn, or `all`, where many left the landing "
        "at once.",
    )


def _column_schema(columns: Mapping[str, str]) -> dg.TableSchema:
    return dg.TableSchema(
        [dg.TableColumn(name, portable_type(data_type)) for name, data_type in columns.items()]
    )


def dumps_asset(
    partitions: dg.PartitionsDefinition[str], *, days_per_run: int = 0
) -> dg.AssetsDefinition:
    """The asset that takes dumps into the lake, partitioned by dump date.

    Args:
        partitions: the days.
        days_per_run: how many days one run of a backfill takes in; 0 for all of them.
    """

    def spec(key: dg.AssetKey, description: str, columns: Mapping[str, str]) -> dg.AssetSpec:
        return dg.AssetSpec(
            key,
            deps=[DUMPS],
            description=description,
            group_name="raw",
            owners=OWNERS,
            kinds={"parquet", "duckdb"},
            skippable=True,  # only dumps that exist are reported, one by one
            metadata={"dagster/column_schema": _column_schema(columns)},
        )

    with warnings.catch_warnings():
        # Checks by partition are in preview; the version of Dagster is pinned below its next minor.
        warnings.simplefilter("ignore", dg.PreviewWarning)
        soundness = dg.AssetCheckSpec(
            IS_SOUND,
            asset=LINES,
            partitions_def=partitions,
            description="The dump could be read, was not withdrawn, and has no more lines "
            "or bytes quarantined than the invariant `quarantine_rate` tolerates.",
        )

    @dg.multi_asset(
        name="dumps",
        specs=[
            spec(LINES, "One row per line of every dump, typed and classified.", LINE_COLUMNS),
            spec(FILES, "One row per file of every dump, with its lines by outcome.", FILE_COLUMNS),
        ],
        check_specs=[soundness],
        partitions_def=partitions,
        backfill_policy=(
            dg.BackfillPolicy.multi_run(days_per_run)
            if days_per_run
            else dg.BackfillPolicy.single_run()
        ),
    )
    def dumps(
        context: dg.AssetExecutionContext, config: Withdrawals, installation: Installation
    ) -> Iterator[_Event]:
        """Take in the dumps of the run's partitions: new, changed and withdrawn ones."""
        settings = installation.settings
        landing = landing_of(settings)
        try:
            # In this order: whoever replaces a dump that nobody replaced since it was read has
            # listed the landing last.
            lake = lake_of(settings)
            lake.read()
            landed = landing.look()
            definitions_of(settings).treatment.check(settings.home)
            _prepare(settings, lake, landed)
        except (KeyRefusedError, LakeVersionError, RequestsError) as error:
            raise failed(str(error)) from None
        except OSError as error:
            raise _failure(context, [_failed_listing(error)]) from error
        days = lake.in_order([date.fromisoformat(each) for each in context.partition_keys])
        held = _held(settings, lake, landed, Confirmed.of(config.withdraw))
        if held is not None:
            for day in days:
                if day not in landed.dumps and lake.dump(day) is not None:
                    yield _soundness(day.isoformat(), held, is_failure=True)
            yield dg.Output(None, soundness.get_python_identifier())
            raise _failure(context, [DumpError(held, is_conclusive=False)])
        tolerance = quarantine_tolerance(load_invariants(settings.dbt_project))
        started = time.monotonic()
        taken_in: list[LakeDump] = []
        withdrawn: list[str] = []
        failures: list[DumpError] = []
        # Some days at a time, so that no lock and no thread waits for Dagster to write them down.
        at_once = _TURNS * settings.threads
        for first in range(0, len(days), at_once):
            for each in _take_in(settings, landing, lake, landed, days[first : first + at_once]):
                partition, dump = each.day.isoformat(), each.dump
                if each.failure is not None:
                    failures.append(each.failure)
                    yield _soundness(partition, str(each.failure), is_failure=True)
                elif dump is not None:
                    taken_in.append(dump)
                    metadata = {
                        **_metadata([dump]),
                        "fingerprint": dump.fingerprint,
                        "seconds": round(each.seconds, 1),
                    }
                    metadata["dagster/partition_row_count"] = metadata.pop("lines")
                    yield from _materializations(partition, metadata)
                    yield _soundness_of(dump, tolerance)
                elif each.was_there:
                    withdrawn.append(partition)
                    # Dagster cannot take a partition back; it can say that nothing is in it.
                    yield from _materializations(
                        partition, {"dagster/partition_row_count": 0, "withdrawn": True}
                    )
                    yield _soundness(partition, "withdrawn: the dump left the landing")
        yield dg.AssetObservation(
            DUMPS,
            metadata={
                "dumps_taken_in": len(taken_in),
                "dumps_withdrawn": len(withdrawn),
                "dumps_failed": len(failures),
                **({"failures": _list(map(str, failures))} if failures else {}),
                **({"left_alone": _list(landed.strays)} if landed.strays else {}),
                **_metadata(taken_in),
                "seconds": round(time.monotonic() - started, 1),
                "by_day": dg.MetadataValue.md(dumps_by_day(lake.dumps(), tolerance)),
            },
        )
        # The evaluations are one for each partition; Dagster asks for the check's output once.
        yield dg.Output(None, soundness.get_python_identifier())
        if failures:
            raise _failure(context, failures)

    return dumps


def _take_in(
    settings: Settings, landing: Landing, lake: Lake, landed: Landed, days: Sequence[date]
) -> list[DayTaken]:
    """Take in some days; says of each when it is done."""
    done = []
    with (
        lake_writer(settings.home),
        # Read with the lock: who asks to forget somebody waits for it, and looks at the lake then.
        nullcontext(definitions_of(settings)) as definitions,
        ingest_connection(
            definitions,
            threads=settings.threads,
            memory_limit=settings.memory_limit,
            scratch=settings.scratch,
        ) as connection,
        taking_in_dumps(
            landing,
            lake,
            landed.dumps,
            days,
            connection,
            definitions,
            scratch=settings.scratch,
            at_once=settings.threads,
            hold=partial(dump_writer, settings.home),
        ) as taken,
    ):
        write_schema(connection, lake)
        for each in taken:
            if each.failure is not None:
                logger.error("%s", each.failure)
            elif each.dump is not None:
                logger.info("dump %s: %s (%.1f s)", each.day, _outcomes(each.dump), each.seconds)
            done.append(each)
    return done


def forgotten_asset() -> dg.AssetSpec:
    """Who is forgotten: no run makes it, `walkhouse forget` writes it."""
    return dg.AssetSpec(
        FORGOTTEN,
        description="One row per request to forget somebody, from the list in the home.",
        group_name="raw",
        owners=OWNERS,
        kinds={"json"},
        metadata={"dagster/column_schema": _column_schema(FORGOTTEN_COLUMNS)},
    )


@dg.asset(
    key=CONTENT_ITEMS,
    deps=[["landing", "content_catalogue"]],
    group_name="raw",
    owners=OWNERS,
    kinds={"parquet"},
    metadata={"dagster/column_schema": _column_schema(content_columns())},
    check_specs=[
        dg.AssetCheckSpec(
            IS_READ,
            asset=CONTENT_ITEMS,
            description="The catalogue of the landing could be read, each line of it; where it "
            "could not at all, the one before is kept.",
        )
    ],
)
def content_items(
    context: dg.AssetExecutionContext, installation: Installation
) -> Iterator[dg.Output[None] | dg.AssetCheckResult]:
    """One row per system and item of the content catalogue; none without a catalogue."""
    settings = installation.settings
    definitions = load_definitions(settings.dbt_project)
    landing = landing_of(settings)
    failure: CatalogueError | None = None
    try:
        lake = lake_of(settings)
        lake.read()
    except (OSError, RequestsError) as error:
        raise _failure(context, [_failed_listing(error)]) from error
    try:
        landed = landing.look()
        try:
            _prepare(settings, lake, landed)
        except LakeVersionError as error:
            raise failed(str(error)) from None
        with lake_writer(settings.home):
            if held := _held(settings, lake, landed, NOTHING_CONFIRMED):
                raise CatalogueError(held)
            if landed.catalogue_problem is not None:
                raise CatalogueError(landed.catalogue_problem)
            ingest_catalogue(landing, lake, landed.catalogue, definitions, scratch=settings.scratch)
    except (CatalogueError, OSError) as error:
        failure = error if isinstance(error, CatalogueError) else CatalogueError(str(error))
        if failure.can_pass and context.retry_number < len(_WAITS):
            wait = _WAITS[context.retry_number]
            raise dg.RetryRequested(max_retries=len(_WAITS), seconds_to_wait=wait) from error
        logger.error("content/items.ndjson: %s; the catalogue before is kept", failure)
        with lake_writer(settings.home):
            keep_catalogue(lake)
    catalogue = loaded_catalogue(lake)
    assert catalogue is not None
    for problem in catalogue.problems:
        logger.warning("content/items.ndjson, %s: left out", problem)
    yield dg.Output(
        None,
        metadata={
            "dagster/row_count": catalogue.items,
            "lines_left_out": catalogue.lines_left_out,
            "problems": _list(catalogue.problems),
        },
    )
    yield dg.AssetCheckResult(
        asset_key=CONTENT_ITEMS,
        check_name=IS_READ,
        passed=failure is None and not catalogue.lines_left_out,
        severity=dg.AssetCheckSeverity.ERROR if failure else dg.AssetCheckSeverity.WARN,
        description=str(failure or f"{counted(catalogue.lines_left_out, 'line')} left out"),
    )


def _failed_listing(error: Exception) -> DumpError:
    can_pass = isinstance(error, ObjectStoreError) and error.can_pass
    return DumpError(str(error), can_pass=can_pass, is_conclusive=False)


def _held(settings: Settings, lake: Lake, landed: Landed, confirmed: Confirmed) -> str | None:
    """Why the dumps that left the landing are kept, and nothing is taken in."""
    return held_withdrawal(
        landed.dumps,
        lake.dumps(),
        lake.awaited(),
        limit_percent=settings.withdrawal_limit,
        confirmed=confirmed,
        expired=landed.expired,
    )


def _failure(context: dg.AssetExecutionContext, failures: Sequence[DumpError]) -> Exception:
    """The end of an ingest that failed: another attempt, but only where the reason may pass.

    A retry policy of Dagster's would try again after any error.
    """
    if any(each.can_pass for each in failures) and context.retry_number < len(_WAITS):
        wait = _WAITS[context.retry_number]
        logger.info("trying again in %d s what may pass", wait)
        return dg.RetryRequested(max_retries=len(_WAITS), seconds_to_wait=wait)
    if all(each.is_conclusive for each in failures):
        note_conclusive(context)
    return failed("\n".join(map(str, failures)), {"failed_dumps": len(failures)})


def _prepare(settings: Settings, lake: Lake, landed: Landed) -> None:
    """Make the lake ready to take in dumps; an older one is set aside, to be read again.

    Raises:
        LakeVersionError: it cannot be.
        OSError: a shared lake cannot be reached.
    """
    if lake.is_older(landed.days):
        with warehouse_writer(settings.home):
            if lake.is_older(landed.days):  # another run may have been first
                lake.set_aside()
    lake.prepare()


def _outcomes(dump: LakeDump) -> str:
    counts = dump.outcomes
    lines = sum(counts.values())
    parts = [
        counted(counts[outcome], "event")
        if outcome == "events"
        else f"{counts[outcome]:,} {outcome}"
        for outcome in ("events", "ignored", "control", "quarantined")
        if counts.get(outcome)
    ]
    return f"{counted(lines, 'line')}: {', '.join(parts) or 'nothing in it'}"


def _metadata(dumps: Sequence[LakeDump]) -> dict[str, Any]:
    outcomes: Counter[str] = Counter()
    event_dates: Counter[str] = Counter()
    for dump in dumps:
        outcomes.update(dump.outcomes)
        event_dates.update(dump.event_dates)
    lines = outcomes.total()
    return {
        "lines": lines,
        "bytes": sum(dump.bytes for dump in dumps),
        **{f"lines_{outcome}": count for outcome, count in sorted(outcomes.items())},
        "quarantine_rate": round(outcomes["quarantined"] / lines, 4) if lines else 0.0,
        "event_dates": dg.MetadataValue.json(dict(sorted(event_dates.items()))),
    }


def _materializations(
    partition: str, metadata: Mapping[str, Any]
) -> Iterator[dg.AssetMaterialization]:
    for key in (LINES, FILES):
        yield dg.AssetMaterialization(key, partition=partition, metadata=metadata)


def _soundness_of(dump: LakeDump, tolerance: float) -> dg.AssetCheckEvaluation:
    return dg.AssetCheckEvaluation(
        LINES,
        IS_SOUND,
        passed=dump.quarantined_share <= tolerance,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{dump.quarantined} quarantined, tolerance {tolerance:.2%}",
        metadata={
            "lines": sum(dump.outcomes.values()),
            "quarantined": dump.outcomes.get("quarantined", 0),
            "bytes": dump.content_bytes,
            "quarantined_bytes": dump.quarantined_bytes,
            "tolerance": tolerance,
        },
        partition=dump.dump_date,
    )


def _soundness(partition: str, reason: str, *, is_failure: bool = False) -> dg.AssetCheckEvaluation:
    severity = dg.AssetCheckSeverity.ERROR if is_failure else dg.AssetCheckSeverity.WARN
    return dg.AssetCheckEvaluation(
        LINES, IS_SOUND, passed=False, severity=severity, description=reason, partition=partition
    )


def _list(sentences: Iterable[str]) -> dg.MarkdownMetadataValue:
    """A list in Markdown; what came from files is shown as it stands."""
    return dg.MetadataValue.md("\n".join(f"- `{text.replace('`', chr(39))}`" for text in sentences))
