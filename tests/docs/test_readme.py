"""README and docs hold true: examples load and work, commands exist, pages are linked."""

from __future__ import annotations

import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import typer.main

from monitord.cli.app import app
from monitord.cli.oncall import SHOW, ShowsByDefault
from monitord.control import Core
from monitord.daemon.kinds import KINDS
from monitord.errors import MonitordError
from tests.world.until import until

ROOT = Path(__file__).parents[2]
PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
OWN = [ROOT / "README.md", ROOT / "docs/first-hour.md"]  # whose examples are whole files
FIRST = "/tmp/first"  # noqa: S108 - the README's folder, for which a test takes one of its own
_BLOCK = re.compile(r"^```yaml\n# (\S+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_FENCE = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`(monitord [^`]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _blocks(page: Path) -> list[tuple[str, str]]:
    return _BLOCK.findall(page.read_text(encoding="utf-8"))


def _commands(page: Path) -> Iterator[str]:
    """Give what is typed on a page after `monitord`, from its blocks and from running text."""
    text = page.read_text(encoding="utf-8")
    for block in _FENCE.findall(text):
        for line in block.splitlines():
            found = re.match(r"\$? ?(?:\S*/bin/)?monitord (.*)", line)
            if found:
                yield found[1]
    for span in _INLINE.findall(_FENCE.sub("", text)):
        yield span.removeprefix("monitord ")


def _wrong(words: list[str]) -> str:
    """Say what the command line does not know of these words; empty when it knows them."""
    command = typer.main.get_command(app)
    allowed = {option for each in command.params for option in each.opts}
    while words:
        if isinstance(command, ShowsByDefault) and words[0] not in command.commands:
            command = command.commands[SHOW]
            allowed = {option for each in command.params for option in each.opts}
        word = words.pop(0)
        if word == "--":
            return ""
        if word.startswith("-"):
            if word not in allowed:
                return f"option {word}"
            flag = next(each for each in command.params if word in each.opts)
            if not getattr(flag, "is_flag", False) and words:
                words.pop(0)
        elif hasattr(command, "commands"):
            if word not in command.commands:
                return f"command {word}"
            command = command.commands[word]
            allowed = {option for each in command.params for option in each.opts} | {"--help"}
    return ""


def test_a_command_or_option_that_does_not_exist_is_noticed() -> None:
    assert _wrong(["frobnicate"]) == "command frobnicate"
    assert _wrong(["job", "walk"]) == "command walk"
    assert _wrong(["--state", "x", "status", "--jsno"]) == "option --jsno"
    assert sum(1 for _ in _commands(ROOT / "README.md")) > 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_line_exists(page: Path) -> None:
    for line in _commands(page):
        words = shlex.split(line.split("#")[0].split("&&")[0].split("|")[0].replace("…", "x"))
        if words[0] not in {"COMMAND", "x"}:  # the page tells of any of them
            assert _wrong(words) == "", line


@pytest.mark.parametrize("page", OWN, ids=lambda page: page.name)
def test_every_example_is_a_file_that_check_config_takes(page: Path, tmp_path: Path) -> None:
    from monitord import config

    blocks = _blocks(page)
    assert page.read_text(encoding="utf-8").count("```yaml") == len(blocks)
    content = [(name, text) for name, text in blocks if "remediations/" in name]
    mains = [(name, text) for name, text in blocks if "remediations/" not in name]
    assert mains
    for number, (name, text) in enumerate(mains):
        folder = tmp_path / str(number)
        for path, body in [*content, (name, text)]:
            file = folder / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(body, encoding="utf-8")
        assert config.load(folder / name.lstrip("/"), KINDS).warnings == ()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in _LINK.findall(page.read_text(encoding="utf-8")):
        if "://" in target or target.startswith("#"):
            continue
        path, _, heading = target.partition("#")
        assert (page.parent / path).exists(), target
        if heading:
            titles = re.findall(r"^#+ (.+)$", (page.parent / path).read_text(), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
            assert heading in slugs, target


@pytest.mark.parametrize("folder", ["docs", "docs/decisions"])
def test_every_page_is_in_its_index(folder: str) -> None:
    index = (ROOT / folder / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in (ROOT / folder).glob("*.md")} - {"README.md"}
    assert {name for name in pages if f"]({name})" not in index} == set()


def test_every_folder_of_the_map_is_there() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition("## The map")[2]
    names = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    for row in names:
        for name in re.findall(r"`([\w/]+)`", row):
            places = [ROOT / name, ROOT / "monitord" / name, ROOT / f"monitord/{name}.py"]
            assert any(place.exists() for place in places), name


@pytest.fixture
def first() -> Iterator[Path]:
    """The README's example, in a folder and on a port of our own, run as the README says."""
    with TemporaryDirectory(prefix="mfc-") as name:  # short: a Unix socket's path has 107 bytes
        folder = Path(name)
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = str(server.getsockname()[1])
        (folder / "queue").mkdir()
        (folder / "remediations").mkdir()
        for path, text in _blocks(ROOT / "README.md"):
            body = text.replace(FIRST, name).replace("9751", port)
            Path(path.replace(FIRST, name)).write_text(body, encoding="utf-8")
        argv = ["monitord", "run", "--config", str(folder / "monitord.yaml")]
        daemon = subprocess.Popen([sys.executable, "-m", *argv], stdout=subprocess.PIPE)
        yield folder
        daemon.send_signal(signal.SIGINT)
        daemon.communicate(timeout=40)


def test_the_first_check_and_repair_work_as_written(first: Path) -> None:
    """The folder comes back, proven; taken away again within the hour, it becomes a ticket."""
    core, queue = Core(first / "var/core.sock"), first / "queue"

    def asked(route: str, name: str) -> list[str]:
        try:
            return [row["status"] for row in core.get(route)[name]]
        except MonitordError:
            return []

    until(lambda: asked("/v1/checks", "checks") == ["OK"], within=30, what="the first look")
    queue.rmdir()
    until(lambda: asked("/v1/incidents", "incidents") == ["RESOLVED"], within=60, what="a repair")
    assert queue.is_dir()
    until(lambda: asked("/v1/checks", "checks") == ["OK"], within=30, what="the proof")
    queue.rmdir()
    until(lambda: asked("/v1/tickets", "tickets") == ["OPEN"], within=60, what="a ticket")
    assert core.get("/v1/tickets/1")["check"] == "localhost/queue"
