"""The stage that delivers tickets: oldest first, in order per backend and incident, with back-off.

The error says whether trying again can help; this is the one place that tries again. A message
refused for good is DEAD and becomes a problem of monitord's own health.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from monitord import secrets
from monitord.clock import after
from monitord.engine.instance import Instance
from monitord.errors import SecretError, TicketError
from monitord.log import get_logger
from monitord.model.catalog import Backend
from monitord.model.ids import Instant
from monitord.model.kinds import BackendKind, TicketBackend
from monitord.model.ticket import Delivery, Event, OutboxItem, OutboxStatus
from monitord.secrets import SecretRef
from monitord.store import Door
from monitord.store.contract import Tx, View

log = get_logger(__name__)

_FIRST_RETRY = 5.0  # seconds
_DOUBLINGS = 10  # beyond, the longest is reached anyway and a float would overflow
_LONGEST_RETRY = 120.0  # seconds: a server that is back is served within two minutes
_P = OutboxStatus.PENDING


class Outbox:
    """Sends what the outbox holds. Backends block, so each delivery runs in a worker thread."""

    def __init__(self, instance: Instance, kinds: Mapping[str, BackendKind], door: Door) -> None:
        self._instance = instance
        self._kinds = kinds
        self._door = door
        self._built: dict[str, tuple[Backend, TicketBackend]] = {}
        self._threads: dict[str, ThreadPoolExecutor] = {}

    def waiting(self, view: View, due_by: Instant) -> list[OutboxItem]:
        """Give the messages due by then, of each backend its own share: none hides another's."""
        found = {item.id: item for item in view.outbox(status=_P, due_by=due_by)}
        for backend in self._instance.catalog.backends:
            mine = view.outbox(status=_P, due_by=due_by, backend=backend)
            found.update({item.id: item for item in mine})
        return [found[number] for number in sorted(found)]

    def begin(self, item: OutboxItem) -> None:
        """Begin a delivery that is due, unless one to the same incident's ticket is under way."""
        name = f"deliver {item.backend} {item.incident}"
        if not self._instance.busy(name):
            self._instance.start(name, self._deliver(item))

    def close(self) -> None:
        """Let nothing new begin; what is under way ends by its own time-outs."""
        for threads in self._threads.values():
            threads.shutdown(wait=False, cancel_futures=True)

    async def _deliver(self, item: OutboxItem) -> None:
        instance = self._instance
        # Asked again: between the look that found it and now, an earlier delivery may have ended.
        external, pending = await instance.store.read(lambda view: _still(view, item))
        if not pending:
            return
        try:
            backend = self._backend(item.backend)
            document = json.loads(item.body)
            self._door.entered()
            try:
                delivery = await asyncio.get_running_loop().run_in_executor(
                    self._threads_of(item.backend), backend.deliver, item, document, external
                )
            finally:
                self._door.left()
        except (TicketError, SecretError) as error:
            await instance.insist(self._failed(item, error))
            return
        except Exception as error:
            log.exception("ticket backend failed", backend=item.backend)  # the message stays
            wrapped = TicketError(f"{type(error).__name__}: {error}", permanent=False)
            await instance.insist(self._failed(item, wrapped))
            return
        await instance.insist(self._sent(item, delivery))
        instance.counters.delivered[item.backend] += 1

    def _sent(self, item: OutboxItem, delivery: Delivery) -> Callable[[Tx], None]:
        now = self._instance.now()
        text = f"{item.operation} delivered to {item.backend}"
        if delivery.external:
            text += f" as {delivery.external}"

        def work(tx: Tx) -> None:
            moved = tx.move_outbox(
                item.id, _P, OutboxStatus.SENT, external=delivery.external, tries=item.tries + 1
            )
            if moved:
                tx.add_events([Event(item.incident, now, "delivered", text)])

        return work

    def _failed(self, item: OutboxItem, error: TicketError | SecretError) -> Callable[[Tx], None]:
        now = self._instance.now()
        self._instance.counters.undelivered[item.backend] += 1
        permanent = isinstance(error, TicketError) and error.permanent
        retry_after = error.retry_after if isinstance(error, TicketError) else None
        wait = retry_after or min(_FIRST_RETRY * 2 ** min(item.tries, _DOUBLINGS), _LONGEST_RETRY)
        due = after(now, timedelta(seconds=wait))
        log.warning(
            "ticket not delivered", backend=item.backend, error=str(error), permanent=permanent
        )

        def work(tx: Tx) -> None:
            changes = {"tries": item.tries + 1, "last_error": str(error)}
            if permanent:
                tx.move_outbox(item.id, _P, OutboxStatus.DEAD, **changes)
                text = f"{item.backend} refuses {item.operation} for good: {error}"
                tx.add_events([Event(item.incident, now, "undeliverable", text)])
            else:
                tx.change_outbox(item.id, _P, due_at=due, **changes)

        return work

    def _threads_of(self, backend: str) -> ThreadPoolExecutor:
        """Give a backend its own threads: one that hangs delays only itself."""
        if backend not in self._threads:
            self._threads[backend] = ThreadPoolExecutor(2, thread_name_prefix=f"outbox-{backend}")
        return self._threads[backend]

    def _backend(self, name: str) -> TicketBackend:
        configured = self._instance.catalog.backends.get(name)
        if configured is None:
            raise TicketError(f"backend {name} is no longer configured", permanent=True)
        built = self._built.get(name)
        if built is None or built[0] != configured:
            backend = self._kinds[configured.kind].build(configured.spec, _resolve)
            built = self._built[name] = (configured, backend)
        return built[1]


def _still(view: View, item: OutboxItem) -> tuple[str, bool]:
    """Give the backend's own reference, and whether the message still waits."""
    messages = view.messages(item.incident)
    pending = any(each.id == item.id and each.status is _P for each in messages)
    return view.external(item.backend, item.incident), pending


def _resolve(value: str | SecretRef) -> str:
    return secrets.resolve(value) if isinstance(value, SecretRef) else value
