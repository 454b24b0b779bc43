"""Users' patterns: google-re2, linear in time, so that no target can stall the daemon.

It decides the dialect (RE2, `.` does not match a newline, case as written). It never searches.
"""

from typing import Annotated, Any

import re2
from pydantic import AfterValidator, WithJsonSchema

_OPTIONS = re2.Options()
_OPTIONS.log_errors = False  # the error is told once, by whoever shows the problem
_OPTIONS.max_mem = 8 << 20  # bytes; an automaton over this is refused, not built


def compile_pattern(text: str) -> Any:
    """Give the compiled pattern; its `search` takes text or UTF-8 bytes.

    Raises:
        ValueError: not a pattern; the message says what RE2 does not offer.
    """
    try:
        return re2.compile(text, _OPTIONS)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise ValueError(
            f"{text!r} is not a pattern: {reason} (RE2 syntax: no look-around, no back-references)"
        ) from error


def _checked(text: str) -> str:
    compile_pattern(text)
    return text


Pattern = Annotated[
    str, AfterValidator(_checked), WithJsonSchema({"type": "string", "format": "regex"})
]
"""A text that is a valid RE2 pattern."""
