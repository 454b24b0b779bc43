"""The `traceroute` probe over two real routers in network namespaces, without raw sockets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from monitord.model.result import Status
from monitord.probes.network.hops import Way
from monitord.probes.network.traceroute import TracerouteSpec, judge
from tests.probes_network.conftest import Asked
from tests.world.needs import requires

# us 10.1.0.1 – 10.1.0.2 r1 10.2.0.1 – 10.2.0.2 r2 10.3.0.1 – 10.3.0.2 far
ROUTERS = """\
mount -t tmpfs none /run
for name in r1 r2 far; do ip netns add $name; ip -n $name link set lo up; done
join() {
  ip link add $2 netns $1 type veth peer name $5 netns $4
  ip -n $1 addr add $3/24 dev $2; ip -n $4 addr add $6/24 dev $5
  ip -n $1 link set $2 up; ip -n $4 link set $5 up
}
ip link add right type veth peer name left netns r1
ip addr add 10.1.0.1/24 dev right; ip link set right up
ip -n r1 addr add 10.1.0.2/24 dev left; ip -n r1 link set left up
join r1 right 10.2.0.1 r2 left 10.2.0.2
join r2 right 10.3.0.1 far left 10.3.0.2
ip route add default via 10.1.0.2
ip -n r1 route add default via 10.2.0.2
ip -n r2 route add 10.1.0.0/24 via 10.2.0.1
ip -n far route add default via 10.3.0.1
for name in r1 r2; do
  ip netns exec $name sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
    echo 0 >/proc/sys/net/ipv4/icmp_ratelimit'
done
ip route add unreachable 10.7.0.0/24
ip -n r1 route add unreachable 10.4.0.0/24
ip -n r2 route add 10.5.0.0/24 via 10.3.0.2
ip netns exec far sh -c "echo 0 >/proc/sys/net/ipv4/ip_forward"
ip -n r2 route add 10.6.0.0/24 via 10.2.0.1
"""
FAR = "10.3.0.2"
WAYS = [
    (FAR, {"through": ["10.1.0.2", "10.2.*"]}, "OK", "3 hops: 10.1.0.2 10.2.0.2 10.3.0.2"),
    (FAR, {"through": "10.9.0.1"}, "CRITICAL", "does not go through 10.9.0.1: 10.1.0.2 10.2.0.2"),
    (FAR, {"avoid": "10.2.0.*"}, "CRITICAL", "goes over 10.2.0.2, which it should avoid"),
    ("10.4.0.1", {}, "CRITICAL", "stops at hop 1: 10.1.0.2 says that it cannot go on"),
    ("10.5.0.1", {"tries": 1, "wait": "100ms"}, "CRITICAL",
     "stops after hop 2: nothing answers beyond 10.2.0.2"),
    ("10.6.0.1", {"most": 6}, "CRITICAL",
     "not there after 6 hops, it goes round between 10.1.0.2 and 10.2.0.2"),
    ("10.7.0.1", {}, "CRITICAL", "no route to the host"),
]  # fmt: skip


@requires("root")
def test_ways_over_two_routers(namespace: Callable[..., Asked]) -> None:
    questions = [["traceroute", {"tries": 4, **spec}, to, 20.0] for to, spec, _, _ in WAYS]
    answers = namespace(ROUTERS, questions, without="net_raw")
    for (status, summary, _, _), (to, _, expected, told) in zip(answers, WAYS, strict=True):
        assert status == expected, summary
        assert summary.startswith(f"way to {to}: ")
        assert told in summary


KNOWN = ["10.1.0.2", "10.2.0.2", "10.3.0.2"]
OTHER = ["10.1.0.2", "10.8.0.2", "10.3.0.2"]


def looked(hops: list[str], memory: dict[str, Any], **spec: Any) -> tuple[Status, str, Any]:
    way = Way(hops, reached=spec.pop("reached", True))
    result = judge(TracerouteSpec.model_validate({"changed_looks": 2, **spec}), "way", way, memory)
    return result.status, result.summary, result.memory


def test_a_changed_way_is_told_until_it_is_the_known_one() -> None:
    _, _, memory = looked(KNOWN, {})
    status, said, memory = looked(OTHER, memory)
    assert status is Status.WARNING
    assert said == f"way: has changed: was {' '.join(KNOWN)}, is {' '.join(OTHER)}"
    status, _, memory = looked(OTHER, memory)
    assert status is Status.WARNING
    status, _, memory = looked(OTHER, memory)
    assert (status, memory) == (Status.OK, {"hops": OTHER})


def test_a_way_that_is_back_is_well_and_a_silent_hop_is_no_change() -> None:
    _, _, memory = looked(KNOWN, {})
    _, _, memory = looked(OTHER, memory)
    assert looked(KNOWN, memory) == (
        Status.OK, f"way: 3 hops: {' '.join(KNOWN)}", {"hops": KNOWN}
    )  # fmt: skip
    status, said, memory = looked([KNOWN[0], "", KNOWN[2]], {"hops": KNOWN})
    assert (status, memory) == (Status.OK, {"hops": KNOWN})
    assert said == "way: 3 hops: 10.1.0.2 ? 10.3.0.2"


def test_a_host_that_drops_datagrams_is_well_where_told() -> None:
    status, said, _ = looked(KNOWN[:2], {}, reached=False, reach=False)
    assert (status, said) == (Status.OK, "way: 2 hops: 10.1.0.2 10.2.0.2, and no further")
    assert looked([], {}, reached=False)[1].startswith("way: no hop answers")
