"""The query that finds every row that violates an invariant; its table holds the first ones."""

from __future__ import annotations

import re
from pathlib import Path

# What the macro `invariant_result` writes between what was looked at and how it is counted.
_ALL_OF_THEM = re.compile(r"/\* all of them: (.+?) \*/")


def query_for_all(compiled: str) -> str | None:
    """The compiled SQL of a model of an invariant, ending in all violations instead of a count.

    None where the model does not end in `invariant_result`.
    """
    found = _ALL_OF_THEM.search(compiled)
    return compiled[: found.start()] + found.group(1) if found else None


def compiled_invariant(dbt_target: Path, invariant: str) -> str | None:
    """What the last build made of the model of an invariant; None before the first."""
    files = sorted(dbt_target.glob(f"compiled/*/models/audit/{invariant}.sql"))
    return files[0].read_text(encoding="utf-8") if files else None
