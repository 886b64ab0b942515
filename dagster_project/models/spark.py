"""The Spark that builds the models: what it needs, and what it says in one sentence.

Most of what goes wrong is found out before a Spark is started, which takes minutes to give up, and
says so in a hundred lines of Java.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import shutil
import socket
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SPARK_VERSION = "3.5"
"""The Spark that the project is tested with; Iceberg has a runtime for each."""

EXTENSIONS = ("avro", "iceberg")
"""Of DuckDB, by which a release is read from tables of Iceberg."""

_EXTRA = "pip install 'walkhouse[spark]'"
_MASTER_PORT = 7077
_PATIENCE = 5.0  # seconds
_NAMED_NODES = 3

# What to do about a reason, by a pattern in it; the first that fits.
_ADVICE = (
    (
        r"No space left on device|File too large|Disk quota exceeded",
        "make room on the disk of the machine that it names, or of the warehouse, and run again",
    ),
    (
        r"Java gateway process exited|UnsupportedClassVersion|getSubject is not supported",
        "Java did not start Spark: it has to be Java 17 or 11 (JAVA_HOME says which is used)",
    ),
    (
        r"stopped SparkContext|SparkContext was (stopped|shut down)|masters are unresponsive"
        r"|Answer from Java side is empty|Error while sending or receiving"
        r"|An error occurred while trying to connect to the Java server|Connection refused",
        "the Spark that WALKHOUSE_SPARK_REMOTE names ended, does not answer, or is none of version "
        f"{SPARK_VERSION}; see its own logs, and run again",
    ),
    (
        r"OutOfMemoryError|ExecutorLostFailure|Container killed|exit code 137",
        "give its machines more memory (spark.executor.memory, spark.driver.memory), or see their "
        "logs, and run again",
    ),
    (
        r"unresolved dependency|UNRESOLVED DEPENDENCIES|ClassNotFoundException"
        r"|NoClassDefFoundError|Cannot find catalog plugin class",
        "Iceberg for Spark could not be loaded: without a network, name a jar in "
        "WALKHOUSE_SPARK_ICEBERG",
    ),
    (
        r"AccessControlException|AccessDenied|Permission denied",
        "let the accounts of Spark's machines read the lake and write the warehouse",
    ),
)


class CatalogError(RuntimeError):
    """A catalog does not tell of a table, or does not change it; the message says why."""


@contextlib.contextmanager
def session_of_spark() -> Iterator[Any]:
    """The session of the Spark of this process.

    Raises:
        CatalogError: it, or its Java, did not do what it was asked.
    """
    errors = importlib.import_module("pyspark.errors")
    java = importlib.import_module("py4j.protocol")
    try:
        session = importlib.import_module("pyspark.sql").SparkSession.builder.getOrCreate()
        # Java asks the session of a thread for its catalog, and another thread may have begun it.
        session._jvm.org.apache.spark.sql.SparkSession.setActiveSession(session._jsparkSession)
        yield session
    except (errors.PySparkException, java.Py4JError) as error:
        raise CatalogError(reason_of(str(error))) from None


def metadata_in_catalog(schema: str, table: str) -> str:
    """The file that has the metadata of a table now, by the catalog of the Spark of this process.

    Raises:
        CatalogError: the catalog does not know the table, or does not answer.
    """
    with session_of_spark() as session:
        found = iceberg_table(session, schema, table)
        return str(found.operations().current().metadataFileLocation())


def iceberg_table(session: Any, schema: str, table: str) -> Any:
    """A table as Iceberg itself has it, in Java, as it is now: asking it takes no query."""
    iceberg = session._jvm.org.apache.iceberg.spark.Spark3Util
    found = iceberg.loadIcebergTable(session._jsparkSession, f"`{schema}`.`{table}`")
    found.refresh()
    return found


def missing_for_spark(remote: str = "local[*]") -> str:
    """What a build on Spark needs and is not here, and what to do; empty if all is there.

    Args:
        remote: the master; somebody has to listen at its address, if it has one.
    """
    try:
        found = version("pyspark")
        version("dbt-spark")
    except PackageNotFoundError as error:
        return f"{error.name} is not installed: {_EXTRA}"
    if not found.startswith(f"{SPARK_VERSION}."):
        return (
            f"PySpark {found} is installed, and Iceberg's tables are written by Spark "
            f"{SPARK_VERSION}: {_EXTRA}"
        )
    home = os.environ.get("JAVA_HOME")
    if not (Path(home, "bin", "java").exists() if home else shutil.which("java")):
        where = f" in JAVA_HOME={home}" if home else ""
        return f"there is no Java{where}: install Java 17 (openjdk-17-jre-headless), or 11"
    for name in EXTENSIONS:
        if find_spec(extension_package(name)) is None:
            return f"DuckDB's extension {name} is not installed: {_EXTRA}"
    return _other_spark() or unreachable(remote)


def extension_package(extension: str) -> str:
    """The package that carries an extension of DuckDB."""
    return f"duckdb_extension_{extension}"


def _other_spark() -> str:
    """SPARK_HOME has PySpark start a Spark that is not its own."""
    home = os.environ.get("SPARK_HOME")
    if not home:
        return ""
    jars = sorted(path.name for path in Path(home, "jars").glob("spark-core_*.jar"))
    if not jars:
        return f"SPARK_HOME={home} has no Spark: unset SPARK_HOME"
    if not any(re.search(rf"-{re.escape(SPARK_VERSION)}\.\d+\.jar$", name) for name in jars):
        return (
            f"SPARK_HOME={home} is another Spark ({jars[0]}) than {SPARK_VERSION}: unset SPARK_HOME"
        )
    return ""


def unreachable(remote: str) -> str:
    """Why a master cannot be asked; empty if it can, or if it has no address.

    Args:
        remote: as the setting `spark_remote`. Of several masters, one has to listen.
    """
    if remote == "yarn":
        if os.environ.get("HADOOP_CONF_DIR") or os.environ.get("YARN_CONF_DIR"):
            return ""
        return "HADOOP_CONF_DIR has to name the folder that says where YARN is"
    if not (addresses := re.fullmatch(r"(?:spark|k8s)://(?:https?://)?([^/\s]+)/?", remote)):
        return ""
    port_of_kind = _MASTER_PORT if remote.startswith("spark:") else 443
    reasons = []
    for address in addresses[1].split(","):
        host, _, port = address.rpartition(":") if ":" in address else (address, "", "")
        try:
            place = (host.strip("[]"), int(port or port_of_kind))
            with socket.create_connection(place, timeout=_PATIENCE):
                return ""
        except (OSError, ValueError, OverflowError) as error:
            reasons.append(f"{address}: {getattr(error, 'strerror', None) or error}")
    return (
        f"no Spark listens at {remote} ({'; '.join(reasons)}): start it, or let "
        "WALKHOUSE_SPARK_REMOTE name another"
    )


def reason_of(message: str) -> str:
    """What went wrong, in one line, and what to do: of a stack trace of Java, the innermost cause.

    Args:
        message: what Spark, PySpark or dbt said.
    """
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    causes = [line.removeprefix("Caused by: ") for line in lines if line.startswith("Caused by: ")]
    raised = [line.lstrip(": ") for line in lines if re.match(r":\s*[\w.$]+(: |$)", line)]
    said = [line for line in lines if not re.match(r"(dbt \w+: )?\w+ Error( in |$)", line)]
    reason = (causes[-1:] or raised[:1] or said[:1] or lines[:1] or ["Spark gave no reason"])[0]
    # The kind of an error without its package; what stands after a plan's position is the plan.
    reason = re.sub(r"^(?:[a-z][\w$]*\.)+(?=[A-Z])", "", reason)
    reason = re.sub(r"; line \d+ pos \d+;?$", "", reason).rstrip(" .;:")
    for pattern, advice in _ADVICE:
        if re.search(pattern, reason) or re.search(pattern, message):
            return f"{reason}; {advice}"
    return reason


def reasons_of(failures: Iterable[tuple[str, str]]) -> list[str]:
    """One line for each reason, with the models that failed for it.

    Args:
        failures: model and message of each.
    """
    by_reason: dict[str, list[str]] = {}
    for node, message in failures:
        by_reason.setdefault(reason_of(message), []).append(node)
    return [
        f"{', '.join(nodes[:_NAMED_NODES])}"
        + (f" and {len(nodes) - _NAMED_NODES} more" if len(nodes) > _NAMED_NODES else "")
        + f": {reason}"
        for reason, nodes in by_reason.items()
    ]
