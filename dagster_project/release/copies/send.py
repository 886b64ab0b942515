"""Copies of a release elsewhere: which one each of them holds, and sending the current one.

The release in the published folder never depends on its copies. What a copy holds is asked of the
copy itself, so nothing here can disagree with it. Each kind of target is a module with the two
functions of `Target`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dagster_project.release.copies.target import CopyError, Target
from dagster_project.release.publish import current_release, release_folder, releases
from dagster_project.settings import Settings, without_password

logger = logging.getLogger("walkhouse")


@dataclass(frozen=True)
class CopyState:
    """What a copy said.

    Attributes:
        url: the copy, without its password.
        release_id: the release that it holds, None if none.
        problem: why it could not be asked, or sent to; None if all went well.
        sent: what was sent, in numbers; empty where nothing had to be.
    """

    url: str
    release_id: str | None
    problem: str | None = None
    sent: Mapping[str, int] | None = None


def target(url: str) -> Target:
    """What knows how to copy to a URL.

    Raises:
        CopyError: nothing does.
    """
    # Imported here, because each brings a client that only its own users have to load.
    match urlsplit(url).scheme:
        case "s3":
            from dagster_project.release.copies import s3

            return s3
        case "postgres" | "postgresql":
            try:
                from dagster_project.release.copies import postgres
            except ImportError as error:
                raise CopyError(
                    "PostgreSQL needs a client: pip install 'walkhouse[postgres]'"
                ) from error
            return postgres
    raise CopyError("there is no way to send a copy there")


def copy_states(urls: Sequence[str]) -> list[CopyState]:
    """Ask every copy which release it holds."""
    states = []
    for url in urls:
        try:
            states.append(CopyState(without_password(url), target(url).held_release(url)))
        except CopyError as error:
            states.append(CopyState(without_password(url), None, problem=str(error)))
    return states


def copies_behind(urls: Sequence[str], published: Path) -> list[CopyState]:
    """The copies that do not hold the current release, or cannot be asked."""
    current = current_release(published)
    return [
        state
        for state in (copy_states(urls) if current else ())
        if current is None or state.release_id != current.release_id
    ]


def releases_to_keep(settings: Settings) -> int:
    """How many releases a copy keeps; as many as are here where some had to go.

    That is so where dumps are not kept for ever, where personal data are treated, and where
    somebody is forgotten.
    """
    current = current_release(settings.published)
    if settings.keep_days or (
        current is not None and (current.treatment or current.requests_known)
    ):
        return max(1, len(releases(settings.published)))
    return settings.keep_releases


def send_copies(
    urls: Sequence[str], published: Path, *, keep: int, installation: str
) -> list[CopyState]:
    """Send the current release to every copy that does not hold it; one that fails stops no other.

    Args:
        urls: the copies.
        published: the folder that readers on this machine see; it must hold a release.
        keep: how many releases a copy keeps.
        installation: id of the installation that sends (`copies.owner`).

    Returns:
        one state a copy, in their order, with the problem where it could not be sent.
    """
    release = current_release(published)
    if release is None:
        return [CopyState(without_password(url), None) for url in urls]
    folder = release_folder(published, release.release_id)
    states = []
    for url in urls:
        shown = without_password(url)
        held: str | None = None
        try:
            held = target(url).held_release(url)
            if held == release.release_id:
                states.append(CopyState(shown, held, sent={}))
                continue
            sent = target(url).send_release(
                url, folder, release, keep=keep, installation=installation
            )
        except CopyError as error:
            logger.error("copy %s: not sent: %s", shown, error)
            states.append(CopyState(shown, held, problem=str(error)))
        else:
            numbers = ", ".join(f"{number:,} {what}" for what, number in sent.items())
            logger.info("copy %s: holds release %s (%s)", shown, release.release_id, numbers)
            states.append(CopyState(shown, release.release_id, sent=sent))
    return states


def remove_traces(urls: Sequence[str], published: Path, installation: str) -> list[str]:
    """Leave nothing in the copies that the releases here do not hold.

    Args:
        urls: the copies.
        published: the folder that readers on this machine see.
        installation: id of the installation that sends.

    Returns:
        why there may be something left, a sentence for each copy in which there may.
    """
    current = current_release(published)
    kept = {release.release_id for release in releases(published)}
    problems = []
    for url in urls:
        shown = without_password(url)
        try:
            if current is None or target(url).held_release(url) != current.release_id:
                problems.append(f"copy {shown}: it does not hold the current release yet")
            else:
                target(url).remove_traces(url, kept, installation=installation)
        except CopyError as error:
            problems.append(f"copy {shown}: {error}")
    return problems
