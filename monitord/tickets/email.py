"""The `email` backend: each message is one mail, and the mails of one incident are one thread.

It decides headers, thread and addressees, and whether a failure is worth another try; the outbox
retries. The body is text.render's. Nothing that a target wrote can become a header line.
"""

import contextlib
import hashlib
import re
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from email.charset import QP, Charset
from email.header import Header
from email.message import Message
from email.policy import compat32
from email.utils import format_datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from monitord.clock import SystemClock, as_datetime
from monitord.errors import SecretError, TicketError
from monitord.log import get_logger, hide
from monitord.model.kinds import BackendKind
from monitord.model.spec import Duration, SecretText, Spec
from monitord.model.text import one_line
from monitord.model.ticket import Delivery, Operation, OutboxItem
from monitord.secrets import SecretRef, redact
from monitord.tickets.cutoff import Cutoff
from monitord.tickets.text import render, subject

log = get_logger(__name__)

_CLOCK = SystemClock()  # a mail's Date is compared with its reader's clock
_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_LONGEST_HEADER = 200
_PERMANENT = 500
_NO_LOGIN = 530  # RFC 4954: authentication required
_WIRE = compat32.clone(linesep="\r\n", mangle_from_=False)
_QUOTED = Charset("utf-8")
_QUOTED.body_encoding = QP  # no line is too long for SMTP then, whatever a target wrote
_WORDS = {
    Operation.RESOLVE: "resolved: ",
    Operation.REOPEN: "again: ",
    Operation.COMMENT: "note: ",
}
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250})?")

Resolve = Callable[[str | SecretRef], str]


def _address(text: str) -> str:
    if not _MAIL.fullmatch(text):
        raise ValueError(f"{text!r} is not a mail address (write name@example.com)")
    return text


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


MailAddress = Annotated[str, AfterValidator(_address)]


class EmailSpec(Spec):
    """Through which server mails go, from whom, and to whom."""

    host: str = Field(description="The mail server.", examples=["smtp.example.com"])
    port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="Its port; left out: 587 for starttls, 465 for tls, 25 for none.",
    )
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="Whether TLS begins after STARTTLS, at once, or never."
    )
    ca: str = Field(
        "", description="A PEM file of the authorities to trust; left out: those of the system."
    )
    user: str = Field("", description="The user to log in as; left out: no login.")
    password: SecretText | None = Field(
        None, description="The password.", examples=["!secret credential:smtp"]
    )
    sender: MailAddress = Field(
        description="Whom mails come from.", examples=["monitord@example.com"]
    )
    to: Annotated[tuple[MailAddress, ...], BeforeValidator(_listed), Field(min_length=1)] = Field(
        description="Who receives them.", examples=["ops@example.com", ["a@example.com"]]
    )
    timeout: Duration = Field(
        timedelta(seconds=30), description="How long one delivery may take in all."
    )

    @model_validator(mode="after")
    def _login(self) -> "EmailSpec":
        if bool(self.user) != (self.password is not None):
            raise ValueError("user and password belong together; give both or neither")
        if self.user and self.security == "none":
            raise ValueError("a password is not sent without TLS; set security: starttls or tls")
        return self


