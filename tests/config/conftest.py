"""How these tests load: a main file as text, no shipped content unless a case brings its own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from monitord.config import assemble, read
from monitord.errors import ConfigError
from monitord.model.catalog import Catalog
from tests.config.kinds import KINDS

Load = Callable[..., Catalog]
Problems = Callable[..., list[str]]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file below the case's own folder and give its path."""

    def _write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return _write


@pytest.fixture
def load(tmp_path: Path, write: Callable[[str, str], Path]) -> Load:
    """Load a main file; further files are keyword arguments `{path: text}`."""

    def _load(text: str, files: dict[str, str] | None = None) -> Catalog:
        for name, body in (files or {}).items():
            write(name, body)
        path = write("main.yaml", text)
        sources = read(path, shipped=tmp_path / "shipped", system=tmp_path / "etc")
        return assemble(sources, KINDS)

    return _load


@pytest.fixture
def problems(load: Load, tmp_path: Path) -> Problems:
    """Give what is wrong with a main file, one text each, with file names below the folder."""

    def _problems(text: str, files: dict[str, str] | None = None) -> list[str]:
        try:
            load(text, files)
        except ConfigError as error:
            return [str(problem).replace(f"{tmp_path}/", "") for problem in error.problems]
        return []

    return _problems
