"""The exception tree: every error that monitord raises on purpose, written for people.

Expected sickness of a target is a `Result`, not an exception; these are for what a person must mend
or what a caller must handle. Nothing here logs or decides.
"""

from dataclasses import dataclass


class MonitordError(Exception):
    """The root: its text is one sentence naming the thing, the value and the cure."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake in a file: where it stands, what is wrong, and the cure. Lines count from 1."""

    file: str
    line: int
    column: int
    text: str

    def __str__(self) -> str:
        """Give `file:line:column: text`, the form that editors can jump to."""
        return f"{self.file}:{self.line}:{self.column}: {self.text}"


class ConfigError(MonitordError):
    """The configuration cannot be used; `problems` lists every mistake found."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class SecretError(MonitordError):
    """A secret reference cannot be resolved (variable unset, file missing or readable by all)."""


class StoreError(MonitordError):
    """The store cannot take or give rows now (full, locked, gone). The caller keeps them."""


class StoreTooNewError(MonitordError):
    """The database was written by a newer monitord; this one refuses to touch it."""


class IllegalMoveError(MonitordError):
    """A row was asked to move along a path that its `MOVES` does not list: our bug, always loud."""


class TransportError(MonitordError):
    """A host could not be reached or logged into. `cause` is the UNKNOWN cause of its checks."""

    def __init__(self, text: str, *, cause: str) -> None:
        self.cause = cause
        super().__init__(text)


class NotReachedError(TransportError):
    """No connection could be made, so nothing was sent and nothing can have been begun there."""


class ExecutorLostError(MonitordError):
    """The executor's socket is gone; what it was running is asked for again after the reconnect."""


class RefusedByExecutorError(MonitordError):
    """The executor found no committed intent, or one that differs from what it renders itself."""


class NotBegunError(RefusedByExecutorError):
    """Refused before a record of the step was made: it was certainly not begun."""


class TicketError(MonitordError):
    """A ticket backend did not take a message; `permanent` says that trying again cannot help.

    `unknown`: it may have taken it all the same (no answer in time, a cut in mid-answer, a 5xx), so
    it is searched before anything is created again. `retry_after` is in seconds. `refused`: the
    server has understood this very change, and does not let it be made.
    """

    def __init__(
        self,
        text: str,
        *,
        permanent: bool,
        retry_after: float | None = None,
        unknown: bool = False,
        refused: bool = False,
    ) -> None:
        self.permanent = permanent
        self.retry_after = retry_after
        self.unknown = unknown
        self.refused = refused
        super().__init__(text)


class StaysClosedError(TicketError):
    """A ticket is closed, and its tracker does not let us open it again: another one follows."""

    def __init__(self, text: str) -> None:
        super().__init__(text, permanent=False, refused=True)


class NotFoundError(MonitordError):
    """A person named something that does not exist; the text lists the nearest names."""


class LoginError(MonitordError):
    """Somebody could not show who they are; the text says no more than they may know."""


class ProviderDownError(MonitordError):
    """The login provider does not answer, or not with what was asked; the text is for people."""


class CommandRefusedError(MonitordError):
    """A person's command cannot be carried out; the text says why and what would."""


class BusyError(MonitordError):
    """A probe was not begun: all threads wait for other targets. It says nothing of its own."""
