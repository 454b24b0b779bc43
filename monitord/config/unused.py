"""Definitions that no host uses are judged too: a mistake is told before the first use.

They are tried on a stand-in host. What is only missing may come from the host that will use them,
so that alone is no mistake.
"""

from collections.abc import Set as AbstractSet

from monitord.config.attach import Attacher
from monitord.config.checks import Policies
from monitord.config.context import Context
from monitord.config.definitions import Definitions
from monitord.config.exceptions import Deviations
from monitord.config.hosts import Draft, Fleet
from monitord.config.names import slots_of
from monitord.config.schema import HostModel
from monitord.config.tree import Map, Place
from monitord.model.catalog import Host, Login, SshLogin

_NAME, _ADDRESS = "example", "192.0.2.1"
_RANGES = 9
_FILLED_LATER = (": is missing", "has no such range (write name[1-8])")


def judge(
    context: Context,
    policies: Policies,
    definitions: Definitions,
    fleet: Fleet,
    used: AbstractSet[str],
) -> None:
    """Note the mistakes in definitions outside `used`, and in groups without hosts."""
    scratch = Context(context.kinds, context.broken)
    attacher = Attacher(scratch, policies, definitions, fleet, Deviations(), {})
    draft, host = _stand_in()
    # Not the shipped ones: what a user's `defaults:` makes of a check that nobody uses is no fault.
    for name in definitions.own:
        if name not in used:
            attacher.try_on(draft, host, name, [])
    peopled = {group for draft in fleet.drafts.values() for group in draft.groups}
    for group in fleet.groups:
        if group not in peopled:
            for name, layer in attacher.group_uses(group).items():
                attacher.try_on(draft, host, name, [layer])
    for problem in scratch.problems:
        if not problem.text.endswith(_FILLED_LATER):
            context.add_once(Place(problem.file, problem.line, problem.column), problem.text)


def _stand_in() -> tuple[Draft, Host]:
    tree = Map()
    slots = slots_of(_NAME, _ADDRESS, [1] * _RANGES)
    login = Login("local", SshLogin(""), SshLogin(""))
    return Draft(_NAME, slots, HostModel(), tree, Place("")), Host(_NAME, _ADDRESS, login=login)
