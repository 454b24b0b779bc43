"""A program of the demo's shop: it works on until it is killed, or until its licence is gone.

`python program.py NAME [LICENCE]` runs under the demo's supervisord and knows nothing of monitord.
"""

import sys
import time
from pathlib import Path

_ROUND = 0.2  # seconds


def main(name: str, licence: Path | None) -> None:
    """Work until there is a reason to stop; the reason goes to stderr, as programs do."""
    print(f"{name}: at work", flush=True)  # noqa: T201 - its log
    while licence is None or licence.is_file():
        time.sleep(_ROUND)
    sys.exit(f"{name}: {licence} is missing, and without a licence I may not work")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None)  # noqa: PLR2004 - NAME [LICENCE]
