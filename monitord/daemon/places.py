"""Where one instance keeps its things: folders made with the right modes before anything starts."""

import contextlib
import grp
import os
from pathlib import Path

from monitord.config.kept import FOLDER
from monitord.errors import MonitordError
from monitord.model.catalog import Settings
from monitord.serving import GROUP


def state_of(settings: Settings) -> Path:
    """Give the state folder, absolute."""
    return Path(settings.state).absolute()


def run_of(settings: Settings) -> Path:
    """Give the folder of the sockets: `run`, or the state folder."""
    return Path(settings.run or settings.state).absolute()


def store_of(settings: Settings) -> str:
    """Give the store's URL or path."""
    return settings.store or str(state_of(settings) / "state.db")


def _give_to_group(folder: Path) -> None:
    # Without the group (a trial run in a clone) or the right to give it, the owner alone uses it.
    with contextlib.suppress(KeyError, PermissionError):
        os.chown(folder, -1, grp.getgrnam(GROUP).gr_gid)


def _make(folder: Path, mode: int) -> None:
    try:
        folder.mkdir(mode=mode, parents=True)
    except FileExistsError:
        if not folder.is_dir():
            raise
        return  # another of our processes was faster, and gives it its mode
    folder.chmod(mode)  # whatever the umask says
    _give_to_group(folder)


def prepare(settings: Settings) -> tuple[Path, Path]:
    """Make the folders; gives state and run.

    Raises:
        MonitordError: a folder cannot be made or written.
    """
    state, run = state_of(settings), run_of(settings)
    ours = ((state, 0o750), (run, 0o750), (state / "spool", 0o3770), (state / FOLDER, 0o2770))
    for folder, mode in ours:
        try:
            if not folder.exists():
                _make(folder, mode)
        except OSError as error:
            raise MonitordError(
                f"{folder}: cannot be made: {error.strerror}; set `state:` to a folder of yours"
            ) from error
    return state, run
