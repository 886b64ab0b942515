"""What every kind of copy can do, and the one error that it may end with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from dagster_project.release.publish import Release


class CopyError(Exception):
    """A copy could not be asked or sent; says why and what to do, without the URL or a secret."""


class Target(Protocol):
    """A place that can hold a copy of a release."""

    def held_release(self, url: str) -> str | None:
        """Id of the release that readers of the copy see; None if it holds none.

        Raises:
            CopyError: it cannot be asked.
        """

    def send_release(
        self, url: str, folder: Path, release: Release, *, keep: int
    ) -> Mapping[str, int]:
        """Let readers of the copy see a release: all of it, or still the one before.

        Args:
            url: as in `WALKHOUSE_COPIES`, without a slash at its end.
            folder: the release on disk: `walkhouse.duckdb`, and `parquet/<schema>/<table>/`.
            release: what it is.
            keep: how many releases the copy keeps, where it can hold several.

        Returns:
            what was sent, in numbers with a unit in their names (`files`, `bytes`, `rows`, …).

        Raises:
            CopyError: readers of the copy still see what they saw before.
        """
