"""Judges tunnels by what their host tells of each peer: WireGuard, and IPsec by strongSwan.

It decides when a peer is silent: WireGuard is silent by design while nobody sends, so an old
handshake is bad only where something was sent, or is sent regularly. It never starts a tunnel.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import Field

from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import HostScript, ScriptProbe, Target
from monitord.model.result import Cause, Measurement, Result, Status
from monitord.model.spec import Duration, Spec, format_duration
from monitord.model.text import one_line
from monitord.probes.host import frames
from monitord.probes.host.tunnel_told import IpsecPeer, WireguardPeer, ipsec, wireguard
from monitord.probes.limits import show_age, show_bytes
from monitord.probes.verdict import Finding, verdict

_KEY_SHOWN = 8  # characters of a public key: enough to tell peers apart
_UP = frozenset({"ESTABLISHED", "REKEYING", "REKEYED"})
_SENT_IN_VAIN = 2048  # bytes: less may be a last word to a peer that just left


class TunnelSpec(Spec):
    """Tunnels of a host, an item each: WireGuard peers, or IPsec connections of strongSwan.

    Both tools ask for root: the reading login needs sudo for `wg show all latest-handshakes`,
    `transfer`, `endpoints` and `persistent-keepalive`, or for `swanctl --list-conns` and
    `--list-sas`.
    """

    example: ClassVar[str] = """\
tunnel:
  type: wireguard
  peers: {branch-ulm: "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="}
  warning_after: 3m
  critical_after: 10m
