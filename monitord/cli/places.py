"""Where the configuration, the control socket and the database are, without reading much.

What the person says wins (`--config`, `--state`, MONITORD_CONFIG, MONITORD_STATE); then what is
there: a clone's ./var, then the installed /run/monitord and /var/lib/monitord.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from monitord.errors import MonitordError

SYSTEM_RUN = Path("/run/monitord")
SYSTEM_STATE = Path("/var/lib/monitord")
CLONE_STATE = Path("var")


class NowhereError(MonitordError):
    """Neither a running monitord nor its files can be found."""


@dataclass
class _Chosen:
    """What the global options said; set once, before the command runs."""

    config: Path | None = None
    state: Path | None = None


chosen = _Chosen()


@dataclass(frozen=True, slots=True)
class Place:
    """Where one monitord lives: its folder, its control socket, its database."""

    state: Path
    socket: Path
    store: str


def config() -> Path:
    """Give the main configuration file.

    Raises:
        NowhereError: there is none.
    """
    said = chosen.config or _variable("MONITORD_CONFIG")
    if said is not None:
        if not _there(said):
            raise NowhereError(f"{said}: no such file; give the main file with --config")
        return said
    from monitord.config import default_path

    found = default_path()
    if not found.is_file():
        raise NowhereError(f"no configuration: {found} is not there; name one with --config")
    return found


def place() -> Place:
    """Give where the monitord lives that is meant.

    Raises:
        NowhereError: nothing says where.
    """
    state = chosen.state or _variable("MONITORD_STATE")
    if state is not None:
        return _at(state)
    if chosen.config or _variable("MONITORD_CONFIG"):
        return _of_config()
    known = (_at(CLONE_STATE), _at(SYSTEM_STATE, SYSTEM_RUN), _at(SYSTEM_STATE))
    for found in known:
        if _there(found.socket):
            return found
    for found in known:
        if _there(Path(found.store)):
            return found
    raise NowhereError(
        f"no monitord here: neither ./{CLONE_STATE} nor {SYSTEM_STATE} holds one; "
        "start one with `monitord run`, or name its folder with --state"
    )


def _there(path: Path) -> bool:
    """Tell whether it is there; what we may not look at is, and opening it will say why not."""
    try:
        return path.exists()
    except PermissionError:
        return True


def _variable(name: str) -> Path | None:
    value = os.environ.get(name)
    return Path(value) if value else None


def _at(state: Path, run: Path | None = None) -> Place:
    return Place(state, (run or state) / "core.sock", str(state / "state.db"))


def _of_config() -> Place:
    from monitord.config import load_settings
    from monitord.daemon.places import run_of, state_of, store_of

    settings = load_settings(config())
    return Place(state_of(settings), run_of(settings) / "core.sock", store_of(settings))
