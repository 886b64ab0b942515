"""Deployed copies of a dbt project: whole or not there, whoever deploys, edits or kills what."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from dagster_project.models.deployed import (
    DeployError,
    Deployments,
    FileChange,
    commit_of,
    content_digest,
    differing_files,
    in_production,
    not_deployed,
    not_loaded,
)
from dagster_project.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home where nothing is deployed, and a checkout."""
    found = Settings(home=tmp_path / "home", dbt_project=tmp_path / "checkout" / "dbt_project")
    write(found, "dbt_project.yml", "name: tiny")
    write(found, "models/a.sql", "select 1")
    return found


def write(settings: Settings, name: str, text: str) -> None:
    path = settings.dbt_project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def deploy(settings: Settings, by: str = "") -> str:
    deployments = Deployments(settings.deployed)
    with deployments.deploying(), deployments.copy(settings.dbt_project) as copy:
        return deployments.deploy(copy, commit=None, by=by).digest


def test_before_anything_is_deployed_the_checkout_is_what_a_run_would_deploy(
    settings: Settings,
) -> None:
    assert in_production(settings) == settings
    assert not_deployed(settings) == ""


def test_an_edit_in_the_checkout_does_not_reach_production(settings: Settings) -> None:
    digest = deploy(settings)
    write(settings, "models/a.sql", "select 2")
    write(settings, "models/b.sql", "select 3")
    deployed = in_production(settings).dbt_project
    assert deployed == settings.deployed / digest
    assert (deployed / "models/a.sql").read_text() == "select 1"
    assert not (deployed / "models/b.sql").exists()
    assert f"is not the deployed one, {digest}" in not_deployed(settings)
    assert differing_files(deployed, settings.dbt_project) == [
        FileChange("models/a.sql", "changed"),
        FileChange("models/b.sql", "added"),
    ]


@pytest.mark.parametrize(
    "name", ["target/manifest.json", "logs/dbt.log", ".user.yml", "models/.a.sql.swp", "dev.duckdb"]
)
def test_what_dbt_and_editors_write_is_no_part_of_a_project(settings: Settings, name: str) -> None:
    digest = deploy(settings)
    write(settings, name, "")
    assert content_digest(settings.dbt_project) == digest
    assert not_deployed(settings) == ""


@pytest.mark.parametrize(
    "name", ["seeds/a.csv", "tests/t.sql", "macros/target/m.sql", "packages.yml"]
)
def test_every_other_file_is_a_part_of_it(settings: Settings, name: str) -> None:
    digest = deploy(settings)
    write(settings, name, "")
    assert content_digest(settings.dbt_project) != digest


def test_a_run_keeps_the_project_that_it_began_with(settings: Settings) -> None:
    deploy(settings)
    running = in_production(settings)
    write(settings, "models/a.sql", "select 2")
    later = deploy(settings, by="ann")
    assert in_production(running) == running
    assert (running.dbt_project / "models/a.sql").read_text() == "select 1"
    assert f"another one counts: {later}, deployed by ann at" in not_loaded(running)
    assert not_loaded(in_production(settings)) == ""


def test_going_back_returns_to_the_one_before_and_again_to_the_one_before_that(
    settings: Settings,
) -> None:
    digests = []
    for number in (1, 2, 2, 3):
        write(settings, "models/a.sql", f"select {number}")
        digests.append(deploy(settings))
    deployments = Deployments(settings.deployed)
    for digest in (digests[1], digests[0]):
        with deployments.deploying():
            assert deployments.back().digest == digest
        assert in_production(settings).dbt_project.name == digest
    with deployments.deploying(), pytest.raises(DeployError, match="no earlier deployment"):
        deployments.back()


def test_what_belongs_to_another_version_is_not_used_nor_gone_back_to(settings: Settings) -> None:
    deploy(settings)
    deployments = Deployments(settings.deployed)
    record = settings.deployed / "deployments.json"
    said = [{**asdict(each), "code_version": "0.0.1"} for each in deployments.all()]
    record.write_text(json.dumps(said))
    assert in_production(settings) == settings
    write(settings, "models/a.sql", "select 2")
    deploy(settings)
    assert in_production(settings) != settings
    with deployments.deploying(), pytest.raises(DeployError, match=r"belongs to Walkhouse 0\.0\.1"):
        deployments.back()


