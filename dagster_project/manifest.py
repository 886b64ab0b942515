"""The dbt manifest: from it Dagster knows the models without asking dbt."""

from __future__ import annotations

from pathlib import Path

from dagster_dbt import DbtProject
from dbt.cli.main import dbtRunner

_PARTS_OF_A_MANIFEST = ("*.yml", "seeds/**/*", "models/**/*", "macros/**/*", "tests/**/*")


class ManifestError(Exception):
    """The dbt project cannot be parsed; dbt has printed where and why."""


def ensure_manifest(project: DbtProject) -> None:
    """Parse the dbt project if it changed after the manifest was written.

    Raises:
        ManifestError: dbt cannot parse the project.
    """
    folder = Path(project.project_dir)
    manifest = Path(project.manifest_path)
    if manifest.exists() and manifest.stat().st_mtime >= _last_change(folder):
        return
    result = dbtRunner().invoke(
        [
            "parse",
            "--quiet",
            *("--project-dir", str(folder)),
            *("--profiles-dir", str(folder)),
            *("--target", "prod"),
        ]
    )
    if not result.success:
        raise ManifestError(f"dbt cannot parse {folder}: {result.exception or 'see above'}")
    manifest.touch()


def _last_change(folder: Path) -> float:
    files = (path for part in _PARTS_OF_A_MANIFEST for path in folder.glob(part))
    return max(path.stat().st_mtime for path in files)
