"""Tells the demo on a terminal of 80 columns, or plainly into a pipe; it decides nothing.

Lines of the core are shown as it said them, long paths shortened and hostile characters escaped.
"""

import contextlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TextIO

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from monitord.demo.faults import Fault
from monitord.demo.watching import Event, Outcome
from monitord.model.text import one_line

_WIDTH = 80
_LONGEST = 400
_PHASES = {"collect": "evidence", "require": "tests", "step": "repairs"}
_WORDS = {
    "opened": ("found", "bold red"),
    "reopened": ("found", "bold red"),
    "waiting": ("waits", "dim"),
    "attempt-planned": ("plans", "cyan"),
    "step-intended": ("repairs", "cyan"),
    "step-failed": ("failed", "yellow"),
    "step-unknown": ("unknown", "yellow"),
    "verifying": ("verifies", "cyan"),
    "looked": ("looks", "cyan"),
    "attempt-failed": ("no help", "yellow"),
    "attempt-interrupted": ("stopped", "yellow"),
    "refused": ("refused", "yellow"),
    "fixed": ("FIXED", "bold green"),
    "escalated": ("gives up", "bold magenta"),
    "ticket-opened": ("ticket", "bold magenta"),
}
"""The kinds of events that are told, and how; what is missing here adds nothing for a spectator."""


class Teller:
    """Where the demo is told. With `picture`, part of it is also recorded for an SVG."""

    def __init__(self, out: TextIO, *, picture: bool = False) -> None:
        with contextlib.suppress(
            AttributeError
        ):  # a stream that cannot be reconfigured needs it not
            out.reconfigure(errors="replace")  # type: ignore[attr-defined]  # a TextIOWrapper can
        screen = Console(file=out, highlight=False, emoji=False)
        self._screen = screen
        screen.width = min(screen.width, _WIDTH)
        self._paper = Console(
            file=io.StringIO(),
            record=True,
            width=_WIDTH,
            force_terminal=True,
            color_system="truecolor",
            highlight=False,
        )
        self._takes_picture = picture
        self._pictured = False
        self.short: Callable[[str], str] = str

    @contextlib.contextmanager
    def pictured(self, wanted: bool = True) -> Iterator[None]:
        """Record for the picture what is told meanwhile."""
        self._pictured = wanted and self._takes_picture
        try:
            yield
        finally:
            self._pictured = False

    def picture(self) -> str:
        """Give what was recorded as SVG that loads nothing from elsewhere."""
        svg = self._paper.export_svg(title="monitord demo", unique_id="demo")
        return re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)

    def line(self, text: str = "", style: str = "") -> None:
        """Say one paragraph."""
        self._show(Text(text, style))

    def command(self, text: str) -> None:
        """Say a command line that is about to be run."""
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_row(Text("$", "bold"), Text(text, "bold", overflow="fold"))
        self._show(grid)

    def code(self, text: str) -> None:
        """Show a piece of YAML."""
        yaml = Syntax(text, "yaml", theme="ansi_dark", background_color="default")
        self._show(Padding(yaml, (0, 0, 0, 2), expand=False))

    def head(self, title: str) -> None:
        """Begin a part."""
        self._show(Text())
        self._show(Rule(Text(title, "bold"), align="left", style="dim"))

    def fault(self, fault: Fault) -> None:
        """Introduce a fault."""
        self.line(fault.story)

    def event(self, event: Event, struck: int) -> None:
        """Say what the core just said."""
        word, style = _WORDS.get(event["kind"], ("", ""))
        if not word:
            return
        if event["kind"] == "step-intended":
            word = _PHASES.get(event["data"].get("phase", ""), word)
        after = _seconds((event["at"] - struck) / 1e6)
        text = self.short(one_line(str(event["text"]), _LONGEST)).removeprefix(f"{word}: ")
        grid = Table.grid(padding=(0, 2, 0, 0))
        grid.add_column(width=7, justify="right", no_wrap=True)
        grid.add_column(width=8, no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(Text(after, "dim"), Text(word, style), Text(text))
        self._show(grid)

    def ticket(self, text: str) -> None:
        """Show a ticket, whole."""
        for line in text.splitlines():
            inner = self.short(line.lstrip())
            if not inner:
                self.line()  # padding around nothing would be nothing
                continue
            depth = 2 + len(line) - len(line.lstrip())
            self._show(Padding(Text(inner, overflow="fold"), (0, 0, 0, depth), expand=False))

    def summary(self, outcomes: Sequence[Outcome]) -> None:
        """Show the table of what was broken and what became of it."""
        table = Table(header_style="bold", box=SIMPLE_HEAD, expand=True)
        table.add_column("fault", ratio=17)
        table.add_column("found after", justify="right")
        table.add_column("repaired by", ratio=25)
        table.add_column("verified after", justify="right")
        for outcome in outcomes:
            table.add_row(*_row(outcome))
        self._show(table)

    def _show(self, what: RenderableType) -> None:
        self._screen.print(what)
        if self._pictured:
            self._paper.print(what)


def _row(outcome: Outcome) -> Sequence[RenderableType]:
    by: Text
    ended = _seconds(outcome.after)
    if outcome.ended == "fixed":
        failed = outcome.tried[:-1]
        by = Text("".join(f"{name}: no help\n" for name in failed), "yellow")
        by.append(outcome.fixed_by, "bold green")
    elif outcome.ended == "ticket":
        by = Text("".join(f"{name}: no help\n" for name in outcome.tried), "yellow")
        by.append(f"nobody: ticket {outcome.ticket}", "bold magenta")
        ended = f"handed over\nafter {ended}"
    else:
        by, ended = Text(outcome.ended or "nothing happened", "bold red"), "-"
    return (Text(outcome.fault.name.replace("-", " ")), _seconds(outcome.found), by, ended)


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f} s" if value >= 1 else f"{value:.2f} s"
