"""Deploying the dbt project: it is compared, checked, and becomes what production builds from.

`models.deployed` keeps what was deployed. dbt is imported only where it is needed, since that takes
seconds.
"""

from __future__ import annotations

import contextlib
import io
import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from dagster_project.forgotten import FILE as REQUESTS
from dagster_project.ingest.content import ingest_catalogue
from dagster_project.ingest.dumps import ingest_connection, write_schema
from dagster_project.ingest.lake import Lake
from dagster_project.ingest.landing import Landing
from dagster_project.locks import held_runs, warehouse_writer
from dagster_project.models.deployed import (
    DeployError,
    Deployment,
    Deployments,
    FileChange,
    commit_of,
    content_digest,
    differing_files,
    in_production,
)
from dagster_project.registry import load_definitions, load_invariants, load_published_tables
from dagster_project.release.diff import Difference, difference
from dagster_project.release.publish import current_release, releases
from dagster_project.settings import Settings
from dagster_project.treatment import SEED, PolicyError

logger = logging.getLogger("walkhouse")


@dataclass(frozen=True)
class Candidate:
    """A copy of the checkout's dbt project that may be deployed.

    Attributes:
        project: the copy.
        before: what is deployed now.
        changes: the files in which they differ; none where nothing is deployed.
        commit: the commit of the checkout, and whether the project differs from that.
    """

    project: Path
    before: Deployment | None
    changes: tuple[FileChange, ...]
    commit: tuple[str, bool] | None

    @property
    def is_deployed(self) -> bool:
        """Whether it is what is deployed already."""
        return self.before is not None and self.before.fits and not self.changes


@contextmanager
def candidate(settings: Settings) -> Iterator[Candidate]:
    """What a deployment would deploy now; nobody else deploys meanwhile.

    Raises:
        DeployError: there is no dbt project.
    """
    deployments = Deployments(settings.deployed)
    with deployments.deploying(), deployments.copy(settings.dbt_project) as copy:
        before = deployments.current()
        if before is not None and not deployments.project(before).is_dir():
            before = None
        changes = differing_files(deployments.project(before), copy) if before else []
        yield Candidate(copy, before, tuple(changes), commit_of(settings.dbt_project))


def check(settings: Settings, project: Path) -> None:
    """Have dbt parse a project, build it from a lake without dumps, and run its unit tests.

    Raises:
        DeployError: it is not as it should be; the message names files and tests.
    """
    from dagster_project.models.dbt import DbtError, build_and_test, ensure_columns, project_in

    _parse(settings, project)
    with Deployments(settings.deployed).scratch() as home, _said_of(settings, project):
        _write_empty_lake(project, home)
        try:
            failures = build_and_test(project_in(project), home)
            if failures:
                raise DeployError("\n".join(failures))
            ensure_columns(project_in(project))
        except DbtError as error:
            raise DeployError(str(error)) from error


def tables_that_differ(
    settings: Settings, candidate: Candidate, *, examples: int
) -> Difference | None:
    """What a project changes in the tables, built from the lake in a copy of the warehouse.

    Runs wait while the copy is built, because it reads the lake.

    Returns:
        the warehouse as A, the copy as B; None where nothing was built yet.

    Raises:
        DeployError: the project cannot be built.
        DiffError: the tables cannot be compared.
    """
    from dagster_project.models.dbt import DbtError, build_elsewhere, project_in

    if not settings.warehouse.exists():
        return None
    with Deployments(settings.deployed).scratch() as home:
        with warehouse_writer(settings.home), _said_of(settings, candidate.project):
            for file in settings.home.glob("warehouse.duckdb*"):
                if file.is_file():
                    shutil.copyfile(file, home / file.name)
            for name in ("lake", REQUESTS):
                if (settings.home / name).exists():
                    (home / name).symlink_to(settings.home / name)
            try:
                build_elsewhere(project_in(candidate.project), home)
            except DbtError as error:
                raise DeployError(str(error)) from error
        return difference(
            replace(settings, dbt_project=candidate.project),
            "warehouse",
            str(home / settings.warehouse.name),
            examples=examples,
        )


def make_current(settings: Settings, candidate: Candidate) -> Deployment:
    """Let production build from a candidate."""
    deployments = Deployments(settings.deployed)
    deployment = deployments.deploy(candidate.project, commit=candidate.commit)
    _remove_old(settings, deployments)
    return deployment


