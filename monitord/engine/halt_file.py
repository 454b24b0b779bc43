"""The file HALT in the state folder: stops all actions even when the database is dead.

Whatever bears that name halts, also a folder, a dangling link or what cannot be looked at. A file
that an order wrote says until when, and goes with it; one made by hand stays until it is ended.
"""

from pathlib import Path

from monitord.errors import CommandRefusedError
from monitord.log import get_logger
from monitord.model.ids import Instant
from monitord.model.text import one_line

log = get_logger(__name__)

_UNTIL = "\nuntil (µs since the epoch) "


def exists(state: Path) -> bool:
    """Tell whether actions are halted by the file."""
    try:
        (state / "HALT").lstat()
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def write(state: Path, by: str, reason: str, expires: Instant) -> None:
    """Make the file; on a full disk it is empty, and halts all the same."""
    path = state / "HALT"
    try:
        path.touch(mode=0o640)
        text = f"halted by {by}: {one_line(reason)}{_UNTIL}{expires}\n"
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        if not exists(state):
            raise CommandRefusedError(
                f"{path} cannot be written ({error.strerror}); make any file of that name"
            ) from error
        log.warning("the file HALT stands, without its words", error=str(error))


def expire(state: Path, now: Instant) -> None:
    """Remove the file when the order that wrote it is over."""
    path = state / "HALT"
    try:
        words = path.read_text(encoding="utf-8").rpartition(_UNTIL)
    except (OSError, UnicodeDecodeError):
        return  # there is none, or it is not ours
    until = words[2].strip()
    if words[1] and until.isdigit() and int(until) <= now:
        path.unlink(missing_ok=True)
        log.info("the halt of everything has ended")


def remove(state: Path) -> None:
    """Remove the file.

    Raises:
        CommandRefusedError: it is a folder, or not ours to remove.
    """
    path = state / "HALT"
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise CommandRefusedError(
            f"{path} cannot be removed ({error.strerror}): remove it by hand; until then it halts"
        ) from error
