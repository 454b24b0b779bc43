"""What a probe kind, an action kind and a ticket backend kind are: the shapes that the maps hold.

A new kind is one file that defines one of these and one line in its folder's map (`PROBES`,
`ACTIONS`, `BACKENDS`); validation, JSON Schema, docs and metrics derive from the maps. These types
hold functions and never call them.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol, runtime_checkable

from monitord.model.chain import ChainRecord
from monitord.model.effect import Effect, StepContext
from monitord.model.facts import Facts, PluginOutput, Section
from monitord.model.ids import CheckKey, Instant
from monitord.model.result import Cause, Result
from monitord.model.service import Seen
from monitord.model.spec import Spec
from monitord.model.ticket import Delivery, OutboxItem, Remote
from monitord.secrets import SecretRef

_NO_ENV: Mapping[str, str | SecretRef] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Target:
    """What a probe looks at. `memory` is what it declared last time, by item (JSON values).

    `timeout` is how many seconds the caller will wait before it cuts the probe off; a network probe
    ends itself just before, so that its summary tells how far it came. 0: only the caller knows.
    """

    host: str
    address: str
    memory: Mapping[str, Mapping[str, Any]]
    timeout: float = 0.0


@dataclass(frozen=True, slots=True)
class NetworkProbe:
    """Runs in the core's event loop: connects by itself, and must not block or fork.

    `probe` returns one result per item (one with an empty item where there are none). It raises
    nothing for a sick target; the caller cuts it off at its deadline (asyncio.CancelledError) and
    turns a bug into UNKNOWN with a logged traceback.
    """

    name: str
    spec: type[Spec]
    probe: Callable[[Any, Target], Awaitable[Sequence[Result]]]


@dataclass(frozen=True, slots=True)
class FactProbe:
    """Judges facts that the executor's transport brought: pure, the same local and remote.

    `sections` says what to bring; a section in `facts.errors` must become UNKNOWN (missing). One
    that `sees_death` looks at processes themselves: its bad result counts as two samples. `items`
    are those that its results can have; None where only the host knows.
    """

    name: str
    spec: type[Spec]
    sections: Callable[[Any], tuple[Section, ...]]
    judge: Callable[[Any, Facts, Target], Sequence[Result]]
    sees_death: bool = False
    items: Callable[[Any], tuple[str, ...] | None] = lambda _: None


@dataclass(frozen=True, slots=True)
class PluginProbe:
    """Has the executor run an argv and judges what it left: pure on both sides."""

    name: str
    spec: type[Spec]
    command: Callable[[Any, Target], tuple[str, ...]]
    judge: Callable[[Any, PluginOutput], Sequence[Result]]


@dataclass(frozen=True, slots=True)
class HostScript:
    """A POSIX shell text that only looks (or works in a folder of its own), for a host's sh.

    `env` values may be secret references; the executor resolves them and hands them over on
    standard input, never in an argv.
    """

    text: str
    env: Mapping[str, str | SecretRef] = field(default_factory=lambda: _NO_ENV)


@dataclass(frozen=True, slots=True)
class ScriptProbe:
    """Has the executor feed a script of ours to a shell on the host, as its reading login.

    `script` is rendered by the executor itself; `judge` is pure. `recall`, asked before a scheduled
    run, may give what is remembered instead: what is costly need not be done at each look. `since`
    makes of the memory the one word that the script finds in `$since`: where the last look ended.
    It is of letters, digits and `=;:,.+-` alone, or the executor refuses it.
    """

    name: str
    spec: type[Spec]
    script: Callable[[Any, Target], HostScript]
    judge: Callable[[Any, PluginOutput, Target, Instant], Sequence[Result]]
    recall: Callable[[Any, Target, Instant], Sequence[Result] | None] = lambda *_: None
    since: Callable[[Target], str] | None = None


@dataclass(frozen=True, slots=True)
class DeviceProbe:
    """Has the executor type one command at a network device, as its reading login; `judge` is pure.

    The answer's exit code is 0, or 1 where the device refused the command with these words.
    """

    name: str
    spec: type[Spec]
    command: Callable[[Any], str]
    judge: Callable[[Any, PluginOutput], Sequence[Result]]


@dataclass(frozen=True, slots=True)
class JobRecord:
    """What is known of a watched job's runs. `running` since `started` when it has not ended."""

    started: Instant | None
    ended: Instant | None
    exit_code: int | None
    output: str
    running: bool
    watched_since: Instant


