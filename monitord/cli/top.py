"""`monitord top`: the console's first page in a terminal, live, with the same keys."""

from monitord.cli.app import command


@command("top")
def top() -> int:
    """Show what needs a person, what is repaired and how all hosts are, live; q ends it.

    j and k move, Enter opens, a acks (or approves what waits), / filters, ? tells the keys.
    """
    import sys

    from monitord.cli import source
    from monitord.errors import MonitordError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise MonitordError("monitord top needs a terminal; `monitord status` prints one page")
    core = source.core(timeout=10)
    core.get("/v1/now")  # says in one line what is wrong, before the screen is taken
    try:
        from monitord.cli.screen import Screen
    except ImportError as error:
        raise MonitordError("monitord top needs textual; pip install 'monitord[top]'") from error
    Screen(core).run()
    return 0
