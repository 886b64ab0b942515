"""An object store as tests use it: a real server of the S3 protocol on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

KEY, SECRET = "AKIA0TESTS0WALKHOUSE", "a-secret-that-nobody-may-print"


@dataclass(frozen=True)
class ObjectStore:
    """A server with one bucket."""

    endpoint: str
    bucket: str = "walkhouse"

    @property
    def environment(self) -> dict[str, str]:
        """The variables under which AWS clients use it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, service: str = "s3") -> Any:
        """A client that shares no code with Walkhouse's."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            region_name="us-east-1",
        )

    def put(self, key: str, content: bytes) -> None:
        """Write an object."""
        self.client().put_object(Bucket=self.bucket, Key=key, Body=content)

    def get(self, key: str) -> bytes:
        """Read an object."""
        content: bytes = self.client().get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return content

    def keys(self, prefix: str = "") -> list[str]:
        """All keys that begin with a text."""
        pages = self.client().get_paginator("list_objects_v2")
        return [
            entry["Key"]
            for page in pages.paginate(Bucket=self.bucket, Prefix=prefix)
            for entry in page.get("Contents", ())
        ]


@contextmanager
def object_store() -> Iterator[ObjectStore]:
    """A server, for as long as it is needed."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        store = ObjectStore(f"http://{host}:{port}")
        # All servers of a process hold the same objects, those of tests before this one too.
        urlopen(Request(f"{store.endpoint}/moto-api/reset", method="POST")).close()
        store.client().create_bucket(Bucket=store.bucket)
        S3FileSystem.clear_instance_cache()  # which knows no change of the environment
        yield store
    finally:
        S3FileSystem.clear_instance_cache()
        server.stop()


@contextmanager
def object_store_of_environment() -> Iterator[ObjectStore]:
    """A server that this process and those that it starts take from their environment."""
    with object_store() as running, pytest.MonkeyPatch.context() as patched:
        for name, value in running.environment.items():
            patched.setenv(name, value)
        yield running
