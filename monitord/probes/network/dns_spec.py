"""What a user may ask of the `dns` probe. It validates; nothing here asks a server or judges."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from monitord.model.spec import Library, Spec, Threshold
from monitord.probes.network.connect import is_literal
from monitord.probes.network.latency import Latency
from monitord.probes.pattern import Pattern

_LONGEST = 253

Type = Literal[
    "A", "AAAA", "CAA", "CNAME", "DNSKEY", "DS", "HTTPS", "MX", "NS", "PTR", "SOA", "SRV", "SSHFP",
    "TLSA", "TXT",
]  # fmt: skip


def _name(text: str) -> str:
    labels = text.removesuffix(".").split(".")
    if len(text) > _LONGEST or not all(0 < len(label.encode()) <= 63 for label in labels):  # noqa: PLR2004 - RFC 1035's length of a label
        raise ValueError(f"{text!r} is not a name (write www.example.com)")
    return text


def _server(text: str) -> str:
    if text not in {"", "system"} and not is_literal(text):
        raise ValueError(f"{text!r} is not a server (write an IP address, or system)")
    return text


def _texts(value: object) -> Any:
    return [value] if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_texts)]


class DnsSpec(Spec):
    """A name in the DNS, and what its records must be."""

    example: ClassVar[str] = """\
dns:
  name: www.example.com
  type: A
  exact: [192.0.2.80, 192.0.2.81]
  critical: 2s
"""
    library: ClassVar[Library | None] = Library("dns", "dns")

    name: Annotated[str, AfterValidator(_name)] = Field(
        description="The name to ask for.", examples=["www.example.com"]
    )
    type: Type = Field("A", description="The type of its records.")
    server: Annotated[str, AfterValidator(_server)] = Field(
        "",
        description="Whom to ask. Left out: this host, whose silence then is CRITICAL. `system`: "
        "the resolvers of monitord's machine, or an address: their silence is UNKNOWN.",
        examples=["system", "192.0.2.53"],
    )
    port: int = Field(53, ge=1, le=65535, description="The server's port.")
    transport: Literal["udp", "tcp"] = Field(
        "udp", description="How to ask; what is too long for UDP is asked again over TCP."
    )
    exact: Texts = Field(
        (),
        description="The records that there must be, all and no others, in any order.",
        examples=[["192.0.2.80"], ["10 mail.example.com"]],
    )
    contains: Texts = Field(
        (), description="Records that must be among them.", examples=[["v=spf1 mx -all"]]
    )
    regex: Pattern | None = Field(
        None, description="A pattern (RE2) that one of them must match.", examples=["^v=spf1 "]
    )
    count: Threshold | None = Field(
        None, description="CRITICAL when their number is outside this.", examples=["2:"]
    )
    authorities: bool = Field(
        default=False,
        description="Whether to ask each of the zone's name servers too: all must answer, and "
        "give the same records and the same serial.",
    )
    dnssec: bool = Field(
        default=False,
        description="Whether the server must have validated the answer by DNSSEC (AD flag).",
    )
    warning: Latency | None = Field(
        None, description="WARNING when the answer takes longer, in seconds.", examples=["200ms"]
    )
    critical: Latency | None = Field(
        None, description="CRITICAL when the answer takes longer, in seconds.", examples=["2s"]
    )
