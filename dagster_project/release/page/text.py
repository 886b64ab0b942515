"""How numbers, and what users wrote, are written on the page of a release."""

from __future__ import annotations

import unicodedata

from dagster_project.release.metrics import Unit

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
    """A share as a percentage with one decimal place."""
    return "-" if number is None else f"{number:.1%}"


def small_share(number: float | None) -> str:
    """A share of little as a percentage with two decimal places."""
    return "-" if number is None else f"{number:.2%}"


def signed(number: float | None) -> str:
    """A number with its sign."""
    return "-" if number is None else f"{number:+,.1f}"


def written(unit: Unit, number: float | None) -> str:
    """A figure as the page writes it."""
    if unit == "count":
        return count(None if number is None else round(number))
    form = {"decimal": decimal, "share": share, "small_share": small_share, "signed": signed}
    return form[unit](number)


def change(unit: Unit, now: float | None, before: float | None) -> str:
    """What became of a figure: in per cent, or in points of a share or score; empty if unknown."""
    if now is None or before is None:
        return ""
    if unit in ("share", "small_share"):
        return _or_same(f"{100 * (now - before):+,.1f} points")
    if unit == "signed":
        return _or_same(f"{now - before:+,.1f}")
    return _or_same(f"{(now - before) / before:+,.1%}") if before else ("new" if now else "")


def _or_same(text: str) -> str:
    return text if any(digit in text for digit in "123456789") else "no change"


def shown(name: str | None) -> str:
    """User input as the page shows it: on one line, not too long, and never invisible."""
    if name is None:
        return "(no name)"
    visible = "".join(" " if unicodedata.category(c) in _UNSEEN else c for c in name)
    visible = " ".join(visible.split())
    if not visible:
        return "(blank)" if name else "(empty)"
    return visible if len(visible) <= _LONGEST_NAME else visible[: _LONGEST_NAME - 1] + "…"
