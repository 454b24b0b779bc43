"""Reads what makes a service down or degraded, and says what it comes to. Pure.

`www/vip`, `web*/site fewer than 6 ok`, `any of db*/pg critical or www/vip unknown`: a selector, how
many of its checks, and what they were seen to be; `and`, `or` (which binds less) and brackets join.
Which checks a selector means is asked of the caller. docs/services.md has the words.
"""

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import re2

from monitord.model.ids import CheckKey
from monitord.model.service import Compare, Count, Expression, Junction, Rule, Seen

Find = Callable[[str], Sequence[CheckKey]]
"""Gives the checks that a selector means; ExpressionError where it means none."""

See = Callable[[CheckKey], Seen]
"""Gives what a check was seen to be."""

_EXAMPLE = 'write "www/vip", "web*/site fewer than 6 ok" or "all of db*/pg critical"'
_LONGEST, _DEEPEST = 2000, 20
_TOKEN = re2.compile(r"[()]|[^\s()]+")
_NUMBER = re2.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(%?)")
_STATES = {
    "ok": frozenset({Seen.OK}),
    "up": frozenset({Seen.OK, Seen.WARNING}),
    "warning": frozenset({Seen.WARNING}),
    "critical": frozenset({Seen.CRITICAL}),
    "unknown": frozenset({Seen.UNKNOWN}),
}
_COMPARES = {
    ("fewer", "than"): Compare.FEWER,
    ("less", "than"): Compare.FEWER,
    ("more", "than"): Compare.MORE,
    ("at", "least"): Compare.LEAST,
    ("at", "most"): Compare.MOST,
}
_ALL = {
    "any": (Compare.LEAST, 1.0, False),
    "all": (Compare.LEAST, 100.0, True),
    "none": (Compare.FEWER, 1.0, False),
}
_BEGINS = frozenset({*_ALL, *(first for first, _ in _COMPARES)})
_JOINS = frozenset({"and", "or", "(", ")"})
_WORDS = frozenset({*_BEGINS, *_STATES, *_JOINS, "is", "are", "not", "of", "than"})
_GLUE = "&,|="  # what stands beside these belongs to one selector
_ASKS_FOR_BAD = frozenset({Compare.MORE, Compare.LEAST})


class ExpressionError(ValueError):
    """An expression that cannot be used: the word, and the cure."""


def rule(text: str, find: Find) -> Rule:
    """Read one line.

    Raises:
        ExpressionError: it cannot be read, means nothing, or would always or never hold.
    """
    if len(text) > _LONGEST or not text.isprintable():
        raise ExpressionError(
            f"{text[:60]!r} is longer than {_LONGEST} characters, or has some that do not print"
        )
    reader = _Reader(text, _TOKEN.findall(text), find)
    found = reader.any_of(0)
    if reader.word:
        reader.refuse(f"has {reader.word!r} where it should end or go on with `and` or `or`")
    return Rule(text, found)


def keys_of(expression: Expression) -> tuple[CheckKey, ...]:
    """Give the checks that an expression looks at, each once."""
    return tuple(dict.fromkeys(key for count in counts_of(expression) for key in count.keys))


def counts_of(expression: Expression) -> Iterable[Count]:
    """Give the counts that an expression is made of, in its order."""
    if isinstance(expression, Count):
        yield expression
        return
    for part in expression.parts:
        yield from counts_of(part)


def holds(expression: Expression, see: See) -> bool | None:
    """Tell whether an expression holds; None: what was not seen could make it either.

    Of a count, what was not seen counts only where `unknown` is asked for; it is in doubt else.
    """
    if isinstance(expression, Count):
        return _counted(expression, see)
    told = [holds(part, see) for part in expression.parts]
    decisive = not expression.every
    if decisive in told:
        return decisive
    return None if None in told else expression.every


def tally(count: Count, see: See) -> tuple[int, int]:
    """Give how many of a count's checks surely are what it asks for, and how many may be."""
    seen = [see(key) for key in count.keys]
    sure = sum(one in count.seen for one in seen)
    doubtful = 0 if Seen.UNKNOWN in count.seen else sum(one is Seen.UNKNOWN for one in seen)
    return sure, sure + doubtful


def blamed(expression: Expression, see: See) -> frozenset[CheckKey]:
    """Give the checks that make an expression hold; none where it does not, or may not."""
    if not holds(expression, see):
        return frozenset()
    if isinstance(expression, Junction):
        return frozenset().union(*(blamed(part, see) for part in expression.parts))
    asked = expression.compare in _ASKS_FOR_BAD
    sees_all = Seen.UNKNOWN in expression.seen
    found = set()
    for key in expression.keys:
        seen = see(key)
        if seen is Seen.OK or (seen is Seen.UNKNOWN and not sees_all):
            continue
        if (seen in expression.seen) is asked:
            found.add(key)
    return frozenset(found)


def _counted(count: Count, see: See) -> bool | None:
    if not count.keys:  # none of them is on this machine
        return False
    least, most = tally(count, see)
    low, high = _met(count, least), _met(count, most)
    return low if low is high else None


def _met(count: Count, number: int) -> bool:
    have, want = float(number), count.number
    if count.percent:
        have, want = 100.0 * number, want * len(count.keys)
    match count.compare:
        case Compare.FEWER:
            return have < want
        case Compare.MORE:
            return have > want
        case Compare.LEAST:
            return have >= want
        case Compare.MOST:
            return have <= want


