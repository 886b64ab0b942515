"""Runs of the shell, recorded as runs of the jobs that they are.

Dagster's timeline shows a run under its job only if the run says which code location the job is of.
A run that a process executes by itself says nothing of the kind unless it is told.
"""

from __future__ import annotations

import getpass
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import dagster as dg

CODE_LOCATION = "walkhouse"
"""As in `workspace.yaml`."""

STARTED_BY = "walkhouse/started_by"


def who_started() -> Mapping[str, str]:
    """Tags that say who started a run, and how; Dagster shows `user` beside the run."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        user = "unknown"
    return {"user": user, STARTED_BY: f"walkhouse run on {socket.gethostname()}"}


@contextmanager
def recorded_as(job: str, instance: dg.DagsterInstance) -> Iterator[None]:
    """Runs that the instance creates meanwhile are runs of a job of Walkhouse's code location.

    The location is given in the form in which Dagster stores it with every run. Each version of
    Dagster reads what older ones stored, so this form outlives the classes behind it.
    """
    stored = {
        "__class__": "ExternalPipelineOrigin",
        "external_repository_origin": {
            "__class__": "ExternalRepositoryOrigin",
            "repository_location_origin": {
                "__class__": "RegisteredRepositoryLocationOrigin",
                "location_name": CODE_LOCATION,
            },
            "repository_name": "__repository__",
        },
        "pipeline_name": job,
    }
    origin: Any = dg.deserialize_value(json.dumps(stored))
    create = instance.create_run_for_job
    instance.create_run_for_job = partial(create, remote_job_origin=origin)  # type: ignore[method-assign]  # for as long as the run takes
    try:
        yield
    finally:
        instance.create_run_for_job = create  # type: ignore[method-assign]  # as it was
