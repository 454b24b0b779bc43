"""What the guards want to know of the configuration: groups, freeze windows, canaries.

Names and numbers only; whether something may act is decided by the guards.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from monitord.clock import as_instant
from monitord.config.context import Context
from monitord.config.definitions import Definitions
from monitord.config.exceptions import end_of
from monitord.config.hosts import Fleet
from monitord.config.names import nearest
from monitord.config.needs import Keys
from monitord.config.schema import FreezeModel
from monitord.config.sections import Sections
from monitord.config.sentences import Locate, walk
from monitord.config.tree import Map
from monitord.decisions.orders import touched
from monitord.decisions.selector import parse
from monitord.model.catalog import Catalog, Check, Freeze, Group, Host, Requirement
from monitord.model.ids import CheckKey, Instant
from monitord.model.ticket import BadSelectorError

_LOOPBACK = ("127.", "::1", "localhost")


def groups(context: Context, fleet: Fleet) -> dict[str, Group]:
    """Give the groups that have hosts; a share of healthy hosts becomes their number.

    One that asks for more healthy hosts than it has gets a warning: nothing in it is ever repaired.
    """
    members: dict[str, list[str]] = {}
    for host in fleet.hosts.values():
        for name in host.groups:
            members.setdefault(name, []).append(host.name)
    found = {
        name: Group(name, tuple(hosts), _healthy(fleet.groups[name].model.keep_healthy, len(hosts)))
        for name, hosts in members.items()
    }
    for name, group in found.items():
        if group.keep_healthy is not None and group.keep_healthy > len(group.hosts):
            context.warnings.append(
                f"{fleet.groups[name].tree.value_place('keep_healthy')}: {name}: keep_healthy: "
                f"{group.keep_healthy} of {len(group.hosts)} hosts can never be healthy, so that "
                "nothing in the group is repaired (write a smaller number, or a share: 60%)"
            )
    return found


def _healthy(written: int | str | None, members: int) -> int | None:
    """Give how many hosts a rule means; of a share the next whole host above."""
    if isinstance(written, str):
        return -(-members * int(written.removesuffix("%")) // 100)
    return written


def windows(
    context: Context, models: Iterable[FreezeModel], timezone: str, locate: Locate
) -> tuple[Freeze, ...]:
    """Make the freeze windows; a plain date is the whole of that day in its time zone."""
    found = []
    for index, model in enumerate(models):
        zone = model.timezone or timezone
        window = Freeze(
            _start_of(model.starts, zone), end_of(model.until, zone), model.reason, model.on
        )
        try:
            parse(model.on)
        except BadSelectorError as error:
            context.add(locate(("freeze", index, "on"))[0], f"freeze: on: {error}")
        if window.ends <= window.starts:
            text = f"freeze: until: {model.until} lies before from: {model.starts}"
            context.add(locate(("freeze", index, "until"))[0], text)
        found.append(window)
    return tuple(found)


def must_be_there(
    context: Context,
    top: Sections,
    windows: Sequence[Freeze],
    known: Mapping[str, Iterable[str]],
    *,
    at: Instant,
    listed: bool,
) -> None:
    """Refuse a freeze of what nothing is called: it would freeze nothing, and nobody would know.

    `known` holds every name that there is, by field of a selector; a window that ended before `at`
    may name what has gone since. `listed`: hosts come from lists, too. What these hold changes by
    itself, and must not make a configuration unusable: of that `idle` warns.
    """
    entry = top.settings.get("freeze")
    if entry is None:
        return
    there = {field: set(values) for field, values in known.items()}
    changing = {"host", "group", "tag", "site", "customer"} if listed else set()
    for index, window in enumerate(windows):
        place, _ = walk(entry.value, (index, "on"), entry.at)
        for field, name in _names(window) if window.ends > at else ():
            told = field in changing or f"{field}/{name}" in context.failed
            if name not in there[field] and not told:
                near = nearest(name, there[field])
                context.add_missing(place, f"freeze: on: there is no {field} {name}{near}")


def names(fleet: Fleet, defined: Definitions, checks: Iterable[Check]) -> dict[str, Iterable[str]]:
    """Give what hosts and checks are called, by field of a selector."""
    hosts = fleet.hosts.values()
    return {
        "host": fleet.hosts,
        "group": {*fleet.groups, *(group for host in hosts for group in host.groups)},
        "tag": {tag for host in hosts for tag in host.tags},
        "site": {host.site for host in hosts},
        "customer": {host.customer for host in hosts},
        "check": {*defined.names(), *(check.name for check in checks)},
    }


def _names(window: Freeze) -> Iterator[tuple[str, str]]:
    try:
        alternatives = parse(window.selector).alternatives
    except BadSelectorError:
        return  # that is told already
    for terms in alternatives:
        yield from ((term.field, term.written) for term in terms if term.is_name)


def idle(catalog: Catalog) -> tuple[str, ...]:
    """Give a warning for each freeze window that freezes nothing: most often a typing mistake."""
    return tuple(
        f"freeze: on: {window.selector!r} touches no check now:"
        f" nothing is frozen by it ({window.reason})"
        for window in catalog.settings.freeze
        if window.selector != "*" and not touched(catalog, window.selector)
    )


def _start_of(when: date, timezone: str) -> Instant:
    zone = ZoneInfo(timezone)
    if not isinstance(when, datetime):
        return as_instant(datetime.combine(when, datetime.min.time(), zone))
    return as_instant(when if when.tzinfo else when.replace(tzinfo=zone))


def canaries(
    context: Context, top: Sections, keys: Keys, built: Mapping[CheckKey, Check]
) -> tuple[CheckKey, ...]:
    """Give the checks that stand for the monitor's own network; each must exist and stand alone."""
    entry = top.settings.get("vantage")
    if entry is None or not isinstance(entry.value, Map):
        return ()
    written = entry.value.get("canaries")
    named = [written] if isinstance(written, str) else list(written or ())
    found: dict[CheckKey, None] = {}
    for index, pattern in enumerate(text for text in named if isinstance(text, str)):
        place, _ = walk(entry.value, ("canaries", index), entry.at)
        try:
            matched = keys.match(pattern)
        except ValueError as error:
            context.add_once(place, f"vantage.canaries: {error}")
            continue
        if not matched and not keys.is_absent(pattern):
            near = keys.nearest(pattern)
            context.add_missing(place, f"vantage.canaries: there is no check {pattern}{near}")
        for key in matched:
            if key in built and built[key].remediate:
                text = f"vantage.canaries: {key} has a ladder (a canary stands for the way to it)"
                context.add_once(place, text)
            found[key] = None
    return tuple(found)


def seen_from(
    hosts: Mapping[str, Host], built: Mapping[CheckKey, Check], found: tuple[CheckKey, ...]
) -> dict[str, Host]:
    """Give the hosts with what must be up for us to see them: any of the canaries.

    This machine is seen without a network, and what the canaries themselves hang on cannot hang on
    them.
    """
    if not found:
        return dict(hosts)
    before = _before(hosts, built, found)
    vantage = Requirement("any", found)
    return {
        name: host
        if host.login.kind == "local" or host.address.startswith(_LOOPBACK) or name in before
        else replace(host, vantage=vantage)
        for name, host in hosts.items()
    }


def _before(
    hosts: Mapping[str, Host], built: Mapping[CheckKey, Check], found: tuple[CheckKey, ...]
) -> set[str]:
    """Give the hosts that the canaries stand behind or need, however far away."""
    reached: set[CheckKey] = set()
    front = list(found)
    while front:
        check = built.get(front.pop())
        if check is None:
            continue
        own = () if check.via is None else (check.via,)
        for key in (*check.needs.keys, *hosts[check.host].behind.keys, *own):
            if key not in reached:
                reached.add(key)
                front.append(key)
    return {built[key].host for key in reached if key in built}
