"""`command`: one argv on the target, without a shell. It decides nothing about what that does."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, GetJsonSchemaHandler, field_validator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from monitord.actions.text import (
    Argv,
    Switch,
    Text,
    Words,
    argv_of,
    fill,
    fill_secrets,
    turned_on,
)
from monitord.model.effect import Command, StepContext
from monitord.model.kinds import ActionKind
from monitord.model.spec import SecretText, Spec
from monitord.secrets import SecretRef

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class CommandSpec(Spec):
    """Either the argv itself, `command: [nginx, -t]`, or a mapping with `run:` and more.

    `words: "{command}"` instead of `run:` is for a runbook whose user gives the whole argv: exactly
    one slot, a parameter of the rung, and the one text that holds several words; they are told
    apart as a shell would by quotes and spaces, and nothing in them is expanded.

    `sudo` runs it as root through the acting login; `ok_codes` are the exit codes that count as
    done. Environment values may be `!secret` references, but not together with sudo, which clears
    the environment: what it must see would stand in the process list.
    """

    run: Argv = ()
    words: Words | None = None
    sudo: Switch = False
    cwd: Text = ""
    env: Mapping[str, SecretText] = {}
    ok_codes: Annotated[tuple[Annotated[int, Field(ge=0, le=255)], ...], Field(min_length=1)] = (0,)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"run": value} if isinstance(value, list | tuple) else value

    @field_validator("env")
    @classmethod
    def _names(cls, env: Mapping[str, Any]) -> Mapping[str, Any]:
        for name in env:
            if not _VARIABLE.fullmatch(name):
                raise ValueError(f"{name!r} is not a variable name (letters, digits and _)")
        return env

    @field_validator("cwd")
    @classmethod
    def _absolute(cls, cwd: str) -> str:
        if cwd and not cwd.startswith(("/", "{")):
            raise ValueError(f"{cwd!r} is not an absolute path")
        return cwd

    @model_validator(mode="after")
    def _one_source(self) -> "CommandSpec":
        if bool(self.run) == bool(self.words):
            raise ValueError("needs either run: [program, argument] or words: '{parameter}'")
        return self

    @model_validator(mode="after")
    def _no_secret_through_sudo(self) -> "CommandSpec":
        if self.sudo and any(isinstance(value, SecretRef) for value in self.env.values()):
            raise ValueError(
                "env: sudo clears the environment, and a secret may not stand in an argv"
                " (let the program read it from a file on the target)"
            )
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Tell editors that a plain list is the short form of `run:`."""
        whole = handler.resolve_ref_schema(handler(schema))
        short = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        return {"anyOf": [short, whole]}


def argv(spec: CommandSpec, context: StepContext) -> tuple[str, ...]:
    """Give the argv.

    Raises:
        ValueError: a slot has no value, or a parameter's quotes do not close or hold nothing.
    """
    return argv_of(spec.words or spec.run, context)


def render(spec: CommandSpec, context: StepContext) -> Command:
    """Fill the slots.

    Raises:
        ValueError: as `argv`.
    """
    return Command(
        argv=argv(spec, context),
        env=fill_secrets(spec.env, context),
        cwd=fill(spec.cwd, context),
        sudo=turned_on(spec.sudo, context),
        ok_codes=spec.ok_codes,
    )


def resource(_spec: CommandSpec, context: StepContext) -> str:
    """Name the whole host: nobody can tell from an argv what it touches."""
    return f"{context.host}:host"


KIND = ActionKind("command", CommandSpec, render, resource)
