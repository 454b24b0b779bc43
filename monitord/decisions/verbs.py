"""What each of the five orders means: one matrix, which everything that asks about an order reads.

Pure data, and the sentence by which an order shows what it keeps from people. Which order is in
force for what is decided in decisions/orders.py; docs/orders.md holds the same table for people.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from monitord.model.ticket import Verb


@dataclass(frozen=True, slots=True)
class Meaning:
    """What is true of what an order covers, as long as it is in force.

    `acts`: automation may begin steps. `pages`: people are told. `in_hand`: somebody works on it,
    so its tickets are ACKED meanwhile. `digest`: what it kept from people is marked, to be told.
    `hosts`: it covers whole hosts, so a selector that narrows it to checks covers nothing.
    `until_ok`: it always ends by itself once all that it touches is OK again. `about`: one line.
    """

    acts: bool
    pages: bool
    about: str
    in_hand: bool = False
    digest: bool = False
    hosts: bool = False
    until_ok: bool = False

    @property
    def shows(self) -> str:
        """Give the verb of the line that says what it bears on: nothing is hidden silently."""
        return "hold repairs of" if self.pages else "hide"


MATRIX: Mapping[Verb, Meaning] = MappingProxyType(
    {
        Verb.ACK: Meaning(
            acts=True,
            pages=False,
            in_hand=True,
            until_ok=True,
            about="stop paging for what is known; repair goes on",
        ),
        Verb.TAKE: Meaning(
            acts=False,
            pages=False,
            in_hand=True,
            hosts=True,
            about="hands off: a person works there, automation holds the host",
        ),
        Verb.MUTE: Meaning(
            acts=True,
            pages=False,
            digest=True,
            about="no page; repair goes on, the timeline marks what was kept quiet",
        ),
        Verb.MAINTENANCE: Meaning(
            acts=False, pages=False, about="neither act nor page while something is worked on"
        ),
        Verb.HALT: Meaning(
            acts=False, pages=True, about="let no step begin; people are told at once"
        ),
    }
)

QUIET = tuple(verb for verb, meaning in MATRIX.items() if not meaning.pages)
"""Orders that keep people from being paged."""

HELD = tuple(verb for verb, meaning in MATRIX.items() if not (meaning.acts or meaning.pages))
"""Orders under which an incident waits for their end: nobody repairs it, nobody is told."""

IN_HAND = tuple(verb for verb, meaning in MATRIX.items() if meaning.in_hand)
"""Orders that say that somebody has it in hand."""

BARRING = tuple(verb for verb, meaning in MATRIX.items() if not meaning.acts)
"""Orders during which no intent may be committed (DESIGN §8, I8)."""


def line(verb: Verb, orders: int, what: str) -> str:
    """Say what some orders of one verb bear on: `14 mutes hide 3 CRITICAL`."""
    word, _, rest = MATRIX[verb].shows.partition(" ")
    many = "s" if orders != 1 and verb is not Verb.MAINTENANCE else ""
    does = " ".join(filter(None, [f"{word}s" if orders == 1 else word, rest]))
    return f"{orders} {verb}{many} {does} {what}"
