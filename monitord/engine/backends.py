"""The configured ticket backends as objects: built when first used, called in threads of their own.

A backend blocks, and one that hangs may delay only itself. Nothing is decided here.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import ParamSpec, TypeVar

from monitord import secrets
from monitord.clock import after
from monitord.engine.instance import Instance
from monitord.errors import TicketError
from monitord.model.catalog import Backend
from monitord.model.ids import Instant
from monitord.model.kinds import BackendKind, TicketBackend
from monitord.secrets import SecretRef
from monitord.store import Door

_AT_ONCE = 2  # calls to one backend
P = ParamSpec("P")
T = TypeVar("T")


class Backends:
    """Builds each backend once per configuration of it."""

    def __init__(self, instance: Instance, kinds: Mapping[str, BackendKind], door: Door) -> None:
        self._instance = instance
        self._kinds = kinds
        self._door = door
        self._built: dict[str, tuple[Backend, TicketBackend]] = {}
        self._threads: dict[str, ThreadPoolExecutor] = {}
        self._quiet: dict[str, Instant] = {}  # until when a backend asked for quiet

    def names(self) -> list[str]:
        """Give the names that are configured now."""
        return list(self._instance.catalog.backends)

    def get(self, name: str) -> TicketBackend:
        """Give a backend.

        Raises:
            TicketError: it is no longer configured.
        """
        configured = self._instance.catalog.backends.get(name)
        if configured is None:
            raise TicketError(f"backend {name} is no longer configured", permanent=True)
        built = self._built.get(name)
        if built is None or built[0] != configured:
            built = self._built[name] = (configured, self.made(configured))
        return built[1]

    def leave_alone(self, name: str, seconds: float) -> None:
        """Note that a backend asked for quiet (Retry-After): for writing and reading alike."""
        until = after(self._instance.now(), timedelta(seconds=seconds))
        self._quiet[name] = max(until, self.quiet_until(name))

    def quiet_until(self, name: str) -> Instant:
        """Give until when a backend is to be left alone; the beginning of time when it is not."""
        return self._quiet.get(name, Instant(0))

    def made(self, backend: Backend) -> TicketBackend:
        """Make a backend of its kind that nobody keeps."""
        return self._kinds[backend.kind].build(backend.spec, _resolve)

    async def call(
        self, name: str, work: Callable[P, T], /, *given: P.args, **named: P.kwargs
    ) -> T:
        """Run a backend's method in one of its threads; raises what it raises."""
        if name not in self._threads:
            self._threads[name] = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix=f"outbox-{name}")
        self._door.entered()
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads[name], lambda: work(*given, **named)
            )
        finally:
            self._door.left()

    def close(self) -> None:
        """Let nothing new begin; what is under way ends by its own time-outs."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)


def _resolve(value: str | SecretRef) -> str:
    return secrets.resolve(value) if isinstance(value, SecretRef) else value