"""
    rhythm: ClassVar[Mapping[str, str | int]] = {
        "every": "60s", "retry_every": "30s", "attempts": 3, "timeout": "20s"
    }  # fmt: skip

    type: Literal["wireguard", "ipsec"] = Field("wireguard", description="Whose tunnels.")
    peers: dict[str, str] = Field(
        default_factory=dict,
        description="A name for each that must be there, and its public key (WireGuard) or "
        "connection (IPsec). Left out: all that are configured.",
        examples=[{"ulm": "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="}, {"ulm": "gw-ulm"}],
    )
    interface: str = Field(
        "", description="WireGuard: only the peers of this interface.", examples=["wg0"]
    )
    warning_after: Duration = Field(
        default="5m",
        validate_default=True,
        description="WireGuard: a last handshake older than this is a warning, where the peer is "
        "kept alive or was sent something since the last look.",
    )
    critical_after: Duration = Field(
        default="10m", validate_default=True, description="The same, critical."
    )


def ask(spec: TunnelSpec, _target: Target) -> HostScript:
    """Give the script that asks the tool."""
    return frames.script("tunnel", type=spec.type)


def judge(
    spec: TunnelSpec, output: PluginOutput, target: Target, _now: Instant
) -> Sequence[Result]:
    """Give one result per peer."""
    answer = frames.read(output, "tunnel")
    if isinstance(answer, Result):
        return [answer]
    tool, asked = ("swanctl", "sas") if spec.type == "ipsec" else ("wg", "latest-handshakes")
    if answer.code(asked) != 0:
        why = f"tunnel: {tool} does not tell: {answer.complaint or 'no reason given'}"
        cause = Cause.LOGIN if "sudo" in why or "permi" in why.lower() else Cause.PLUGIN
        return [Result.unknown(why, cause)]
    if spec.type == "ipsec":
        return _ipsec(spec, ipsec(answer), target) or [_none("IPsec connection")]
    told = [peer for peer in wireguard(answer) if spec.interface in {"", peer.interface}]
    return _wireguard(spec, told, target, answer.now) or [_none("WireGuard peer")]


def _none(what: str) -> Result:
    text = f"tunnel: no {what} is configured here (is its interface down, or its daemon restarted?)"
    return Result.critical(text)


def _wireguard(
    spec: TunnelSpec, told: Sequence[WireguardPeer], target: Target, now: int
) -> list[Result]:
    named = {key: name for name, key in spec.peers.items()}
    results = [
        _peer(spec, one, named.get(one.key, f"{one.interface} {one.key[:_KEY_SHOWN]}"), target, now)
        for one in told
        if not named or one.key in named
    ]
    there = {one.key for one in told}
    for key, name in named.items():
        if key not in there:
            text = f"no peer with the key {one_line(key[:_KEY_SHOWN])}… is set up here"
            results.append(
                _result(name, [(Status.CRITICAL, f"{text}: was its interface started?")])
            )
    return results


def _peer(spec: TunnelSpec, one: WireguardPeer, name: str, target: Target, now: int) -> Result:
    item = one_line(name, 100)
    last = target.memory.get(item, {})
    sent, heard = _grown(last, "sent", one.sent), _grown(last, "received", one.received)
    age = max(0, now - one.handshake) if one.handshake else None
    expected = one.keepalive > 0 or (sent >= _SENT_IN_VAIN and heard == 0)
    finding: Finding | None = None
    where = f" (it is at {one_line(one.endpoint, 60)})" if one.endpoint else ""
    likely = f": it is down, its keys differ, or UDP is blocked on the way{where}"
    if expected and age is None:
        finding = (Status.CRITICAL, f"has never shaken hands{likely}")
    elif expected and age is not None:
        for status, limit in (
            (Status.CRITICAL, spec.critical_after),
            (Status.WARNING, spec.warning_after),
        ):
            if age > limit.total_seconds():
                text = f"last shook hands {show_age(age)} ago (limit {format_duration(limit)})"
                finding = (status, text + likely)
                break
    good = "not in use" if age is None else f"last shook hands {show_age(age, 1)} ago"
    numbers = _bytes(one.received, one.sent)
    if age is not None:
        numbers = (Measurement("handshake", age, "s", minimum=0), *numbers)
    return _result(item, [finding], good, numbers, {"sent": one.sent, "received": one.received})


def _grown(last: Mapping[str, Any], what: str, now: int) -> int:
    """Give by how much a counter grew since the last look; 0 at the first and after a reset."""
    before = last.get(what)
    return max(0, now - before) if isinstance(before, int) else 0


def _bytes(received: int, sent: int) -> tuple[Measurement, ...]:
    return Measurement("received", received, "c"), Measurement("sent", sent, "c")


def _result(
    item: str,
    findings: Sequence[Finding | None],
    good: str = "",
    numbers: tuple[Measurement, ...] = (),
    memory: Mapping[str, Any] | None = None,
) -> Result:
    result = replace(verdict(item, findings, good, numbers), item=item)
    return replace(result, memory=memory) if memory else result


def _ipsec(spec: TunnelSpec, told: Mapping[str, IpsecPeer], target: Target) -> list[Result]:
    wanted = spec.peers or {name: name for name in told}
    results = []
    for name, connection in sorted(wanted.items()):
        item = one_line(name, 100)
        one = told.get(connection)
        if one is None:
            text = f"no connection {one_line(connection, 60)} is set up here (swanctl --load-conns)"
            results.append(_result(item, [(Status.CRITICAL, text)]))
            continue
        last = target.memory.get(item, {})
        sent, heard = _grown(last, "sent", one.sent), _grown(last, "received", one.received)
        finding = _sick(one) or _deaf(sent, heard)
        good = f"up, {len(one.children)} child SAs installed"
        memory = {"sent": one.sent, "received": one.received}
        numbers = _bytes(one.received, one.sent)
        results.append(_result(item, [finding], good, numbers, memory))
    return results


def _sick(one: IpsecPeer) -> Finding | None:
    if not one.states:
        text = (
            "is down, no IKE SA: the peer does not answer or refuses our identity, key or proposal"
        )
        return Status.CRITICAL, text
    if not _UP & set(one.states):
        text = f"is {one.states[-1]}, not ESTABLISHED: the peer does not answer, or UDP is blocked"
        return Status.CRITICAL, text
    sick = sorted(name for name, state in one.children.items() if state in {"CREATED", "ROUTED"})
    if not one.children or sick:
        which = one_line(", ".join(sick), 60) or "none"
        text = f"is up, but carries nothing (child SA: {which}): selectors or proposals differ"
        return Status.CRITICAL, text
    return None


def _deaf(sent: int, heard: int) -> Finding | None:
    if sent < _SENT_IN_VAIN or heard:
        return None
    text = f"sent {show_bytes(sent)} since the last look and heard nothing: ESP is lost on the way"
    return Status.WARNING, text


KIND = ScriptProbe("tunnel", TunnelSpec, ask, judge)
"""The `tunnel` probe: see TunnelSpec."""
