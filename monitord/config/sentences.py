"""pydantic's errors as sentences for people: the key, what is wrong with its value, and the cure.

One error becomes one `Problem` at the line of the key or value that caused it. Reads no files.
"""

import typing
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from monitord.config.fields import blank_missing, not_a, shown
from monitord.config.names import has_slot, nearest
from monitord.config.tree import Map, Place, Seq
from monitord.errors import Problem
from monitord.secrets import SecretRef

Path = tuple[str | int, ...]
_FEW = 12


class Locate(Protocol):
    """Gives where the value at a path stands (with `key`: where its key does), and the value."""

    def __call__(self, path: Path, *, key: bool = False) -> tuple[Place, object]:
        """Look it up."""
        ...


def walk(tree: object, path: Path, start: Place, *, key: bool = False) -> tuple[Place, object]:
    """Follow `path` into `tree` as far as it leads; give that place and the value there.

    A part that is not in the tree is stepped over (pydantic names union members in its paths), and
    a map of one key is entered when the part lies below it (`- restart: {mode: …}`).
    """
    place, node = start, tree
    for part in path:
        if isinstance(node, Map) and len(node) == 1 and part not in node:
            ((name, below),) = node.items()
            if isinstance(below, Map) and part in below:
                place, node = node.value_place(name), below
        if isinstance(node, Map) and part in node:
            name = str(part)
            place = node.key_place(name) if key else node.value_place(name)
            node = node[name]
        elif isinstance(node, Seq) and isinstance(part, int) and part < len(node):
            place, node = node.value_place(part), node[part]
    return place, node


def finder(tree: object, start: Place) -> Locate:
    """Give the Locate of one tree."""

    def locate(path: Path, *, key: bool = False) -> tuple[Place, object]:
        return walk(tree, path, start, key=key)

    return locate


def problems_of(
    error: ValidationError, model: type[BaseModel], locate: Locate, *, prefix: str = ""
) -> list[Problem]:
    """Give one Problem for each place that pydantic complains about, in its order.

    `prefix` names what was being read (`http`, `restart-nginx`); `locate` finds places in the YAML.
    """
    found: dict[tuple[Place, str], Problem] = {}
    for detail in _telling(error.errors(include_url=False)):
        problem = _problem(detail, model, locate, prefix)
        # Several keys can be missing from one place; else one complaint a place is enough.
        text = problem.text if detail["type"] == "missing" else ""
        found.setdefault((Place(problem.file, problem.line, problem.column), text), problem)
    return list(found.values())


