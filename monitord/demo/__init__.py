"""`monitord demo`: real faults in a small real shop, found, repaired, proven, or ticketed, live.

Nothing here repairs, judges or pretends: it builds a private folder, starts what a person would
start, breaks it with the commands that it prints, and tells what the core's own event stream says.
"""

import sys
from pathlib import Path

from monitord.errors import MonitordError


class DemoError(MonitordError):
    """The demo cannot go on; the text says what is missing or did not happen."""


def run(*, json: bool = False, svg: Path | None = None) -> int:
    """Play the demo; gives 0 when every fault ended as it should and nothing was left behind.

    Args:
        json: print the summary as JSON on standard output, and tell the story on standard error.
        svg: also save a picture of the terminal (one fault and the summary) to this file.
    """
    from monitord.demo.play import play
    from monitord.demo.shop import missing
    from monitord.demo.telling import Teller

    problem = missing()
    if problem:
        raise DemoError(problem)
    teller = Teller(sys.stderr if json else sys.stdout, picture=svg is not None)
    code = play(teller, json=json)
    if svg is not None and code == 0:
        svg.write_text(teller.picture(), encoding="utf-8")
    return code
