"""Sinks: an SMTP server and an HTTP server that keep what they get, and misbehave on request.

    with MailSink() as mail:                   # mail.port
        mail.messages[0].recipients; .sender; .message["Subject"]
        mail.refuse("451 4.3.0 try later"); mail.accept()
    with WebhookSink() as hook:                # hook.url
        hook.received[0].method, .path, .headers, .body, .json()
        hook.answer(500); hook.answer(429, headers={"Retry-After": "2"}); hook.hang(); hook.answer()

Neither verifies anything: signatures and contents are for the test to judge.
"""

from __future__ import annotations

import email
import email.policy
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.world.process import free_port


@dataclass(frozen=True)
class Mail:
    """One mail as it came over the wire."""

    sender: str
    recipients: list[str]
    message: EmailMessage

    @property
    def text(self) -> str:
        """The plain text part, decoded."""
        part = self.message.get_body(("plain",))
        return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""


class MailSink:
    """An SMTP server (aiosmtpd) on 127.0.0.1 that keeps all mail in `messages`."""

    def __init__(self) -> None:
        self.port = free_port()
        self.messages: list[Mail] = []
        self._refusal = ""
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def refuse(self, answer: str) -> None:
        """Answer each following mail with this line, such as `550 5.1.1 no such user`."""
        self._refusal = answer

    def accept(self) -> None:
        """Take mail again."""
        self._refusal = ""

    async def handle_DATA(  # noqa: N802  -- the name is aiosmtpd's
        self,
        server: SMTP,  # noqa: ARG002  -- aiosmtpd passes it
        session: Session,  # noqa: ARG002  -- as above
        envelope: Envelope,
    ) -> str:
        """Keep one mail, or refuse it as told; aiosmtpd calls this."""
        if self._refusal:
            return self._refusal
        content = envelope.content
        raw = content if isinstance(content, bytes) else (content or "").encode()
        message = email.message_from_bytes(raw, policy=email.policy.default)
        self.messages.append(Mail(envelope.mail_from or "", list(envelope.rcpt_tos), message))
        return "250 2.0.0 kept"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._controller.stop()


@dataclass(frozen=True)
class Received:
    """One HTTP request as it came: header names in lower case, the body undecoded."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body parsed as JSON."""
        return json.loads(self.body)


@dataclass
class _Behaviour:
    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    hangs: bool = False


class WebhookSink:
    """An HTTP server on 127.0.0.1 that keeps all requests in `received`."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._behaviour = _Behaviour()
        self._release = threading.Event()
        handler = type("Handler", (_Handler,), {"sink": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def answer(
        self, status: int = 200, body: bytes = b"{}", headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer all following requests so; without arguments, well again."""
        self._behaviour = _Behaviour(status, body, headers or {})

    def hang(self) -> None:
        """Take the following requests and never answer them (until the sink closes)."""
        self._behaviour = _Behaviour(hangs=True)

    def take(self, request: Received) -> _Behaviour:
        """Keep a request; return how to answer it, after the hang if it is to hang."""
        self.received.append(request)
        behaviour = self._behaviour
        if behaviour.hangs:
            self._release.wait()
        return behaviour

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._release.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    sink: ClassVar[WebhookSink]
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Received(self.command, self.path, headers, self.rfile.read(length))
        behaviour = self.sink.take(request)
        if behaviour.hangs:
            self.close_connection = True
            return
        self.send_response(behaviour.status)
        for name, value in behaviour.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(behaviour.body)))
        self.end_headers()
        self.wfile.write(behaviour.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815  -- http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  -- http.server's name
        """Say nothing: pytest's output is for tests."""
