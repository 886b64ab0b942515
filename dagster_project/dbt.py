"""dbt, in this process: parsing the project and building its models.

dbt's programmatic interface starts nothing anew, where a process of its own takes longer to start
than a small day takes to build.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dagster_dbt import DbtProject
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.artifacts.schemas.run import RunExecutionResult
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt_common.events.base_types import EventMsg

from dagster_project.locks import exclusively

logger = logging.getLogger("walkhouse")

_PARTS_OF_A_MANIFEST = ("*.yml", "seeds/**/*", "models/**/*", "macros/**/*", "tests/**/*")
_WORTH_A_LINE = 1.0  # seconds
_BUILT = ("success", "pass", "no-op")


class DbtError(RuntimeError):
    """dbt could not do what was asked of it; the message names the nodes and gives its reasons."""


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
    """Parse the project if it changed after its manifest was written.

    Raises:
        DbtError: the project cannot be parsed.
    """
    folder = Path(project.project_dir)
    manifest = Path(project.manifest_path)
    # Noted once parsing is done: a manifest without it may have been cut short.
    parsed = manifest.with_name("parsed")
    with exclusively(manifest.with_name("parsing.lock"), purpose="parsing the dbt project"):
        is_whole = manifest.exists() and parsed.exists()
        if is_whole and parsed.stat().st_mtime >= _last_change(folder):
            return
        logger.info("dbt parse")
        parsed.unlink(missing_ok=True)
        _invoke(project, ["parse", "--quiet"])
        parsed.touch()


def load_manifest(project: DbtProject) -> dict[str, Any]:
    """What dbt knows of the project as it is now.

    Raises:
        DbtError: the project cannot be parsed.
    """
    ensure_manifest(project)
    manifest: dict[str, Any] = json.loads(Path(project.manifest_path).read_text(encoding="utf-8"))
    return manifest


def build(project: DbtProject, select: Sequence[str]) -> Iterator[BuiltNode]:
    """Build seeds and models, logging those that take long; tests are for who changes models.

    Args:
        project: the project, with its target.
        select: names of the nodes to build; all of them if empty.

    Yields:
        each node that was built, also where others failed.

    Raises:
        DbtError: a node failed; those that depend on it were left as they were.
    """
    arguments = ["build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test"]
    arguments += ["--no-write-json"]  # the manifest stays the one that Dagster knows
    if select:
        arguments += ["--select", *select]
    try:
        result = _invoke(project, arguments, callbacks=[_log_built], allow_failed_nodes=True)
    finally:
        _close_warehouse()
    failed = []
    if isinstance(result.result, RunExecutionResult):
        for node in result.result.results:
            if node.status in _BUILT and node.node.resource_type in ("model", "seed"):
                yield BuiltNode(node.node.unique_id, node.execution_time)
            elif node.status not in (*_BUILT, "skipped"):
                failed.append(f"{node.node.unique_id}: {node.message}")
    if failed:
        raise DbtError("\n".join(failed))


def _invoke(
    project: DbtProject,
    arguments: Sequence[str],
    *,
    callbacks: Sequence[Callable[[EventMsg], None]] = (),
    allow_failed_nodes: bool = False,
) -> dbtRunnerResult:
    target = str(project.target_path)
    with contextlib.chdir(project.project_dir):  # dbt changes it, and does not change it back
        result = dbtRunner(callbacks=list(callbacks)).invoke(
            [
                *arguments,
                *("--project-dir", str(project.project_dir)),
                *("--profiles-dir", str(project.profiles_dir)),
                *("--target", str(project.target)),
                *("--target-path", target),
                *("--log-path", target),
                *("--log-level-file", "info"),  # its debug log takes longer than many a model
                "--no-use-colors",
            ]
        )
    if not result.success and (result.exception or not allow_failed_nodes):
        raise DbtError(f"dbt {arguments[0]}: {result.exception or 'failed'}")
    return result


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


def _last_change(folder: Path) -> float:
    files = (path for part in _PARTS_OF_A_MANIFEST for path in folder.glob(part))
    return max(path.stat().st_mtime for path in files)
