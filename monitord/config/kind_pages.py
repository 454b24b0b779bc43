"""A page for each kind of check, in Markdown, made of its spec: an example and every setting.

What stands on a page is what the loader takes. Nothing here judges a check.
"""

import types
from collections.abc import Iterator, Mapping
from inspect import cleandoc
from textwrap import dedent
from typing import Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from monitord.config.defaults import for_kind
from monitord.model.kinds import (
    DeviceProbe,
    FactProbe,
    NetworkProbe,
    PluginProbe,
    ProbeKind,
    RecordProbe,
    ScriptProbe,
)
from monitord.model.spec import Spec

_WAYS: Mapping[type, str] = {
    NetworkProbe: "over the network, from where monitord runs",
    FactProbe: "facts of the host, in one trip with its other checks",
    ScriptProbe: "a script on the host, which only looks",
    PluginProbe: "a program that monitord runs",
    DeviceProbe: "one command on a network device",
    RecordProbe: "what monitord itself knows",
}


def kind_pages(probes: Mapping[str, ProbeKind]) -> dict[str, str]:
    """Give the page of each kind that has an example, by its name, and `README`, their list."""
    told = {name: kind for name, kind in sorted(probes.items()) if kind.spec.example}
    pages = {name: "\n".join(_page(name, kind)) + "\n" for name, kind in told.items()}
    return {**pages, "README": "\n".join(_index(told)) + "\n"}


def _index(told: Mapping[str, ProbeKind]) -> Iterator[str]:
    yield "# Kinds of checks, each with an example"
    yield ""
    yield "Made by `monitord kinds --write`. What is not here is told in [probes.md](../probes.md)."
    yield ""
    yield "| kind | looks at | every | attempts |"
    yield "| --- | --- | --- | --- |"
    for name, kind in told.items():
        usual = for_kind(kind)
        first = _first_line(kind.spec)
        yield f"| [{name}]({name}.md) | {first} | {usual['every']} | {usual['attempts']} |"


def _first_line(spec: type[Spec]) -> str:
    return cleandoc(spec.__doc__ or "").partition("\n")[0].rstrip(".")


def _page(name: str, kind: ProbeKind) -> Iterator[str]:
    usual = for_kind(kind)
    yield f"# {name}"
    yield ""
    yield cleandoc(kind.spec.__doc__ or "")
    yield ""
    yield f"How: {_WAYS[type(kind)]}. Every {usual['every']}, {usual['attempts']} attempts, "
    yield f"given up after {usual['timeout']}, unless the check says otherwise."
    library = kind.spec.library
    if library is not None:
        yield f"It needs {library.module}: `pip install 'monitord[{library.extra}]'`."
    yield from ("", "```yaml", dedent(kind.spec.example).strip(), "```")
    yield from _settings(kind.spec, "")


def _settings(spec: type[Spec], prefix: str) -> Iterator[str]:
    """Give the table of a mapping's settings, and then those of the mappings in it."""
    inner: list[tuple[str, type[Spec]]] = []
    title = f"Settings of `{prefix}`" if prefix else "Settings"
    yield from ("", f"## {title}", "", "| setting | left out | meaning | such as |")
    yield "| --- | --- | --- | --- |"
    for name, field in spec.model_fields.items():
        written = field.alias or name
        shown = ", ".join(f"`{_yaml(one)}`" for one in field.examples or ())
        yield f"| `{written}` | {_left_out(field)} | {_cell(field.description or '')} | {shown} |"
        inner += [(f"{prefix}{written}.", one) for one in _specs_in(field.annotation)]
    for path, nested in inner:
        yield from _settings(nested, path)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _left_out(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value == "" or value is PydanticUndefined or value == ():
        return ""
    return f"`{_yaml(value)}`" if not isinstance(value, Spec) else ""


def _yaml(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple | frozenset):
        return "[" + ", ".join(_yaml(one) for one in value) + "]"
    return str(value).replace("|", "\\|").replace("\r", "\\r").replace("\n", "\\n")


def _specs_in(annotation: Any) -> Iterator[type[Spec]]:
    if isinstance(annotation, type) and issubclass(annotation, Spec):
        yield annotation
    elif get_origin(annotation) in {Union, types.UnionType, tuple, list, dict} or hasattr(
        annotation, "__metadata__"
    ):
        for part in get_args(annotation):
            yield from _specs_in(part)
