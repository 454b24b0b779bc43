"""What can be looked at over the network: one file per kind, all of them in `NETWORK`."""

from collections.abc import Mapping

from monitord.model.kinds import ProbeKind
from monitord.probes.network import dns, http, icmp, tcp

NETWORK: Mapping[str, ProbeKind] = {
    "dns": dns.KIND,
    "http": http.KIND,
    "icmp": icmp.KIND,
    "tcp": tcp.KIND,
}
