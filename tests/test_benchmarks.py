"""The benchmarks' harness works; what they measure is nothing for a test."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main


@pytest.mark.parametrize(
    "name", ["pandas", "events_alone", pytest.param("release_alone", marks=pytest.mark.slow)]
)
def test_a_measure_is_taken_shown_and_kept(tmp_path: Path, name: str) -> None:
    options = {
        "--only": name,
        "--scale": "0.001",
        "--data": str(tmp_path / "data"),
        "--results": str(tmp_path / "results"),
        "--date": "2026-03-01",
    }
    result = CliRunner().invoke(main, [part for option in options.items() for part in option])
    assert result.exit_code == 0, result.output
    kept = json.loads((tmp_path / "results" / "2026-03-01-scale-0.001.json").read_text())
    (measure,) = kept["measures"]
    assert measure["value"] > 0, measure
    assert measure["name"] in (tmp_path / "results" / "2026-03-01-scale-0.001.md").read_text()
    assert kept["conditions"]["scale"] == 0.001