@dataclass(frozen=True, slots=True)
class Health:
    """monitord's own condition. Seconds, bytes, counts; `problems` are sentences."""

    lag: float
    queue: int
    rss: int
    descriptors: int
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PassiveRecord:
    """What others told of a check: a result for each item that they told of."""

    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """What a check was seen to be that a composite is made of.

    `why` is a clause on what was not seen (`is stale`); `pending`: it has had no result yet.
    """

    key: CheckKey
    seen: Seen
    why: str = ""
    cause: Cause | None = None
    pending: bool = False


@dataclass(frozen=True, slots=True)
class MembersRecord:
    """What the members of a composite were seen to be, and how many of them must work."""

    members: tuple[Member, ...]
    need: int


Record = JobRecord | Health | PassiveRecord | ChainRecord | MembersRecord


@dataclass(frozen=True, slots=True)
class RecordProbe:
    """Judges what the core itself knows: `source` names the record.

    It is one of job, chain, health, passive, members. `sees_death` as of a FactProbe: a record
    tells how a process ended. What is `told` comes from outside, of some items only: a scheduled
    run takes what is new, which may be nothing.
    """

    name: str
    spec: type[Spec]
    source: str
    judge: Callable[[Any, Record, Instant], Sequence[Result]]
    sees_death: bool = False
    told: bool = False


ProbeKind = NetworkProbe | FactProbe | PluginProbe | ScriptProbe | DeviceProbe | RecordProbe


@dataclass(frozen=True, slots=True)
class ActionKind:
    """Turns a step's spec into effects: pure, so that core and executor render the same text.

    `render` raises ValueError with a sentence when a slot (`{item}`, a parameter) is not filled.
    `read_only` kinds may stand in collect and require whatever their spec says; for others `safe`
    judges the spec. `resource` names the lock. `only` are the phases (collect, require, steps,
    undo) that it may stand in; empty: any. `changes` is what a runbook with such a step does to a
    host unless it says so itself.
    """

    name: str
    spec: type[Spec]
    render: Callable[[Any, StepContext], Effect]
    resource: Callable[[Any, StepContext], str]
    only: tuple[str, ...] = ()
    changes: str = ""


class TicketBackend(Protocol):
    """One ticket system or notification way. Blocking; called in worker threads, two at a time.

    That is all that a backend must be. What more it can do it shows by having the methods of
    Searchable, Readable or Lapsing. monitord.tickets.contract holds each to all of it.
    """

    def deliver(self, item: OutboxItem, ticket: Mapping[str, Any], external: str) -> Delivery:
        """Send one message; `external` is the backend's own reference from an earlier delivery.

        A RESOLVE, UPDATE, REOPEN or COMMENT may come without `external` (an older delivery gave
        none): then it goes by `item.key`. `item.id` and `item.key` are the same at every try.

        Raises:
            TicketError: with `permanent`, `retry_after` and `unknown` saying whether and when to
                try again, and whether the message may have been taken all the same.
            StaysClosedError: a REOPEN that will never be let; the message then comes again as an
                OPEN of another key, with the closed ticket's reference as `follows`.
        """
        ...


@runtime_checkable
class Searchable(Protocol):
    """A backend that can be asked for a key, so that no unknown outcome makes a second ticket.

    `lag` is how many seconds a new ticket may need until a search finds it.
    """

    lag: float

    def find(self, key: str) -> str | None:
        """Give the reference of the oldest ticket that bears this key, or None.

        Raises:
            TicketError: it could not be asked.
        """
        ...


@runtime_checkable
class Readable(Protocol):
    """A backend whose tickets people change; what they did there is read back."""

    def read(self, external: str, since: Instant) -> Remote | None:
        """Give a ticket as it stands there, with the remarks made since; None: it is gone.

        Raises:
            TicketError: it could not be asked.
        """
        ...


@runtime_checkable
class Lapsing(Protocol):
    """A backend that forgets what is not said again: each open ticket's last message is repeated.

    `resend` is in seconds.
    """

    resend: float


@dataclass(frozen=True, slots=True)
class BackendKind:
    """Makes a backend from its spec; `resolve` reads a secret at the moment of use."""

    name: str
    spec: type[Spec]
    build: Callable[[Any, Callable[[str | SecretRef], str]], TicketBackend]


@dataclass(frozen=True, slots=True)
class Kinds:
    """The three maps, passed by the composition root to whoever validates or renders."""

    probes: Mapping[str, ProbeKind]
    actions: Mapping[str, ActionKind]
    backends: Mapping[str, BackendKind]
