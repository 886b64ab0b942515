"""What a release was built from, as one digest: equal digests mean equal tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from dagster_project.settings import CODE_VERSION

_PARTS_OF_A_BUILD = ("dbt_project.yml", "seeds/**/*.csv", "models/**/*", "macros/**/*.sql")


def project_digest(dbt_project: Path) -> str:
    """Changes with every change to the dbt project that can change a table."""
    digest = hashlib.sha256(CODE_VERSION.encode())
    files = {path for part in _PARTS_OF_A_BUILD for path in dbt_project.glob(part)}
    for path in sorted(file for file in files if file.is_file()):
        digest.update(f"\n{path.relative_to(dbt_project).as_posix()}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def state_digest(dumps: Mapping[date, str], catalogue: str, project: str) -> str:
    """Changes whenever a table of the release could differ.

    Args:
        dumps: fingerprint by dump date.
        catalogue: fingerprint of the content catalogue.
        project: see `project_digest`.
    """
    days = sorted((day.isoformat(), fingerprint) for day, fingerprint in dumps.items())
    content = json.dumps([days, catalogue, project])
    return hashlib.sha256(content.encode()).hexdigest()
