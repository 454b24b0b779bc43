"""Plays the demo: opens the shop, strikes each fault, follows it to its end, clears away.

The order of things stands here, and the exit code; how each is done or told, in the other files.
"""

import json as json_
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from monitord.demo import DemoError
from monitord.demo.faults import FAULTS, Fault
from monitord.demo.shop import Shop
from monitord.demo.telling import Teller
from monitord.demo.watching import Outcome, Watch
from monitord.errors import MonitordError
from monitord.tickets.text import render

_LIMIT = 40.0  # seconds that one fault may take on a loaded machine
_STOPPED = 130  # as a shell says of a program that Ctrl-C ended
_PICTURED = "web-root-deleted"


def play(teller: Teller, *, json: bool) -> int:
    """Play it and give the exit code; nothing of it is there any more afterwards."""
    began = time.monotonic()
    outcomes: list[Outcome] = []
    tickets: list[dict[str, Any]] = []
    shop = Shop(teller.command)
    teller.short = shop.short
    problem, code = "", 0
    left: list[str] = []
    try:
        with _cleared_away(shop, teller, left), _told_to_stop():
            _open(shop, teller)
            _strike_all(shop, teller, outcomes, tickets)
    except KeyboardInterrupt:
        problem, code = "stopped", _STOPPED
    except (MonitordError, OSError, subprocess.SubprocessError) as error:
        problem, code = str(error), 1
    teller.line(f"Left behind: {', '.join(left) or 'nothing'}.", "red" if left else "dim")
    seconds = round(time.monotonic() - began, 1)
    good = not problem and all(outcome.as_it_should for outcome in outcomes)
    if problem:
        teller.line(f"monitord demo: {problem}", "bold red")
    else:
        _sum_up(teller, outcomes, seconds, good=good)
    if json:
        document = {
            "ok": good and not left,
            "problem": problem,
            "seconds": seconds,
            "faults": [outcome.as_json() for outcome in outcomes],
            "tickets": tickets,
            "left_behind": left,
        }
        json_.dump(document, sys.stdout, indent=2)
        sys.stdout.write("\n")
    return code or (0 if good and not left else 1)


def _open(shop: Shop, teller: Teller) -> None:
    with teller.pictured():
        teller.line("monitord demo: real faults, real repairs, in about a minute.", "bold")
    teller.line(f"$DEMO is {shop.folder}: private, and removed at the end.", "dim")
    teller.head("A small shop")
    shop.build()
    teller.line(
        "A web server, a worker and a billing program under supervisor, and a nightly backup. "
        "Six checks watch it; one of them, with its ladder, out of $DEMO/monitord.yaml:"
    )
    teller.code(shop.short(_part(shop.config.read_text(encoding="utf-8"), "      site:")))
    shop.open()
    shop.watch()
    teller.line("monitord runs in its three processes, and all checks are OK.", "green")


def _part(text: str, first: str) -> str:
    """Give the lines from `first` to the last one that is indented more."""
    lines = iter(text.splitlines())
    depth = len(first) - len(first.lstrip())
    found = [next(line for line in lines if line.startswith(first))]
    for line in lines:
        if len(line) - len(line.lstrip()) <= depth:
            break
        found.append(line)
    return "\n".join(line[depth:] for line in found)


def _strike_all(
    shop: Shop, teller: Teller, outcomes: list[Outcome], tickets: list[dict[str, Any]]
) -> None:
    watch = Watch(shop.core)
    for number, fault in enumerate(FAULTS, 1):
        with teller.pictured(fault.name == _PICTURED):
            teller.head(f"{number}. {fault.title}")
            outcome = _strike(shop, teller, watch, fault)
        outcomes.append(outcome)
        if not outcome.as_it_should:
            raise DemoError(_not_as_it_should(outcome))
        if outcome.ticket is not None:
            document = shop.core.get(f"/v1/tickets/{outcome.ticket}")
            tickets.append(document)
            teller.head(f"The ticket (monitord ticket {outcome.ticket})")
            teller.ticket(render(document))
        else:
            shop.wait_until_well()


def _strike(shop: Shop, teller: Teller, watch: Watch, fault: Fault) -> Outcome:
    teller.fault(fault)
    fault.strike(shop)
    outcome = Outcome(fault, shop.struck)
    for event in watch.events(_LIMIT):
        shop.processes.bury()
        if not outcome.concerns(event):
            continue
        teller.event(event, shop.struck)
        if outcome.note(event):
            break
    return outcome


def _not_as_it_should(outcome: Outcome) -> str:
    wanted = "be repaired" if outcome.fault.repaired else "end as a ticket"
    tried = ", ".join(outcome.tried) or "nothing"
    return (
        f"{outcome.fault.key} should {wanted} after {', '.join(outcome.fault.rungs)}; "
        f"tried was {tried}, and it ended with {outcome.ended or 'nothing'} "
        f"(each fault gets {_LIMIT:.0f} s: is this machine very loaded?)"
    )


def _sum_up(teller: Teller, outcomes: list[Outcome], seconds: float, *, good: bool) -> None:
    with teller.pictured():
        teller.line()
        teller.summary(outcomes)
        teller.line(
            f"{seconds:.0f} s in all. Times count from the command that broke it; verified means "
            "that the same check was OK again and again after the repair.",
            "" if good else "red",
        )


@contextmanager
def _cleared_away(shop: Shop, teller: Teller, left: list[str]) -> Iterator[None]:
    """Clear away afterwards, whatever happens; `left` takes what is still there.

    After a failure of ours it first shows what the processes printed: it is gone afterwards.
    """
    try:
        yield
    except (MonitordError, OSError, subprocess.SubprocessError):
        teller.line(shop.printed(), "dim")
        raise
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)  # it takes seconds, and has limits of its own
        with suppress(OSError):  # nobody reads any more: so much the more must it be cleared away
            teller.head("Clearing away")
        left += shop.close()


@contextmanager
def _told_to_stop() -> Iterator[None]:
    """Let SIGTERM and SIGHUP (a closed terminal) end the demo as Ctrl-C does."""

    def stop(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, stop)
    yield
