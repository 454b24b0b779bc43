"""How one family of network devices talks on its command line: data only, nothing is typed here.

A dialect is one file in `dialects/` and a line in its map. Where netmiko speaks a family well, its
`device_type` brings paging and quirks; what monitord must know for itself stands here.
"""

import re
from dataclasses import dataclass

NAME = "{name}"
"""Stands in `Dialect.prompt` where the device's own name stands."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """One command line.

    `prompt` is a pattern of one whole prompt, with NAME for the device's name and no capturing
    group; a prompt that holds `configuring` is one of configuration. `opening` is typed first
    (paging off). `looks` are the first words of commands that change nothing. A line of an answer
    that matches `refusal` says that the command was not taken; configuration is then left by
    `abandon` and not by `leave`, which may be a word that commits. `save` is answered with `saved`.
    """

    name: str
    device_type: str
    prompt: str
    opening: tuple[str, ...]
    looks: tuple[str, ...]
    refusal: str
    enter: str
    leave: str
    abandon: str
    configuring: str
    save: str
    saved: str

    def prompt_of(self, name: str) -> str:
        """Give the pattern of a prompt of the device called `name`; empty: of any."""
        return self.prompt.replace(NAME, re.escape(name) if name else r"[^\s#>]+?")

    def name_in(self, prompt: str) -> str:
        """Give the device's name from its first prompt; empty when it is none."""
        found = re.fullmatch(self.prompt.replace(NAME, r"(?P<name>[^\s#>]+?)"), prompt)
        return found["name"] if found else ""

    def only_looks(self, line: str) -> bool:
        """Tell whether a command is known to change nothing."""
        return line.split(" ", 1)[0] in self.looks

    def refused(self, answer: str) -> str:
        """Give the line in which the device refuses a command; empty when there is none."""
        found = re.search(rf"(?m)^\s*(?:{self.refusal}).*$", answer)
        return found[0].strip() if found else ""
