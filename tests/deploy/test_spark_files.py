"""The files for a Spark beside a server agree with each other, and with what the project needs."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import yaml

from dagster_project.models.spark import SPARK_VERSION
from dagster_project.settings import Settings
from tests.installation import CHECKOUT

DEPLOY = CHECKOUT / "deploy"
COMPOSE_TEXT = (DEPLOY / "compose.spark.yaml").read_text(encoding="utf-8")
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)["services"]
SERVER: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
SPARKS = {name: each for name, each in SERVICES.items() if "spark:" in each.get("image", "")}
LOCK = (CHECKOUT / "requirements-spark.lock").read_text(encoding="utf-8")


def test_the_cluster_is_the_spark_of_the_driver() -> None:
    (pinned,) = re.findall(r"^pyspark==(\S+)$", LOCK, re.MULTILINE)
    assert pinned.startswith(f"{SPARK_VERSION}.")
    for name, service in SPARKS.items():
        assert service["image"].startswith(f"apache/spark:{pinned}-scala2.12-java17"), name
    assert f"runtime-{SPARK_VERSION}_2.12:" in Settings().spark_iceberg


def test_the_lock_has_what_the_extra_names() -> None:
    extra = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]["spark"]
    named = {re.split(r"[\[<>=]", requirement)[0] for requirement in extra}
    assert named <= set(re.findall(r"^([\w-]+)==", LOCK, re.MULTILINE))
    default = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
    assert not named & set(re.findall(r"^([\w-]+)==", default, re.MULTILINE))


def test_master_workers_and_driver_know_each_other_and_see_one_home() -> None:
    address = SERVICES["code"]["environment"]["WALKHOUSE_SPARK_REMOTE"]
    assert Settings.from_environment({"WALKHOUSE_SPARK_REMOTE": address}).spark_remote == address
    (home,) = {volume for service in SPARKS.values() for volume in service["volumes"]}
    assert home in SERVER["code"]["volumes"]
    for name in ("spark-worker-1", "spark-worker-2"):
        assert address in SPARKS[name]["command"]
    defaults = (DEPLOY / "spark" / "spark-defaults.conf").read_text()
    assert re.search(r"^spark.driver.host code$", defaults, re.MULTILINE)


def test_every_spark_that_stays_up_is_watched_and_has_no_rights() -> None:
    for name, service in SPARKS.items():
        assert "healthcheck" in service, name
        assert service["cap_drop"] == ["ALL"], name
        assert "ports" not in service, name


def test_the_catalog_is_a_database_of_the_server_that_the_driver_has_a_client_for() -> None:
    url = SERVICES["code"]["environment"]["WALKHOUSE_SPARK_CATALOG"]
    assert Settings.from_environment({"WALKHOUSE_SPARK_CATALOG": url}).spark_catalog == url
    catalog = SERVICES["spark-catalog"]
    server, database = re.findall(r"//(\w+)/(\w+)\?user=dagster&", url)[0]
    assert server == catalog["environment"]["PGHOST"]
    assert server in SERVER
    assert f"createdb {database}" in catalog["command"][-1]
    assert "spark-catalog" in SERVICES["code"]["depends_on"]
    assert "libpostgresql-jdbc-java" in (DEPLOY / "spark" / "Containerfile").read_text()
    defaults = (DEPLOY / "spark" / "spark-defaults.conf").read_text()
    assert "extraClassPath /usr/share/java/postgresql.jar" in defaults


def test_the_image_copies_what_there_is_and_is_not_run_by_root() -> None:
    text = (DEPLOY / "spark" / "Containerfile").read_text()
    for source in re.findall(r"^COPY (?!--from)(\S+) \S+$", text, re.MULTILINE):
        assert (CHECKOUT / source).exists(), source
        assert f"!{source.split('/')[0]}" in (CHECKOUT / ".dockerignore").read_text()
    assert re.findall(r"^USER (\S+)$", text, re.MULTILINE)[-1] == "10001:10001"
