"""The terminal's screen: /v1/now as a table that follows what happens; acks and approves.

It shows and passes on; the core decides. What targets say is shown as text, never as markup.
"""

import threading
from datetime import UTC, datetime
from typing import Any, ClassVar

from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Input, Label, Static

from monitord.cli import board
from monitord.control import Core, CoreDownError, CoreSaysNoError
from monitord.model.spec import parse_duration
from monitord.model.text import block, one_line

_COLUMNS = ("WHAT", "PRIO", "KEY", "FOR", "BY", "")  # what is endless comes last
_SOONEST, _EVERY = 0.5, 5.0


class Screen(App[None]):
    """The application over one core."""

    CSS = "#line { padding: 0 1; } #line.old { color: $error; } DataTable { height: 1fr; }"
    TITLE = "monitord"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", "next"),
        Binding("k,up", "move(-1)", "previous"),
        Binding("a", "ack", "ack/approve"),
        Binding("slash", "filter", "filter"),
        Binding("question_mark", "help", "keys"),
        Binding("q", "quit", "quit"),
    ]

    def __init__(self, core: Core) -> None:
        super().__init__()
        self._core = core
        self._lines: list[board.Line] = []
        self._words = ""
        self._happened = False

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield Static(id="line", markup=False)
        table: DataTable[Text] = DataTable(cursor_type="row", zebra_stripes=True)
        yield table
        yield Footer()

    def on_mount(self) -> None:
        """Begin to follow."""
        self.query_one(DataTable).add_columns(*_COLUMNS)
        self.look()
        self.set_interval(_EVERY, self.look)
        self.set_interval(_SOONEST, self._look_if)
        # A thread of its own: a worker would keep the program until the next event.
        threading.Thread(target=self._follow, name="follow", daemon=True).start()

    @work(thread=True, exclusive=True, group="look")
    def look(self) -> None:
        """Ask for the newest picture and show it."""
        try:
            now = self._core.get("/v1/now")
        except (CoreDownError, CoreSaysNoError) as error:
            self.call_from_thread(self._say, f"no core answers, this is old: {error}")
            return
        self.call_from_thread(self._show, now)

    def _look_if(self) -> None:
        """Look anew if something has happened."""
        if self._happened:
            self._happened = False
            self.look()

    def _follow(self) -> None:
        """Wait in a thread for what happens; it touches nothing but one flag."""
        follower = Core(self._core.path, timeout=60)
        try:
            for event in follower.follow("/v1/events"):
                if event.get("kind") != "alive":
                    self._happened = True
        except (CoreDownError, CoreSaysNoError, RuntimeError):
            return  # `look` goes on every few seconds, and says what is wrong

    def _say(self, text: str) -> None:
        line = self.query_one("#line", Static)
        line.update(one_line(text, 300))
        line.add_class("old")

    def _show(self, now: dict[str, Any]) -> None:
        at, line, table = (
            datetime.now(UTC),
            self.query_one("#line", Static),
            self.query_one(DataTable),
        )
        line.remove_class("old")
        line.update(board.first_line(now, at))
        words = self._words.lower().split()
        self._lines = [
            one
            for one in board.lines(now, at)
            if all(word in f"{one.what} {one.key} {one.text}".lower() for word in words)
        ]
        kept = table.cursor_row
        table.clear()
        for one in self._lines:
            cells = (one.what, one.priority, one.key, one.since, one.by, one.text)
            table.add_row(
                *(Text(cell, style=one.style if i == 0 else "") for i, cell in enumerate(cells))
            )
        if self._lines:
            table.move_cursor(row=min(kept, len(self._lines) - 1))

    def _at(self) -> board.Line | None:
        row = self.query_one(DataTable).cursor_row
        return self._lines[row] if 0 <= row < len(self._lines) else None

    def action_move(self, by: int) -> None:
        """Go to the next or the previous row."""
        table = self.query_one(DataTable)
        table.move_cursor(row=max(0, table.cursor_row + by))

    def on_data_table_row_selected(self) -> None:
        """Show the incident of the row, or its key (Enter, or a click)."""
        at = self._at()
        if at is not None:
            self.read(at)

    @work(thread=True)
    def read(self, at: board.Line) -> None:
        """Ask for what stands behind a row, and show it."""
        try:
            if at.incident is not None:
                text = _incident(self._core.get(f"/v1/incidents/{at.incident}"))
            else:
                key = "/".join(at.key.split("/")[:2])
                text = _explained(self._core.get(f"/v1/explain/{key}", config=0))
        except (CoreDownError, CoreSaysNoError) as error:
            text = block(str(error))
        self.call_from_thread(self.push_screen, Reading(text))

    def action_ack(self) -> None:
        """Ask why, then ack the row's check; approve what waits for a yes."""
        at = self._at()
        if at is None or not at.key:
            return
        if at.attempt is not None:
            question = f"Attempt {at.attempt} would run. Type yes to let it: "
            self.push_screen(Asking(question), lambda said: self._approve(at, said or ""))
        else:
            question = f"Ack {at.key} for 4h. Why? "
            self.push_screen(Asking(question), lambda said: self._ack(at, said or ""))

    def _approve(self, at: board.Line, said: str) -> None:
        if said.strip().lower() == "yes":
            self.command(f"/v1/attempts/{at.attempt}/approve", {}, f"attempt {at.attempt} runs")

    def _ack(self, at: board.Line, reason: str) -> None:
        if not reason.strip():
            return
        expires = datetime.now(UTC) + parse_duration("4h")
        selector = "/".join(at.key.split("/")[:2])
        body = {"selector": selector, "reason": reason, "expires": _iso(expires)}
        self.command("/v1/ack", body, f"acked {selector}")

    @work(thread=True)
    def command(self, route: str, body: dict[str, Any], done: str) -> None:
        """Have the core do something, and say what became of it."""
        try:
            self._core.post(route, body)
        except (CoreDownError, CoreSaysNoError) as error:
            self.call_from_thread(
                self.notify, one_line(str(error), 300), severity="error", markup=False
            )
            return
        self.call_from_thread(self.notify, one_line(done, 200), markup=False)
        self.call_from_thread(self.look)

    def action_filter(self) -> None:
        """Show only rows with these words."""
        self.push_screen(Asking("Only rows with: ", self._words), self._filter)

    def _filter(self, words: str | None) -> None:
        self._words = words or ""
        self.look()

    def action_help(self) -> None:
        """Tell the keys."""
        self.push_screen(
            Reading("j k  next, previous\nEnter  open\na  ack, approve\n/  filter\nq  quit")
        )


