"""dbt, in this process: parsing the project and building its models.

dbt's programmatic interface starts nothing anew, where a process of its own takes longer to start
than a small day takes to build.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from dagster_dbt import DbtProject
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import ModelNode, SeedNode
from dbt.parser.manifest import extended_mashumuro_decoder
from dbt_common.events.base_types import EventMsg

from dagster_project.forgotten import FORGOTTEN_COLUMNS
from dagster_project.ingest.classification import LINE_COLUMNS
from dagster_project.ingest.content import content_columns
from dagster_project.ingest.dumps import FILE_COLUMNS
from dagster_project.locks import exclusively
from dagster_project.models.columns import Relation, columns_of
from dagster_project.models.prepared import (
    PARTIAL_PARSE,
    PREPARED,
    SPARK,
    forget_parsed,
    keep_columns,
    load_columns,
    note_parsed,
    parsed_digest,
    parts_digest,
)
from dagster_project.models.spark import missing_for_spark, reason_of, reasons_of
from dagster_project.settings import Settings
from dagster_project.stopping import as_keyboard_interrupt, go_on_or_stop

logger = logging.getLogger("walkhouse")

_PARSED = "partial_parse.msgpack"  # dbt's own name for it
_TELEMETRY = "DBT_SEND_ANONYMOUS_USAGE_STATS"
_WORTH_A_LINE = 1.0  # seconds
_LOG_BYTES = 10 << 20  # of a log, after which the next one begins
_OF_SPARK = "engine=spark: "
_BUILT = ("success", "pass", "no-op")

# Seeds and models. Ephemeral ones are compiled into what reads them; as nodes of a build they would
# only be compiled and told of once more. Whoever changes models runs the tests.
_MODELS = (
    *("--exclude-resource-types", "unit_test", "--exclude-resource-types", "test"),
    *("--exclude-resource-types", "exposure", "--exclude", "config.materialized:ephemeral"),
    *("--indirect-selection", "empty"),
)


class DbtError(RuntimeError):
    """dbt could not do what was asked of it; the message names the nodes and gives its reasons."""


def dbt_project(settings: Settings) -> DbtProject:
    """The dbt project, as the orchestrator builds it."""
    return project_in(settings.dbt_project)


def project_in(folder: Path) -> DbtProject:
    """The dbt project in a folder, as the orchestrator builds it."""
    return DbtProject(
        project_dir=folder, profiles_dir=folder, target_path=folder / PREPARED, target="prod"
    )


@dataclass(frozen=True)
class BuiltNode:
    """A seed or model that was built.

    Attributes:
        unique_id: dbt's name for it, such as ``model.walkhouse.fct_sessions``.
        seconds: how long it took.
    """

    unique_id: str
    seconds: float


def ensure_manifest(project: DbtProject) -> None:
    """Have the manifest of the project as it is now: as it was prepared, or parsed.

    Raises:
        DbtError: the project cannot be parsed.
    """
    folder = Path(project.project_dir)
    target = Path(project.manifest_path).parent
    with exclusively(target / "parsing.lock", purpose="parsing the dbt project"):
        digest = parts_digest(folder)
        if parsed_digest(target) == digest:
            return
        forget_parsed(target)
        logger.info("dbt parse")
        _invoke(project, ["parse"])
        note_parsed(target, digest)


def load_manifest(project: DbtProject) -> dict[str, Any]:
    """What dbt knows of the project as it is now.

    Raises:
        DbtError: the project cannot be parsed.
    """
    ensure_manifest(project)
    manifest: dict[str, Any] = json.loads(Path(project.manifest_path).read_text(encoding="utf-8"))
    return manifest


def ensure_columns(project: DbtProject) -> None:
    """Have the columns of the project as it is now, which the UI shows; takes some seconds.

    No run waits for it. If the project cannot be compiled ahead of a build, because a model asks
    the warehouse for what to say, the log says so.

    Raises:
        DbtError: the project cannot be parsed.
    """
    ensure_manifest(project)
    folder, target = Path(project.project_dir), Path(project.manifest_path).parent
    with exclusively(target / "columns.lock", purpose="finding the columns of the dbt project"):
        digest = parsed_digest(target)
        if load_columns(folder, digest):
            return
        manifest = json.loads(Path(project.manifest_path).read_text(encoding="utf-8"))
        try:
            relations = _relations(manifest, _compiled(project))
        except DbtError as error:
            logger.warning("the columns of the dbt project are not known: %s", error)
            return
        keep_columns(folder, digest, columns_of(relations, database=_database(manifest)))


def _compiled(project: DbtProject) -> dict[str, str]:
    """The SQL of every model by its unique id; the warehouse is not opened for it."""
    result = _invoke(
        project,
        [
            *("compile", "--no-introspect", "--no-populate-cache", "--no-write-json"),
            *("--select", "resource_type:model"),
        ],
        manifest=_parsed(project),
    )
    assert isinstance(result.result, RunExecutionResult)
    nodes = [each.node for each in result.result.results]
    return {
        node.unique_id: node.compiled_code or "" for node in nodes if isinstance(node, ModelNode)
    }


def _relations(manifest: dict[str, Any], compiled: dict[str, str]) -> list[Relation]:
    """Sources, seeds and models, each after those that it reads."""
    of_the_lake = {
        "raw.lines": LINE_COLUMNS,
        "raw.files": FILE_COLUMNS,
        "raw.content_items": content_columns(),
        "raw.forgotten": FORGOTTEN_COLUMNS,
    }
    found = {
        unique_id: Relation(name, of_the_lake[name])
        for unique_id, source in manifest["sources"].items()
        if (name := f"{source['schema']}.{source['name']}") in of_the_lake
    }
    inputs: dict[str, list[str]] = {}
    for unique_id, node in manifest["nodes"].items():
        name = f"{node['schema']}.{node['alias']}"
        if node["resource_type"] == "seed":
            found[unique_id] = Relation(name, node["config"].get("column_types") or {})
        elif unique_id in compiled:
            inputs[unique_id] = node["depends_on"]["nodes"]
            if node["config"]["materialized"] == "ephemeral":
                continue  # no relation, but what reads it comes after what it reads
            is_enforced = node["contract"]["enforced"]
            declared = node["columns"].values() if is_enforced else ()
            types = {column["name"]: column["data_type"] for column in declared}
            found[unique_id] = Relation(name, types, compiled[unique_id])
    ordered = TopologicalSorter({**dict.fromkeys(found, ()), **inputs}).static_order()
    return [found[each] for each in ordered if each in found]


def _database(manifest: dict[str, Any]) -> str:
    """By which the compiled SQL calls the warehouse."""
    return str(next(iter(manifest["nodes"].values()))["database"])


def build(
    project: DbtProject, select: Sequence[str], *, engine: str = "duckdb"
) -> Iterator[BuiltNode]:
    """Build seeds and models, logging those that take long; tests are for who changes models.

    Args:
        project: the project, with its target.
        select: names of the nodes to build; all of them if empty.
        engine: what builds them, one of `settings.ENGINES`. On Spark, dbt parses the project again,
            since it asks the target what a view is; its nodes are the same.

    Yields:
        each node that was built, also where others failed.

    Raises:
        DbtError: a node failed; those that depend on it were left as they were.
    """
    arguments = ["build", *_MODELS]
    arguments += ["--no-write-json"]  # the manifest stays the one that Dagster knows
    if select:
        arguments += ["--select", *select]
    is_spark = engine == "spark"
    try:
        result = _invoke(
            _on_spark(project) if is_spark else project,
            arguments,
            manifest=None if is_spark else _parsed(project),
            callbacks=[_log_built, _print],
            allow_failed_nodes=True,
        )
    except DbtError as error:
        raise DbtError(_said_by_spark(error)) if is_spark else error from None
    finally:
        _close_warehouse()
    failed: list[tuple[str, str]] = []
    if isinstance(result.result, RunExecutionResult):
        for node in result.result.results:
            if node.status in _BUILT and node.node.resource_type in ("model", "seed"):
                yield BuiltNode(node.node.unique_id, node.execution_time)
            elif node.status not in (*_BUILT, "skipped"):
                failed.append((node.node.unique_id, str(node.message)))
    if failed and is_spark:
        raise DbtError("\n".join(reasons_of(failed)))
    if failed:
        raise DbtError("\n".join(f"{node}: {message}" for node, message in failed))


def run_on_spark(project: DbtProject, macro: str, arguments: Mapping[str, Any]) -> None:
    """Have Spark do what a macro of the project says.

    Raises:
        DbtError: it failed.
    """
    caught: list[str] = []

    def note_error(event: EventMsg) -> None:
        if event.info.name in ("RunningOperationCaughtError", "RunningOperationUncaughtError"):
            caught.append(str(event.data.exc))  # the result of an operation does not have it

    try:
        _invoke(
            _on_spark(project),
            ["run-operation", macro, "--args", json.dumps(dict(arguments))],
            callbacks=[note_error],
        )
    except DbtError as error:
        raise DbtError(_said_by_spark(DbtError(caught[0]) if caught else error)) from None


def _said_by_spark(error: DbtError) -> str:
    said = str(error)
    return said if said.startswith(_OF_SPARK) else f"{_OF_SPARK}{reason_of(said)}"


def _on_spark(project: DbtProject) -> DbtProject:
    """The project with the target that Spark builds.

    Raises:
        DbtError: this machine has not what the driver of a Spark needs.
    """
    if reason := missing_for_spark(Settings.from_environment().spark_remote):
        raise DbtError(f"{_OF_SPARK}{reason}")
    return DbtProject(
        project_dir=project.project_dir,
        profiles_dir=project.profiles_dir,
        target_path=Path(project.project_dir) / SPARK,
        target="spark",
    )


def build_and_test(project: DbtProject, home: Path) -> list[str]:
    """Build a project in another home, and run its unit tests there.

    Returns:
        what failed: the file, the model or unit test, and dbt's reason.

    Raises:
        DbtError: dbt could not begin.
    """
    failures = _failures_elsewhere(project, home, ["build", *_MODELS])
    # A unit test needs the tables that its model reads.
    return failures or _failures_elsewhere(project, home, ["test", "--select", "test_type:unit"])


def build_elsewhere(project: DbtProject, home: Path) -> None:
    """Build a project in another home.

    Raises:
        DbtError: a node failed; the message names it and its file.
    """
    if failures := _failures_elsewhere(project, home, ["build", *_MODELS]):
        raise DbtError("\n".join(failures))


def _failures_elsewhere(project: DbtProject, home: Path, arguments: Sequence[str]) -> list[str]:
    before = os.environ.get("WALKHOUSE_HOME")
    os.environ["WALKHOUSE_HOME"] = str(home)  # by which the profile finds lake and warehouse
    try:
        result = _invoke(
            project,
            [*arguments, "--no-write-json"],
            manifest=_parsed(project),
            allow_failed_nodes=True,
        )
    finally:
        _close_warehouse()
        if before is None:
            del os.environ["WALKHOUSE_HOME"]
        else:
            os.environ["WALKHOUSE_HOME"] = before
    assert isinstance(result.result, RunExecutionResult)
    return [
        f"{node.node.original_file_path}: {node.node.resource_type.value.replace('_', ' ')} "
        f"{node.node.name}: {node.message}"
        for node in result.result.results
        if node.status not in (*_BUILT, "skipped", "warn")
    ]


def _invoke(
    project: DbtProject,
    arguments: Sequence[str],
    *,
    manifest: Manifest | None = None,
    callbacks: Sequence[Callable[[EventMsg], None]] = (),
    allow_failed_nodes: bool = False,
) -> dbtRunnerResult:
    target = Path(str(project.target_path))
    # dbt changes the folder, and does not change it back.
    with (
        contextlib.chdir(project.project_dir),
        without_variables_of_dbt(),
        as_keyboard_interrupt(),
        _logging_into(target / "dbt.log") as log,
    ):
        result = dbtRunner(manifest=manifest, callbacks=[log, *callbacks]).invoke(
            [
                *arguments,
                *("--project-dir", str(project.project_dir)),
                *("--profiles-dir", str(project.profiles_dir)),
                *("--target", str(project.target)),
                *("--target-path", str(target)),
                *("--log-path", str(target)),
                # Its own logs format thirty lines a model before they find that none is wanted.
                *("--log-level", "none", "--log-level-file", "none"),
                "--no-use-colors",
            ]
        )
    if isinstance(result.exception, KeyboardInterrupt):
        raise result.exception
    go_on_or_stop()
    if not result.success and (result.exception or not allow_failed_nodes):
        raise DbtError(f"dbt {arguments[0]}: {result.exception or 'failed'}")
    return result


@contextlib.contextmanager
def without_variables_of_dbt() -> Iterator[None]:
    """Leave out what an analyst's shell says of dbt: it is no part of what production builds.

    `DBT_STATE` or `DBT_DEFER`, for example, would have tables read from elsewhere. Those that
    begin with `DBT_ENV_` dbt leaves to projects.
    """
    taken = {
        name: os.environ.pop(name)
        for name in list(os.environ)
        if name.startswith("DBT_") and not name.startswith("DBT_ENV_")
    }
    os.environ[_TELEMETRY] = "false"
    try:
        yield
    finally:
        del os.environ[_TELEMETRY]
        os.environ.update(taken)


@contextlib.contextmanager
def _logging_into(path: Path) -> Iterator[Callable[[EventMsg], None]]:
    """Keep what dbt says in a file, as its own log would, but for what it says to its makers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s [%(levelname)-5s] %(message)s"))

    def keep(event: EventMsg) -> None:
        if _is_for_people(event):
            level = event.info.level.upper()
            handler.handle(logging.makeLogRecord({"levelname": level, "msg": _said(event)}))

    with contextlib.closing(handler):
        yield keep


