"""What the core is told of a step's end: its outcome in a word, and text that holds no secret.

Pure; it does nothing and asks nobody.
"""

import signal
from typing import Any

from monitord.model.effect import Command, Effect, HttpCall
from monitord.secrets import redact, veil
from monitord.transports import runner
from monitord.transports.runner import End, Ending

Answer = dict[str, Any]
_OUTPUT = 65_536
"""Characters of a step's output that leave the executor: head and tail."""


def answer(ending: Ending, effect: Effect, hidden: tuple[str, ...], seconds: float) -> Answer:
    """Give what the core is told: outcome, exit code, output and error; `hidden` is masked."""
    outcome, error = _judge(ending, effect, seconds)
    return {
        "outcome": outcome,
        "exit_code": ending.exit_code,
        "output": _bounded(_redacted(ending.output, hidden)),
        "error": redact(error, hidden),
    }


def _redacted(output: bytes, hidden: tuple[str, ...]) -> str:
    """Give the output as text without the secrets, nor the half of one where output was cut."""
    head, cut, tail = output.partition(runner.CUT)
    for secret in map(str.encode, hidden if cut else ()):
        for size in range(len(secret) - 1, 0, -1):
            if head.endswith(secret[:size]):
                head = head[:-size]
                break
        for size in range(len(secret) - 1, 0, -1):
            if tail.startswith(secret[-size:]):
                tail = tail[size:]
                break
    return veil(redact((head + cut + tail).decode("utf-8", "replace"), hidden))


def _judge(ending: Ending, effect: Effect, seconds: float) -> tuple[str, str]:
    """Give the outcome word and a sentence for what is not done."""
    if ending.end is End.NEVER:
        return "never-started", ""
    if ending.end is not End.FINISHED:
        return "unknown", ending.text or "its run record cannot be read"
    if ending.how == "killed":
        return "unknown", "killed by halt --now"
    why = _why(ending, effect, seconds)
    return ("failed", why) if why else ("done", "")


def _why(ending: Ending, effect: Effect, seconds: float) -> str:
    """Give why a finished step counts as failed; empty when it does not."""
    if ending.how == "deadline":
        return f"not done within {seconds:g} s; it was ended"
    ok_codes = effect.ok_codes if isinstance(effect, Command | HttpCall) else (0,)
    if ending.exit_code is None:
        return ending.text
    if ending.exit_code in ok_codes:
        return ""
    if isinstance(effect, HttpCall):
        return f"answered {ending.exit_code}"
    return _exit(ending.exit_code, ending.output)


def _exit(code: int, output: bytes) -> str:
    if output.startswith(b"sudo: "):
        said = output.decode("utf-8", "replace").splitlines()[0]
        return f"{said} (allow this very argv in sudoers; see docs/executor.md)"
    if code > 128 and code - 128 in set(signal.Signals):  # noqa: PLR2004 - a shell's sign of a signal
        return f"killed by {signal.Signals(code - 128).name}"
    named = {127: " (not found)", 126: " (not executable)", 125: " (it could not be begun)"}
    return f"exit code {code}{named.get(code, '')}"


def _bounded(text: str) -> str:
    if len(text) <= _OUTPUT:
        return text
    half = _OUTPUT // 2 - 20
    return f"{text[:half]}\n[... output cut here ...]\n{text[-half:]}"
