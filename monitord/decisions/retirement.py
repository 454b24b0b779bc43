"""What hangs on a host that shall go: whoever would be blind, unreachable or unjudged without it.

Read from the catalog alone; it removes nothing.
"""

from collections.abc import Iterator

from monitord.decisions.expressions import keys_of
from monitord.model.catalog import Catalog
from monitord.model.ids import CheckKey, check_key


def hanging_on(catalog: Catalog, name: str) -> list[str]:
    """Give, a sentence each, what has to be changed before the host may go.

    Args:
        catalog: the configuration in which it still stands.
        name: the host.
    """
    own = {key for key, check in catalog.checks.items() if check.host == name}
    return [
        *_hosts(catalog, name, own),
        *_checks(catalog, name, own),
        *_services(catalog, own),
        *_groups(catalog, name),
        *([f"{name} is a canary (canaries:)"] if own & set(catalog.canaries) else []),
        *(
            f"inbound source {source.name} reports for {name} (inbound: {source.name}: host:)"
            for source in catalog.inbound.values()
            if source.host == name
        ),
    ]


def _hosts(catalog: Catalog, name: str, own: set[CheckKey]) -> Iterator[str]:
    for host in catalog.hosts.values():
        if host.name == name:
            continue
        if own & set(host.behind.keys):
            yield f"{host.name} stands behind {name} (behind:)"
        if any(hop.host == name for hop in host.login.via):
            yield f"{host.name} is logged into through {name} (via:)"


def _checks(catalog: Catalog, name: str, own: set[CheckKey]) -> Iterator[str]:
    for check in catalog.checks.values():
        if check.host == name:
            continue
        through = {check_key(hop.host, "ssh") for hop in catalog.hosts[check.host].login.via}
        needed = sorted((own & set(check.needs.keys)) - through)  # those are told with the host
        if needed:
            yield f"{check.key} needs {', '.join(needed)} (needs:)"
        for proof in sorted(own & {rung.verify.check for rung in check.remediate}):
            yield f"repairs of {check.key} are proven by {proof} (verify:)"


def _services(catalog: Catalog, own: set[CheckKey]) -> Iterator[str]:
    for service in catalog.services.values():
        rules = (*service.down_when, *service.degraded_when)
        ruled = {key for rule in rules for key in keys_of(rule.means)}
        if own & ruled:
            yield f"service {service.name} is judged by its checks (down_when:, degraded_when:)"
        elif service.checks and own >= set(service.checks):
            yield f"service {service.name} has no other checks (checks:)"


def _groups(catalog: Catalog, name: str) -> Iterator[str]:
    for group in catalog.groups.values():
        left, kept = len(group.hosts) - 1, group.keep_healthy
        if name in group.hosts and kept is not None and left <= kept:  # no repair may begin then
            told = f"group {group.name} keeps {kept} healthy and has {left} without it"
            yield f"{told} (keep_healthy:)"