def compose(spec: EmailSpec, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> bytes:
    """Give the mail for one message, as sent; `external` is the Message-ID that began the thread.

    The Message-ID comes from key and number of the message alone, so that a repeated delivery of
    it is the same mail to every mail system.
    """
    mail: Message[str | Header, Any] = Message(policy=_WIRE)
    mail["From"] = spec.sender
    mail["To"] = ", ".join(spec.to)
    rank = " ".join(one_line(str(ticket.get(name, "")), 10) for name in ("priority", "tier"))
    thread = _is_message_id(external)
    word = ("Re: " if thread else "") + f"[monitord {rank}] {_WORDS.get(item.operation, '')}"
    mail["Subject"] = _header(word + subject(ticket))
    mail["Date"] = format_datetime(as_datetime(_CLOCK.now()))
    mail["Message-ID"] = message_id(spec, item)
    if thread:
        mail["In-Reply-To"] = mail["References"] = external
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no holiday notice may answer it
    mail["X-Monitord-Key"] = _header(item.key)
    mail.set_payload(render(ticket), _QUOTED)
    return mail.as_bytes()


def _header(text: str) -> str | Header:
    # Not EmailMessage: it decodes the encoded words that it finds in a value, and a hostile
    # `=??Q?=0D=0A…` comes out as a header line of its own (found by Hypothesis, Python 3.11).
    line = one_line(text, _LONGEST_HEADER)
    if line.isascii() and "=?" not in line:
        return line
    return Header(line, "utf-8", maxlinelen=76)


def message_id(spec: EmailSpec, item: OutboxItem) -> str:
    """Give the Message-ID of a message, the same at every try."""
    digest = hashlib.sha256(item.key.encode("utf-8", "replace")).hexdigest()[:24]
    return f"<{digest}.{item.id}@{spec.sender.partition('@')[2]}>"


def _is_message_id(text: str) -> bool:
    return re.fullmatch(r"<[0-9a-f.]{1,60}@[A-Za-z0-9.-]{1,253}>", text) is not None


class Email:
    """Sends mails; see TicketBackend for the contract."""

    def __init__(self, spec: EmailSpec, resolve: Resolve) -> None:
        self._spec = spec
        self._resolve = resolve

    def deliver(self, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> Delivery:
        """Send one mail; the Message-ID of the thread's first mail comes back as the reference.

        Raises:
            TicketError: permanent when the server refused for good (5xx), else not.
        """
        spec = self._spec
        mail = compose(spec, item, ticket, external)
        try:
            password = self._resolve(spec.password) if spec.password is not None else ""
        except SecretError as error:
            raise TicketError(str(error), permanent=False) from error
        hide(password)
        with Cutoff(spec.timeout.total_seconds()) as cutoff:
            try:
                self._send(mail, password, cutoff)
            except (smtplib.SMTPException, OSError) as error:
                raise _failure(spec, error, password, cut=cutoff.fired) from error
        return Delivery(external if _is_message_id(external) else message_id(spec, item))

    def _send(self, mail: bytes, password: str, cutoff: Cutoff) -> None:
        spec = self._spec
        with _session(spec, cutoff) as server:
            if spec.user:
                server.login(spec.user, password)
            refused = server.sendmail(spec.sender, spec.to, mail)
        if refused:
            log.warning("some recipients refused", host=spec.host, refused=sorted(refused))


@contextlib.contextmanager
def _session(spec: EmailSpec, cutoff: Cutoff) -> Iterator[smtplib.SMTP]:
    """Connect and greet; ends politely where the server lets us, but never fails at the end."""
    seconds = spec.timeout.total_seconds()
    port = spec.port or _PORTS[spec.security]
    context = ssl.create_default_context(cafile=spec.ca or None)
    server = _Guarded(spec.host, port, cutoff, context if spec.security == "tls" else None, seconds)
    try:
        if spec.security == "starttls":
            server.starttls(context=context)
        yield server
        # The mail has been taken; a server that breaks off now must not get it again.
        with contextlib.suppress(smtplib.SMTPException, OSError):
            server.quit()
    finally:
        server.close()


class _Guarded(smtplib.SMTP):
    """Has its connection guarded by the cut-off, the TLS handshake included."""

    def __init__(
        self, host: str, port: int, cutoff: Cutoff, context: ssl.SSLContext | None, timeout: float
    ) -> None:
        self._cutoff = cutoff
        self._at_once = context
        # Our bare name: left out, smtplib asks the resolver for it, which may take as long as that
        # likes.
        super().__init__(host, port, local_hostname=socket.gethostname(), timeout=timeout)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        # The one place of smtplib where its subclasses open the connection; SMTP_SSL does it too.
        opened = socket.create_connection((host, port), timeout)
        self._cutoff.watch(opened)
        if self._at_once is None:
            return opened
        return self._at_once.wrap_socket(opened, server_hostname=host)


def _failure(
    spec: EmailSpec, error: smtplib.SMTPException | OSError, password: str, *, cut: bool
) -> TicketError:
    place = f"mail server {spec.host}"
    if cut or isinstance(error, TimeoutError):
        seconds = f"{spec.timeout.total_seconds():g} s"
        return TicketError(f"{place}: no answer within {seconds}", permanent=False, unknown=True)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return TicketError(f"{place}: {one_line(str(error), 120)}", permanent=False)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        name, (code, said) = next(iter(error.recipients.items()))
        permanent = all(code >= _PERMANENT for code, _ in error.recipients.values())
        text = f"{place} refused {name}: {code} {_said(said, password)}"
        return TicketError(text, permanent=permanent)
    if isinstance(error, smtplib.SMTPResponseException):
        text = f"{place} answered {error.smtp_code} {_said(error.smtp_error, password)}"
        # A refused login is mended by a person, and then the mail is sent.
        login = isinstance(error, smtplib.SMTPAuthenticationError) or error.smtp_code == _NO_LOGIN
        return TicketError(text, permanent=error.smtp_code >= _PERMANENT and not login)
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    # Cut off at any moment, perhaps the one after the mail; only a closed port took none surely.
    cut = not isinstance(error, ConnectionRefusedError)
    return TicketError(f"{place}: {one_line(str(why), 120)}", permanent=False, unknown=cut)


def _said(answer: bytes | str, password: str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return one_line(redact(text, [password]), 120)


KIND = BackendKind("email", EmailSpec, Email)