@dataclass(slots=True)
class _Reader:
    """Goes through the words of one expression, from left to right."""

    text: str
    words: list[str]
    find: Find
    place: int = field(default=0)

    @property
    def word(self) -> str:
        """The word at hand; empty at the end."""
        return self.words[self.place] if self.place < len(self.words) else ""

    def refuse(self, why: str, cure: str = _EXAMPLE) -> NoReturn:
        raise ExpressionError(f"{self.text!r} {why} ({cure})")

    def take(self, *expected: str) -> str:
        """Give the word at hand if it is one of these, and go on; else an empty text."""
        word = self.word
        if word and word in expected:
            self.place += 1
            return word
        return ""

    def any_of(self, depth: int) -> Expression:
        parts = [self.all_of(depth)]
        while self.take("or"):
            parts.append(self.all_of(depth))
        return parts[0] if len(parts) == 1 else Junction(every=False, parts=tuple(parts))

    def all_of(self, depth: int) -> Expression:
        parts = [self.one(depth)]
        while self.take("and"):
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else Junction(every=True, parts=tuple(parts))

    def one(self, depth: int) -> Expression:
        if depth > _DEEPEST:
            self.refuse(f"has more than {_DEEPEST} brackets in each other", "use fewer")
        if self.take("("):
            found = self.any_of(depth + 1)
            if not self.take(")"):
                self.refuse("has a `(` that nothing closes", "add `)`")
            return found
        if self.word in _BEGINS:
            asked = self.amount()
            if not self.take("of"):
                said = self.words[self.place - 1]
                self.refuse(f"has no `of` behind {said!r}", f"write {said} of web*/site")
            return self.count(self.selector(), asked)
        selector = self.selector()
        return self.count(selector, self.amount() if self.word in _BEGINS else None)

    def selector(self) -> str:
        """Take the words of a selector: `group=web & check=site` has three."""
        start, goes_on = self.place, True
        while self.word and self.word not in _WORDS:
            if not goes_on and self.word[0] not in _GLUE:
                break
            goes_on = self.word[-1] in _GLUE
            self.place += 1
        if start == self.place:
            found = f"{self.word!r} where" if self.word else "nothing where"
            self.refuse(f"has {found} a selector belongs")
        return " ".join(self.words[start : self.place])

    def amount(self) -> tuple[Compare, float, bool]:
        """Take `any`, `at least 2`, `fewer than 50%`."""
        first = self.word
        self.place += 1
        if first in _ALL:
            return _ALL[first]
        compare = _COMPARES.get((first, self.word))
        if compare is None:
            rest = " or ".join(second for begin, second in _COMPARES if begin == first)
            self.refuse(f"has {self.word!r} behind {first!r}", f"write {first} {rest} 2")
        self.place += 1
        number = _NUMBER.fullmatch(self.word)
        if number is None:
            said = f"{self.word!r}" if self.word else "nothing"
            self.refuse(
                f"has {said} where a number belongs", f"write {compare} 2, or {compare} 50%"
            )
        self.place += 1
        if not number[2] and "." in number[1]:
            self.refuse(f"has {number[0]!r}, which is no count", "write a whole number or a share")
        if number[2] and float(number[1]) > 100:  # noqa: PLR2004 - percent
            self.refuse(f"has {number[0]!r}, which is more than all", "write at most 100%")
        return compare, float(number[1]), bool(number[2])

    def count(self, selector: str, asked: tuple[Compare, float, bool] | None) -> Count:
        seen = self.states()
        keys = tuple(dict.fromkeys(self.find(selector)))
        if asked is None:
            if len(keys) > 1:
                self.refuse(
                    f"does not say how many: {len(keys)} checks match {selector}",
                    f"write any of {selector}, or all of {selector}",
                )
            asked = _ALL["any"]
        if seen is None and asked[0] not in _ASKS_FOR_BAD:
            self.refuse(
                f"does not say what {selector} should be", f"add one of {', '.join(_STATES)}"
            )
        found = Count(keys, *asked, seen or _STATES["critical"])
        self.must_depend(found, selector)
        return found

    def states(self) -> frozenset[Seen] | None:
        """Take `critical`, `is not ok`, `warning or critical`; None: nothing is said."""
        told = self.take("is", "are")
        denied = bool(self.take("not"))
        if not told and not denied and self.word not in _STATES:
            if self.word and self.word not in _JOINS:
                near = difflib.get_close_matches(self.word.lower(), _WORDS, n=1)
                cure = f"did you mean {near[0]}?" if near else f"known: {', '.join(_STATES)}"
                self.refuse(f"has the unknown word {self.word!r}", cure)
            return None
        found = self.state()
        while self.word == "or" and "".join(self.words[self.place + 1 : self.place + 2]) in _STATES:
            self.place += 1
            found |= self.state()
        return frozenset(Seen) - found if denied else found

    def state(self) -> frozenset[Seen]:
        word = self.word
        if word not in _STATES:
            self.refuse(f"has {word!r} where a state belongs", f"known: {', '.join(_STATES)}")
        self.place += 1
        return _STATES[word]

    def must_depend(self, count: Count, selector: str) -> None:
        """Refuse what holds whatever the checks are, or never: a number that is too high or low."""
        most = len(count.keys)
        answers = {_met(count, number) for number in range(most + 1)}
        if most and len(answers) == 1:
            how = "always" if answers.pop() else "never"
            number = f"{count.number:g}{'%' * count.percent}"
            checks = "check matches" if most == 1 else "checks match"
            self.refuse(
                f"would {how} hold: {most} {checks} {selector}, and {count.compare} {number}"
                f" is {how} so",
                "write another number",
            )
