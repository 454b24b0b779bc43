"""How the texts of systemctl, timedatectl and supervisorctl are read, wherever they were run.

Pure parsing into facts; unknown lines are skipped, for tools mix warnings into their output.
"""

import re
from collections.abc import Iterable

from monitord.model.facts import ProgramFact, UnitFact
from monitord.transports.facts_sections import SectionError

UNIT_PROPERTIES = "Id,LoadState,ActiveState,SubState,UnitFileState,Result,MainPID,NRestarts"

_COUNT = re.compile(r"[0-9]{1,18}")
_FAILED = re.compile(r"^(?:[●*] )? *(\S+) +\S+ +failed\b", re.MULTILINE)
_PROGRAM = re.compile(r"(\S+) +([A-Z]{4,})(?: +(.*))?")
_PROGRAM_STATES = frozenset(
    "STOPPED STARTING RUNNING BACKOFF STOPPING EXITED FATAL UNKNOWN".split()  # noqa: SIM905 - read as one line of words
)


def unit_facts(text: str, names: Iterable[str]) -> dict[str, UnitFact]:
    """Read `systemctl show --property=…` of `names`: one block per name, in their order.

    Raises:
        SectionError: the number of blocks differs from the number of names.
    """
    asked = list(names)
    blocks = [block for block in re.split(r"\n\s*\n", text.strip()) if "LoadState=" in block]
    if len(blocks) != len(asked):
        raise SectionError(f"systemctl told {len(blocks)} units where {len(asked)} were asked")
    return {name: _unit(name, block) for name, block in zip(asked, blocks, strict=True)}


def _unit(name: str, block: str) -> UnitFact:
    told = dict(line.partition("=")[::2] for line in block.splitlines() if "=" in line)
    return UnitFact(
        name=told.get("Id", "") or name,
        load=told.get("LoadState", ""),
        active=told.get("ActiveState", ""),
        sub=told.get("SubState", ""),
        enabled=told.get("UnitFileState", ""),
        result=told.get("Result", ""),
        main_pid=_count(told.get("MainPID", "")),
        restarts=_count(told.get("NRestarts", "")),
    )


def failed_units(text: str) -> tuple[str, ...]:
    """Read `systemctl list-units --failed --plain --no-legend`: the first word of each line."""
    return tuple(sorted({match[1] for match in _FAILED.finditer(text)}))


def program_facts(text: str) -> tuple[ProgramFact, ...]:
    """Read `supervisorctl status`.

    Raises:
        SectionError: there is text, but no line of it is a program (the server did not answer).
    """
    lines = [line for line in text.splitlines() if line.strip()]
    matches = [match for line in lines if (match := _PROGRAM.fullmatch(line.strip()))]
    known = [match for match in matches if match[2] in _PROGRAM_STATES]
    if lines and not known:
        raise SectionError(lines[0])
    return tuple(ProgramFact(match[1], match[2], (match[3] or "").strip()) for match in known)


def synchronised(text: str) -> bool | None:
    """Read `timedatectl show --property=NTPSynchronized`; None where it does not say."""
    match = re.search(r"^NTPSynchronized=(yes|no)$", text, re.MULTILINE)
    return None if match is None else match[1] == "yes"


def _count(digits: str) -> int:
    return int(digits) if _COUNT.fullmatch(digits) else 0
