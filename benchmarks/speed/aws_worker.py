"""The worker on moto's side: ``python -m benchmarks.speed.aws_worker [URL]``.

Without URL its calls go to moto in this process; with it, to moto's server there. It runs under an
interpreter of its own, which has moto and boto3 and nothing of OCI's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import boto3  # type: ignore[import-not-found,unused-ignore]
from moto import mock_aws  # type: ignore[import-not-found,unused-ignore]

from .protocol import rate, serve

BODY = b"x" * 1024
LISTED = 1000
GROUPS = 20


class Worker:
    """The same calls as on OCI's side, where AWS has them."""

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._ready = False
        self._number = 0
        self._created: list[str] = []
        self._objects: Any = None
        self._identity: Any = None

    def measure(self, call: str, seconds: float) -> float:
        """Calls a second."""
        if not self._ready:
            self._prepare()
        calls: dict[str, Callable[[], Any]] = {
            "put": self._put,
            "get": lambda: self._objects.get_object(Bucket="small", Key="one")["Body"].read(),
            "list": lambda: self._objects.list_objects_v2(Bucket="many", MaxKeys=LISTED),
            "create_group": self._create_group,
            "get_group": lambda: self._identity.get_group(GroupName="group1"),
            "list_groups": lambda: self._identity.list_groups(MaxItems=100),
        }
        try:
            return rate(calls[call], seconds, own_work=not self._url)
        finally:
            self._tidy()

    def enter(self, seconds: float) -> float:
        """How often a second a mock is entered and left again."""

        def once() -> None:
            with mock_aws():
                pass

        return rate(once, seconds, own_work=True)

    def _prepare(self) -> None:
        if self._url is None:
            mock_aws().start()  # ends with the process
        options = {"region_name": "us-east-1", "endpoint_url": self._url}
        self._objects = boto3.client("s3", **options)
        self._identity = boto3.client("iam", **options)
        for bucket in ("small", "many"):
            # Public, for the HTTP benchmark, which signs nothing.
            self._objects.create_bucket(Bucket=bucket, ACL="public-read")
        self._put()
        for number in range(LISTED):
            self._objects.put_object(Bucket="many", Key=f"objects/{number:06d}", Body=BODY)
        for _ in range(GROUPS):
            self._create_group()
        self._created.clear()
        self._ready = True

    def _tidy(self) -> None:
        for name in self._created:
            self._identity.delete_group(GroupName=name)
        self._created.clear()

    def _put(self) -> Any:
        return self._objects.put_object(
            Bucket="small", Key="one", Body=BODY, **({"ACL": "public-read"} if self._url else {})
        )

    def _create_group(self) -> Any:
        self._number += 1
        name = f"group{self._number}"
        self._created.append(name)
        return self._identity.create_group(GroupName=name)


if __name__ == "__main__":
    os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none")
    worker = Worker(sys.argv[1] if len(sys.argv) > 1 else None)
    serve({"measure": worker.measure, "enter": worker.enter})
