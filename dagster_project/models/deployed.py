"""The dbt project that production builds from: a copy of the checkout's, kept in the home.

    <home>/deployed/deployments.json     what was deployed, the newest first: the first one counts
    <home>/deployed/<digest>/            a dbt project as it was when somebody deployed it
    <home>/deployed/<digest>/target/     what dbt found when it parsed it

A copy never changes. Replacing `deployments.json` is what deploys: a run that began before keeps
its copy to the end, and a deployment that is killed leaves the one before. This module imports
neither Dagster nor dbt; `operations.deploy` checks a project and deploys it.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from dagster_project.locks import exclusively
from dagster_project.models.prepared import copy_prepared
from dagster_project.replacing import flush_to_disk, replace_text
from dagster_project.rights import umask
from dagster_project.settings import CODE_VERSION, Settings

_REMEMBERED = 20
_KEPT = 5
_LEFT_OUT = ("target", "logs", "__pycache__")
_RECORD = "deployments.json"
_COUNTED_BY = 16  # characters of a digest that name a copy


class DeployError(RuntimeError):
    """A project was not deployed; the message says why, and what was deployed before stays."""


@cache
def code_digest() -> str:
    """Changes with the code of Walkhouse; of a process, that which it began with."""
    digest = hashlib.sha256()
    package = Path(__file__).parents[1]
    for path in sorted(package.rglob("*.py")):
        digest.update(f"\n{path.relative_to(package).as_posix()}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:_COUNTED_BY]


@dataclass(frozen=True)
class Deployment:
    """One deployment of a dbt project.

    Attributes:
        digest: of all files of the project; names its copy.
        deployed_at: ISO 8601, UTC.
        deployed_by: name of the account.
        code_version: the version of Walkhouse that it belongs to.
        code: digest of the code that it belongs to.
        git_commit: the commit of the checkout, None where there is none.
        is_modified: whether the project differed from that commit; None where there is none.
    """

    digest: str
    deployed_at: str
    deployed_by: str
    code_version: str
    code: str = ""
    git_commit: str | None = None
    is_modified: bool | None = None

    @property
    def fits(self) -> bool:
        """Whether it belongs to this Walkhouse: models and code are shipped together."""
        return (self.code_version, self.code) == (CODE_VERSION, code_digest())

    @property
    def belongs_to(self) -> str:
        """Which Walkhouse it belongs to, and which this is, for people."""
        if self.code_version == CODE_VERSION:
            return f"belongs to Walkhouse {self.code_version} as it was before its code changed"
        return f"belongs to Walkhouse {self.code_version}, and this is {CODE_VERSION}"

    @property
    def words(self) -> str:
        """Which it is, for people."""
        return f"{self.digest}{_commit_in_words(self)}"

    @property
    def sentence(self) -> str:
        """Which it is, who deployed it and when."""
        return f"{self.words}, deployed by {self.deployed_by} at {self.deployed_at}"


@dataclass(frozen=True)
class FileChange:
    """A file of the project that is not as it was deployed."""

    name: str
    what: str  # added, changed or removed


class Deployments:
    """The deployments of a home; who changes them does so within `deploying`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def all(self) -> list[Deployment]:
        """What was deployed, the newest first; what was taken back is not among it.

        Raises:
            DeployError: the record cannot be read.
        """
        try:
            said = json.loads((self.root / _RECORD).read_text(encoding="utf-8"))
            known = {each.name for each in fields(Deployment)}
            return [Deployment(**{k: v for k, v in each.items() if k in known}) for each in said]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError, AttributeError) as error:
            raise DeployError(
                f"{self.root / _RECORD}: cannot be read ({error}); move it away, and the next run "
                "deploys the checkout's project"
            ) from error

    def current(self) -> Deployment | None:
        """The deployment that counts, if there is one."""
        return next(iter(self.all()), None)

    def project(self, deployment: Deployment) -> Path:
        """The copy of the dbt project."""
        return self.root / deployment.digest

    def of(self, dbt_project: Path) -> Deployment | None:
        """The latest deployment of a copy; None of any other project."""
        if dbt_project.parent != self.root:
            return None
        return next((each for each in self.all() if each.digest == dbt_project.name), None)

    @contextmanager
    def deploying(self) -> Iterator[None]:
        """Held by who deploys, one at a time; what those left that were killed is removed."""
        with exclusively(self.root / "deploying.lock", purpose="deploying the dbt project"):
            for left_behind in self.root.glob(".building-*"):
                shutil.rmtree(left_behind, ignore_errors=True)
            yield

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder on the disk of the home, removed in the end."""
        folder = self.root / f".building-{uuid.uuid4().hex}"
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def copy(self, dbt_project: Path) -> Iterator[Path]:
        """A copy of a project, to be looked over before it is deployed, and removed otherwise.

        Raises:
            DeployError: there is no dbt project.
        """
        if not (dbt_project / "dbt_project.yml").is_file():
            raise DeployError(
                f"{dbt_project}: there is no dbt project; set WALKHOUSE_DBT_PROJECT to its folder"
            )
        with self.scratch() as building:
            for name, path in files_of(dbt_project).items():
                (building / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, building / name)
                (building / name).chmod(0o444 & ~umask())
            copy_prepared(dbt_project, building)
            yield building

    def deploy(self, copy: Path, *, commit: tuple[str, bool] | None, by: str = "") -> Deployment:
        """Make a copy the deployment that counts.

        Args:
            copy: as `copy` gives it; it is moved away.
            commit: the commit that it was made from, and whether it differs from that.
            by: who deploys; the account of this process by default.
        """
        deployment = Deployment(
            digest=content_digest(copy),
            deployed_at=datetime.now(UTC).isoformat(timespec="seconds"),
            deployed_by=by or account(),
            code_version=CODE_VERSION,
            code=code_digest(),
            git_commit=commit[0] if commit else None,
            is_modified=commit[1] if commit else None,
        )
        target = self.project(deployment)
        if not target.exists():
            flush_to_disk(copy)
            copy.rename(target)
        self._record([deployment, *self.all()])
        return deployment

    def back(self) -> Deployment:
        """Return to the deployment before.

        Raises:
            DeployError: there is none, or it belongs to another version of Walkhouse.
        """
        everything = self.all()
        # The same project may have been deployed several times in a row.
        earlier = [each for each in everything if each.digest != everything[0].digest]
        if not earlier:
            raise DeployError("there is no earlier deployment to return to")
        found = earlier[0]
        if not found.fits:
            raise DeployError(
                f"the deployment before, {found.words}, {found.belongs_to}: install that to return "
                "to it"
            )
        if not self.project(found).is_dir():
            raise DeployError(f"the copy of the deployment before, {found.words}, is gone")
        self._record(everything[everything.index(found) :])
        return found

    def remove_old(self, keep: Collection[str]) -> None:
        """Remove copies that neither the last deployments nor `keep`, digests, name.

        Nobody may be running from one of them.
        """
        named = list(dict.fromkeys(each.digest for each in self.all()))
        kept = {*named[:_KEPT], *keep}
        for path in self.root.iterdir():
            if path.is_dir() and not path.name.startswith(".") and path.name not in kept:
                shutil.rmtree(path)

    def _record(self, deployments: list[Deployment]) -> None:
        text = json.dumps([asdict(each) for each in deployments[:_REMEMBERED]], indent=1)
        replace_text(self.root / _RECORD, text)


def in_production(settings: Settings) -> Settings:
    """The settings as production has them: their dbt project is the one that is deployed.

    Settings that name a deployed copy stay as they are, so that a run has one project from its
    start to its end. Where nothing is deployed that fits this version of Walkhouse, the checkout's
    project stays: it is what the next run deploys by itself.
    """
    deployments = Deployments(settings.deployed)
    if settings.dbt_project.parent == deployments.root:
        return settings
    current = deployments.current()
    if current is None or not current.fits:
        return settings
    return replace(settings, dbt_project=deployments.project(current))


def not_deployed(settings: Settings) -> str:
    """A sentence, if the checkout's project is not what is deployed; otherwise empty."""
    current = Deployments(settings.deployed).current()
    project = settings.dbt_project
    if current is None or project.parent == settings.deployed or not project.is_dir():
        return ""
    if content_digest(project) == current.digest:
        return ""
    return (
        f"the dbt project in {project} is not the deployed one, {current.words}, and that is what "
        "is built; `walkhouse deploy --check` says what differs, `walkhouse deploy` deploys it"
    )


