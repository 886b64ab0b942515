"""How a step fails for what data or surroundings did: with a sentence, not a stack trace."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import dagster as dg


def failed(description: str, metadata: Mapping[str, Any] | None = None) -> dg.Failure:
    """The end of a step, to be raised; Dagster tries it again by no policy of its own.

    Dagster shows the stack of whatever is raised. Here it would only show Walkhouse's own code, in
    which there is nothing to mend, so no frames are kept until the next run begins.
    """
    sys.tracebacklimit = 0
    return dg.Failure(description=description, metadata=metadata, allow_retries=False)


def show_stacks() -> None:
    """A run begins: an error that nobody foresaw shows where it came from."""
    if hasattr(sys, "tracebacklimit"):
        del sys.tracebacklimit
