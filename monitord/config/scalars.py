"""YAML 1.2 core-schema scalars: what an unquoted word is. `no`, `on`, `22:30` are texts. Pure.

Source: YAML 1.2.2, 10.3.2 (core schema). Dates are texts too; whoever wants one reads it.
"""

import math
import re

from monitord.secrets import SecretRef

_WORDS: dict[str, bool | float | None] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **{sign + word: math.inf for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_NUMERIC = frozenset("+-.0123456789")
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 300
_SCHEMES = ("env", "file", "credential")

Scalar = str | int | float | bool | None


def resolve(text: str) -> Scalar:
    """Give what the plain (unquoted) scalar `text` means.

    Raises:
        ValueError: a number of more than 300 characters, which nobody wrote on purpose.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC:
        return text
    if _FLOAT.fullmatch(text) is None:
        if _OCTAL.fullmatch(text):
            return int(_short(text), 0)
        return int(_short(text), 0) if _HEX.fullmatch(text) else text
    return int(_short(text)) if _INT.fullmatch(text) else float(_short(text))


def _short(text: str) -> str:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError(f"a number of {len(text)} characters (quote it if it is a text)")
    return text


def tagged(tag: str, text: str) -> Scalar | SecretRef:
    """Give what `text` means under an explicit tag (`!secret`, `!!str`, `!!int`, …).

    Raises:
        ValueError: an unknown tag, or a text that the tag does not fit; the message gives the cure.
    """
    if tag == "!secret":
        scheme, colon, name = text.partition(":")
        if scheme not in _SCHEMES or not colon or not name:
            raise ValueError(
                f"!secret {text}: no such reference (write !secret env:NAME, "
                "!secret file:/path or !secret credential:NAME)"
            )
        return SecretRef(scheme, name)
    word = tag.removeprefix("tag:yaml.org,2002:")
    if word == "str":
        return text
    if word not in _TYPES:
        shown = tag if word == tag else f"!!{word}"
        raise ValueError(f"unknown tag {shown} (only !secret and the YAML core tags are read)")
    value = resolve(text)
    if type(value) not in _TYPES[word]:
        raise ValueError(f"{text!r} is not a YAML {word}")
    return float(value) if word == "float" and isinstance(value, int) else value


_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (float, int),
    "bool": (bool,),
    "null": (type(None),),
}
