"""A real executor process, and the core's side of it: a real store with intents, and the socket."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.executor.core import Core


@pytest.fixture
def core(tmp_path: Path) -> Iterator[Callable[..., Core]]:
    """Give a function that starts an executor on hosts (YAML text) and runbooks (name → YAML)."""
    with contextlib.ExitStack() as stack:
        yield lambda **given: stack.enter_context(Core(tmp_path, **given))
