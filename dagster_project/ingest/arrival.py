"""Whether a dump is still being written: decides when it is taken in, never what is read from it.

A dump with a manifest is complete once the manifest is its newest file and every file that it lists
is there. Any other has to be left alone by its writer for a while first.
"""

from __future__ import annotations

from collections.abc import Collection

from dagster_project.ingest.landing import LandedDump, LandedFile, Landing
from dagster_project.ingest.manifest import ManifestError, normalized, read_manifest


def is_recent(file: LandedFile, *, now: float, quiet_seconds: float) -> bool:
    """Whether a file was written so lately that its writer may not be done.

    Args:
        file: as the landing lists it.
        now: seconds since 1970.
        quiet_seconds: for how long nobody may have written.
    """
    # A time far in the future comes from a wrong clock, and must not keep a dump out for ever.
    return abs(now - file.written_at) < quiet_seconds


def is_complete(dump: LandedDump, listed: Collection[str] | None) -> bool:
    """Whether a dump's manifest says that nothing more of it will come.

    Args:
        dump: as the landing lists it.
        listed: the names in its manifest; None if it has none that can be read.
    """
    if dump.manifest is None or listed is None:
        return False
    is_newest = all(file.written_at <= dump.manifest.written_at for file in dump.files)
    beside = {normalized(name) for name in dump.left_alone}
    expected = {normalized(name) for name in listed} - beside
    return is_newest and expected == {normalized(file.name) for file in dump.files}


def is_arriving(landing: Landing, dump: LandedDump, *, now: float, quiet_seconds: float) -> bool:
    """Whether more of a dump may be on its way; reads its manifest if that decides."""
    files = [*dump.files, *([dump.manifest] if dump.manifest else [])]
    if not any(is_recent(file, now=now, quiet_seconds=quiet_seconds) for file in files):
        return False
    return not is_complete(dump, _listed_files(landing, dump))


def _listed_files(landing: Landing, dump: LandedDump) -> list[str] | None:
    if dump.manifest is None:
        return None
    try:
        return [entry.name for entry in read_manifest(landing.read_bytes(dump.manifest))]
    except (ManifestError, OSError):
        return None  # taking it in, once nobody writes, says what is wrong with it
