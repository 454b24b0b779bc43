"""A core for the tests of this folder: one process per file, with both event loops."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.cores import FakeCore


@pytest.fixture(scope="module")
def core() -> Iterator[FakeCore]:
    with FakeCore(uvloop=True) as running:
        yield running
