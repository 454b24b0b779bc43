"""The API keeps what its OpenAPI document says, whatever is asked.

A few examples of each route; `make apifuzz` tries many more.
"""

from __future__ import annotations

import os
import socket
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from requests.adapters import HTTPAdapter
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from urllib3.connection import HTTPConnection
from urllib3.connectionpool import HTTPConnectionPool

from monitord.api.app import ROUTES
from monitord.api.openapi import document
from tests.api.cores import FakeCore

EXAMPLES = int(os.environ.get("API_EXAMPLES", "2"))
LONGEST = 150_000  # characters, which JSON may write as six bytes each
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SCHEMA = schemathesis.openapi.from_dict(document(ROUTES, outside=False)).exclude(
    path="/v1/events"  # a stream has no end
)


class _OnSocket(HTTPAdapter):
    """requests over the core's Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        path = self._path

        class Connection(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                sock.connect(path)
                return sock

        class Pool(HTTPConnectionPool):
            ConnectionCls = Connection

        return Pool("monitord", timeout=30)


@pytest.fixture(scope="module")
def asked(core: FakeCore) -> Any:
    with requests.Session() as session:
        session.mount("http://", _OnSocket(str(core.socket)))
        yield session


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_an_answer_is_one_that_the_document_tells(case: Any, asked: requests.Session) -> None:
    if len(repr(case.body)) > LONGEST:
        return  # the connection ends before an answer: tests/api/test_serving.py
    answer = case.call(base_url="http://monitord", session=asked)
    case.validate_response(answer, checks=CHECKS)