class Reading(ModalScreen[None]):
    """A text to read; Escape or q leads back."""

    CSS = "VerticalScroll { background: $surface; padding: 1 2; margin: 1 4; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "dismiss", "back", priority=True)
    ]

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with VerticalScroll():
            yield Static(self._text, markup=False)
        yield Footer()


class Asking(ModalScreen[str]):
    """One question; Enter answers, Escape does not."""

    CSS = "Label, Input { margin: 0 4; } Asking { align: center middle; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss('')", "back")]

    def __init__(self, question: str, given: str = "") -> None:
        super().__init__()
        self._question, self._given = question, given

    def compose(self) -> ComposeResult:
        """Lay it out."""
        yield Label(self._question, markup=False)
        yield Input(self._given, max_length=400)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the answer."""
        self.dismiss(event.value)


def _incident(one: dict[str, Any]) -> str:
    head = f"{one['severity']} {one['key']}  incident {one['incident']}, {one['status']}"
    facts = f"{one['priority']} {one['tier']}  failing since {one['first_failed']}"
    told = [f"{event['at']}  {event['kind']}  {event['text']}" for event in one["events"][::-1]]
    return block("\n".join([head, one["summary"], facts, "", *told]))


def _explained(one: dict[str, Any]) -> str:
    states = [f"{row['status']} {row['key']}: {row.get('summary', '')}" for row in one["state"]]
    return block("\n".join([one["key"], one["means"], f"By hand: {one['by_hand']}", "", *states]))


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
