"""The rows: one writer, many readers, each change one transaction."""

from monitord.store.audit import Violation, audit
from monitord.store.chain import verify_chain
from monitord.store.readers import Readers
from monitord.store.store import TEMPORARY, Door, OpenStore, open_reader, open_store

__all__ = [
    "TEMPORARY",
    "Door",
    "OpenStore",
    "Readers",
    "Violation",
    "audit",
    "open_reader",
    "open_store",
    "verify_chain",
]
