"""What a reload would change, by the identity rules: for `monitord plan` and for the reload itself.

A check is its key `host/check`. A changed kind or target starts its soft counter anew; thresholds,
intervals and texts do not. `was:` carries state and history over a rename. Pure.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from monitord.model.catalog import Catalog, Check, Host, Requirement, Rung
from monitord.model.ids import CheckKey
from monitord.model.spec import Spec, format_duration

TARGET_FIELDS = frozenset(
    {
        "argv",
        "borg",
        "command",
        "name",
        "path",
        "pattern",
        "pg_dump",
        "port",
        "programs",
        "restic",
        "run",
        "server",
        "show",
        "tar",
        "units",
        "url",
        "user",
    }
)
"""Settings of a probe that say what it looks at, rather than what is bad; of any kind."""

_NOT_COMPARED = frozenset({"key", "host", "name", "spec", "kind", "was", "place", "policy"})
_NEED_RESTART = frozenset({"state", "run", "store", "web", "instance", "concurrency", "history"})
_LONGEST = 60
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class ReloadPlan:
    """What differs between two catalogs.

    Keys are check keys: `renamed` maps the new key to the old one, `resets` are those whose soft
    counter starts anew. `lines` tell it all to a person; they are empty when nothing changes.
    """

    added: tuple[CheckKey, ...] = ()
    removed: tuple[CheckKey, ...] = ()
    changed: tuple[CheckKey, ...] = ()
    renamed: Mapping[CheckKey, CheckKey] = field(default_factory=dict)
    resets: frozenset[CheckKey] = frozenset()
    lines: tuple[str, ...] = ()


def compare(old: Catalog, new: Catalog) -> ReloadPlan:
    """Give what going from `old` to `new` changes."""
    renamed = _renamed(old, new)
    gone = set(renamed.values())
    added = tuple(key for key in new.checks if key not in old.checks and key not in renamed)
    removed = tuple(key for key in old.checks if key not in new.checks and key not in gone)
    changed: list[CheckKey] = []
    resets: set[CheckKey] = set()
    lines = [*_settings_lines(old, new), *_host_lines(old, new)]
    lines.extend(f"+ {key} ({_says(new.checks[key])})" for key in added)
    lines.extend(f"- {key}: its state is forgotten, an open incident is closed" for key in removed)
    for key, check in new.checks.items():
        before = old.checks.get(renamed.get(key, key))
        if before is None:
            continue
        differences = list(_differences(before, check))
        reset = _resets(old.hosts[before.host], before, new.hosts[check.host], check)
        if key in renamed:
            lines.append(f"> {key} was {renamed[key]}: state and history move along")
        if differences:
            changed.append(key)
            lines.extend(f"~ {key}: {text}" for text in differences)
        if reset:
            resets.add(key)
            lines.append(f"! {key}: looks at something else now, its soft counter starts anew")
    lines.extend(_content_lines(old, new))
    return ReloadPlan(added, removed, tuple(changed), renamed, frozenset(resets), tuple(lines))


def _renamed(old: Catalog, new: Catalog) -> dict[CheckKey, CheckKey]:
    """Give new key → old key where `was:` leads to a check that is really gone."""
    found: dict[CheckKey, CheckKey] = {}
    taken: set[CheckKey] = set()
    for key, check in new.checks.items():
        before = CheckKey(check.was)
        if (
            before in old.checks
            and before not in new.checks
            and key not in old.checks
            and before not in taken
        ):
            found[key] = before
            taken.add(before)
    return found


def _resets(old_host: Host, old: Check, new_host: Host, new: Check) -> bool:
    if old.kind != new.kind or old_host.address != new_host.address:
        return True
    logs_in = old.via is not None or old_host.login.kind == "device"
    if logs_in and old_host.login.read != new_host.login.read:
        return True
    before, after = _spec_values(old.spec), _spec_values(new.spec)
    return any(before.get(name) != after.get(name) for name in TARGET_FIELDS)


def _differences(old: Check, new: Check) -> Iterator[str]:
    """Say each setting that differs, as `setting: before → after`."""
    if old.kind != new.kind:
        yield f"kind: {old.kind} → {new.kind}"
    elif old.spec != new.spec:
        before, after = _spec_values(old.spec), _spec_values(new.spec)
        for name in after:
            if before.get(name) != after[name]:
                yield f"{new.kind}.{name}: {shown(before.get(name))} → {shown(after[name])}"
    for item in fields(Check):
        if item.name not in _NOT_COMPARED:
            yield from _difference(item.name, getattr(old, item.name), getattr(new, item.name))
    if old.policy != new.policy:
        for item in fields(type(old.policy)):
            yield from _difference(
                item.name, getattr(old.policy, item.name), getattr(new.policy, item.name)
            )


def _difference(name: str, before: Any, after: Any) -> Iterator[str]:
    if before != after:
        yield f"{name}: {shown(before)} → {shown(after)}"


def _spec_values(spec: Spec) -> dict[str, Any]:
    model = type(spec)
    return {field.alias or name: getattr(spec, name) for name, field in model.model_fields.items()}


def shown(value: Any) -> str:
    """Give a value as a person would write it, on one line."""
    if value is None or value in ("", ()) or value == Requirement():
        return "nothing"
    text = next((form(value) for kind, form in _FORMS if isinstance(value, kind)), None)
    if text is None:
        text = str(getattr(value, "text", None) or value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _shown_all(values: Any) -> str:
    return ", ".join(shown(item) for item in values)


_FORMS: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (timedelta, format_duration),
    (bool, lambda value: str(value).lower()),
    (Requirement, lambda value: f"{value.mode} of {', '.join(value.keys)}"),
    (Rung, lambda value: f"{value.runbook} ({value.mode})"),
    (tuple | list, _shown_all),
    (frozenset, lambda value: _shown_all(sorted(value))),
    (Spec, lambda value: ", ".join(f"{k} {shown(v)}" for k, v in _spec_values(value).items())),
)


def _says(check: Check) -> str:
    return f"{check.kind}, every {format_duration(check.every)}"


def _settings_lines(old: Catalog, new: Catalog) -> Iterator[str]:
    for item in fields(type(new.settings)):
        before, after = getattr(old.settings, item.name), getattr(new.settings, item.name)
        if before != after:
            note = " (needs a restart)" if item.name in _NEED_RESTART else ""
            yield f"~ {item.name}: {shown(before)} → {shown(after)}{note}"


def _host_lines(old: Catalog, new: Catalog) -> Iterator[str]:
    yield from _name_lines("host", old.hosts, new.hosts)
    for name, host in new.hosts.items():
        before = old.hosts.get(name)
        if before is None or before == host:
            continue
        for item in fields(Host):
            was, now = getattr(before, item.name), getattr(host, item.name)
            if item.name == "login" and was != now:
                yield f"~ host {name}: login: {_login(before)} → {_login(host)}"
            elif was != now:
                yield f"~ host {name}: {item.name}: {shown(was)} → {shown(now)}"


def _login(host: Host) -> str:
    act = "may act" if host.login.may_act else "watched only"
    user = f" {host.login.read.user}" if host.login.read and host.login.read.user else ""
    return f"{host.login.kind}{user} ({act})"


def _content_lines(old: Catalog, new: Catalog) -> Iterator[str]:
    yield from _name_lines("runbook", old.runbooks, new.runbooks)
    for name, runbook in new.runbooks.items():
        if name in old.runbooks and old.runbooks[name].hash != runbook.hash:
            yield f"~ runbook {name}: its content changed; running attempts keep their own plan"
    yield from _name_lines("service", old.services, new.services)
    yield from (
        f"~ service {name}: changed"
        for name, service in new.services.items()
        if name in old.services and old.services[name] != service
    )
    for what, before, after in (
        ("calendar", old.calendars, new.calendars),
        ("service level", old.slas, new.slas),
        ("person", old.people, new.people),
        ("rotation", old.rotations, new.rotations),
    ):
        yield from _name_lines(what, before, after)
        yield from (
            f"~ {what} {name}: changed"
            for name, one in after.items()
            if name in before and before[name] != one
        )
    if old.priorities != new.priorities:
        yield "~ priorities: changed"
    yield from _name_lines("tickets to", old.backends, new.backends)
    yield from (
        f"~ tickets to {name}: changed"
        for name, backend in new.backends.items()
        if name in old.backends and old.backends[name] != backend
    )


def _name_lines(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """Name what came and went; many are counted, for a person reads ten and not a thousand."""
    came = [name for name in new if name not in old]
    went = [name for name in old if name not in new]
    for sign, names in (("+", came), ("-", went)):
        yield from (f"{sign} {what} {name}" for name in names[:_MOST_NAMED])
        if len(names) > _MOST_NAMED:
            yield f"{sign} {what}: {len(names) - _MOST_NAMED} more"
