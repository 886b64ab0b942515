"""Who may read what Walkhouse writes: the owner of a home and its group, and nobody else.

Files get their rights from the umask of the process that makes them, so every process that writes
in a home sets that first. A home that an earlier version made is closed to others as well, by the
rights of its folder.
"""

from __future__ import annotations

import os
import stat

from dagster_project.settings import Settings


def withhold_from_others(settings: Settings) -> None:
    """Have this process, and those that it starts, write only what the settings let others read.

    A umask that is stricter already stays. The folder of the home loses the rights that it should
    not give, if it is this account's.

    Raises:
        OSError: the rights of the home cannot be changed.
    """
    withheld = int(settings.umask, 8) | umask()
    os.umask(withheld)
    try:
        home = settings.home.stat()
    except FileNotFoundError:
        return
    mode = stat.S_IMODE(home.st_mode)
    if mode & withheld and home.st_uid == os.geteuid():
        settings.home.chmod(mode & ~withheld)


def umask() -> int:
    """The rights that files of this process do not get."""
    current = os.umask(0o077)  # it can only be read by setting it
    os.umask(current)
    return current
