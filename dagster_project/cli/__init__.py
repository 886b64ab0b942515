"""`walkhouse`, the command line: what a shell or cron does with an installation.

Commands only read arguments and print; what they do stands in the rooms below. Each file here is a
group of commands, `show` and `show_diff` print. Dagster is imported where a run needs it, so that
the other commands answer at once. The commands themselves are imported once signals are seen to:
that takes a while, in which somebody may press Ctrl-C.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from typing import TYPE_CHECKING, Any

from dagster_project.stopping import ending_on_signals

if TYPE_CHECKING:
    from dagster_project.cli.commands import cli as cli

# So many new objects come before Python looks for cycles among them. With its own 700 it looks at
# what was imported and parsed again and again: a tenth of the processor time of a small run. What
# waits to be found takes 70 MB.
_NEW_OBJECTS = 1_000_000


def main() -> None:
    """The console script."""
    gc.set_threshold(_NEW_OBJECTS)
    try:
        with ending_on_signals(lambda line: print(line, file=sys.stderr)), without_pandas():
            from dagster_project.cli.commands import cli

            cli(prog_name="walkhouse")
    finally:
        # The process ends, and the system takes everything back at once. Python would look for
        # cycles among all objects first: another tenth of a small run.
        gc.freeze()


@contextmanager
def without_pandas() -> Iterator[None]:
    """Keep pandas, which is installed for others, out of this process.

    DuckDB imports it with the first parameter of a query, to know a data frame if it is given one.
    None is, and the import takes a sixteenth of the processor time of a small run.
    """
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _NoPandas(MetaPathFinder):
    def find_spec(self, fullname: str, *_: object) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("no command of walkhouse needs pandas", name=fullname)


def __getattr__(name: str) -> Any:
    if name != "cli":
        raise AttributeError(name)
    from dagster_project.cli.commands import cli

    return cli
