"""What can be looked at over the network: one file per kind, all of them in `NETWORK`."""

from collections.abc import Mapping

from monitord.model.kinds import ProbeKind
from monitord.probes.network import (
    dns,
    http,
    icmp,
    imap,
    journey,
    ntp,
    pop3,
    smtp,
    tcp,
    tls_probe,
    traceroute,
    udp,
)

NETWORK: Mapping[str, ProbeKind] = {
    "dns": dns.KIND,
    "http": http.KIND,
    "icmp": icmp.KIND,
    "imap": imap.KIND,
    "journey": journey.KIND,
    "ntp": ntp.KIND,
    "pop3": pop3.KIND,
    "smtp": smtp.KIND,
    "tcp": tcp.KIND,
    "tls": tls_probe.KIND,
    "traceroute": traceroute.KIND,
    "udp": udp.KIND,
}
