"""A monitord process that is killed by SIGKILL at a chosen commit of its own.

    python -m tests.scenarios.dying before step-done 2 core --config FILE
    python -m tests.scenarios.dying after any 3 core --config FILE

The first never makes the commit that would write its second `step-done` line; the second makes its
third commit of any kind and then nothing more. A commit is called by the timeline lines that it
writes, or `transition` when it only writes that; commits of mere states or due times have no name
and are not counted. It begins to count when the file that MONITORD_COMMITS names exists; each
commit that has names becomes a line of them there.
"""

from __future__ import annotations

import os
import re
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine.default import DefaultDialect

INSERT = re.compile(r"\s*INSERT INTO \"?(events|transitions)\"? \(([^)]*)\)")


class Reaper:
    """Names and counts commits, and kills."""

    def __init__(self, when: str, name: str, number: int) -> None:
        self.point = (when, name, number)
        self.journal = Path(os.environ["MONITORD_COMMITS"])
        self.seen: Counter[str] = Counter()
        self.names: list[str] = []

    def note(
        self, _connection: Any, _cursor: Any, statement: str, rows: Any, _context: Any, many: bool
    ) -> None:
        """Remember what the transaction writes (a listener of SQLAlchemy)."""
        match = INSERT.match(statement)
        if match is None:
            return
        if match[1] == "transitions":
            self.names.append("transition")
            return
        place = [column.strip(' "') for column in match[2].split(",")].index("kind")
        self.names += [str(row[place]) for row in (rows if many else [rows])]

    def commit(self, really: Any, dialect: Any, connection: Any) -> None:
        """Commit, and die before or after it when its turn has come."""
        names, self.names = [*dict.fromkeys(self.names)], []
        if not names or not self.journal.exists():
            really(dialect, connection)
            return
        self.seen.update([*names, "any"])
        self.reap("before", names)
        really(dialect, connection)
        with self.journal.open("a", encoding="utf-8") as file:
            file.write(f"{' '.join(names)}\n")
        self.reap("after", names)

    def reap(self, when: str, names: list[str]) -> None:
        """Die if this is the moment."""
        if any((when, name, self.seen[name]) == self.point for name in [*names, "any"]):
            os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Start the process that the arguments name, with the reaper in its store."""
    when, name, number, *argv = sys.argv[1:]
    reaper = Reaper(when, name, int(number))
    event.listen(Engine, "before_cursor_execute", reaper.note)
    really = DefaultDialect.do_commit
    DefaultDialect.do_commit = lambda dialect, connection: reaper.commit(  # type: ignore[method-assign]  # the one place that all commits pass
        really, dialect, connection
    )
    from monitord.cli import main as monitord

    sys.argv = ["monitord", *argv]
    monitord()


if __name__ == "__main__":
    main()
