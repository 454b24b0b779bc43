"""Asks the sources of hosts and keeps each answer that can be believed.

An answer that is empty, much smaller than the last, or wrong in one row changes nothing: the last
good one stays. A host that is missing is kept and marked; a person lets it go.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from monitord.clock import Clock
from monitord.config import kept
from monitord.decisions.ticket_document import iso
from monitord.errors import CommandRefusedError, ConfigError, MonitordError, NotFoundError, Problem
from monitord.executor.inventory import ansible, netbox, script, tables
from monitord.executor.inventory.rows import Answer, rows_of
from monitord.model.ids import Instant
from monitord.model.inventory import Inventory, Row

_SMALLEST = 0.8  # share of the last answer that a new one must have
_TOLD = 20  # mistakes of one answer that are told


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What an answer changed against what was kept."""

    source: str
    hosts: int
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()


async def refresh(source: Inventory, clock: Clock, *, smaller: bool = False) -> Refreshed:
    """Ask a source and keep its answer; `smaller`: a person says that so few hosts are right.

    Raises:
        ConfigError: rows are wrong, each with file, line and cure.
        MonitordError: it could not be asked, or its answer cannot be believed.
    """
    last = kept.asked(source)
    digest = last.hash if last else ""
    try:
        rows = rows_of(source, await _ask(source))
        before = kept.hosts(source)
        _believe(source, rows, before, smaller=smaller)
    except MonitordError as error:
        kept.note(source, clock.now(), digest, str(error))
        raise
    found, told = _merged(source, rows, before, clock.now())
    kept.keep(source, found, clock.now(), kept.digest_of(rows))
    return told


async def _ask(source: Inventory) -> Answer:
    model = source.model
    if model.csv is not None:
        return tables.read(Path(source.folder) / model.csv.file, model.csv.separator)
    if model.ansible is not None:
        return ansible.read(Path(source.folder) / model.ansible.file)
    if model.netbox is not None:
        return await netbox.read(model.netbox)
    if model.script is None:
        raise MonitordError(f"inventory {source.name} has no source")
    return await script.read(model.script)


def _believe(
    source: Inventory, rows: Sequence[Row], before: Mapping[str, kept.Host], *, smaller: bool
) -> None:
    seen: dict[str, Row] = {}
    problems = []
    for row in rows:
        first = seen.setdefault(row.name, row)
        if first is not row:
            text = f"host {row.name} is listed twice (first in line {first.line}); remove one"
            problems.append(Problem(row.file, row.line, 1, text))
    if problems:
        raise ConfigError(problems[:_TOLD])
    known = sum("vanished" not in host for host in before.values())
    if not rows:
        raise MonitordError(
            f"inventory {source.name}: the answer is empty, which is never believed "
            f"({known} hosts are kept)"
        )
    if len(rows) < known * _SMALLEST and not smaller:
        raise MonitordError(
            f"inventory {source.name}: the answer has {len(rows)} hosts, the last one had {known}: "
            "more than 20 % fewer is not believed (if it is right: monitord inventory refresh "
            f"{source.name} --smaller)"
        )


def _merged(
    source: Inventory, rows: Sequence[Row], before: Mapping[str, kept.Host], now: Instant
) -> tuple[dict[str, kept.Host], Refreshed]:
    found = {row.name: kept.row_to_json(row) for row in rows}
    new = [name for name in found if name not in before]
    returned = [name for name in found if "vanished" in before.get(name, {})]
    changed = [
        name
        for name, host in found.items()
        if name in before and name not in returned and _says(before[name]) != _says(host)
    ]
    gone = sorted(name for name in before if name not in found)
    for name in gone:
        found[name] = {"vanished": iso(now), **before[name]}
    fresh = [name for name in gone if "vanished" not in before[name]]
    told = Refreshed(
        source.name, len(rows), tuple(new), tuple(changed), tuple(fresh), tuple(returned)
    )
    return found, told


def _says(host: kept.Host) -> kept.Host:
    """Leave out where it says it: a line more above it is no change."""
    return {key: value for key, value in host.items() if key != "from"}


def accept(source: Inventory, names: Sequence[str], clock: Clock) -> list[str]:
    """Let vanished hosts go (none named: all of them); gives their names.

    Raises:
        NotFoundError: a host has not vanished from this source.
        CommandRefusedError: none has.
    """
    hosts = kept.hosts(source)
    gone = [name for name, host in hosts.items() if "vanished" in host]
    for name in names:
        if name not in gone:
            state = "is still listed there" if name in hosts else "is not one of its hosts"
            raise NotFoundError(f"{name} has not vanished from {source.name}: it {state}")
    chosen = list(names) or gone
    if not chosen:
        raise CommandRefusedError(f"no host has vanished from {source.name}")
    last = kept.asked(source)
    rest = {name: host for name, host in hosts.items() if name not in chosen}
    at, digest = (last.at, last.hash) if last else (clock.now(), "")
    kept.keep(source, rest, at, digest)
    if last and last.problem:
        kept.note(source, at, digest, last.problem)
    return chosen
