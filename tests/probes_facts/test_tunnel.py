"""Tunnels: WireGuard between two user-space peers of one namespace; IPsec as swanctl tells it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitord.model.facts import PluginOutput
from monitord.model.result import Cause, Result, Status
from tests.probes_facts.looking import Run, Watch, answer, shell
from tests.world.needs import requires
from tests.world.until import until

SET_UP = r"""
set -e
mount -t tmpfs none /run; ip link set lo up; umask 077; cd "$1"
for end in a b; do wg genkey >$end; wg pubkey <$end >$end.pub; done
for end in a b; do WG_PROCESS_FOREGROUND=1 wireguard-go -f wg$end >/dev/null 2>&1 & done
until wg show wga >/dev/null 2>&1 && wg show wgb >/dev/null 2>&1; do sleep 0.05; done
wg set wga listen-port 51901 private-key a peer $(cat b.pub) \
    endpoint 127.0.0.1:51902 allowed-ips 10.9.0.2/32
wg set wgb listen-port 51902 private-key b peer $(cat a.pub) \
    endpoint 127.0.0.1:51901 allowed-ips 10.9.0.1/32
ip addr add 10.9.0.1/32 dev wga; ip link set wga up; ip link set wgb up
ip route add 10.9.0.2/32 dev wga
echo ready; read -r end
"""


class Peers:
    """Two ends of one tunnel, in a namespace that ends with us."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child",
             "sh", "-c", SET_UP, "sh", str(folder)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        self.keys = {end: (folder / f"{end}.pub").read_text().strip() for end in "ab"}
        self.private = [(folder / end).read_text().strip() for end in "ab"]
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        self._inside = children.read_text().split()[0]
        self.heard = ""

    def run(self, text: str) -> PluginOutput:
        """Feed a script to a shell inside; the way of `Run`."""
        told = shell("nsenter", "-t", self._inside, "-n", "-m", "sh")(text)
        self.heard += told.stdout + told.stderr
        return told

    def send(self, size: int = 56) -> None:
        self.run(f"ping -c 3 -i 0.2 -W 0.2 -s {size} 10.9.0.2")

    def end(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)
        assert self._process.stdout is not None
        self._process.stdout.close()


@pytest.fixture
def peers(tmp_path: Path) -> Iterator[Peers]:
    made = Peers(tmp_path)
    yield made
    made.end()


@requires("root", "wireguard", "wg")
def test_wireguard_peers_are_judged_by_handshakes_that_are_due(peers: Peers) -> None:
    named = {"peers": {"ulm": peers.keys["b"]}, "interface": "wga"}
    watched = Watch("tunnel", named, peers.run)
    assert watched.looks()["ulm"].summary == "ulm: not in use"
    peers.send()

    def shaken() -> bool:
        return "last shook hands" in watched.looks()["ulm"].summary

    until(shaken, what="the two ends to shake hands")
    result = watched.looks()["ulm"]
    assert result.status is Status.OK
    assert [one.name for one in result.measurements] == ["handshake", "received", "sent"]
    # The far end goes; who is spoken to and does not answer is missed.
    short = {**named, "warning_after": "0s", "critical_after": "0s"}
    watched = Watch("tunnel", short, peers.run)
    peers.run("ip link del wgb; sleep 1.1")
    watched.looks()
    peers.send(1300)
    result = watched.looks()["ulm"]
    assert result.status is Status.CRITICAL
    assert "ago (limit 0s): it is down, its keys differ, or UDP is blocked" in result.summary
    assert "127.0.0.1:51902" in result.summary
    gone = Watch("tunnel", {"peers": {"bern": "A" * 43 + "="}}, peers.run).looks()["bern"]
    assert gone.summary == (
        "bern: no peer with the key AAAAAAAA… is set up here: was its interface started?"
    )
    peers.run("ip link del wga")
    assert Watch("tunnel", {}, peers.run).look().status is Status.CRITICAL
    for key in peers.private:
        assert key not in peers.heard


@requires("root", "wireguard", "wg")
def test_a_peer_that_is_kept_alive_must_have_shaken_hands(peers: Peers) -> None:
    other = "B" * 42 + "8="
    peers.run(f"wg set wgb peer {other} allowed-ips 10.9.0.3/32 persistent-keepalive 25")
    result = Watch("tunnel", {}, peers.run).looks()["wgb BBBBBBBB"]
    assert result.status is Status.CRITICAL
    assert "has never shaken hands" in result.summary


