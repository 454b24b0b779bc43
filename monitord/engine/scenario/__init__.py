"""`monitord test`: promises as files: given results over virtual time → what must come of it.

The real core runs, on virtual time, over a private store; only the outside world (targets, hosts,
ticket servers) is a script. docs/scenarios.md has the format.
"""

from monitord.engine.scenario.run import run_files

__all__ = ["run_files"]
