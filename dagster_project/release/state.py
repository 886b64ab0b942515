"""What a release was built from, as one digest: equal digests mean equal tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from dagster_project.forgotten import digest_of, load_requests
from dagster_project.settings import CODE_VERSION, Settings

_PARTS_OF_A_BUILD = ("dbt_project.yml", "seeds/**/*.csv", "models/**/*", "macros/**/*.sql")


def project_digest(dbt_project: Path) -> str:
    """Changes with every change to the dbt project that can change a table."""
    digest = hashlib.sha256(CODE_VERSION.encode())
    files = {path for part in _PARTS_OF_A_BUILD for path in dbt_project.glob(part)}
    for path in sorted(file for file in files if file.is_file()):
        digest.update(f"\n{path.relative_to(dbt_project).as_posix()}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def policy_of(settings: Settings) -> str:
    """What settings and requests say of how a release shows and keeps its tables.

    Empty by default.

    Raises:
        RequestsError: the list of who is forgotten cannot be read.
    """
    says: dict[str, int | str] = {
        "smallest_group": settings.smallest_group if settings.smallest_group > 1 else 0,
        "keep_report_days": settings.keep_report_days if settings.keep_days else 0,
        "forgotten": digest_of(load_requests(settings.home)),
    }
    return " ".join(f"{name}={value}" for name, value in says.items() if value)


def state_digest(
    dumps: Mapping[date, str], catalogue: str, project: str, *, policy: str = ""
) -> str:
    """Changes whenever a table of the release could differ.

    Args:
        dumps: fingerprint by dump date.
        catalogue: fingerprint of the content catalogue.
        project: see `project_digest`.
        policy: see `policy_of`.
    """
    days = sorted((day.isoformat(), fingerprint) for day, fingerprint in dumps.items())
    content = json.dumps([days, catalogue, project, *([policy] if policy else [])])
    return hashlib.sha256(content.encode()).hexdigest()
