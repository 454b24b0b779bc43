"""The Typer application: global options, the shape of a command, errors as one line.

A command is a function that gives its exit code (None is 0). What it needs it imports inside, since
each import is paid for by every `monitord --help`. No command is defined here.
"""

import contextlib
import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from monitord import __version__
from monitord.cli import places
from monitord.errors import MonitordError

Function = TypeVar("Function", bound=Callable[..., int | None])

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich costs 30 ms, and plain help reads as well
    help="Watches, repairs, proves the repair, and tickets the rest. Docs: docs/cli.md",
)
jobs = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Batch jobs that report: wrap one, or find its ping URL.",
)

_PROCESSES = ("core", "executor", "web")  # whose log shall tell where such an error came from

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Preview = Annotated[
    bool, typer.Option("--preview", help="Only show what it would touch; give no order.")
]
Reason = Annotated[str, typer.Option("--reason", "-r", help="Why; it is kept.")]
For = Annotated[str | None, typer.Option("--for", help="How long: 30m, 2h, 1d.")]
Until = Annotated[
    str | None, typer.Option("--until", help='Until when: 18:00, 2027-01-31, "2027-01-31 18:00".')
]
Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        help="The main configuration file.",
        metavar="FILE",
        readable=False,  # a wrapped job starts whatever its user may read; others say it themselves
    ),
]


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"monitord {__version__}")
        raise typer.Exit


@app.callback()
def _global(
    config: Config = None,
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            help="The state folder of the monitord to ask.",
            metavar="DIR",
            readable=False,  # as above
        ),
    ] = None,
    version: Annotated[  # noqa: ARG001 - its callback prints it before a command is looked for
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    places.chosen.config = config or places.chosen.config
    places.chosen.state = state or places.chosen.state


def command(
    name: str, group: typer.Typer = app, *, failed: int = 1, **settings: Any
) -> Callable[[Function], Function]:
    """Register a function as a command; an expected error becomes one line and exit `failed`."""

    def register(function: Function) -> Function:
        @functools.wraps(function)
        def run(*args: Any, **options: Any) -> None:
            try:
                code = function(*args, **options)
                sys.stdout.flush()
            except MonitordError as error:
                complain(error)
                code = failed
            except BrokenPipeError:  # `monitord checks | head`: the reader has seen enough
                _drop_output()
                code = 0
            except OSError as error:
                if name in _PROCESSES:
                    raise
                _drop_output()
                complain(MonitordError(_sentence(error)))
                code = failed
            raise typer.Exit(code or 0)

        group.command(name, **settings)(run)
        return function

    return register


def _drop_output() -> None:
    """Let what is still buffered go nowhere: the interpreter would fail on it once more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _sentence(error: OSError) -> str:
    reason = error.strerror or str(error)
    if error.filename is not None:
        return f"{error.filename}: {reason}"
    try:
        Path.cwd()
    except FileNotFoundError:
        return "the current folder has been removed; cd to one that is there"
    return f"cannot write the answer: {reason}"


def complain(error: MonitordError) -> None:
    """Write an error to stderr: its sentence, a list of mistakes below it, the cure."""
    from monitord.model.text import block

    cure = getattr(error, "cure", "")
    with contextlib.suppress(OSError):  # stderr is full or gone: the exit code alone tells
        typer.echo(f"monitord: {block(str(error))}{f'; {block(cure)}' if cure else ''}", err=True)
        for problem in getattr(error, "problems", ()) if cure else ():
            typer.echo(block(str(problem)), err=True)


app.add_typer(jobs, name="job")
from monitord.cli import (  # noqa: E402, F401 - they register themselves
    act,
    attempt,
    bundle,
    chain,
    discover,
    evidence,
    handover,
    hear,
    history,
    inventory,
    job,
    kinds,
    ledger,
    log,
    look,
    marker,
    notify,
    oncall,
    order,
    preflight,
    privileges,
    problem,
    report,
    retire,
    runbooks,
    serve,
    services,
    sla,
    status_page,
    top,
    trust,
    user,
)

# The order of `monitord --help`: what one needs first stands first. A command that is missing here
# is an error at once.
_ORDER = """
    run check-config plan reload status services chains chain hosts checks incidents
    incident tickets ticket orders explain history ledger sla report problems problem notify
    watch top ack take release mute maintenance halt resume run-check remediate attempt approve deny
    promote
    marker forget audit evidence status-page schema kinds runbooks
    sudoers locked-login bundle trust preflight discover retire test demo core executor web
""".split()  # noqa: SIM905 - as a table of words it can be read and re-ordered
app.registered_commands.sort(key=lambda registered: _ORDER.index(registered.name or ""))
