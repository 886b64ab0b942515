"""What is found out about a dbt project ahead of runs: dbt's manifest, and its columns.

Each lies in the project with the digest of the files that it was found of; of a project that
changed since, it says nothing. `make setup` has both found in the checkout, and a copy that is
deployed takes them along. This module imports neither Dagster nor dbt, so that it costs little to
ask.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from importlib.metadata import version
from pathlib import Path

from dagster_project.models import columns
from dagster_project.models.columns import Columns, as_json, from_json
from dagster_project.replacing import replace_text

PREPARED = "target/prepared"
"""Where it lies; in the dbt project. It is the target folder of all that Walkhouse asks of dbt."""

SPARK = "target/spark"
"""The target folder of a build on Spark."""

MANIFEST = "manifest.json"
PARTIAL_PARSE = "partial_parse.msgpack"
"""dbt's own names for the parsed project."""

_PARTS_OF_A_MANIFEST = ("*.yml", "seeds/**/*", "models/**/*", "macros/**/*", "tests/**/*")
_PARSED = "parsed"
_COLUMNS = "columns.json"


def parts_digest(dbt_project: Path) -> str:
    """Changes with every file that dbt parses, and with dbt."""
    digest = hashlib.sha256(f"{version('dbt-core')} {version('dbt-duckdb')}".encode())
    files = {path for part in _PARTS_OF_A_MANIFEST for path in dbt_project.glob(part)}
    for path in sorted(file for file in files if file.is_file()):
        digest.update(f"\n{path.relative_to(dbt_project).as_posix()}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def parsed_digest(target: Path) -> str:
    """Digest of the project that the manifest in a target is of; empty without one."""
    note = target / _PARSED
    return note.read_text(encoding="utf-8") if note.exists() else ""


def note_parsed(target: Path, digest: str) -> None:
    """Note what the manifest is of, once it is there: without that it may have been cut short."""
    (target / _PARSED).write_text(digest, encoding="utf-8")


def forget_parsed(target: Path) -> None:
    """The manifest is about to be replaced."""
    (target / _PARSED).unlink(missing_ok=True)


def copy_prepared(dbt_project: Path, copy: Path) -> None:
    """Let a copy of a project have what was found out about it, as far as it is of its files."""
    digest = parts_digest(copy)
    source, target = dbt_project / PREPARED, copy / PREPARED
    target.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):  # never found, or being found anew
        shutil.copyfile(source / _COLUMNS, target / _COLUMNS)
    with contextlib.suppress(FileNotFoundError):
        if parsed_digest(source) != digest:
            return
        for name in (MANIFEST, PARTIAL_PARSE):
            shutil.copyfile(source / name, target / name)
        if parsed_digest(source) == digest:
            note_parsed(target, digest)


def load_columns(dbt_project: Path, digest: str) -> Columns:
    """The columns of the project of that digest; none where nobody had them found."""
    file = dbt_project / PREPARED / _COLUMNS
    if not file.exists():
        return {}
    content = json.loads(file.read_text(encoding="utf-8"))
    return from_json(content["columns"]) if content["digest"] == _with_the_code(digest) else {}


def keep_columns(dbt_project: Path, digest: str, found: Columns) -> None:
    """Keep the columns of the project of that digest, in the place of any other's."""
    content = {"digest": _with_the_code(digest), "columns": as_json(found)}
    replace_text(dbt_project / PREPARED / _COLUMNS, json.dumps(content))


def _with_the_code(digest: str) -> str:
    """What finds the columns, and how they are written down, may change as well."""
    return hashlib.sha256(digest.encode() + Path(columns.__file__).read_bytes()).hexdigest()
