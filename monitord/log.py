"""Event-and-fields logging to stderr: JSON lines for machines, one aligned line for a person.

It decides only how a line looks: what may not be seen (registered secrets) is masked, what could
move a terminal (control characters in a target's output) is escaped. It never raises because a
line could not be written, and it keeps no file of its own: systemd or the shell has stderr.
"""

import contextlib
import json as _json
import logging
import math
import os
import re
import sys
from collections.abc import Mapping, MutableMapping
from datetime import UTC, datetime
from typing import Any, cast

import structlog
from structlog.typing import FilteringBoundLogger, WrappedLogger

from monitord.secrets import redact

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
_PRIORITY = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
_LIBRARIES = logging.WARNING  # paramiko and uvicorn speak of each connection below this
# C0 but for tab and newline, DEL, C1, line separators, direction overrides, lone surrogates: what
# a terminal or a pager would obey, or what cannot be written as UTF-8.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_hidden: set[str] = set()


def hide(secret: str) -> None:
    """Register a secret's value: no later line shows it. Values below 4 characters are ignored."""
    _hidden.add(secret)


def _visible(text: str, *, keep_newlines: bool = True) -> str:
    r"""Give `text` with every character that a terminal would obey written as `\x1b` or `\u202e`.

    Tabs stay; newlines stay unless `keep_newlines` is false (then `\n`).
    """
    shown = _UNSAFE.sub(_spelled, text)
    return shown if keep_newlines else shown.replace("\n", "\\n")


def _spelled(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - one byte


def get_logger(name: str) -> FilteringBoundLogger:
    """Give the logger of a module: `log.info("attempt finished", incident=3, outcome="fixed")`."""
    return cast("FilteringBoundLogger", structlog.get_logger(module=name))


def configure(level: str = "info", *, json: bool | None = None) -> None:
    """Set the least level shown, and JSON or human lines (None: human on a terminal only).

    Also takes in what libraries say through the standard library's logging, from warnings on.

    Raises:
        ValueError: an unknown level.
    """
    if level not in LEVELS:
        raise ValueError(f"{level!r} is not a log level (use {', '.join(LEVELS)})")
    as_json = not (sys.stderr and sys.stderr.isatty()) if json is None else json
    _apply(level, as_json=as_json, cache=True)
    root = logging.getLogger()
    root.handlers = [_FromLibrary()]
    root.setLevel(max(LEVELS[level], _LIBRARIES))


def _apply(level: str, *, as_json: bool, cache: bool) -> None:
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            _clean,
            _as_json if as_json else _as_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=_Stderr,
        cache_logger_on_first_use=cache,
    )


class _Stderr:
    """Writes finished lines; journald gets the priority as its `<3>` prefix."""

    def __init__(self, *_: Any) -> None:
        self._journal = _is_journal()

    def msg(self, line: str) -> None:
        level, _, text = line.partition(" ")
        prefix = f"<{_PRIORITY.get(level, 6)}>" if self._journal else ""
        # A reader of stderr that went away must not end the daemon; there is nowhere to say so.
        with contextlib.suppress(OSError, ValueError):
            if sys.stderr is not None:  # None: it was closed before we began
                sys.stderr.write(f"{prefix}{text}\n")
                sys.stderr.flush()

    debug = info = warning = error = critical = exception = log = msg


def _is_journal() -> bool:
    try:
        stat = os.fstat(2)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"


def _clean(
    _logger: WrappedLogger, _method: str, event: MutableMapping[str, Any]
) -> Mapping[str, Any]:
    return {name: _cleaned(value) for name, value in event.items()}


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _visible(redact(str(value), _hidden))
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)  # JSON has no word for infinity
    if isinstance(value, Mapping):
        return {_cleaned(str(name)): _cleaned(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_cleaned(inner) for inner in value]
    return _cleaned(str(value))


def _as_json(_logger: WrappedLogger, method: str, event: MutableMapping[str, Any]) -> str:
    fields = dict(event)
    line = {
        "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "level": fields.pop("level"),
        "event": fields.pop("event", ""),
        **fields,
    }
    return f"{method} {_json.dumps(line, ensure_ascii=False)}"


def _as_line(_logger: WrappedLogger, method: str, event: MutableMapping[str, Any]) -> str:
    fields = dict(event)
    trace = fields.pop("exception", "")
    level, text = fields.pop("level"), str(fields.pop("event", ""))
    fields.pop("module", None)
    now = datetime.now().astimezone().strftime("%H:%M:%S")
    shown = "  ".join(f"{name}={_field(value)}" for name, value in fields.items())
    mark = "" if level == "info" else f"{level.upper()} "
    line = f"{now}  {mark}{text.replace(chr(10), chr(92) + 'n')}"
    return f"{method} {line}{'  ' + shown if shown else ''}{chr(10) + trace if trace else ''}"


def _field(value: Any) -> str:
    if isinstance(value, str) and value and not re.search(r"[\s\"=]", value):
        return value
    return _json.dumps(value, ensure_ascii=False)


class _FromLibrary(logging.Handler):
    """Passes what a library logs into the same stream, cleaned the same way."""

    def emit(self, record: logging.LogRecord) -> None:
        level = next((name for name, at in LEVELS.items() if record.levelno <= at), "critical")
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # the library's own arguments do not fit its format
            text = str(record.msg)
        get_logger(record.name).log(LEVELS[level], text, exc_info=record.exc_info)


# Until `configure` is called (a short CLI command, a test) only warnings are shown, to stderr too:
# structlog's own default would print to stdout and spoil a `--json` answer.
_apply("warning", as_json=False, cache=False)
