"""Text that a target, a server or a stranger wrote, made fit to stand in a line for a person.

Terminal escapes, control characters, direction overrides, zero-width and lone surrogate characters
go away, lengths are bounded. It never judges what the text says, and it is not an escape for HTML
or shell: whoever renders those escapes again.
"""

import re

# Whole escape sequences (colours, titles), then whatever single characters could still be obeyed.
# The classes are disjoint and bounded by ESC, so hostile input costs linear time.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]?|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -~]?")
_CONTROLS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_SPACES = re.compile("[\\s\u2028\u2029]+")
_NEWLINES = re.compile("\r\n|[\r\u0085\u2028\u2029]")
_HIDDEN_SHARE = 8  # a line of escapes may need eight times its visible length


def one_line(text: str | bytes, limit: int = 120) -> str:
    """Give `text` as one clean line of at most `limit` characters; a cut one ends in `…`.

    Bytes are read as UTF-8, what is not valid becomes the replacement character.
    """
    head = _as_text(text, limit * _HIDDEN_SHARE)
    line = _SPACES.sub(" ", _CONTROLS.sub("", _ESCAPES.sub("", head))).strip()
    return line if len(line) <= limit else line[: limit - 1] + "…"


def block(text: str | bytes, limit: int = 65_536) -> str:
    """Give `text` with its lines and tabs kept and all else cleaned, at most `limit` characters."""
    body = _NEWLINES.sub("\n", _ESCAPES.sub("", _as_text(text, limit)))
    return _CONTROLS.sub("", body)


def _as_text(text: str | bytes, limit: int) -> str:
    if isinstance(text, bytes):
        return text[: limit * 4].decode("utf-8", "replace")[:limit]
    return text[:limit]
