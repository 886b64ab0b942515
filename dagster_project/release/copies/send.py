"""Copies of a release elsewhere: which one each of them holds, and sending the current one.

The release in the published folder never depends on its copies. What a copy holds is asked of the
copy itself, so nothing here can disagree with it. Each kind of target is a module with the
functions of `Target`.

Where policies of personal data are other ones than before, a copy keeps nothing of before. Which
copies were cleared of it is noted beside the releases, so whoever is killed before is made good.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dagster_project.release.copies.target import CopyError, Target
from dagster_project.release.publish import Release, current_release, release_folder, releases
from dagster_project.replacing import replace_text
from dagster_project.settings import Settings, without_password

logger = logging.getLogger("walkhouse")

_CLEAR = ".clear-copies.json"


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
    """The copies that do not hold the current release and it alone, or cannot be asked."""
    current = current_release(published)
    if current is None:
        return []
    return [
        state
        for url, state in zip(urls, copy_states(urls), strict=True)
        if state.release_id != current.release_id or not _is_clear(url, published, current)
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
    """Have every copy hold the current release; one that fails stops no other.

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
        holds: str | None = None
        sent: Mapping[str, int] = {}
        try:
            held = holds = target(url).held_release(url)
            if held != release.release_id:
                sent = target(url).send_release(
                    url, folder, release, keep=keep, installation=installation
                )
                holds = release.release_id
                numbers = ", ".join(f"{number:,} {what}" for what, number in sent.items())
                logger.info("copy %s: holds release %s (%s)", shown, holds, numbers)
            if not _is_clear(url, published, release):
                if held is not None:
                    kept = {each.release_id for each in releases(published)}
                    target(url).remove_traces(url, kept, installation=installation)
                _note_clear(url, published, release)
        except CopyError as error:
            what = "not cleared" if holds == release.release_id else "not sent"
            logger.error("copy %s: %s: %s", shown, what, error)
            states.append(CopyState(shown, holds, problem=str(error)))
        else:
            states.append(CopyState(shown, holds, sent=sent))
    return states


def _is_clear(url: str, published: Path, release: Release) -> bool:
    """Whether nothing is left in a copy of releases of other policies than the current one's."""
    return _clear_copies(published).get(without_password(url), "") == release.treatment


def _note_clear(url: str, published: Path, release: Release) -> None:
    noted = {**_clear_copies(published), without_password(url): release.treatment}
    replace_text(published / _CLEAR, json.dumps(noted, indent=1))


def _clear_copies(published: Path) -> Mapping[str, str]:
    """By copy, the policies that all that is left there follows, as a release names them."""
    try:
        return dict(json.loads((published / _CLEAR).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return {}


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
