"""What `login:` may say: how facts are read on a host, and as whom steps are done there.

Models judge shape and value; which host a jump host is is settled elsewhere.
"""

from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from monitord.config.device import DeviceModel
from monitord.config.fields import Port, User, shown
from monitord.model.spec import Spec

PENDING = "monitord:definition"
"""Marks, in a generated JSON Schema, where a definition made from the kinds belongs."""


class ActModel(Spec):
    """The identity that changes things over SSH; what is left out is as in the reading one."""

    user: User = ""
    key: str = ""
    sudo: bool = False


class SshModel(Spec):
    """How to log in over SSH. Without `act` the host is only watched."""

    user: Annotated[User, Field(min_length=1)]
    key: str = ""
    port: Port = 22
    known_hosts: str = ""
    act: ActModel | None = None
    via: str = Field(
        default="",
        description="The jump host: another host of this configuration, with an SSH login.",
        examples=["bastion"],
    )


class LocalModel(Spec):
    """This very machine. `act` lets steps change it, `sudo` lets them ask for root."""

    act: bool = False
    sudo: bool = False


def _login(value: object) -> object:
    if value == "none":
        return {"none": True}
    if value == "local":
        return {"local": {}}
    if isinstance(value, dict) and len(value) == 1 and set(value) <= {"local", "ssh", "device"}:
        ((kind, rest),) = value.items()
        return {kind: {} if rest is None else rest}
    if isinstance(value, dict):
        return value
    raise ValueError(f"{shown(value)} is not a login (write none, local or {{ssh: {{user: …}}}})")


class LoginModel(Spec):
    """How facts are read and steps are done on a host: exactly one way."""

    none: bool = False
    local: LocalModel | None = None
    ssh: SshModel | None = None
    device: DeviceModel | None = None

    @model_validator(mode="after")
    def _one(self) -> "LoginModel":
        if len(self.model_fields_set) != 1:
            raise ValueError("needs exactly one of local:, ssh: or device:")
        return self


_LOGIN_SCHEMA = {
    "anyOf": [
        {"enum": ["none", "local"]},
        {
            "type": "object",
            "properties": {"local": {PENDING: "local"}},
            "required": ["local"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"ssh": {PENDING: "ssh"}},
            "required": ["ssh"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"device": {PENDING: "device_login"}},
            "required": ["device"],
            "additionalProperties": False,
        },
    ]
}
Login = Annotated[LoginModel, BeforeValidator(_login), WithJsonSchema(_LOGIN_SCHEMA)]
