"""The file HALT: how to stop all actions when no core answers. It works with the database dead."""

from pathlib import Path

from monitord.cli import places
from monitord.errors import CommandRefusedError


def _path() -> Path:
    return places.place().state / "HALT"


def write(selector: str, reason: str) -> str:
    """Write the file and give the sentence that says so.

    Raises:
        CommandRefusedError: it would stop more than was asked, or cannot be written.
    """
    path = _path()
    if selector != "*":
        raise CommandRefusedError(
            "no core answers, and the file HALT stops everything, not a selection; "
            'halt all with `monitord halt "*"`, or start the core'
        )
    try:
        path.write_text(f"{reason}\n", encoding="utf-8")
    except OSError as error:
        raise CommandRefusedError(f"{path} cannot be written: {error.strerror}") from error
    return f"no core answers; wrote {path}: no step begins anywhere until `monitord resume`"


def remove(what: str) -> str:
    """Remove the file and give the sentence that says so.

    Raises:
        CommandRefusedError: an order was meant, or the file cannot be removed.
    """
    path = _path()
    if what != "*":
        raise CommandRefusedError(
            f"no core answers, so order {what} cannot be ended; start it with `monitord run`"
        )
    try:
        path.unlink()
    except FileNotFoundError:
        return f"there is no {path}; halts given to the core end in the core: start it"
    except OSError as error:
        raise CommandRefusedError(f"{path} cannot be removed: {error.strerror}") from error
    return f"{path} is gone; orders given to the core stay in force"
