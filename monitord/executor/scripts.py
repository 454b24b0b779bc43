"""Runs a probe's script on its host, as the login that only looks: secrets in, redacted text out.

The values of secrets go over standard input before the script, and never come back. It judges
nothing and knows no store.
"""

import re
import shlex
from collections.abc import Mapping

from monitord.errors import RefusedByExecutorError
from monitord.executor.hosts import Hosts
from monitord.log import hide
from monitord.model.catalog import Host
from monitord.model.facts import PluginOutput
from monitord.model.kinds import HostScript
from monitord.secrets import SecretRef, redact, resolve

_LIMIT = 1 << 20  # bytes of each stream
_WORD = re.compile(r"[A-Za-z0-9=;:,.+-]{0,16384}")


def word(said: object) -> str:
    """Give where the last look ended, as the core says it: one word that no shell takes apart.

    Raises:
        RefusedByExecutorError: it is more than that.
    """
    if not isinstance(said, str) or not _WORD.fullmatch(said):
        raise RefusedByExecutorError("where the last look ended is not one plain word")
    return said


async def run(
    hosts: Hosts, host: Host, script: HostScript, seconds: float, since: str | None = None
) -> PluginOutput:
    """Feed the script to a shell on `host` for `seconds` at most; the shell's code is the answer's.

    `since`, a word, is the value of a first line of its own: the text behind it is always the same.

    Raises:
        SecretError: a secret cannot be resolved; nothing was run.
        TransportError: the host was not reached, or the connection broke.
    """
    values, hidden = {}, []
    for name, value in script.env.items():
        if isinstance(value, SecretRef):
            values[name] = resolve(value)
            hide(values[name])
            hidden.append(values[name])
        else:
            values[name] = value
    text = with_environment(script.text, values)
    if since is not None:
        text = f"since='{since}'\n".encode() + text
    ran = await hosts.shell(host, text, act=False, timeout=seconds, limit=_LIMIT)
    out, err = (
        redact(stream.decode("utf-8", "replace"), hidden) for stream in (ran.stdout, ran.stderr)
    )
    return PluginOutput(ran.exit_code, out, err, ran.timed_out, ran.truncated, ran.flooded)


def with_environment(text: str, values: Mapping[str, str]) -> bytes:
    """Give what the shell is fed: the values as exports, then the script."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in values.items()]
    return "\n".join((*lines, text)).encode("utf-8", "surrogateescape")
