"""`walkhouse`, the command line: what a shell or cron does with an installation.

Commands only read arguments and print; what they do stands in the rooms below. Each file here is a
group of commands, `show` and `show_diff` print. Dagster is imported where a run needs it, so that
the other commands answer at once. The commands themselves are imported once signals are seen to:
that takes a while, in which somebody may press Ctrl-C.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from dagster_project.stopping import ending_on_signals

if TYPE_CHECKING:
    from dagster_project.cli.commands import cli as cli


def main() -> None:
    """The console script."""
    with ending_on_signals(lambda line: print(line, file=sys.stderr)):
        from dagster_project.cli.commands import cli

        cli(prog_name="walkhouse")


def __getattr__(name: str) -> Any:
    if name != "cli":
        raise AttributeError(name)
    from dagster_project.cli.commands import cli

    return cli
