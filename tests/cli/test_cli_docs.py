"""docs/cli.md names every command and option, and none that does not exist."""

from __future__ import annotations

import re
from pathlib import Path

import typer.main

from monitord.cli.app import app
from monitord.model.ticket import Verb

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")


def offered() -> dict[str, set[str]]:
    """Give each command of the program with its options."""
    found: dict[str, set[str]] = {}

    def walk(name: str, command: object) -> None:
        options = {
            spelling
            for parameter in command.params  # type: ignore[attr-defined] # a click command
            if parameter.param_type_name == "option"
            for spelling in parameter.opts
        }
        below = getattr(command, "commands", {})
        if not below or name == "monitord":
            found[name] = options - {"--help"}
        for word, inner in below.items():
            walk(f"{name} {word}", inner)

    walk("monitord", typer.main.get_command(app))
    return found


def documented() -> dict[str, set[str]]:
    """Give each command of the page with the options of its table."""
    parts = re.split(r"^#{2,3} (.+)$", PAGE, flags=re.MULTILINE)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {
        title: {
            option
            for row in re.findall(r"^\| (`-.+?) \|", text, flags=re.MULTILINE)
            for option in re.findall(r"`(--?[a-z-]+)`", row)
        }
        for title, text in sections.items()
        if title.startswith("monitord")
    }


def test_every_command_has_its_section_and_no_section_is_left_over() -> None:
    assert set(documented()) == set(offered())


def test_every_option_stands_in_its_command_s_table_and_no_other_does() -> None:
    page = documented()
    assert {name: page[name] for name in offered()} == offered()


def test_every_command_that_answers_can_answer_in_json() -> None:
    silent = {"monitord", "monitord job run", "monitord job script"}
    silent |= {f"monitord {name}" for name in ("run", "core", "executor", "web", "top")}
    without = {name for name, options in offered().items() if "--json" not in options}
    assert without == silent


def test_every_order_takes_a_reason_and_an_end() -> None:
    wanted = {"--reason", "--for", "--until", "--yes", "--preview"}
    for verb in Verb:
        assert wanted <= offered()[f"monitord {verb}"]
