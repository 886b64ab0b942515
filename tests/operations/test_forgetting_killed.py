"""Forgetting that is killed before any of its writes: the next run finishes it.

The build and the release are stood in for here; `tests/histories/test_forgetting.py` kills whole
processes.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from dagster_project.forgotten import is_open, load_requests
from dagster_project.operations.forgetting import ask, finish, still_shown
from dagster_project.release.publish import current_release, releases
from dagster_project.settings import Settings
from tests.operations.test_forgetting import ASKED, nothing, prepared, publish_without_them, read
from tests.release.copies.by_hand import FIRST
from tests.whole.traces import traces_in_files

MOMENTS = 1000 if os.environ.get("HYPOTHESIS_PROFILE") == "thorough" else 12
RELEASE = "20260303T060000-"
CHANGES = ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod")

# Children of a process that never had a thread of DuckDB's.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([__name__, "tests.operations.test_forgetting"])


def is_write(event: str, arguments: tuple[object, ...]) -> bool:
    """Whether an event of Python's audit is about to change a file."""
    if event == "open":
        flags = arguments[2]
        return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
    return event in CHANGES


def go_on(settings: Settings, number: int) -> None:
    """What is left of a run: read again, publish unless somebody is shown, remove."""
    read(settings)
    release = current_release(settings.published)
    if not still_shown(settings) and release and not release.requests_known:
        publish_without_them(settings, f"{RELEASE}{number}")
    finish(settings, (), nothing)


def forget_until(settings: Settings, moment: int, count: Path) -> None:
    """Forget somebody, and die before a write; without one, note how many there are."""
    writes = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal writes
        if is_write(event, arguments):
            writes += 1
            if writes == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)
    ask(settings, [ASKED])
    go_on(settings, 1)
    count.write_text(str(writes), encoding="utf-8")


def in_a_process(act: Callable[..., None], *arguments: object) -> int | None:
    process = processes.Process(target=act, args=arguments)
    process.start()
    process.join()
    return process.exitcode


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home that holds somebody in every place that is cleared."""
    settings = prepared(tmp_path_factory.mktemp("held"))
    answer = settings.home / "export"
    answer.mkdir()
    (answer / "everything.json").write_text(json.dumps({"a": ASKED}), encoding="utf-8")
    log = settings.home / "dagster" / "storage" / "a" / "out.log"
    log.parent.mkdir(parents=True)
    log.write_text(f"cannot convert {ASKED}\n", encoding="utf-8")
    with duckdb.connect(str(settings.development)) as development:
        development.execute("create table t as select ? as a", [ASKED])
    assert len(traces_in_files(settings.home, ASKED)) >= 6
    return settings


def copied(settings: Settings, folder: Path) -> Settings:
    shutil.copytree(settings.home, folder / "home", symlinks=True)
    return replace(settings, home=folder / "home")


@pytest.mark.long
def test_killed_before_any_write_the_next_run_finishes_it(held: Settings, tmp_path: Path) -> None:
    count = tmp_path / "count"
    assert in_a_process(forget_until, copied(held, tmp_path / "whole"), 0, count) == 0
    writes = int(count.read_text(encoding="utf-8"))
    assert writes > MOMENTS
    seen = set()
    step = max(writes // MOMENTS, 1)
    for moment in range(1, writes + 1, step):
        settings = copied(held, tmp_path / str(moment))
        assert in_a_process(forget_until, settings, moment, count) == -signal.SIGKILL
        requests = load_requests(settings.home)
        release = current_release(settings.published)
        assert release
        is_new = release.release_id.startswith(RELEASE)
        assert not is_new or still_shown(settings) == []
        seen.add((len(requests), is_open(requests), is_new))
        # Nobody has to ask again, unless the request was not noted yet.
        if not requests:
            ask(settings, [ASKED])
        assert in_a_process(go_on, settings, 2) == 0
        (request,) = load_requests(settings.home)
        assert request.finished_at, moment
        assert traces_in_files(settings.home, ASKED) == [], moment
        assert FIRST in [each.release_id for each in releases(settings.published)]
        shutil.rmtree(settings.home)
    assert {(0, False, False), (1, True, False), (1, True, True)} <= seen
