"""What can be looked at: one file per kind, all of them in `PROBES`."""

from collections.abc import Mapping

from monitord.model.kinds import ProbeKind
from monitord.probes import http, tcp

PROBES: Mapping[str, ProbeKind] = {
    "http": http.KIND,
    "tcp": tcp.KIND,
}
