"""A line of the catalogue that cannot be used is left out by its number; the others count."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dagster_project.ingest.content import (
    CatalogueError,
    LakeCatalogue,
    catalogue_failure,
    catalogue_signature,
    ingest_catalogue,
    loaded_catalogue,
)
from dagster_project.ingest.lake import Lake
from dagster_project.ingest.landing import Landing
from tests.ingest.test_ingest import DEFINITIONS

GOOD = '{"item_id": "1", "name": "good"}'


def ingest(tmp_path: Path, *lines: str | bytes) -> LakeCatalogue:
    content = tmp_path / "landing" / "content"
    content.mkdir(parents=True, exist_ok=True)
    (content / "items.ndjson").write_bytes(
        b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    )
    landing = Landing(str(tmp_path / "landing"))
    lake = Lake(tmp_path / "lake")
    lake.prepare()
    catalogue = landing.look().catalogue
    return ingest_catalogue(landing, lake, catalogue, DEFINITIONS, scratch=tmp_path / "scratch")


def items(tmp_path: Path) -> list[dict[str, object]]:
    found: list[dict[str, object]] = pq.read_table(
        tmp_path / "lake" / "content" / "items.parquet"
    ).to_pylist()
    return found


def item(**values: object) -> str:
    return json.dumps({"item_id": "2", **values})


@pytest.mark.parametrize(
    "line",
    [
        *("{", "[]", "3", "null", '{"item_id": null}', '{"name": "no id"}', '{"item_id": {}}'),
        *('{"item_id": 1, "pass_mark": NaN}', '{"item_id": Infinity}', b'{"item_id": "\xff"}'),
        *(item(pass_mark="high"), item(pass_mark=True), item(pass_mark=10**400)),
        *(item(steps={}), item(steps=[1]), item(steps=[{"position": 2**31}])),
        *(item(steps=[{"position": 10**30}]), item(steps=[{"position": "first"}])),
        *(item(steps=[{"position": 1.5}]), item(steps=[{"is_terminal": 1}])),
        '{"item_id": "2", "steps": [{"position": 1e999}]}',
        *(item(connects_to="1"), item(connects_to=[[1]]), item(has_autoplay_rule="yes")),
        '{"item_id": "2", "name": ' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
)
def test_a_line_that_cannot_be_used_costs_itself(tmp_path: Path, line: str | bytes) -> None:
    catalogue = ingest(tmp_path, GOOD, line, item(name="also good"))
    assert [row["name"] for row in items(tmp_path)] == ["good", "also good"]
    assert catalogue.lines_left_out == 1
    assert catalogue.problems[0].startswith("line 2: ")
    catalogue.problems[0].encode()


def test_numbers_and_half_characters_are_what_they_mean(tmp_path: Path) -> None:
    ingest(
        tmp_path,
        '{"item_id": 4711.0, "name": "half \\ud83d an emoji", "system_id": 5, "pass_mark": "80"}',
        '{"item_id": 4711, "name": "\\ud83d\\ude00", "steps": [{"step_id": 1e3, "position": 2.0}]}',
    )
    first, second = items(tmp_path)
    assert (first["system_id"], first["name"]) == ("5", "half \ufffd an emoji")
    assert (first["item_id"], first["pass_mark"]) == ("4711", 80.0)
    assert second["name"] == "\U0001f600"
    assert second["steps"][0]["step_id"] == "1000"  # type: ignore[index]  # a list of structs
    assert second["steps"][0]["position"] == 2  # type: ignore[index]  # as above


@pytest.mark.parametrize("content", [b"\x00\x01\x02", b"\x1f\x8b\x08", b"[1, 2]", b"null\n\n{"])
def test_a_catalogue_of_which_nothing_can_be_used_leaves_the_one_before(
    tmp_path: Path, content: bytes
) -> None:
    ingest(tmp_path, GOOD)
    with pytest.raises(CatalogueError, match=r"lines? can be used"):
        ingest(tmp_path, content)
    assert [row["name"] for row in items(tmp_path)] == ["good"]
    lake = Lake(tmp_path / "lake")
    landed = Landing(str(tmp_path / "landing")).look().catalogue
    signature = catalogue_signature(landed, DEFINITIONS)
    assert re.search("lines? can be used", catalogue_failure(lake, signature) or "")
    assert loaded_catalogue(lake) is not None
    ingest(tmp_path, item(name="mended"))
    assert [row["name"] for row in items(tmp_path)] == ["mended"]
    assert catalogue_failure(lake, signature) is None


def test_a_catalogue_without_lines_is_one_without_items(tmp_path: Path) -> None:
    ingest(tmp_path, GOOD)
    assert ingest(tmp_path, b"\n\n").items == 0


@pytest.mark.parametrize("link", ["items.ndjson", "content"])
def test_a_link_to_nowhere_is_no_absence_of_the_catalogue(tmp_path: Path, link: str) -> None:
    landing = tmp_path / "landing"
    (landing / "events").mkdir(parents=True)
    path = landing / "content" if link == "content" else landing / "content" / link
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(tmp_path / "nowhere")
    landed = Landing(str(landing)).look()
    assert landed.catalogue is None
    assert "nowhere, which does not exist" in (landed.catalogue_problem or "")