def _print(event: EventMsg) -> None:
    """Show what dbt says where the output of the step is shown."""
    if _is_for_people(event):
        print(_said(event))


def _said(event: EventMsg) -> str:
    return str(getattr(event.info, "msg", ""))  # the type that dbt declares leaves it out


def _is_for_people(event: EventMsg) -> bool:
    return event.info.level not in ("debug", "test")


def _log_built(event: EventMsg) -> None:
    if event.info.name in ("LogModelResult", "LogSeedResult"):
        relation = event.data.node_info.node_relation
        seconds = event.data.execution_time
        # Each line is an event in Dagster's storage, which takes longer than many a table.
        if seconds < _WORTH_A_LINE:
            return
        logger.info("built %s.%s (%.1f s)", relation.schema, relation.alias, seconds)


def _close_warehouse() -> None:
    """Give the file back: the adapter would keep it open as long as this process lives."""
    with contextlib.suppress(Exception):  # raised, as just that, where dbt never opened it
        DuckDBConnectionManager.env().close()
    DuckDBConnectionManager.close_all_connections()


def _parsed(project: DbtProject) -> Manifest:
    """The project as `ensure_manifest` left it, so that dbt need not look for changes again."""
    state = Path(project.manifest_path).with_name(PARTIAL_PARSE).read_bytes()
    manifest = Manifest.from_msgpack(state, decoder=_without_files)
    for node in manifest.nodes.values():
        if isinstance(node, SeedNode):
            # It may have been parsed in another place, which must not be where seeds are read.
            node.root_path = str(project.project_dir)
    manifest.build_flat_graph()
    return manifest


def _without_files(state: bytes) -> Any:
    """What was parsed, but for the texts of files, which only the next parse compares."""
    return {**extended_mashumuro_decoder(state), "files": {}, "disabled": {}}
