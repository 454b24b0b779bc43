"""The pages of the shipped runbooks are what their files say now (`make pages` writes them)."""

from pathlib import Path

import pytest

from monitord import config
from monitord.daemon.kinds import KINDS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "runbooks"
NAMES = sorted(path.stem for path in (ROOT / "remediations").glob("*.yaml"))


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    sources = config.read(ROOT / "config" / "monitord.yaml", system=Path("/nonexistent"))
    return config.pages(config.assemble(sources, KINDS), sources.documents)


def test_every_shipped_runbook_has_its_page_and_no_page_is_left_over(pages: dict[str, str]) -> None:
    assert sorted(pages) == NAMES
    assert sorted(path.stem for path in FOLDER.glob("*.md")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_what_the_file_says(pages: dict[str, str], name: str) -> None:
    assert (FOLDER / f"{name}.md").read_text(encoding="utf-8") == pages[name], "run: make pages"


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_linked(name: str) -> None:
    text = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")
    assert f"[{name}](runbooks/{name}.md)" in text
