"""Facts about what was done to a host: logins, sudo, packages, files, units, boots; by one script.

Both ways of asking run the same shell function (model/changes.sh). Who is a person and what follows
is decided elsewhere. What looks like a secret in an argv is masked before it leaves here.
"""

from dataclasses import replace

from monitord.model.changes import SCRIPT
from monitord.model.facts import ChangeFact, ChangesFact, Facts, Section
from monitord.model.text import one_line
from monitord.secrets import veil
from monitord.transports.facts_run import run
from monitord.transports.facts_sections import SectionError

KINDS = frozenset({"login", "session", "sudo", "package", "file", "crontab", "unit", "reboot"})
_LONGEST = 300  # characters of one change
_FIELDS = 4
_TIMEOUT = 45.0  # seconds; each part of the script has its own, shorter limit
_SAME = 10.0  # seconds within which two records are of one event


def add_changes(facts: Facts, section: Section) -> Facts:
    """Ask this machine; `section.args` are the seconds to look back, then monitord's own users."""
    words = ("/bin/sh", "-c", f'{SCRIPT}\nchanges "$@"', "changes", *section.args)
    return replace(facts, changes=changes_fact(run(words, timeout=_TIMEOUT)[1]))


def changes_fact(text: str) -> ChangesFact:
    """Read what the script printed.

    Raises:
        SectionError: it did not tell its own time, so that nothing can be placed.
    """
    lines = [line.split("\t", _FIELDS - 1) for line in text.split("\n")]
    told = [line for line in lines if len(line) == _FIELDS and line[0].isdecimal()]
    now = next((int(at) for at, kind, *_ in told if kind == "now"), None)
    if now is None:
        said = next((line[0] for line in lines if line[0]), "nothing")
        raise SectionError(f"the host told no changes but: {one_line(said, 120)}")
    rows = [
        ChangeFact(float(now - int(at)), kind, one_line(who, 64), one_line(veil(what), _LONGEST))
        for at, kind, who, what in told
        if kind in KINDS
    ]
    unread = [one_line(what, _LONGEST) for _, kind, _, what in told if kind == "unread"]
    return ChangesFact(tuple(_without_doubles(rows)), tuple(unread))


def _without_doubles(rows: list[ChangeFact]) -> list[ChangeFact]:
    """Drop what two sources tell: a login by its terminal and by sshd, a stopped unit twice."""
    kept: list[ChangeFact] = []
    for row in sorted(rows, key=lambda row: "over SSH" in row.text):
        if not any(_is_the_same(row, other) for other in kept):
            kept.append(row)
    return sorted(kept, key=lambda row: -row.ago)


def _is_the_same(row: ChangeFact, other: ChangeFact) -> bool:
    if (row.kind, row.who) != (other.kind, other.who) or abs(row.ago - other.ago) > _SAME:
        return False
    if row.kind == "login":
        return "over SSH" in row.text and "over SSH" not in other.text
    return row.kind == "unit" and row.text == other.text
