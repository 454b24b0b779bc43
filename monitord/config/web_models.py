"""What may be written of the way to monitord-web: which proxies are believed."""

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from monitord.config.fields import parse_names


def _networks(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_network(value) for value in values)


def _network(value: str) -> str:
    try:
        network = ipaddress.ip_network(value)
    except ValueError:
        raise ValueError(f"{value!r} is no address or network{_whole(value)}") from None
    if network.prefixlen == 0:
        raise ValueError(
            f"{value} is everybody: whoever asks could say who they are (write the proxy)"
        )
    return str(network)


def _whole(value: str) -> str:
    """Say what to write: mostly it is an address with the length of its network."""
    try:
        return f" (write {ipaddress.ip_interface(value).network})"
    except ValueError:
        return " (write 127.0.0.1 or 10.0.0.0/24)"


Proxies = Annotated[
    tuple[str, ...],
    BeforeValidator(parse_names),
    AfterValidator(_networks),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""Networks as `10.0.0.0/24`, single addresses as `127.0.0.1/32`."""
