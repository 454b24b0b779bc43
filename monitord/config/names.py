"""Names: host ranges, `{slots}` with `{n}` arithmetic, globs, and the nearest known name. Pure.

`web[1-8]`, `db[01-12]` (zero padded), `rack[1-2]-[1,3,5-7]` (several ranges, lists). Arithmetic
knows whole numbers and + - * only; nothing is ever evaluated.
"""

import difflib
import itertools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

MAX_EXPANSION = 100_000
_RANGE = re.compile(r"\[([0-9,\s-]*)\]")
_PART = re.compile(r"([0-9]{1,9})(?:-([0-9]{1,9}))?")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@+-]*")
_LONGEST_NAME = 200
_DIGITS = re.compile(r"[0-9]+")
_IPV4_NUMBERS, _BYTE, _BYTE_DIGITS = 4, 255, 9
_TOKEN = re.compile(r"\s*(?:(\d{1,12})|(n\d?)|([-+*]))")
_SLOT = re.compile(r"\{(\{[a-z0-9 +*-]+\})\}|\{((?:address|host)|[n0-9 +*-]*n[n0-9 +*-]*)\}")

_MISSPELT = re.compile(r"(?<!\{)\{([a-z]{3,12})\}(?!\})|(?<!\{)\{(n\d? *[/%^][^{}]*)\}(?!\})")
_FILLED = ("address", "host")

Slots = Mapping[str, str | int]
"""What `{…}` may name: host and address (texts), n, n1, n2 … (numbers of the host's ranges)."""


def expand(pattern: str) -> list[tuple[str, tuple[int, ...]]]:
    """Give each name that `pattern` stands for, with the numbers of its ranges.

    Raises:
        ValueError: a range that cannot be read, is backwards, or gives too many names.
    """
    pieces = _RANGE.split(pattern)
    rest = "".join(pieces[::2])
    if rest.count("[") > rest.count("]"):
        raise ValueError(
            f"{pattern}: the bracket is open (write {pattern.split('[', maxsplit=1)[0]}[1-8])"
        )
    choices = [_choices(body, pattern) for body in pieces[1::2]]
    count = 1
    for choice in choices:
        count *= len(choice)
    if count > MAX_EXPANSION:
        raise ValueError(f"{pattern} stands for {count} names; the limit is {MAX_EXPANSION}")
    names = []
    for picked in itertools.product(*choices):
        texts = [text for pair in zip(pieces[::2], picked, strict=False) for text in pair]
        names.append(("".join([*texts, pieces[-1]]), tuple(int(text) for text in picked)))
    return names


def _choices(body: str, pattern: str) -> list[str]:
    numbers: list[str] = []
    for part in body.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{pattern}: [{body}] is not a range (write [1-8], [01-12] or [1,3])")
        low, high = match[1], match[2] or match[1]
        if int(high) < int(low):
            raise ValueError(f"{pattern}: [{part.strip()}] runs backwards (write [{high}-{low}])")
        if int(high) - int(low) >= MAX_EXPANSION:
            raise ValueError(f"{pattern}: [{part.strip()}] is over the limit of {MAX_EXPANSION}")
        width = len(low) if low.startswith("0") else 0
        numbers.extend(str(number).zfill(width) for number in range(int(low), int(high) + 1))
    doubled = {text for text in numbers if numbers.count(text) > 1} if len(numbers) < 1000 else ()  # noqa: PLR2004 - quadratic, so only for what people write by hand
    if doubled:
        raise ValueError(f"{pattern}: [{body}] names {min(doubled)} twice")
    return numbers


def is_name(text: str) -> bool:
    """Tell whether `text` may name a host, group, check, runbook, service or backend."""
    return len(text) <= _LONGEST_NAME and _NAME.fullmatch(text) is not None


def address_fault(address: str) -> str:
    """Say what keeps `address` (its slots filled) from being one; an empty text: nothing does."""
    if not address.strip():
        return "is empty (write one, or remove the line: then the name is the address)"
    if "{" in address or "}" in address:
        return f"{address!r} holds a brace that is no slot (write {{n}}, {{10+n}} or {{host}})"
    if any(sign.isspace() or not sign.isprintable() for sign in address):
        return f"{address!r} holds a blank or control character (remove it)"
    if address.startswith("-"):
        return f"{address!r} begins with - (an address never does; programs read it as an option)"
    numbers = address.split(".")
    if len(numbers) == _IPV4_NUMBERS and all(_DIGITS.fullmatch(number) for number in numbers):
        high = [number for number in numbers if len(number) > _BYTE_DIGITS or int(number) > _BYTE]
        if high:
            return f"{address} is no IPv4 address: {high[0]} is over {_BYTE}"
    return ""