CONNS = """\
gw-ulm: IKEv2, no reauthentication, rekeying every 14400s
  local:  192.0.2.1
  remote: 192.0.2.2
  net-net: TUNNEL, rekeying every 3600s
    local:  10.1.0.0/16
"""
SAS = """\
gw-ulm: #3, {ike}, IKEv2, 0a1b2c3d4e5f6071_i* 1c2d3e4f50617283_r
  local  'moon.example.com' @ 192.0.2.1[4500]
  remote 'sun.example.com' @ 192.0.2.2[4500]
  AES_CBC-128/HMAC_SHA2_256_128/PRF_HMAC_SHA2_256/CURVE_25519
  established 2s ago, rekeying in 13593s
"""
CHILD = """\
  net-net: #5, reqid 1, {child}, TUNNEL, ESP:AES_GCM_16-128
    installed 2s ago, rekeying in 3268s, expires in 3958s
    in  c9c3b25b,  {heard} bytes,     1 packets,     1s ago
    out cfe4cc3a,  {sent} bytes,     1 packets,     1s ago
    local  10.1.0.0/16
    remote 10.2.0.0/16
"""


def ipsec(sas: str, code: int = 0, conns: str = CONNS) -> PluginOutput:
    return answer(f"begin conns\n{conns}", "end conns 0", f"begin sas\n{sas}", f"end sas {code}")


def one(sas: str, **given: object) -> Result:
    watched = Watch("tunnel", {"type": "ipsec", **given})
    return watched.judged(ipsec(sas))["gw-ulm" if "peers" not in given else "ulm"]


UP = SAS.format(ike="ESTABLISHED") + CHILD.format(child="INSTALLED", heard=84, sent=84)


@pytest.mark.parametrize(
    ("sas", "status", "told"),
    [(UP, "OK", "gw-ulm: up, 1 child SAs installed"),
     (UP + UP.replace("INSTALLED", "REKEYED"), "OK", "up, 1 child"),
     ("", "CRITICAL", "gw-ulm: is down, no IKE SA"),
     (SAS.format(ike="CONNECTING"), "CRITICAL", "is CONNECTING, not ESTABLISHED"),
     (SAS.format(ike="ESTABLISHED"), "CRITICAL", "carries nothing (child SA: none)")],
)  # fmt: skip
def test_ipsec_connections(sas: str, status: str, told: str) -> None:
    result = one(sas)
    assert result.status.name == status
    assert told in result.summary


def test_ipsec_that_sends_and_hears_nothing_is_told() -> None:
    watched = Watch("tunnel", {"type": "ipsec"})
    assert watched.judged(ipsec(UP))["gw-ulm"].status is Status.OK
    later = SAS.format(ike="ESTABLISHED") + CHILD.format(child="INSTALLED", heard=84, sent=90084)
    result = watched.judged(ipsec(later))["gw-ulm"]
    assert result.status is Status.WARNING
    assert "sent 88 KiB since the last look and heard nothing" in result.summary


def test_a_connection_that_is_not_loaded_is_told_by_its_name() -> None:
    result = one(UP, peers={"ulm": "gw-bern"})
    assert result.summary == "ulm: no connection gw-bern is set up here (swanctl --load-conns)"


def test_who_may_not_ask_knows_nothing() -> None:
    watched = Watch("tunnel", {"type": "ipsec"})
    said = ipsec("", code=1)
    result = watched.judged(PluginOutput(0, said.stdout, "sudo: a password is required"))[""]
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.LOGIN)
    assert "a password is required" in result.summary


def test_a_host_without_the_tool_says_so(tmp_path: Path) -> None:
    for tool in ("date", "id", "cat"):
        (tmp_path / tool).symlink_to(f"/usr/bin/{tool}")
    run: Run = shell("/bin/dash", path=str(tmp_path))

    def without(text: str) -> PluginOutput:
        return run(
            text.replace(":/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin", "")
        )

    result = Watch("tunnel", {}, without).look()
    assert (result.status, result.cause) == (Status.UNKNOWN, Cause.MISSING)