def not_loaded(loaded: Settings) -> str:
    """A sentence, if another project was deployed since definitions were loaded; otherwise empty.

    Args:
        loaded: the settings that the definitions were loaded with.
    """
    current = Deployments(loaded.deployed).current()
    if (
        current is None
        or loaded.dbt_project.parent != loaded.deployed
        or current.digest == loaded.dbt_project.name
    ):
        return ""
    return (
        f"this code location loaded the dbt project {loaded.dbt_project.name}, and now another one "
        f"counts: {current.sentence}; reload the code location `walkhouse`"
    )


def files_of(dbt_project: Path) -> dict[str, Path]:
    """The files of a dbt project by their names in it, without what dbt and editors write."""
    found = {}
    for folder, folders, names in os.walk(dbt_project, followlinks=True):
        inside = Path(folder).relative_to(dbt_project)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and not (inside == Path() and name in _LEFT_OUT)
        )
        for name in names:
            if not name.startswith(".") and not name.endswith((".pyc", ".duckdb", "~")):
                found[(inside / name).as_posix()] = Path(folder) / name
    return dict(sorted(found.items()))


def content_digest(dbt_project: Path) -> str:
    """Changes with every file of a dbt project; short, as names of its copies are."""
    digest = hashlib.sha256()
    for name, path in files_of(dbt_project).items():
        digest.update(f"\n{name}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:_COUNTED_BY]


def differing_files(deployed: Path, dbt_project: Path) -> list[FileChange]:
    """The files in which a project differs from the deployed copy, by name."""
    before, now = files_of(deployed), files_of(dbt_project)
    changes = []
    for name in sorted(before.keys() | now.keys()):
        if name not in before:
            changes.append(FileChange(name, "added"))
        elif name not in now:
            changes.append(FileChange(name, "removed"))
        elif before[name].read_bytes() != now[name].read_bytes():
            changes.append(FileChange(name, "changed"))
    return changes


def commit_of(dbt_project: Path) -> tuple[str, bool] | None:
    """The commit that a project was checked out from, and whether it differs from that.

    None outside of a repository, or where git cannot tell.
    """

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", "-C", str(dbt_project), *arguments],
                capture_output=True,
                text=True,
                check=False,
                timeout=30,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    # A folder that merely lies in somebody's repository is not of its commit.
    if git("ls-files", "--error-unmatch", "dbt_project.yml") is None:
        return None
    commit, changes = git("rev-parse", "HEAD"), git("status", "--porcelain", "--", ".")
    return (commit, bool(changes)) if commit and changes is not None else None


def account() -> str:
    """The name of the account that this process runs under, or its number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def _commit_in_words(deployment: Deployment) -> str:
    if not deployment.git_commit:
        return ""
    modified = ", modified" if deployment.is_modified else ""
    return f" (commit {deployment.git_commit[:12]}{modified})"
