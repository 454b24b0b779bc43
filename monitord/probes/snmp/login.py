"""How an SNMP agent is asked: version 2c with a community, or 3 with a user; never 1.

It decides what may be written together, and reads the secrets at the moment of use.
"""

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from monitord.model.spec import Library, SecretText, Spec
from monitord.probes.credentials import reveal

_OLD = {
    "auth": {"md5": "sha256 (or sha, where the device has nothing newer)"},
    "priv": {"des": "aes", "3des": "aes"},
}


def _version(given: object) -> object:
    text = str(given).removeprefix("v")
    if text == "1":
        raise ValueError(
            "version 1 is not spoken: it has no 64-bit counters and no bulk answers (write 2c; "
            "whatever speaks 1 and was made after 1996 speaks that too)"
        )
    return text


def _auth(given: object) -> object:
    return _modern("auth", given)


def _priv(given: object) -> object:
    return _modern("priv", given)


def _modern(name: str, given: object) -> object:
    text = str(given).lower().replace("-", "")
    if text in _OLD[name]:
        raise ValueError(f"{name}: {given} is broken and not spoken (write {_OLD[name][text]})")
    return text


class AgentSpec(Spec):
    """An SNMP agent and how to ask it."""

    library: ClassVar[Library | None] = Library("pysnmp", "snmp")
    rhythm = MappingProxyType({"timeout": "10s"})

    port: int = Field(161, ge=1, le=65535, description="The UDP port to ask.")
    version: Annotated[Literal["2c", "3"] | None, BeforeValidator(_version)] = Field(
        None, description="The version; left out: 3 with a `user`, else 2c.", examples=["2c", "3"]
    )
    community: SecretText | None = Field(
        None,
        description="The community of version 2c: a password in all but name, sent in clear text.",
        examples=["!secret file:/etc/monitord/snmp.community"],
    )
    user: str = Field("", description="The user of version 3.", examples=["monitor"])
    auth: Annotated[Literal["sha", "sha224", "sha256", "sha384", "sha512"],
                    BeforeValidator(_auth)] = Field(
        "sha256", description="How the user's messages are authenticated."
    )  # fmt: skip
    auth_password: SecretText | None = Field(
        None, description="The user's password.",
        examples=["!secret file:/etc/monitord/snmp.auth"],
    )  # fmt: skip
    priv: Annotated[Literal["aes", "aes192", "aes256", "aes192c", "aes256c"],
                    BeforeValidator(_priv)] = Field(
        "aes",
        description="How messages are encrypted, once priv_password is given; those ending in c "
        "lengthen the key as Cisco does.",
    )  # fmt: skip
    priv_password: SecretText | None = Field(
        None, description="The password of the encryption; without it, answers are readable.",
        examples=["!secret file:/etc/monitord/snmp.priv"],
    )  # fmt: skip
    context: str = Field("", description="The context of version 3, where an agent has several.")

    @model_validator(mode="after")
    def _one_login(self) -> "AgentSpec":
        third = self.version == "3" or (self.version is None and bool(self.user))
        if third and not (self.user and self.auth_password is not None):
            raise ValueError("version 3 needs user and auth_password")
        if third and self.community is not None:
            raise ValueError("community belongs to version 2c, user to 3: keep one of them")
        if not third and self.community is None:
            raise ValueError(
                "needs a community (community: !secret file:/etc/monitord/snmp.community), or "
                "user, auth_password and priv_password of version 3"
            )
        if not third and self.user:
            raise ValueError("version 2c has no user: leave out version, or user")
        return self


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are to an agent, with the secrets read. An empty `user`: version 2c."""

    community: str = field(default="", repr=False)
    user: str = ""
    auth: str = ""
    auth_password: str = field(default="", repr=False)
    priv: str = ""
    priv_password: str = field(default="", repr=False)

    @classmethod
    def of(cls, spec: AgentSpec) -> "Login":
        """Read the secrets.

        Raises:
            SecretError: one of them cannot be read.
        """
        if spec.community is not None:
            return cls(reveal(spec.community))
        priv = spec.priv if spec.priv_password is not None else ""
        secret = reveal(spec.priv_password) if spec.priv_password is not None else ""
        auth = reveal(spec.auth_password) if spec.auth_password is not None else ""
        return cls("", spec.user, spec.auth, auth, priv, secret)

    @property
    def weak(self) -> str:
        """Say which password is too short for RFC 3414 (8 characters), or nothing."""
        for name, secret in (("auth", self.auth_password), ("priv", self.priv_password)):
            used = self.user and (name == "auth" or self.priv)
            if used and len(secret) < 8:  # noqa: PLR2004 - RFC 3414 §11.2
                return f"{name}_password is shorter than the 8 characters that SNMP asks for"
        return ""
