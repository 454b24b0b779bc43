"""Policies, vendors and routes: every name in them exists, every step says whom it tells.

Names and numbers only; who is told when is decided in decisions/paging.py.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType

from monitord.config.attach import Attached
from monitord.config.context import Context
from monitord.config.names import nearest
from monitord.config.policy_models import (
    DigestModel,
    NotifyModel,
    PolicyModel,
    PolicyStepModel,
    RouteModel,
    VendorModel,
)
from monitord.config.sections import Sections
from monitord.config.sentences import Locate, finder
from monitord.config.tree import Map, Place
from monitord.decisions.selector import parse
from monitord.model.calendar import ALWAYS, Calendar
from monitord.model.policy import (
    AFTER,
    NEVER,
    PRIORITIES,
    TIERS,
    Digest,
    Notify,
    Policy,
    PolicyStep,
    Route,
    Vendor,
)
from monitord.model.ticket import BadSelectorError

_AT_ONCE: Mapping[str, timedelta] = MappingProxyType(dict.fromkeys(PRIORITIES, timedelta()))
_IN_THE_DIGEST = ("P4", "P5")
_SECTIONS = {"rotation": "rotations", "person": "people", "vendor": "vendors"}


def vendors(
    context: Context, top: Sections, calendars: Mapping[str, Calendar]
) -> dict[str, Vendor]:
    """Make the vendors; the calendars that they name must exist."""
    found = {}
    for entry in top.named["vendors"].values():
        tree = context.as_map(entry.value, entry.place, entry.name)
        model = tree is not None and context.model(
            VendorModel, tree, entry.place, prefix=f"vendors: {entry.name}"
        )
        if tree is None or not model:
            continue
        if model.calendar:
            place, _ = finder(tree, entry.place)(("calendar",))
            what = f"vendors: {entry.name}.calendar"
            must_be_a_calendar(context, top, model.calendar, place, what)
        found[entry.name] = Vendor(
            entry.name,
            model.contract,
            model.contact,
            model.respond,
            model.resolve,
            calendars.get(model.calendar, ALWAYS),
        )
    return found


def policies(context: Context, top: Sections, *, digest: bool = False) -> dict[str, Policy]:
    """Make the policies; whom they name must exist, and their tiers must rise.

    Where there is a digest, P4 and P5 stand in it, unless their hours say otherwise.
    """
    found = {}
    for entry in top.named["policies"].values():
        tree = context.as_map(entry.value, entry.place, entry.name)
        what = f"policies: {entry.name}"
        model = tree is not None and context.model(PolicyModel, tree, entry.place, prefix=what)
        if tree is None or not model:
            continue
        locate = finder(tree, entry.place)
        for index, step in enumerate(model.steps):
            _must_tell(context, top, step, locate, index, what)
        _must_rise(context, model, locate, what)
        for priority, hours in model.hours.items():
            if hours != NEVER:
                place, _ = locate(("hours", priority))
                must_be_a_calendar(context, top, hours, place, f"{what}.hours.{priority}")
        steps = tuple(_step(step, first=not index) for index, step in enumerate(model.steps))
        hours_by = dict.fromkeys(_IN_THE_DIGEST, NEVER) if digest else {}
        hours_by |= {str(name): hours for name, hours in model.hours.items()}
        found[entry.name] = Policy(entry.name, steps, model.repeat, MappingProxyType(hours_by))
    return found


def routes(
    context: Context, top: Sections, models: Iterable[RouteModel], locate: Locate
) -> tuple[Route, ...]:
    """Make the routes; each names backends that exist."""
    found, backends = [], top.named["tickets"]
    for index, model in enumerate(models):
        for name in model.to:
            if name not in backends:
                text = f"routes: to: there is no backend {name}{nearest(name, backends)}"
                context.add_missing(locate(("routes", index, "to"))[0], text)
        try:
            parse(model.on)
        except BadSelectorError as error:
            context.add(locate(("routes", index, "on"))[0], f"routes: on: {error}")
        if model.during:
            place, _ = locate(("routes", index, "during"))
            must_be_a_calendar(context, top, model.during, place, "routes: during")
        found.append(Route(model.to, model.on, model.tier, model.priority, model.during))
    return tuple(found)


def telling(context: Context, top: Sections, model: NotifyModel, locate: Locate) -> Notify:
    """Make how people are told: the mail server is that of an email backend."""
    named, backends, mails = model.mail, top.named["tickets"], mail_servers(top)
    if named and named not in mails:
        what = "is no email backend" if named in backends else "is not there"
        place, _ = locate(("notify", "mail"))
        context.add_missing(place, f"notify.mail: {named} {what}{nearest(named, mails)}")
    digest = _digest(context, top, model.digest, locate) if model.digest is not None else None
    _must_be_people(context, top, model.audit_head, locate, ("audit_head",))
    mail = named or next(iter(mails), "")
    _must_be_people(context, top, model.reports, locate, ("reports",))
    return Notify(mail, model.remind, model.most, digest, model.audit_head, model.reports)


def _digest(context: Context, top: Sections, model: DigestModel, locate: Locate) -> Digest:
    """Make the message of the morning; whom and which calendar it names must exist."""
    _must_be_people(context, top, model.to, locate, ("digest", "to"))
    if model.calendar:
        place, _ = locate(("notify", "digest", "calendar"))
        must_be_a_calendar(context, top, model.calendar, place, "notify.digest.calendar")
    return Digest(model.at, model.to, model.calendar)


def _must_be_people(
    context: Context, top: Sections, words: Iterable[str], locate: Locate, under: tuple[str, ...]
) -> None:
    """Complain of each that is no rotation and no person; `under` is where it stands in notify."""
    what = ".".join(("notify", *under))
    for number, word in enumerate(words):
        place, _ = locate(("notify", *under, number))
        kind, _, name = word.partition("/")
        if kind not in ("rotation", "person") or not name:
            text = f"{what}: {word!r} is nobody (write rotation/NAME or person/NAME)"
            context.add(place, text)
        elif name not in (known := top.named.get(_SECTIONS[kind], {})):
            near = nearest(name, known)
            context.add_missing(place, f"{what}: there is no {kind} {name}{near}")


def mail_servers(top: Sections) -> list[str]:
    """Give the names of the email backends, whose servers can carry people's mails."""
    return [
        name
        for name, entry in top.named["tickets"].items()
        if isinstance(entry.value, Map) and "email" in entry.value
    ]


