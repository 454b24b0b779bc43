"""FRRouting, with vtysh as the login shell: what its command line looks like. Data only."""

from monitord.model.dialect import Dialect

DIALECT = Dialect(
    name="frr",
    device_type="generic",  # netmiko has none for vtysh; this one types nothing by itself
    prompt=r"{name}(?:\(config[^)\n]*\))?[>#] ?",
    opening=("terminal length 0",),
    looks=("show", "ping", "traceroute"),
    # Not all refusals begin with a percent sign: vtysh itself and bgpd speak plainly.
    refusal=r"%|\S+ is not running$|VTY configuration is locked|BGP is already running",
    enter="configure terminal",
    leave="end",
    abandon="end",
    configuring="(config",
    save="write memory",
    saved=r"\[OK\]",
)
