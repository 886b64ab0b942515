"""Small releases that are written by hand, for tests that need no real one."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import duckdb

from dagster_project.release.publish import Release, release_folder, switch_to

FIRST, SECOND, THIRD = "20260301T060000-a", "20260302T060000-b", "20260303T060000-c"
OWNER, ANOTHER = "the-installation", "another-installation"


def publish_by_hand(published: Path, release_id: str, statements: str) -> Path:
    """Publish a release whose DuckDB file some statements make; gives its folder."""
    folder = release_folder(published, release_id)
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "walkhouse.duckdb")) as connection:
        connection.execute(statements)
    (folder / "release.json").write_text(json.dumps(asdict(header(release_id))), encoding="utf-8")
    switch_to(published, release_id)
    return folder


def header(release_id: str) -> Release:
    """What such a release says of itself."""
    return Release(release_id, "", "", "", None, None, dumps=0, events=0, waivers={})
