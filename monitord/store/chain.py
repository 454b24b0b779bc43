"""The audit chain: one per node, each link's digest covers the one before it.

A changed, removed or inserted link breaks it. Its first link may have been pruned away: then the
digest it stood on is kept as the anchor. Its last digest is kept apart, so that a cut-off end
shows. Who wrote what, and whether they were allowed to, is not judged here.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from monitord.model.effect import canonical
from monitord.model.ids import Instant
from monitord.model.ticket import AuditRow
from monitord.store.columns import storable
from monitord.store.contract import View
from monitord.store.tables import AUDIT
from monitord.store.upsert import get_meta, put_meta

_PAGE = 1000
# Named values, by node: the digest of its last link, and of the one that its first link stands on.
_HEAD, _ANCHOR = "audit-head/", "audit-anchor/"


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain does not hold: the link's id (0: the end is missing), and what is wrong."""

    link: int
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk over all chains found: how many links, the breaks in their order, the ends.

    `known` are those of the digests that were asked for which links bear, or which the first link
    of a chain stands on since the ones before it are not kept any more.
    """

    links: int
    breaks: tuple[Break, ...]
    ends: tuple[AuditRow, ...]
    known: frozenset[str] = frozenset()


def digest(before: str, node: str, at: Instant, actor: str, texts: tuple[str, str, str]) -> str:
    """Give the SHA-256 (hex) of one link; `texts` are act, subject and detail."""
    content = canonical([before, node, at, actor, *texts])
    return hashlib.sha256(content.encode()).hexdigest()


def append(
    connection: Connection,
    *,
    node: str,
    epoch: int,
    at: Instant,
    actor: str,
    texts: tuple[str, str, str],
) -> None:
    """Add a link to the end of `node`'s chain."""
    actor, act, subject, detail = (storable(text) for text in (actor, *texts))
    before = get_meta(connection, _HEAD + node) or ""
    new = digest(before, node, at, actor, (act, subject, detail))
    row = AuditRow(0, at, actor, act, subject, detail, before, new, node)
    connection.execute(insert(AUDIT.table).values(AUDIT.codec.store_new(row) | {"epoch": epoch}))
    put_meta(connection, _HEAD + node, new)


def verify_chain(view: View) -> list[Break]:
    """Check every link of every chain; gives the breaks, none if all hold."""
    return list(walk(view).breaks)


def walk(view: View, asked: Iterable[str] = ()) -> Verdict:
    """Check every link of every chain; `asked` are digests that were noted elsewhere before.

    Whoever can write the database can make a whole chain anew: then it holds, but does not know
    what was noted.
    """
    breaks: list[Break] = []
    heads, ends = view.metas(_HEAD), view.metas(_ANCHOR)
    wanted, known, count = frozenset(asked), set(ends.values()), 0
    for row in _links(view):
        breaks += _check(row, ends.get(row.node, ""))
        ends[row.node] = row.digest
        count += 1
        known |= {row.digest} & wanted
    for node in sorted(heads.keys() | ends.keys()):
        if heads.get(node) != ends.get(node):
            breaks.append(Break(0, f"the chain of node {node!r} has lost its end"))
    return Verdict(count, tuple(breaks), tuple(view.audit_ends()), wanted & known)


def _links(view: View) -> Iterator[AuditRow]:
    after = 0
    while rows := view.audit_rows(after, _PAGE):
        yield from rows
        after = rows[-1].id


def _check(row: AuditRow, end: str) -> Iterator[Break]:
    if row.before != end:
        yield Break(row.id, f"link {row.id} does not follow the link before it")
    texts = (row.act, row.subject, row.detail)
    if digest(row.before, row.node, row.at, row.actor, texts) != row.digest:
        yield Break(row.id, f"link {row.id} was changed after it was written")


def cut_before(connection: Connection, before: Instant) -> int:
    """Remove the oldest links up to `before`, never one from the middle; gives how many."""
    c = AUDIT.table.c
    nodes = connection.execute(select(c.node).distinct()).scalars().all()
    return sum(_cut_node(connection, node, before) for node in nodes)


def _cut_node(connection: Connection, node: str, before: Instant) -> int:
    c = AUDIT.table.c
    keep = select(c.id).where(c.node == node, c.at >= before).order_by(c.id).limit(1)
    first = connection.execute(keep).scalar()
    old = [c.node == node] if first is None else [c.node == node, c.id < first]
    last = connection.execute(select(c.digest).where(*old).order_by(c.id.desc()).limit(1)).scalar()
    if last is None:
        return 0
    put_meta(connection, _ANCHOR + node, last)
    return connection.execute(AUDIT.table.delete().where(*old)).rowcount
