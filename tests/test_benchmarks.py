"""The benchmarks' harness works; what they measure is nothing for a test."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.__main__ import main
from benchmarks.cluster import bound_group


@pytest.mark.long
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


def test_what_is_in_a_bound_group_has_its_share_and_nothing_is_left_of_it() -> None:
    with bound_group(0.6) as group:
        if group is None:
            pytest.skip("no right to control groups")
        bounds = [group / name for name in ("cpu.cfs_quota_us", "cpu.max")]
        (said,) = [bound.read_text().split()[0] for bound in bounds if bound.exists()]
        assert said == "60000"
        with subprocess.Popen(["sleep", "60"]) as process:
            (group / "cgroup.procs").write_text(str(process.pid))
            assert (group / "cgroup.procs").read_text().split() == [str(process.pid)]
            process.kill()
    assert not group.exists()