def _telling(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Leave out what only follows from another error.

    Each member of a union complains; where one fits the shape, the others' complaints about shape
    say nothing. A list whose items are wrong also counts as too short.
    """
    kept = []
    for detail in details:
        path = tuple(detail["loc"])
        stem = path[:-1] if path and _is_union_member(str(path[-1])) else path
        about_shape = detail["type"].endswith(("_type", "_parsing")) and stem != path
        others = [
            tuple(other["loc"])
            for other in details
            if other is not detail
            and not (about_shape and other["type"].endswith(("_type", "_parsing")))
        ]
        follows = about_shape or detail["type"] == "too_short"
        if follows and any(other[: len(stem)] == stem and other != path for other in others):
            continue
        kept.append(detail)
    return kept


def _problem(detail: ErrorDetails, model: type[BaseModel], locate: Locate, prefix: str) -> Problem:
    path: Path = tuple(detail["loc"])
    kind = detail["type"]
    if kind == "extra_forbidden":
        place, _ = locate(path, key=True)
        near = _nearest_key(str(path[-1]), known_keys(model, path[:-1]))
        text = blank_missing(str(path[-1])) or f"unknown key{near}"
    else:
        place, value = locate(path)
        text = _sentence(detail, value)
    name = ".".join([*([prefix] if prefix else []), *_named(path)])
    return Problem(place.file, place.line, place.column, f"{name}: {text}" if name else text)


def _nearest_key(key: str, known: list[str]) -> str:
    near = nearest(key, known)
    if near or not known or len(known) > _FEW:
        return near
    return f" (known: {', '.join(known)})"


def _named(path: Path) -> list[str]:
    """Give the parts of a path that a user wrote: no union members, items counted from 1."""
    parts: list[str] = []
    for part in path:
        if isinstance(part, int):
            parts.append(str(part + 1))
        elif not _is_union_member(part):
            parts.append(part)
    return parts


def _is_union_member(part: str) -> bool:
    return part in _UNION_MEMBERS or "[" in part or part.endswith(("Spec", "Model"))


_UNION_MEMBERS = frozenset({"str", "int", "float", "bool", "list", "tuple", "dict", "none"})


def _sentence(detail: ErrorDetails, value: object) -> str:
    given = detail["input"]
    for candidate in (given, value):
        slot = _unquoted_slot(candidate)
        if slot:
            return f'{{{slot}}} without quotes is a YAML map (quote it: "{{{slot}}}")'
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        text = str(context.get("error", detail["msg"]))
        return text.replace(repr(given), shown(given)) if isinstance(given, dict | list) else text
    if given is None and kind != "missing":
        return "is empty (give it a value, or remove the line)"
    sentence = _SENTENCES.get(kind)
    if sentence is None:
        return f"{shown(given)}: {detail['msg']}"
    return sentence(given, context)


def _unquoted_slot(value: object) -> str:
    """Give the slot where a one-key map stands for an unquoted `{address}`; else an empty text."""
    if isinstance(value, dict) and len(value) == 1:
        ((key, below),) = value.items()
        if below is None and (has_slot(f"{{{key}}}") or key == "item"):
            return str(key)
    return ""


def _text(given: object, _context: Mapping[str, Any]) -> str:
    if isinstance(given, bool | int | float):
        word = "true or false" if isinstance(given, bool) else "a number"
        return f'{shown(given)} is {word}, not a text (quote it: "{shown(given)}")'
    if isinstance(given, SecretRef):
        return f"{given} cannot stand here: this setting takes no secret (write the text itself)"
    return not_a(given, "a text")


def _choice(given: object, context: Mapping[str, Any]) -> str:
    expected = str(context["expected"]).replace("'", "")
    known = expected.replace(" or ", ", ").split(", ")
    return f"{shown(given)} is none of {expected}{nearest(str(given), known)}"


def _not(what: str) -> Callable[[object, Mapping[str, Any]], str]:
    return lambda given, _context: not_a(given, what)


def _bound(sentence: str) -> Callable[[object, Mapping[str, Any]], str]:
    return lambda given, context: f"{shown(given)} {sentence.format(**context)}"


def _missing(_given: object, _context: Mapping[str, Any]) -> str:
    return "is missing"


_SENTENCES: Mapping[str, Callable[[object, Mapping[str, Any]], str]] = {
    "missing": _missing,
    "string_type": _text,
    "literal_error": _choice,
    "enum": _choice,
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), _not("a whole number")),
    **dict.fromkeys(("float_type", "float_parsing"), _not("a number")),
    **dict.fromkeys(("bool_type", "bool_parsing"), _not("true or false")),
    **dict.fromkeys(
        ("list_type", "tuple_type", "set_type", "frozen_set_type"), _not("a list (write [a, b])")
    ),
    **dict.fromkeys(
        ("dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"),
        _not("a map (write key: value)"),
    ),
    "greater_than": _bound("is too small (must be over {gt})"),
    "greater_than_equal": _bound("is too small (at least {ge})"),
    "less_than": _bound("is too large (must be below {lt})"),
    "less_than_equal": _bound("is too large (at most {le})"),
    "finite_number": _not("a finite number"),
    "too_short": lambda _given, context: f"needs at least {context['min_length']}",
    "too_long": lambda _given, context: f"may hold at most {context['max_length']}",
    "string_too_short": _bound("is too short (at least {min_length} characters)"),
    "string_too_long": _bound("is too long (at most {max_length} characters)"),
    "string_pattern_mismatch": _bound("does not look right (it must match {pattern})"),
}


def known_keys(model: type[BaseModel], path: Path) -> list[str]:
    """Give the keys that a user may write in the map at `path` below `model`."""
    current: type[BaseModel] | None = model
    for part in path:
        if current is None or not isinstance(part, str):
            continue
        below = _field(current, part)
        if below is not None:
            current = below
    return [] if current is None else keys_of(current)


def keys_of(model: type[BaseModel]) -> list[str]:
    """Give a model's keys as users write them (aliases where they have one)."""
    return [field.alias or name for name, field in model.model_fields.items()]


def _field(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    for name, field in model.model_fields.items():
        if key in (name, field.alias):
            return model_in(field.annotation)
    return None


def model_in(annotation: object) -> type[BaseModel] | None:
    """Give the model that a field's annotation holds, or None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in typing.get_args(annotation):
        found = model_in(argument)
        if found is not None:
            return found
    return None
