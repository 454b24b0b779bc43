"""An http step: one request, once, with a record of its own beside the runner's.

Nothing on the far side fences it: if we die between the record and the answer, its outcome is
unknown, and that is what is said. Blocking, for a worker thread.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path

import requests

from monitord.errors import RefusedByExecutorError
from monitord.model.effect import HttpCall
from monitord.transports.runner import KEEP, End, Ending, Record

_CHUNK = 8192


def call(effect: HttpCall, headers: Mapping[str, str], record: Record, seconds: float) -> Ending:
    """Send the request; `headers` hold the secrets' values. The exit code is the HTTP status.

    Raises:
        RefusedByExecutorError: this step was begun before.
    """
    folder = _folder(record)
    try:
        folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        raise RefusedByExecutorError(f"already ran: its record is {folder}") from None
    except OSError as error:
        raise RefusedByExecutorError(f"{folder} cannot be made: {error.strerror}") from error
    ending = _send(effect, headers, seconds)
    text = ending.output.decode("utf-8", "replace")
    kept = {"end": ending.end, "text": ending.text, "exit_code": ending.exit_code, "output": text}
    (folder / "new").write_text(json.dumps(kept), encoding="utf-8")
    (folder / "new").rename(folder / "answer")
    return ending


def recall(record: Record) -> Ending:
    """Read what became of a request that this process does not know of."""
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


def _send(effect: HttpCall, headers: Mapping[str, str], seconds: float) -> Ending:
    end = time.monotonic() + seconds
    try:
        with requests.Session() as session:
            session.trust_env = False  # no proxy, no .netrc: what the runbook says is what is sent
            answer = session.request(
                effect.method,
                effect.url,
                headers=dict(headers),
                data=effect.body.encode(),
                timeout=seconds,
                allow_redirects=False,
                stream=True,
            )
            return _read(answer, end)
    except requests.ConnectTimeout as error:
        return Ending(End.FINISHED, f"no connection within {seconds:g} s: {error}")
    except requests.ReadTimeout:
        return Ending(End.LOST, f"no answer within {seconds:g} s; it may have taken effect")
    except requests.ConnectionError as error:
        if _was_refused(error):
            return Ending(End.FINISHED, f"no connection: {error}")
        return Ending(End.LOST, f"the connection broke: {error}")
    except (requests.RequestException, ValueError) as error:
        return Ending(End.FINISHED, f"not sent: {error}")


def _was_refused(error: requests.ConnectionError) -> bool:
    """Tell whether the request cannot have been received: there was no connection at all."""
    return "NewConnectionError" in repr(error) or "NameResolutionError" in repr(error)


def _read(answer: requests.Response, end: float) -> Ending:
    """Read the body's beginning; the status alone decides, so a slow or endless body is left."""
    body = b""
    with answer:
        try:
            for chunk in answer.iter_content(_CHUNK):
                body += chunk
                if len(body) >= KEEP or time.monotonic() >= end:
                    break
        except requests.RequestException as error:
            body += f"\n[the answer broke off: {error}]".encode()
    return Ending(End.FINISHED, "", answer.status_code, output=body[:KEEP])
