"""Owner and group read a home, others nothing of it, and a BI group what is published."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from dagster_project.rights import umask, withhold_from_others
from dagster_project.settings import Settings
from tests.installation import CHECKOUT
from tests.release.test_publish import put_out

READER, HOUSE, BI = 65533, 65531, 65532
"""Numbers of an account, of the group of a home, and of a group of readers."""

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")


@contextmanager
def as_reader(groups: Sequence[int]) -> Iterator[None]:
    """Act as an account that owns nothing."""
    before = os.getgroups()
    os.setgroups(groups)
    os.setegid(READER)
    os.seteuid(READER)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


def readable(home: Path, groups: Sequence[int]) -> set[str]:
    """What an account of some groups can read, of one file of each part of a home."""
    found = set()
    for name in ("warehouse.duckdb", "published/walkhouse.duckdb", "published/index.html"):
        with as_reader(groups):
            try:
                (home / name).read_bytes()
            except PermissionError:
                continue
        found.add(name)
    return found


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that an earlier version made, open to everybody, in which a release is published."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's own folders are closed to others
        Path(folder).chmod(0o755)
        home = Path(folder, "data")
        home.mkdir()
        os.chown(home, 0, HOUSE)
        home.chmod(0o2755)  # so that all in it is of the group
        os.umask(0o022)
        put_out(home, 1)
        yield home


@needs_root
def test_others_read_nothing_of_a_home_and_its_group_reads_all(home: Path) -> None:
    everything = {"warehouse.duckdb", "published/walkhouse.duckdb", "published/index.html"}
    assert readable(home, []) == everything  # the test can fail
    withhold_from_others(Settings(home=home))
    put_out(home, 2)
    assert readable(home, []) == set()
    assert readable(home, [HOUSE]) == everything
    made = [path for path in home.rglob("*") if not path.is_symlink() and "02T" in str(path)]
    assert made
    assert not [path for path in made if path.stat().st_mode & 0o027]


@needs_root
def test_a_bi_group_can_be_given_what_is_published_alone(home: Path) -> None:
    """With the commands of the page, once: later releases are theirs as well."""
    page = (CHECKOUT / "docs" / "operating.md").read_text(encoding="utf-8")
    (commands,) = re.findall(r"```sh\n(chgrp bi [^`]*)```", page)
    withhold_from_others(Settings(home=home))
    assert readable(home, [BI]) == set()
    for command in commands.splitlines():
        subprocess.run(re.sub(r"\bbi\b", str(BI), command), shell=True, cwd=home.parent, check=True)
    withhold_from_others(Settings(home=home))
    assert readable(home, [BI]) == {"published/walkhouse.duckdb", "published/index.html"}
    put_out(home, 2)
    assert readable(home, [BI]) == {"published/walkhouse.duckdb", "published/index.html"}
    assert readable(home, []) == set()
    with as_reader([BI]), pytest.raises(PermissionError):
        list(home.iterdir())


@pytest.mark.parametrize(
    ("shell", "setting", "expected"),
    [(0o022, "027", 0o027), (0o077, "027", 0o077), (0o022, "0022", 0o022), (0o022, "077", 0o077)],
)
def test_a_stricter_umask_stays(tmp_path: Path, shell: int, setting: str, expected: int) -> None:
    os.umask(shell)
    withhold_from_others(Settings(home=tmp_path / "no home yet", umask=setting))
    assert umask() == expected
