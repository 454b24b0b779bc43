"""Reads a selector and tells whether it names a host, a check or a runbook. Never looks them up.

`group=web & site=ulm & web0*` narrows with `&`, widens with `,` or `|` (which bind less). A term is
`field=pattern`, a pattern for the host, `host/check`, or `*` for everything. Patterns know `*`, `?`
and ranges as host names do: `web[1-12]`, `db[01-04]`. An empty selector is an error, never
everything, and a term about something that is not at hand (a check, a runbook) does not match.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn

import re2

from monitord.model.catalog import Host
from monitord.model.ticket import BadSelectorError

_FIELDS = ("host", "group", "tag", "site", "customer", "check", "service", "runbook")
_EXAMPLE = 'write "group=web & site=ulm & web0*", "web1/disk-space", or "*" for everything'
_LONGEST = 2000
_RANGE = re2.compile("([0-9]{1,9})-([0-9]{1,9})")
_WIDEST = 1000  # numbers in one range: each becomes an alternative of the pattern
_LARGEST = 50_000  # characters of a compiled pattern: far below what re2 refuses


@dataclass(frozen=True, slots=True)
class Term:
    """One condition: any value of `field` matches `pattern`, which is `written` so."""

    field: str
    pattern: Any  # a compiled re2 pattern; re2 publishes no types
    written: str

    @property
    def is_name(self) -> bool:
        """Tell whether it means one name and no pattern of names."""
        return set(self.written).isdisjoint("*?[")


@dataclass(frozen=True, slots=True)
class Selector:
    """Alternatives of terms that must all hold; `everything` when an alternative is `*` alone."""

    text: str
    alternatives: tuple[tuple[Term, ...], ...]

    @property
    def everything(self) -> bool:
        """Tell whether nothing is left out, whatever it is asked about."""
        return () in self.alternatives


@lru_cache(maxsize=1024)
def parse(text: str) -> Selector:
    """Read a selector.

    Raises:
        BadSelectorError: it cannot be read; the text says where, and how to write one.
    """
    if len(text) > _LONGEST or not text.isprintable():
        _refuse(text[:60], "is longer than 2000 characters, or has characters that do not print")
    if not text.strip():
        raise BadSelectorError(f"an empty selector selects nothing: {_EXAMPLE}")
    alternatives = text.replace("|", ",").split(",")
    return Selector(text, tuple(_all_of(part, text) for part in alternatives))


def matches(
    selector: Selector,
    *,
    host: Host,
    check: str = "",
    services: tuple[str, ...] = (),
    runbook: str = "",
) -> bool:
    """Tell whether the selector names this host, its check, or a runbook that acts there."""
    values: dict[str, tuple[str, ...]] = {
        "host": (host.name,),
        "group": host.groups,
        "tag": host.tags,
        "site": (host.site,) if host.site else (),
        "customer": (host.customer,) if host.customer else (),
        "check": (check,) if check else (),
        "service": services,
        "runbook": (runbook,) if runbook else (),
    }
    return any(
        all(_holds(term, values[term.field]) for term in terms) for terms in selector.alternatives
    )


def _holds(term: Term, values: tuple[str, ...]) -> bool:
    return any(term.pattern.fullmatch(value) is not None for value in values)


def _all_of(part: str, text: str) -> tuple[Term, ...]:
    words = [word.strip() for word in part.split("&")]
    if "" in words:
        _refuse(text, "has an empty part beside a `&`, `,` or `|`")
    return tuple(term for word in words for term in _terms(word, text))


def _terms(word: str, text: str) -> Iterator[Term]:
    """Give the terms of one word: none for `*`, two for `host/check`."""
    if word == "*":
        return
    field, equals, pattern = (part.strip() for part in word.partition("="))
    if equals:
        if field not in _FIELDS:
            near = difflib.get_close_matches(field, _FIELDS, n=1)
            cure = f"did you mean {near[0]}=?" if near else f"known: {', '.join(_FIELDS)}"
            _refuse(text, f"has the unknown field {field!r} ({cure})")
        yield Term(field, _pattern(pattern, text), pattern)
        return
    host, slash, check = word.partition("/")
    if "/" in check:
        _refuse(text, f"names an item in {word!r}; the smallest thing to name is host/check")
    yield Term("host", _pattern(host, text), host)
    if slash:
        yield Term("check", _pattern(check, text), check)


def _pattern(glob: str, text: str) -> Any:
    """Compile a pattern; re2, so that no pattern can stall the daemon."""
    if not glob or not set(glob).isdisjoint("=/ "):
        _refuse(text, f"has {glob!r} where one name or pattern belongs")
    parts: list[str] = []
    rest = glob
    while rest:
        char, rest = rest[0], rest[1:]
        if char == "[":
            inside, closed, rest = rest.partition("]")
            parts.append(_range(inside if closed else "", text))
        else:
            parts.append({"*": ".*", "?": "."}.get(char) or re2.escape(char))
    pattern = "".join(parts)
    if len(pattern) > _LARGEST:
        _refuse(text, f"has a pattern that means too many names: {glob[:60]!r}")
    return re2.compile(pattern)


def _range(inside: str, text: str) -> str:
    match = _RANGE.fullmatch(inside)
    if match is None:
        _refuse(text, "has a `[` that begins no range (write web[1-12] or db[01-04])")
    low, high = match.groups()
    if not 0 <= int(high) - int(low) < _WIDEST:
        _refuse(text, f"has the range [{inside}], which is empty or wider than {_WIDEST}")
    numbers = range(int(low), int(high) + 1)
    return "(?:" + "|".join(f"{number:0{len(low)}}" for number in numbers) + ")"


def _refuse(text: str, why: str) -> NoReturn:
    raise BadSelectorError(f"selector {text!r} {why}: {_EXAMPLE}")
