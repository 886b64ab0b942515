"""How numbers, and what users wrote, are written on the page of a release."""

from __future__ import annotations

import unicodedata

_LONGEST_NAME = 120
# Control characters, lone surrogates and separators of lines. Marks of direction stay: names may
# need them, and each name is isolated from what stands around it.
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})


def count(number: int | None) -> str:
    """A whole number as the page writes it."""
    return "-" if number is None else f"{number:,}"


def decimal(number: float | None) -> str:
    """A number with one decimal place."""
    return "-" if number is None else f"{number:,.1f}"


def share(number: float | None) -> str:
    """A share as a percentage with two decimal places."""
    return "-" if number is None else f"{number:.2%}"


def shown(name: str | None) -> str:
    """User input as the page shows it: on one line, not too long, and never invisible."""
    if name is None:
        return "(no name)"
    visible = "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in name)
    visible = " ".join(visible.split())
    if not visible:
        return "(blank)" if name else "(empty)"
    return visible if len(visible) <= _LONGEST_NAME else visible[: _LONGEST_NAME - 1] + "…"
