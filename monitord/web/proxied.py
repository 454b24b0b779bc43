"""Who asks when a reverse proxy stands in between: what the proxies that are listed say of it.

uvicorn's middleware decides: from the right, the first address of X-Forwarded-For that is no listed
proxy's. Everybody else's word is not looked at. Here is only what it leaves open.
"""

import ipaddress
from collections.abc import Sequence

from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_MAPPED_BITS = 96


def believing(networks: Sequence[str], app: ASGIApp) -> ASGIApp:
    """Give the app with client and scheme of each request as a proxy of these networks says."""
    if not networks:
        return app
    trusted = [one for network in networks for one in _written(network)]
    return ProxyHeadersMiddleware(app, trusted_hosts=trusted)  # type: ignore[arg-type,return-value] # uvicorn writes ASGI's shapes in types of its own


def _written(network: str) -> list[str]:
    """Give a network, and an IPv4 one as a socket for both kinds of addresses tells it, too."""
    known = ipaddress.ip_network(network)
    if isinstance(known, ipaddress.IPv6Network):
        return [network]
    return [network, f"::ffff:{known.network_address}/{_MAPPED_BITS + known.prefixlen}"]