def test_old_copies_are_removed_but_not_the_last_ones_and_those_that_releases_name(
    settings: Settings,
) -> None:
    digests = []
    for number in range(9):
        write(settings, "models/a.sql", f"select {number}")
        digests.append(deploy(settings))
    deployments = Deployments(settings.deployed)
    with deployments.deploying():
        deployments.remove_old([digests[1]])
    kept = {path.name for path in settings.deployed.iterdir() if path.is_dir()}
    assert kept == {digests[1], *digests[4:]}


@pytest.mark.parametrize("text", ["", "[1]", '[{"digest": "of no deployment"}]'])
def test_a_record_that_cannot_be_read_is_named(settings: Settings, text: str) -> None:
    deploy(settings)
    (settings.deployed / "deployments.json").write_text(text)
    with pytest.raises(DeployError, match=r"deployments\.json: cannot be read .* move it away"):
        in_production(settings)


def test_without_a_project_the_error_says_what_to_set(settings: Settings) -> None:
    nothing = replace(settings, dbt_project=settings.home / "nowhere")
    with pytest.raises(DeployError, match="there is no dbt project; set WALKHOUSE_DBT_PROJECT"):
        deploy(nothing)


# ---------- killed, and two at once


def in_a_child(act: Callable[[], object]) -> int:
    """Run in a process of its own, and give how it ended."""
    child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return child


def ended(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_killed_at_any_moment_the_old_one_or_the_new_one_is_whole(settings: Settings) -> None:
    old = deploy(settings)
    write(settings, "models/a.sql", "select 2")
    write(settings, "models/b.sql", "select 3")
    new = content_digest(settings.dbt_project)
    deployments = Deployments(settings.deployed)

    def killed_at(moment: int) -> None:
        moments = iter(range(1, moment + 1))

        def kill(event: str, _: object) -> None:
            if event.startswith(("os.", "open", "shutil.")) and next(moments, None) == moment:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(kill)
        deploy(settings)

    seen = set()
    for moment in range(1, 1000):
        outcome = ended(in_a_child(lambda at=moment: killed_at(at)))  # type: ignore[misc]  # a default binds the moment
        assert outcome in (0, -signal.SIGKILL)
        current = deployments.current()
        assert current is not None
        copy = deployments.project(current)
        assert current.digest == content_digest(copy)
        seen.add(current.digest)
        if outcome == 0:
            break
        with deployments.deploying():
            assert not list(settings.deployed.glob(".building-*"))
    assert moment > 20
    assert seen == {old, new}


def test_of_two_at_once_both_are_whole_and_the_later_one_counts(settings: Settings) -> None:
    deploy(settings)
    others = []
    for number in range(4):
        other = replace(settings, dbt_project=settings.dbt_project.with_name(f"other{number}"))
        write(other, "dbt_project.yml", f"name: other{number}")
        others.append(other)
    children = [in_a_child(lambda each=other: deploy(each)) for other in others]  # type: ignore[misc]  # as above
    assert [ended(child) for child in children] == [0] * 4
    deployments = Deployments(settings.deployed)
    found = deployments.all()
    assert len(found) == 5
    assert {each.digest for each in found[:4]} == {content_digest(o.dbt_project) for o in others}
    for each in found:
        assert content_digest(deployments.project(each)) == each.digest


# ---------- git


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=ann", "-c", "user.email=ann@example.com")
    done = subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_the_commit_of_the_checkout_is_noted_and_whether_it_was_changed(settings: Settings) -> None:
    project = settings.dbt_project
    assert commit_of(project) is None
    git(project.parent, "init")
    (project.parent / "README.md").write_text("")
    git(project.parent, "add", "README.md")
    git(project.parent, "commit", "-m", "without the project")
    assert commit_of(project) is None  # it merely lies in the repository
    git(project.parent, "add", ".")
    git(project.parent, "commit", "-m", "with it")
    commit = git(project.parent, "rev-parse", "HEAD")
    (project.parent / "README.md").write_text("changed")
    assert commit_of(project) == (commit, False)
    write(settings, "models/b.sql", "select 3")
    assert commit_of(project) == (commit, True)
    deployments = Deployments(settings.deployed)
    with deployments.deploying(), deployments.copy(project) as copy:
        deployment = deployments.deploy(copy, commit=commit_of(project))
    assert deployment.words == f"{deployment.digest} (commit {commit[:12]}, modified)"
    assert deployments.of(deployments.project(deployment)) == deployment
    assert deployments.of(project) is None