def slots_of(host: str, address: str, numbers: Sequence[int]) -> dict[str, str | int]:
    """Give the slots of one host: `{n}` is the number of its first range, `{n2}` of its second."""
    slots: dict[str, str | int] = {"host": host, "address": address}
    slots.update({f"n{place}": number for place, number in enumerate(numbers, 1)})
    if numbers:
        slots["n"] = numbers[0]
    return slots


def has_slot(text: str) -> bool:
    """Tell whether `fill` would change `text`, or refuse it."""
    return "{" in text and (_SLOT.search(text) is not None or _misspelt(text) != "")


@lru_cache(maxsize=4096)
def _misspelt(text: str) -> str:
    """Give the sentence about a word in braces that is nearly a slot; else an empty text."""
    for match in _MISSPELT.finditer(text):
        word = match[1] or match[2]
        if match[2]:
            return f"{{{word}}} cannot be worked out (write {{n}}, {{10+n}} or {{2*n-1}})"
        if word in _FILLED:
            continue
        close = difflib.get_close_matches(word, _FILLED, n=1, cutoff=0.7)
        if close:
            return (
                f"{{{word}}} is no slot, did you mean {{{close[0]}}}? "
                f"(write {{{{{word}}}}} for the text)"
            )
    return ""


def fill(text: str, slots: Slots) -> str:
    """Fill `{address}`, `{host}`, `{n}`, `{10+n}` once; `{{n}}` gives `{n}`; other braces stay.

    Raises:
        ValueError: a slot that this host does not have or that is misspelt, or arithmetic that
            cannot be read.
    """
    if "{" not in text:
        return text
    misspelt = _misspelt(text)
    if misspelt:
        raise ValueError(misspelt)
    return _SLOT.sub(lambda match: match[1] or _value(match[2], slots), text)


def _value(expression: str, slots: Slots) -> str:
    if expression in ("address", "host"):
        value = slots[expression]
        if value == "":
            raise ValueError(f"{{{expression}}}: this host has no {expression} (give it one)")
        return str(value)
    return str(_evaluate(expression, slots))


def _evaluate(expression: str, slots: Slots) -> int:
    """Work out sums of products over whole numbers and n, n1, n2 …."""
    wrong = f"{{{expression}}} cannot be worked out (write {{n}}, {{10+n}} or {{2*n-1}})"
    total, sign, product, expect_number, at = 0, 1, 0, True, 0
    text = expression.rstrip()
    times = False
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or (match[3] is None) is not expect_number:
            raise ValueError(wrong)
        at = match.end()
        if match[3] is None:
            number = int(match[1]) if match[1] else _number(match[2], slots)
            product = product * number if times else sign * number
        elif match[3] == "*":
            times = True
        else:
            total, sign, times = total + product, 1 if match[3] == "+" else -1, False
        expect_number = not expect_number
    if expect_number:
        raise ValueError(wrong)
    return total + product


def _number(name: str, slots: Slots) -> int:
    value = slots.get(name)
    if not isinstance(value, int):
        raise ValueError(  # noqa: TRY004 - the host is wrong, not the type
            f"{{{name}}}: host {slots['host']} has no such range (write name[1-8])"
        )
    return value


@lru_cache(maxsize=4096)
def glob(pattern: str) -> Callable[[str], object]:
    """Give a test for names: `*` is any run of characters, `?` any one, neither crosses a slash.

    Ranges work too: `web[1-3]` is those three.

    Raises:
        ValueError: a range that cannot be read.
    """
    choices = [
        re.escape(name).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
        for name, _ in expand(pattern)
    ]
    return re.compile("|".join(choices)).fullmatch


def is_pattern(text: str) -> bool:
    """Tell whether `text` may stand for several names."""
    return any(sign in text for sign in "*?[")


def nearest(word: str, known: Iterable[str], *, lead: str = "did you mean") -> str:
    """Give ` (did you mean X?)`, or nothing when no known name is near."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if not close:
        lowered = {name.lower(): name for name in names}
        close = difflib.get_close_matches(word.lower(), lowered, n=1, cutoff=0.6)
        close = [lowered[name] for name in close]
    return f" ({lead} {close[0]}?)" if close else ""
