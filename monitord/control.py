"""Asking the core: its HTTP API over the Unix socket, blocking, from short-lived callers.

One request per connection, each with a time limit. It turns an error answer into an exception with
the core's own sentence and decides nothing; it does not know what any route means.
"""

import contextlib
import http.client
import json
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from monitord.errors import MonitordError

if TYPE_CHECKING:  # it brings pydantic along (50 ms), and a wrapped job waits for this module
    from monitord.model.catalog import Settings

_LONGEST_ANSWER = 64 * 1024 * 1024
_ERROR = 400


class CoreDownError(MonitordError):
    """Nobody answers on the control socket."""


class CoreSaysNoError(MonitordError):
    """The core answered with an error; `status` is HTTP's, `cure` what would help (or empty)."""

    def __init__(self, text: str, *, status: int, cure: str = "", problems: Any = ()) -> None:
        self.status = status
        self.cure = cure
        self.problems: tuple[str, ...] = tuple(str(problem) for problem in problems)
        super().__init__(text)


def core_socket(settings: "Settings") -> Path:
    """Give where the core listens: `core.sock` in `run`, or in `state` where there is no `run`."""
    return Path(settings.run or settings.state) / "core.sock"


@dataclass(frozen=True, slots=True)
class Passed:
    """An answer as the core gave it, error or not: status, content type, bytes."""

    status: int
    kind: str
    body: bytes


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("monitord", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Core:
    """The core behind one socket. `timeout` (s) bounds each wait for it, not the whole answer.

    With a session or token in `secret`, it is asked as the user that it is of; an empty one proves
    nothing and is refused. None asks as this process.
    """

    def __init__(self, path: Path, *, timeout: float = 30.0, secret: str | None = None) -> None:
        self.path = path
        self._timeout = timeout
        self._secret = secret

    def on_behalf(self, secret: str) -> "Core":
        """Give the same core, asked as the user that a session or token is of."""
        return Core(self.path, timeout=self._timeout, secret=secret)

    def get(self, route: str, **query: str | int | None) -> Any:
        """Ask and give the answer's JSON.

        Raises:
            CoreDownError: nobody listens, or the answer did not come in time.
            CoreSaysNoError: it refused.
        """
        return json.loads(self.text(route, **query))

    def text(self, route: str, **query: str | int | None) -> bytes:
        """Ask and give the answer's bytes, for what is not JSON; errors as for `get`."""
        return self._exchange("GET", route, query, None)

    def post(self, route: str, body: Mapping[str, Any]) -> Any:
        """Send a command and give the answer's JSON; errors as for `get`."""
        return json.loads(self._exchange("POST", route, {}, json.dumps(body).encode()))

    def pass_on(
        self, method: str, route: str, query: Sequence[tuple[str, str]], body: bytes | None
    ) -> Passed:
        """Pass somebody's request on and give the answer, whatever it is.

        Raises:
            CoreDownError: nobody listens, or the answer did not come in time.
        """
        with self._answered(method, route, query, body) as answer:
            kind = answer.headers.get("content-type", "")
            return Passed(answer.status, kind, _whole(answer))

    def follow(self, route: str, **query: str | int | None) -> Iterator[dict[str, Any]]:
        """Give one JSON object per line for as long as the core sends them; errors as for `get`."""
        with self._asked("GET", route, query, None) as answer:
            while line := answer.readline(_LONGEST_ANSWER):
                if not line.endswith(b"\n"):
                    raise http.client.IncompleteRead(line)
                yield json.loads(line)
            if answer.length:
                raise http.client.IncompleteRead(b"", answer.length)

    def _exchange(
        self, method: str, route: str, query: Mapping[str, str | int | None], body: bytes | None
    ) -> bytes:
        with self._asked(method, route, query, body) as answer:
            return _whole(answer)

    @contextlib.contextmanager
    def _asked(
        self, method: str, route: str, query: Mapping[str, str | int | None], body: bytes | None
    ) -> Iterator[http.client.HTTPResponse]:
        given = [(name, str(value)) for name, value in query.items() if value is not None]
        with self._answered(method, route, given, body) as answer:
            if answer.status >= _ERROR:
                raise _refusal(answer)
            yield answer

    @contextlib.contextmanager
    def _answered(
        self, method: str, route: str, given: Sequence[tuple[str, str]], body: bytes | None
    ) -> Iterator[http.client.HTTPResponse]:
        query = urlencode(given, errors="replace")  # no encoding has a lone surrogate
        target = quote(route, errors="replace") + (f"?{query}" if given else "")
        connection = _Connection(self.path, self._timeout)
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            if self._secret is not None:  # an empty one too: it must never ask as this process
                headers["Authorization"] = f"Bearer {self._secret}"
            connection.request(method, target, body, headers)
            yield connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise CoreDownError(f"no core on {self.path}: {_reason(error)}") from error
        finally:
            connection.close()


def _whole(answer: http.client.HTTPResponse) -> bytes:
    whole = answer.read(_LONGEST_ANSWER)
    if answer.length:  # a short read of a known length is no error to http.client
        raise http.client.IncompleteRead(whole, answer.length)
    return whole


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, http.client.IncompleteRead):
        return "its answer broke off"
    if isinstance(error, PermissionError):
        return "this user may not connect; root and group monitord may (usermod -aG monitord NAME)"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def _refusal(answer: http.client.HTTPResponse) -> CoreSaysNoError:
    body = answer.read(_LONGEST_ANSWER)
    try:
        error = json.loads(body)["error"]
        text, cure = str(error["text"]), str(error.get("cure", ""))
        problems = error.get("problems", ())
    except (ValueError, KeyError, TypeError):
        shown = body[:200].decode(errors="replace")
        text, cure, problems = f"the core answered {answer.status}: {shown}", "", ()
    return CoreSaysNoError(text, status=answer.status, cure=cure, problems=problems)
