"""What is not the command's fault is said in a sentence, without a stack trace."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from dagster_project.cli import cli
from dagster_project.ingest.lake import Lake
from dagster_project.release.layout import WarehouseError, check_is_free
from dagster_project.settings import Settings
from tests.installation import CHECKOUT

NOBODY = 65534
# Root may write anywhere, but for this.
AS_ANYBODY = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all")
READING, WRITING = ("status", "releases"), ("run", "alerts", "rollback", "ui")
COMMANDS = """
import sys
from click.testing import CliRunner
from dagster_project.cli import cli
for command in sys.argv[1:]:
    found = CliRunner().invoke(cli, [command])
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    print(command, found.exit_code, found.output.replace("\\n", " "))
"""


def test_an_empty_landing_is_said_at_the_first_run(tmp_path: Path) -> None:
    (tmp_path / "landing" / "events").mkdir(parents=True)
    environment = {
        "WALKHOUSE_LANDING": str(tmp_path / "landing"),
        "WALKHOUSE_HOME": str(tmp_path / "home"),
    }
    run = CliRunner(env=environment).invoke(cli, ["run"])
    assert run.exit_code == 1
    assert "there is no dump in it" in run.output.splitlines()[-1]
    assert "Traceback" not in run.output


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="only root can give a home away"
)
@pytest.mark.parametrize("mode", [0o755, 0o750])
def test_a_home_of_somebody_else_is_not_written_and_read_only_if_it_may_be(
    tmp_path: Path, mode: int
) -> None:
    home = tmp_path / "home"
    Lake(Settings(home=home).lake).prepare()
    (tmp_path / "landing" / "events").mkdir(parents=True)
    for path in (home, *home.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    home.chmod(mode)
    environment = {
        **os.environ,
        "WALKHOUSE_HOME": str(home),
        "WALKHOUSE_LANDING": str(tmp_path / "landing"),
    }
    found = subprocess.run(
        [*AS_ANYBODY, sys.executable, "-c", COMMANDS, *READING, *WRITING],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    lines = found.stdout.splitlines()
    assert len(lines) == 6
    if mode & 0o005:
        assert [line.split()[:2] for line in lines[:2]] == [["status", "0"], ["releases", "0"]]
        for line in lines[2:]:
            assert line.split()[1] == "1"
            assert "cannot be written to: it is of user nobody" in line
        return
    for line in lines:
        assert line.split()[1] == "2"
        assert f"{home / 'walkhouse.toml'}: cannot be read" in line
        assert "Permission denied" in line


def test_a_warehouse_that_somebody_has_open_is_named(tmp_path: Path) -> None:
    warehouse = tmp_path / "warehouse.duckdb"
    check_is_free(warehouse)
    duckdb.connect(str(warehouse)).close()
    check_is_free(warehouse)
    holding = f"import duckdb; c = duckdb.connect({str(warehouse)!r}); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(WarehouseError, match=f"process {holder.pid} has it open"):
            check_is_free(warehouse)
        holder.kill()
