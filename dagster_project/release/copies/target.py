"""What every kind of copy can do, and the one error that it may end with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from dagster_project.release.publish import Release


class CopyError(Exception):
    """A copy could not be asked or sent; says why and what to do, without the URL or a secret."""


def refuse_other_owner(owner: str | None, installation: str, *, release_it: str) -> None:
    """Have one installation send to a copy: two would replace each other's releases for ever.

    Args:
        owner: id of the installation that the copy belongs to, None if nobody said so yet.
        installation: id of the one that sends.
        release_it: what to do where the owner is gone.

    Raises:
        CopyError: the copy belongs to another installation.
    """
    if owner is not None and owner != installation:
        raise CopyError(
            f"this copy belongs to another installation ({owner}; this one is {installation}); "
            f"give this one a place of its own; if the other is gone, {release_it} and run again"
        )


class Target(Protocol):
    """A place that can hold a copy of a release."""

    def held_release(self, url: str) -> str | None:
        """Id of the release that readers of the copy see; None if it holds none.

        Raises:
            CopyError: it cannot be asked.
        """

    def send_release(
        self, url: str, folder: Path, release: Release, *, keep: int, installation: str
    ) -> Mapping[str, int]:
        """Let readers of the copy see a release: all of it, or still the one before.

        Args:
            url: as in `WALKHOUSE_COPIES`, without a slash at its end.
            folder: the release on disk: `walkhouse.duckdb`, and `parquet/<schema>/<table>/`.
            release: what it is.
            keep: how many releases the copy keeps, where it can hold several.
            installation: id of the installation that sends; a copy belongs to the first that did.

        Returns:
            what was sent, in numbers with a unit in their names (`files`, `bytes`, `rows`, …).

        Raises:
            CopyError: readers of the copy still see what they saw before.
        """

    def remove_traces(self, url: str, kept: Collection[str], *, installation: str) -> None:
        """Leave nothing there of releases but the one that readers see, and some others.

        Args:
            url: of a copy that holds the current release.
            kept: ids of releases that may stay.
            installation: id of the installation that asks.

        Raises:
            CopyError: something may be left.
        """
