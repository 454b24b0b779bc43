"""Which check proves a repair: `verify: {check: …}` bound to a host, and known to be there.

A passive check cannot be looked at, so its ladder needs a proof that can.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from monitord.config.context import Context
from monitord.config.names import nearest
from monitord.model.catalog import Check, Rung
from monitord.model.ids import CheckKey, check_key
from monitord.model.inbound import PASSIVE

if TYPE_CHECKING:  # it imports the module that binds a rung to its host
    from monitord.config.attach import Attached


def bound(rungs: tuple[Rung, ...], host: str) -> tuple[Rung, ...]:
    """Give the rungs with the whole key of what proves them: a mere name is a check of the host."""
    if not any(rung.verify.check and "/" not in rung.verify.check for rung in rungs):
        return rungs
    return tuple(_bound(rung, host) for rung in rungs)


def _bound(rung: Rung, host: str) -> Rung:
    name = rung.verify.check
    if not name or "/" in name:
        return rung
    return replace(rung, verify=replace(rung.verify, check=check_key(host, name)))


def judge(context: Context, found: "Iterable[Attached]", built: Mapping[CheckKey, Check]) -> None:
    """Note each proof that is not there, and each ladder of a passive check without one."""
    for item in found:
        check = built.get(check_key(item.host.name, item.name))
        for index, rung in enumerate(check.remediate if check is not None else ()):
            wrong = _wrong(item.prepared.merged.kind, rung, built)
            if wrong:
                place, _ = item.prepared.merged.locate_common(("remediate", index))
                context.add_once(place, f"{item.name}: {rung.runbook}: verify: {wrong}")


def _wrong(kind: str, rung: Rung, built: Mapping[CheckKey, Check]) -> str:
    key = rung.verify.check
    if key and key not in built:
        return f"check: there is no check {key}{nearest(key, built)}"
    if key and built[CheckKey(key)].kind == PASSIVE:
        return f"check: {key} is passive and cannot be looked at (name one that looks by itself)"
    if kind == PASSIVE and not key:
        return (
            "a passive check cannot be looked at, so nothing would prove the repair "
            "(write verify: {check: NAME} with a check that looks by itself)"
        )
    return ""
