"""Says whether an address is this machine, and whether what goes to a URL stays between two.

Pure: no name is looked up; `localhost` is this machine by its name.
"""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Say so of a host's address or name, or of the /64 that stands for an IPv6 address."""
    try:
        network = ipaddress.ip_network(host, strict=False)
    except ValueError:
        return host == "localhost"
    # Of the /64 around ::1 no address but that one is anybody's.
    return network.is_loopback or host == "::/64"


def is_private(url: str) -> bool:
    """Say whether what goes to a URL is read by nobody else: https, or on this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (
        parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    )
