"""Which tables of Iceberg have snapshots that may expire."""

from __future__ import annotations

import json
from pathlib import Path

from dagster_project.models.pointer import crowded_tables


def put(warehouse: Path, table: str, *, snapshots: int, tagged: int) -> None:
    """A table whose first snapshots have tags, and whose last one is what it is now."""
    folder = warehouse / table.replace(".", "/") / "metadata"
    folder.mkdir(parents=True)
    refs = {f"tag-{number}": {"snapshot-id": number, "type": "tag"} for number in range(tagged)}
    refs["main"] = {"snapshot-id": snapshots - 1, "type": "branch"}
    said = {
        "snapshots": [{"snapshot-id": number} for number in range(snapshots)],
        "refs": refs if snapshots else {},
    }
    (folder / "version-hint.text").write_text("2")
    (folder / "v2.metadata.json").write_text(json.dumps(said))


def test_snapshots_without_a_name_are_counted(tmp_path: Path) -> None:
    put(tmp_path, "facts.few", snapshots=6, tagged=2)  # three have no name
    put(tmp_path, "facts.many", snapshots=7, tagged=2)
    put(tmp_path, "reports.tagged", snapshots=9, tagged=8)
    put(tmp_path, "meta.empty", snapshots=0, tagged=0)
    assert crowded_tables(str(tmp_path), most=3) == ["facts.many"]
    assert crowded_tables(str(tmp_path), most=0) == ["facts.few", "facts.many"]


def test_a_catalog_elsewhere_maintains_itself() -> None:
    assert crowded_tables("s3://bucket/iceberg", most=0) == []
