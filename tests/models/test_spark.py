"""What a build on Spark needs, and how a machine that has it not is told."""

from __future__ import annotations

import socket
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from dagster_project.models import spark
from dagster_project.models.spark import missing_for_spark, reason_of, reasons_of, unreachable

PACKAGES = {"pyspark": "3.5.8", "dbt-spark": "1.11.0"}


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that has everything; its Java."""
    java = tmp_path / "java"
    java.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(spark, "version", _versions(PACKAGES))
    monkeypatch.setattr(spark, "find_spec", lambda name: name)
    return java


def _versions(packages: dict[str, str]) -> object:
    def version(name: str) -> str:
        if name not in packages:
            raise PackageNotFoundError(name)
        return packages[name]

    return version


def test_nothing_is_missing_where_all_is_there() -> None:
    assert missing_for_spark() == ""


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    others = {name: found for name, found in PACKAGES.items() if name != package}
    monkeypatch.setattr(spark, "version", _versions(others))
    assert missing_for_spark() == f"{package} is not installed: pip install 'walkhouse[spark]'"


@pytest.mark.parametrize("found", ["3.4.4", "4.0.0", "3.50.1"])
def test_another_spark_is_refused(monkeypatch: pytest.MonkeyPatch, found: str) -> None:
    monkeypatch.setattr(spark, "version", _versions({**PACKAGES, "pyspark": found}))
    assert missing_for_spark().startswith(f"PySpark {found} is installed")


def test_no_java_is_said(machine: Path) -> None:
    machine.unlink()
    assert missing_for_spark().startswith("there is no Java: install Java 17")


def test_a_java_home_without_java_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    assert f"no Java in JAVA_HOME={tmp_path / 'gone'}" in missing_for_spark()


def test_an_extension_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark, "find_spec", lambda name: None if "iceberg" in name else name)
    assert missing_for_spark().startswith("DuckDB's extension iceberg is not installed")


@pytest.mark.parametrize(
    ("jar", "reason"),
    [
        ("spark-core_2.12-3.5.1.jar", ""),
        ("spark-core_2.13-4.0.1.jar", "is another Spark (spark-core_2.13-4.0.1.jar) than 3.5"),
        ("spark-core_2.12-3.50.1.jar", "is another Spark"),
        ("README", "has no Spark"),
    ],
)
def test_a_spark_home_of_another_version_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, jar: str, reason: str
) -> None:
    (tmp_path / "jars").mkdir()
    (tmp_path / "jars" / jar).touch()
    monkeypatch.setenv("SPARK_HOME", str(tmp_path))
    found = missing_for_spark()
    assert found == "" if reason == "" else reason in found


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize("kind", ["spark://", "k8s://", "k8s://https://"])
def test_a_master_that_nobody_is_is_named(closed_port: int, kind: str) -> None:
    remote = f"{kind}127.0.0.1:{closed_port}"
    assert unreachable(remote) == (
        f"no Spark listens at {remote} (127.0.0.1:{closed_port}: Connection refused): start it, or "
        "let WALKHOUSE_SPARK_REMOTE name another"
    )
    assert missing_for_spark(remote) == unreachable(remote)


def test_one_of_several_masters_is_enough(closed_port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as master:
        address = f"127.0.0.1:{master.getsockname()[1]}"
        assert unreachable(f"spark://127.0.0.1:{closed_port},{address}") == ""


@pytest.mark.parametrize("remote", ["spark://127.0.0.1:99999999", "spark://127.0.0.1:port"])
def test_an_address_that_is_none_is_told_in_a_sentence(remote: str) -> None:
    assert unreachable(remote).startswith(f"no Spark listens at {remote} (")


@pytest.mark.parametrize("remote", ["local[*]", "local"])
def test_a_spark_in_this_process_has_no_address(remote: str) -> None:
    assert unreachable(remote) == ""


def test_yarn_is_found_by_its_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HADOOP_CONF_DIR", "YARN_CONF_DIR"):
        monkeypatch.delenv(name, raising=False)
    assert unreachable("yarn").startswith("HADOOP_CONF_DIR has to name")
    monkeypatch.setenv("YARN_CONF_DIR", "/etc/hadoop")
    assert unreachable("yarn") == ""


JAVA = """\
Runtime Error in model fct_sessions (models/facts/fct_sessions.sql)
  An error occurred while calling o{number}.sql.
  : org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 failed 4 times
  \tat org.apache.spark.scheduler.DAGScheduler.failJobAndIndependentStages(DAGScheduler.scala:2856)
  Caused by: java.lang.RuntimeException: wrapped
  \t... 12 more
  Caused by: {cause}
  \tat java.base/java.io.FileOutputStream.writeBytes(Native Method)
  \t... 30 more
"""


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (
            JAVA.format(number=1, cause="java.io.IOException: No space left on device"),
            "IOException: No space left on device; make room on the disk",
        ),
        (
            "Runtime Error in model x (models/x.sql)\n  [TABLE_OR_VIEW_NOT_FOUND] The table or view"
            " `facts`.`y` cannot be found.; line 3 pos 14;\n'Project [*]\n+- 'UnresolvedRelation",
            "[TABLE_OR_VIEW_NOT_FOUND] The table or view `facts`.`y` cannot be found",
        ),
        (
            "An error occurred while calling o7.sql.\n: java.lang.IllegalStateException: Cannot"
            " call methods on a stopped SparkContext.\nThis stopped SparkContext was created at:\n",
            "IllegalStateException: Cannot call methods on a stopped SparkContext; the Spark that"
            " WALKHOUSE_SPARK_REMOTE names ended",
        ),
        (
            "dbt build: Runtime Error\n  [JAVA_GATEWAY_EXITED] Java gateway process exited before"
            " sending its port number.",
            "[JAVA_GATEWAY_EXITED] Java gateway process exited before sending its port number; Java"
            " did not start Spark",
        ),
        ("Compilation Error in model x (x.sql)\n  no such macro", "no such macro"),
        ("", "Spark gave no reason"),
    ],
)
def test_what_spark_says_becomes_one_line(message: str, reason: str) -> None:
    found = reason_of(message)
    assert found.startswith(reason)
    assert "\n" not in found
    assert "\tat" not in found


def test_models_that_fail_for_one_reason_are_told_in_one_line() -> None:
    cause = "java.io.IOException: No space left on device"
    failures = [(f"m{number}", JAVA.format(number=number, cause=cause)) for number in range(5)]
    told, other = reasons_of([*failures, ("n", "something else")])
    assert told.startswith("m0, m1, m2 and 2 more: IOException: No space left on device; make room")
    assert other == "n: something else"
