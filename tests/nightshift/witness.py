"""The witness: what changed on the hosts, seen without asking the tool that is being judged.

    before = look(machines)                     # after the fault is in
    differences(before, look(machines))         # {"web1 nginx": ("active …", "inactive …")}

It counts starts by systemd's journal and supervisor's log, and sums up configurations and data.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.nightshift.machines import Machines

LOOK = Path(__file__).with_name("hosts") / "look.sh"
Seen = Mapping[str, str]


def look(machines: Machines) -> Seen:
    """Give the value of each thing on each host, by `host thing`."""
    script = LOOK.read_text(encoding="utf-8")
    with ThreadPoolExecutor() as pool:
        said = pool.map(lambda name: machines.sh(name, script, check=False), machines.hosts)
    seen: dict[str, str] = {}
    for host, text in zip(machines.hosts, said, strict=True):
        for line in text.splitlines():
            thing, _, value = line.partition("\t")
            seen[f"{host} {thing}"] = value.strip()
    return seen


def differences(before: Seen, after: Seen) -> dict[str, tuple[str, str]]:
    """Give what is not as it was, apart from the counts of starts."""
    return {
        thing: (before.get(thing, ""), after.get(thing, ""))
        for thing in sorted({*before, *after})
        if before.get(thing, "") != after.get(thing, "") and " starts of " not in thing
    }


def starts(before: Seen, after: Seen) -> dict[str, int]:
    """Give how often each unit or program was started in between."""
    counted = {
        thing.replace(" starts of ", " "): int(value or 0) - int(before.get(thing) or 0)
        for thing, value in after.items()
        if " starts of " in thing
    }
    return {thing: count for thing, count in counted.items() if count > 0}
