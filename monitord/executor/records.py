"""Run records of steps that are done from here, where the far side can keep none: http, device.

The folder's mkdir is the once-only lock; the answer is renamed into it. A folder without an answer
says that the step was begun and nobody knows how it ended. Blocking; it does nothing else.
"""

import json
from pathlib import Path

from monitord.errors import NotBegunError, RefusedByExecutorError
from monitord.log import get_logger
from monitord.transports.runner import End, Ending, Record

log = get_logger(__name__)


def begin(record: Record) -> None:
    """Take the record, right before the first effect.

    Raises:
        RefusedByExecutorError: this step was begun before.
        NotBegunError: no record of it can be made.
    """
    folder = _folder(record)
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise RefusedByExecutorError(f"already ran: its record is {folder}") from None
    except OSError as error:
        raise NotBegunError(f"{folder} cannot be made: {error.strerror}") from error


def keep(record: Record, ending: Ending) -> None:
    """Note how it ended; where that cannot be written (a full disk), only who asks now is told."""
    folder = _folder(record)
    text = ending.output.decode("utf-8", "replace")
    kept = {"end": ending.end, "text": ending.text, "exit_code": ending.exit_code, "output": text}
    try:
        (folder / "new").write_text(json.dumps(kept), encoding="utf-8")
        (folder / "new").rename(folder / "answer")
    except OSError as error:  # what is known now is told all the same
        log.warning("a step's end could not be noted", record=str(folder), error=str(error))


def recall(record: Record) -> Ending:
    """Read what became of a step that this process does not know of."""
    folder = _folder(record)
    if not folder.exists():
        return Ending(End.NEVER)
    try:
        kept = json.loads((folder / "answer").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Ending(End.LOST, "the executor ended before the answer came")
    output = str(kept["output"]).encode()
    return Ending(End(kept["end"]), kept["text"], kept["exit_code"], output=output)


def _folder(record: Record) -> Path:
    return Path(record.base) / f"{record.store}.{record.step}"
