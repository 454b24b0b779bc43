"""`evidence`: what an engineer on call would look up first, by field, told by one script.

Read-only by construction: the script is ours, takes one argument, and stands only under `collect:`.
It runs without sudo; what its login may not read it says. It judges nothing.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, get_args

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from monitord.actions.text import Text, fill
from monitord.model.changes import SCRIPT as _CHANGES
from monitord.model.effect import Command, StepContext
from monitord.model.kinds import ActionKind
from monitord.model.spec import Spec

_SCRIPT = Path(__file__).with_name("evidence.sh").read_text(encoding="utf-8")
_LONGEST = 4096  # characters of a path or a name; the kernel's own limit

About = Literal[
    "cpu",
    "memory",
    "disk",
    "deleted",
    "kernel",
    "logs",
    "sockets",
    "routes",
    "dns",
    "traceroute",
    "changes",
]
_FUNCTIONS: Mapping[str, str] = MappingProxyType({"traceroute": "way", "changes": "changed"})
_TAKES: Mapping[str, str] = MappingProxyType(
    {"disk": "path", "logs": "unit", "dns": "to", "traceroute": "to"}
)


class EvidenceSpec(Spec):
    """`evidence: cpu`, or a mapping where it needs to know more: `{about: disk, path: /var}`.

    `path` is for disk (left out: /), `unit` for logs, `to` for dns and traceroute: a name or an
    address.
    """

    about: About
    path: Annotated[Text, Field(description="With disk: the folder; left out: /.")] = ""
    unit: Annotated[Text, Field(description="With logs: the systemd unit.")] = ""
    to: Annotated[Text, Field(description="With dns and traceroute: a name or an address.")] = ""

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        return {"about": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _fits(self) -> "EvidenceSpec":
        takes = _TAKES.get(self.about, "")
        given = [name for name in ("path", "unit", "to") if getattr(self, name)]
        for name in given:
            if name != takes:
                raise ValueError(f"{name}: evidence about {self.about} does not take it")
        if takes and not given and self.about != "disk":
            raise ValueError(f"about: {self.about} needs {takes}: (what to look at)")
        return self

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Tell editors that a plain word is the short form."""
        whole = handler.resolve_ref_schema(handler(schema))
        words = [word for word in get_args(About) if word not in _TAKES or word == "disk"]
        return {"anyOf": [{"enum": words}, whole]}


def render(spec: EvidenceSpec, context: StepContext) -> Command:
    """Give the script and its two words.

    Raises:
        ValueError: a slot has no value, or its value would be read as an option or is too long.
    """
    takes = _TAKES.get(spec.about)
    words: tuple[str, ...] = ()
    if takes is not None:
        words = (_argument(takes, fill(getattr(spec, takes), context) or "/"),)
    library = _CHANGES if spec.about == "changes" else ""
    function = _FUNCTIONS.get(spec.about, spec.about)
    return Command(("sh", "-s", "--", function, *words), stdin=library + _SCRIPT)


def _argument(name: str, value: str) -> str:
    if name == "path" and not value.startswith("/"):
        raise ValueError(f"path: {value!r} is not an absolute path")
    if value.startswith("-"):
        raise ValueError(f"{name}: {value!r} would be read as an option")
    if len(value) > _LONGEST:
        raise ValueError(f"{name}: {len(value)} characters are more than a name has ({_LONGEST})")
    return value


def resource(_spec: EvidenceSpec, _context: StepContext) -> str:
    """Name nothing: looking changes nothing."""
    return ""


KIND = ActionKind("evidence", EvidenceSpec, render, resource, only=("collect",))
