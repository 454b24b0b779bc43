"""Decides whether a repair would touch what monitord itself stands on. Pure.

Its own host is the one that is reached without a network: a local login, or an address of loopback.
There a reboot or a change of the network ends the repair in its midst, with nobody to prove it; its
units, its state and its database are as it were the branch that it sits on, the database wherever
it runs. Preconditions and evidence change nothing and do not count.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from monitord.model.catalog import Host, Settings
from monitord.model.effect import Command, PlannedStep, describe
from monitord.model.incident import Phase

_CHANGING = frozenset({Phase.STEP, Phase.UNDO})
_UNIT = re.compile(r"monitord(-[a-z]+)?(\.(service|target|socket|slice))?")
_IN_A_SHELL = re.compile(
    r"\b(systemctl|service|supervisorctl|kill|pkill|killall)\b[^;&|]*"
    r"(?<![\w./-])monitord(-[a-z]+)?(\.\w+)?(?![\w/-])"  # a name, not a part of a path
)
_DATABASE = re.compile(r"(postgresql|postgres|pg_ctl|pg_ctlcluster)([@-][\w@.-]+)?(\.service)?")
_ENDS: Mapping[str, str] = {
    "reboot": "a reboot would end monitord too, and nobody would prove the repair",
    "network": "a change of its network may cut monitord off from everything that it watches",
}
_HARMLESS = frozenset({"start", "rerun"})


def own_host(host: Host) -> bool:
    """Tell whether monitord runs on this host."""
    return host.login.kind == "local" or _is_loopback(host.address)


def touches(host: Host, settings: Settings, changes: str, steps: Iterable[PlannedStep]) -> str:
    """Say what of monitord itself a plan on `host` would touch; empty: nothing.

    `changes` is what the runbook says that it does to a host.
    """
    effects = [step.effect for step in steps if Phase(step.phase) in _CHANGING]
    commands = [effect for effect in effects if isinstance(effect, Command)]
    told = ""
    if changes not in _HARMLESS and _holds_the_store(host, settings):
        told = _on_the_database(commands)
    if not told and own_host(host):
        told = _ENDS.get(changes, "") or _on_itself(commands, settings)
    return told


def _on_the_database(commands: Iterable[Command]) -> str:
    for word in _words(commands):
        if _DATABASE.fullmatch(word.rpartition("/")[2]):
            return f"{word} is the database that monitord keeps its journal in"
    return ""


def _on_itself(commands: Sequence[Command], settings: Settings) -> str:
    for command in commands:
        text = describe(command)
        argv = _unwrapped(command.argv)
        if any(_UNIT.fullmatch(word) for word in argv) or _IN_A_SHELL.search(text):
            return f"{text} would stop or change monitord itself"
    for path in _paths(settings):
        if any(_names(word, path) for word in _words(commands)):
            return f"{path} holds monitord's own state"
    return ""


def _unwrapped(argv: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out `monitord … job run NAME --`: a job's wrapper only tells us how the job went."""
    place = argv.index("--") if "--" in argv else 0
    wraps = any(argv[at : at + 2] == ("job", "run") for at in range(place))
    return argv[place + 1 :] if wraps else argv


def _words(commands: Iterable[Command]) -> Iterator[str]:
    for command in commands:
        yield from _unwrapped(command.argv)
        if command.cwd:
            yield command.cwd


def _paths(settings: Settings) -> list[str]:
    own = [settings.state.rstrip("/")]
    if settings.store and "://" not in settings.store:
        own.append(settings.store)
    elif settings.store.startswith("sqlite"):
        own.append(urlsplit(settings.store).path.removeprefix("/"))
    return [path for path in own if path]


def _names(word: str, path: str) -> bool:
    """Tell whether a word is this path, lies in it, or says it to a shell."""
    return re.search(rf"(^|[\s'\"=]){re.escape(path)}($|[/\s'\";])", word) is not None


def _holds_the_store(host: Host, settings: Settings) -> bool:
    if not settings.store.startswith("postgresql"):
        return False
    name = urlsplit(settings.store).hostname or "localhost"
    return name == host.address or (_is_loopback(name) and own_host(host))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost" or address.endswith(".localhost")
