"""What a build on Spark needs, and how a machine that has it not is told."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from dagster_project.models import iceberg
from dagster_project.models.iceberg import missing_for_spark

PACKAGES = {"pyspark": "3.5.8", "dbt-spark": "1.11.0"}


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that has everything; its Java."""
    java = tmp_path / "java"
    java.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr(iceberg, "version", _versions(PACKAGES))
    monkeypatch.setattr(iceberg, "find_spec", lambda name: name)
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
    monkeypatch.setattr(iceberg, "version", _versions(others))
    assert missing_for_spark() == f"{package} is not installed: pip install 'walkhouse[spark]'"


@pytest.mark.parametrize("found", ["3.4.4", "4.0.0", "3.50.1"])
def test_another_spark_is_refused(monkeypatch: pytest.MonkeyPatch, found: str) -> None:
    monkeypatch.setattr(iceberg, "version", _versions({**PACKAGES, "pyspark": found}))
    assert missing_for_spark().startswith(f"PySpark {found} is installed")


def test_no_java_is_said(machine: Path) -> None:
    machine.unlink()
    assert missing_for_spark().startswith("there is no Java: install Java 17")


def test_a_java_home_without_java_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    assert f"no Java in JAVA_HOME={tmp_path / 'gone'}" in missing_for_spark()


def test_an_extension_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iceberg, "find_spec", lambda name: None if "iceberg" in name else name)
    assert missing_for_spark().startswith("DuckDB's extension iceberg is not installed")
