"""What the command line does without."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
from dagster_project.cli import without_pandas
with without_pandas():
    import duckdb, pyarrow
    with duckdb.connect() as connection:
        rows = connection.execute("select ?, ?", ["a", None]).fetchall()
        rows += connection.from_arrow(pyarrow.table({"a": ["b"], "b": [None]})).fetchall()
    assert rows == [("a", None), ("b", None)], rows
    assert "pandas" not in sys.modules
import pandas
"""


def test_a_query_with_parameters_does_not_import_pandas() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
