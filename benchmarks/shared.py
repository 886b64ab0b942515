"""Measures of machines that share a lake: the same dumps, taken in by one and by two at once.

The store is moto's server, on this machine, as are the machines: processes with one thread each.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from urllib.request import Request, urlopen

from benchmarks.days import Reading
from benchmarks.workbench import Run, Workbench, event_files, warm

_FIRST_DAY = date(2026, 3, 2)
_DAYS = 12
_EVENTS_PER_DAY = 300_000
_BUCKET = "walkhouse"


def ingest_speed_up(bench: Workbench) -> Reading:
    """Seconds of one process that takes in all dumps over those of two at once."""
    landing = bench.landing(start=_FIRST_DAY, days=_DAYS, events_per_day=_EVENTS_PER_DAY)
    warm(event_files(landing))
    with _store() as variables:
        one, (alone,) = _take_in(bench, landing, variables, machines=1)
        two, both = _take_in(bench, landing, variables, machines=2)
    return Reading(
        one / two,
        f"{_DAYS} dumps of {bench.events(_EVENTS_PER_DAY):,} events a working day in {one:.1f} s,"
        f" then in {two:.1f} s; processor time {alone.processor_seconds:.1f} s, then"
        f" {' and '.join(f'{run.processor_seconds:.1f} s' for run in both)}",
    )


def _take_in(
    bench: Workbench, landing: Path, variables: dict[str, str], *, machines: int
) -> tuple[float, list[Run]]:
    """Take in a landing into a new lake; how long it took, and what each machine did.

    The machines have taken in something before, into a lake of their own.
    """
    little = bench.landing(start=_FIRST_DAY, days=1, events_per_day=1)
    installations = []
    for number in range(machines):
        name = f"shared-{machines}-{number}"
        new = bench.installation(name, landing=little)
        own = variables | _settings(f"lake-of-{name}")
        bench.walkhouse(new, "run", "--ingest-only", log=f"{name}-before", variables=own)
        installations.append(replace(new, landing=landing))

    def run(number: int) -> Run:
        return bench.walkhouse(
            *(installations[number], "run", "--ingest-only"),
            log=f"shared-{machines}-{number}",
            variables=variables | _settings(f"lake-of-{machines}"),
        )

    with ThreadPoolExecutor(machines) as at_once:
        began = time.perf_counter()
        runs = list(at_once.map(run, range(machines)))
        return time.perf_counter() - began, runs


def _settings(lake: str) -> dict[str, str]:
    """Of a machine with one thread that shares a lake."""
    return {"WALKHOUSE_SHARED_LAKE": f"s3://{_BUCKET}/{lake}", "WALKHOUSE_THREADS": "1"}


@contextmanager
def _store() -> Iterator[dict[str, str]]:
    """A store with an empty bucket, as the variables by which it is found."""
    # Imported here, because only tests need it otherwise.
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # it names every request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        urlopen(Request(f"{endpoint}/moto-api/reset", method="POST")).close()
        urlopen(Request(f"{endpoint}/{_BUCKET}", method="PUT")).close()
        yield {
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "benchmarks",
            "AWS_SECRET_ACCESS_KEY": "benchmarks",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    finally:
        server.stop()
