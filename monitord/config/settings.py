"""The instance's own settings and its ticket backends. Names and values only; nothing is opened."""

import os
from pathlib import Path

from monitord.config.context import Context
from monitord.config.fields import shown
from monitord.config.guarding import windows
from monitord.config.inhibiting import inhibitions
from monitord.config.kept import state_folder
from monitord.config.names import nearest
from monitord.config.oidc_models import OidcModel, provider
from monitord.config.policies import routes, telling
from monitord.config.schema import SettingsModel
from monitord.config.sections import Entry, Sections
from monitord.config.sentences import Locate, finder, walk
from monitord.config.sentences import Path as KeyPath
from monitord.config.sources import Sources
from monitord.config.status_models import StatusModel
from monitord.config.tree import Map, Place, plain
from monitord.model.catalog import Backend, Budgets, Retention, Settings
from monitord.model.correlation import Correlate
from monitord.model.login import LoginProvider
from monitord.model.loopback import is_private
from monitord.model.policy import Recurring
from monitord.model.status_page import StatusPage

_LONGEST_SOCKET, _SOCKET_BYTES = "executor.sock", 107
_NAMELESS = "monitord"


def build(context: Context, sections: Sections, sources: Sources) -> Settings:
    """Make the settings; where they have mistakes, the defaults stand in and problems are noted."""
    entries = sections.settings
    values = {name: entry.value for name, entry in entries.items()}
    top = Place(sources.main)

    def locate(path: KeyPath, *, key: bool = False) -> tuple[Place, object]:
        entry = entries.get(str(path[0])) if path else None
        return (top, None) if entry is None else walk(entry.value, path[1:], entry.at, key=key)

    model = context.try_model(SettingsModel, values, locate, "") or SettingsModel()
    _refuse_long_sockets(context, model, sources, locate)
    return Settings(
        instance=model.instance or sources.node or _NAMELESS,
        profile=model.profile,
        observe=model.observe,
        state=state_folder(model.state, sources.main, sources.folder),
        store=model.store,
        web=model.web,
        web_url=model.web_url,
        trusted_proxy=model.trusted_proxy,
        run=_absolute(model.run, sources) if model.run else "",
        timezone=model.timezone,
        reopen_within=model.reopen_within,
        p1_ticket_after=model.p1_ticket_after,
        budgets=Budgets(**dict(model.budgets)),
        retention=Retention(**dict(model.retention)),
        concurrency=model.concurrency,
        after_boot=model.after_boot,
        freeze=windows(context, model.freeze, model.timezone, locate),
        policy=model.policy,
        routes=routes(context, sections, model.routes, locate),
        ticket_cap=model.ticket_cap,
        history=model.history,
        recurring=Recurring(**dict(model.recurring)),
        correlate=Correlate(**dict(model.correlate)),
        inhibit=inhibitions(context, model.inhibit, locate),
        notify=telling(context, sections, model.notify, locate),
        status=_status(context, sections, model.status, locate),
        oidc=_oidc(context, model.oidc, model.web_url or f"http://{model.web}", locate),
    )


def _oidc(
    context: Context, model: OidcModel | None, base: str, locate: Locate
) -> LoginProvider | None:
    """Make the provider for logins: what it sends back goes over the console's own address."""
    if model is None:
        return None
    if not is_private(base):
        place, _ = locate(("oidc",), key=True)
        text = f"oidc: logins come back to {base}, where others read along"
        context.add(place, f"{text} (write web_url: https://…, what people type)")
    return provider(model)


def _status(
    context: Context, sections: Sections, model: StatusModel | None, locate: Locate
) -> StatusPage | None:
    """Make the page for end users: its services exist, and no two have one name there."""
    if model is None:
        return None
    known, shown_as = sections.named["services"], dict[str, str]()
    for name, words in model.services.items():
        place, _ = locate(("status", "services", name), key=True)
        if name not in known:
            near = nearest(name, known)
            context.add_missing(place, f"status.services: there is no service {name}{near}")
        if (words or name) in shown_as.values():
            context.add(place, f"status.services: two are called {words or name!r}; name one else")
        shown_as[name] = words or name
    return StatusPage(tuple(shown_as.items()), model.title, model.public)


def _refuse_long_sockets(
    context: Context, model: SettingsModel, sources: Sources, locate: Locate
) -> None:
    """Note a folder in which no socket can be made: the kernel takes 107 bytes of path."""
    key = "run" if model.run else "state"
    folder = (
        _absolute(model.run, sources)
        if model.run
        else state_folder(model.state, sources.main, sources.folder)
    )
    length = len(os.fsencode(f"{folder}/{_LONGEST_SOCKET}"))
    if length > _SOCKET_BYTES:
        context.add_once(
            locate((key,))[0],
            f"{key}: {folder}/{_LONGEST_SOCKET} has {length} bytes, and a socket's path has at "
            f"most {_SOCKET_BYTES} (write run: /run/monitord, or a shorter folder)",
        )


def _absolute(path: str, sources: Sources) -> str:
    return os.path.normpath(Path(sources.folder) / path)


def backends(context: Context, sections: Sections) -> dict[str, Backend]:
    """Make the ticket backends: each is a name and one kind with its settings."""
    found: dict[str, Backend] = {}
    for entry in sections.named["tickets"].values():
        backend = _backend(context, entry)
        if backend is not None:
            found[entry.name] = backend
    return found


def _backend(context: Context, entry: Entry) -> Backend | None:
    kinds = context.kinds.backends
    known = ", ".join(sorted(kinds))
    what = f"tickets: {entry.name}"
    if not isinstance(entry.value, Map) or len(entry.value) != 1:
        given = ", ".join(entry.value) if isinstance(entry.value, Map) else shown(entry.value)
        context.add(
            entry.place, f"{what}: needs exactly one of {known} with its settings, not {given}"
        )
        return None
    ((kind, value, place),) = entry.value.entries()
    if kind not in kinds:
        context.add(place, f"{what}: unknown kind {kind}{nearest(kind, kinds)}")
        return None
    spec = context.try_model(
        kinds[kind].spec,
        {} if value is None else plain(value),
        finder(value, place),
        f"{what}: {kind}",
    )
    return None if spec is None else Backend(entry.name, kind, spec)