def judge(
    context: Context, top: Sections, known: Mapping[str, Policy], checks: Iterable[Attached]
) -> None:
    """Note each policy that a setting, service or check names and that is not there."""
    setting = top.settings.get("policy")
    if setting is not None:
        _must_be_there(context, top, known, setting.value, setting.at, "policy")
    for entry in top.named["services"].values():
        if isinstance(entry.value, Map) and "policy" in entry.value:
            place = entry.value.value_place("policy")
            what = f"{entry.name}.policy"
            _must_be_there(context, top, known, entry.value["policy"], place, what)
    for item in checks:
        merged = item.prepared.merged
        if "policy" in merged.common:
            place, _ = merged.locate_common(("policy",))
            what = f"{item.name}.policy"
            _must_be_there(context, top, known, merged.common["policy"], place, what)


def _must_be_there(
    context: Context,
    top: Sections,
    known: Mapping[str, Policy],
    name: object,
    place: Place,
    what: str,
) -> None:
    # One with mistakes is there, and they are told; what is no text was told by the model.
    if isinstance(name, str) and name and name not in top.named["policies"]:
        context.add_missing(place, f"{what}: there is no policy {name}{nearest(name, known)}")


def must_be_a_calendar(context: Context, top: Sections, name: str, place: Place, what: str) -> None:
    """Note a calendar that is not there."""
    known = {ALWAYS.name: None, **top.named["calendars"]}
    if name not in known:
        context.add_missing(place, f"{what}: there is no calendar {name}{nearest(name, known)}")


def _must_tell(
    context: Context,
    top: Sections,
    step: PolicyStepModel,
    locate: Locate,
    index: int,
    what: str,
) -> None:
    for number, word in enumerate(step.tell):
        place, _ = locate(("steps", index, "tell", number))
        kind, _, name = word.partition("/")
        if kind not in _SECTIONS or not name:
            context.add(
                place,
                f"{what}: tell: {word!r} is nobody (write rotation/NAME, person/NAME or"
                " vendor/NAME)",
            )
        elif name not in (known := top.named.get(_SECTIONS[kind], {})):
            near = nearest(name, known)
            context.add_missing(place, f"{what}: tell: there is no {kind} {name}{near}")


def _must_rise(context: Context, model: PolicyModel, locate: Locate, what: str) -> None:
    reached = 0
    for index, step in enumerate(model.steps):
        place = TIERS.index(step.tier)
        if place < reached:
            at, _ = locate(("steps", index, "tier"))
            text = f"{what}: {step.tier} stands after {TIERS[reached]} (tiers rise: put it before)"
            context.add(at, text)
        reached = max(reached, place)


def _step(model: PolicyStepModel, *, first: bool) -> PolicyStep:
    waits = model.after if model.after is not None else (_AT_ONCE if first else AFTER)
    return PolicyStep(model.tier, model.tell, MappingProxyType(dict(waits)))