def go_back(settings: Settings) -> Deployment:
    """Let production build from the deployment before.

    Raises:
        DeployError: there is none.
    """
    deployments = Deployments(settings.deployed)
    with deployments.deploying():
        return deployments.back()


def ensure_deployed(settings: Settings) -> Settings:
    """The settings of production; a home where nothing is deployed yet deploys by itself.

    So does one whose deployment belongs to another Walkhouse, because models and code are shipped
    together; a project that differs from the deployed one is checked then, and refused if it has
    changes that nobody committed, or other policies of personal data: these a person decides.

    Raises:
        DeployError: the project cannot be deployed.
    """
    production = in_production(settings)
    if production.dbt_project.parent == settings.deployed:
        return production
    deployments = Deployments(settings.deployed)
    with deployments.deploying():
        production = in_production(settings)  # somebody else may have been quicker
        if production.dbt_project.parent == settings.deployed:
            return production
        before = deployments.current()
        commit = commit_of(settings.dbt_project)
        with deployments.copy(settings.dbt_project) as copy:
            if before is None or before.digest == content_digest(copy):
                _parse(settings, copy)
            elif _policies(deployments.project(before)) != _policies(copy):
                raise DeployError(
                    f"{_of_another(before)}, and the dbt project in {settings.dbt_project} has "
                    f"other policies of personal data (seeds/{SEED}.csv): take over those of "
                    f"{deployments.project(before)}, or let `walkhouse deploy` deploy these"
                )
            elif commit is not None and commit[1]:
                raise DeployError(
                    f"{_of_another(before)}, and the dbt project in {settings.dbt_project} has "
                    "changes that are not committed: `walkhouse deploy` checks and deploys it"
                )
            else:
                logger.info("%s: the project in the checkout is checked", _of_another(before))
                check(settings, copy)
            deployment = deployments.deploy(copy, commit=commit)
        shutil.rmtree(settings.home / "dbt", ignore_errors=True)  # where earlier versions parsed
    logger.info("%s: deployed %s", _why(settings, before), deployment.words)
    return in_production(settings)


def _policies(project: Path) -> tuple[tuple[str, str], ...]:
    """The policies of personal data that are not `keep`; of an older project, none."""
    if not (project / "seeds" / f"{SEED}.csv").is_file():
        return ()
    return load_definitions(project).treatment.policies


def _why(settings: Settings, before: Deployment | None) -> str:
    if before is not None:
        return _of_another(before)
    if current_release(settings.published) is not None:
        return "an earlier Walkhouse built from the checkout, this one from what is deployed"
    return "nothing was deployed in this home yet"


def _of_another(before: Deployment) -> str:
    return f"the deployed dbt project, {before.words}, {before.belongs_to}"


def _remove_old(settings: Settings, deployments: Deployments) -> None:
    if held_runs(settings.home):
        return  # one of them may have an old project
    named = [release.project for release in releases(settings.published)]
    deployments.remove_old([digest for digest in named if digest])


def _parse(settings: Settings, copy: Path) -> None:
    from dagster_project.models.dbt import DbtError, ensure_manifest, project_in

    with _said_of(settings, copy):
        try:
            ensure_manifest(project_in(copy))
            load_definitions(copy)
            load_invariants(copy)
            load_published_tables(copy)
        except (DbtError, PolicyError) as error:
            raise DeployError(str(error)) from error
        except (KeyError, TypeError, ValueError, AttributeError, yaml.YAMLError) as error:
            raise DeployError(
                f"the seeds, or `vars` in dbt_project.yml, cannot be read: "
                f"{type(error).__name__} {error}"
            ) from error


@contextmanager
def _said_of(settings: Settings, copy: Path) -> Iterator[None]:
    """Let a message name the project that people know, not the copy; it is all that is shown."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # what dbt prints
            yield
    except DeployError as error:
        said = str(error).replace(str(copy), str(settings.dbt_project))
        raise DeployError(
            f"the dbt project in {settings.dbt_project} is not deployed:\n{said}"
        ) from error


def _write_empty_lake(project: Path, home: Path) -> None:
    definitions = load_definitions(project)
    settings = Settings(home=home)
    lake = Lake(settings.lake)
    lake.prepare()
    with ingest_connection(
        definitions, threads=1, memory_limit=settings.memory_limit, scratch=settings.scratch
    ) as connection:
        write_schema(connection, lake)
    ingest_catalogue(Landing(str(home)), lake, None, definitions, scratch=settings.scratch)
