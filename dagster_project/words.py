"""Numbers in sentences."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun, as in "1 dump" and "1,400 dumps".

    Args:
        number: how many.
        noun: the word for one.
        plural: the word for any other number; empty where it only takes an "s".
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
