"""How text that a target sent becomes one bounded line that a person, a log or a page can show.

Pure. It never interprets what it escapes; redaction of secrets is not its business.
"""

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that move the cursor, reverse the line or cannot be encoded."""


def one_line(text: str, limit: int = 200) -> str:
    r"""Give `text` with every control, bidi and line-breaking character escaped (`\n`, `\x1b`).

    Runs of blanks at the ends are dropped; past `limit` characters an ellipsis stands for the rest.
    """
    shown = "".join(map(_visible, text[: limit + 1].strip(" \n\t\r")))
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def block(text: str, limit: int = 8192) -> str:
    """Give several lines for a ticket: as `one_line`, but line ends and tabs stay."""
    kept = "".join(c if c in "\n\t" else _visible(c) for c in text[:limit].replace("\r\n", "\n"))
    return kept.strip("\n") if len(text) <= limit else kept + "…"


def _visible(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) not in _HIDDEN:
        return character
    return character.encode("unicode_escape").decode("ascii")
