"""One bad file per mistake, each with the exact messages it must give, and nothing else."""

from pathlib import Path

import pytest

from monitord.config import Sources, assemble, read
from monitord.errors import ConfigError
from tests.config.kinds import KINDS

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))
EXPECTED = "#> "


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_mistake_is_told_with_its_place_and_cure(path: Path, tmp_path: Path) -> None:
    """The first lines of each file, `#> line:column: text`, are all that is said about it."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    expected = [line.removeprefix(EXPECTED) for line in lines if line.startswith(EXPECTED)]
    main = tmp_path / "main.yaml"
    main.write_text(text, encoding="utf-8")
    sources = read(main, shipped=tmp_path / "shipped", system=tmp_path / "etc")
    with pytest.raises(ConfigError) as caught:
        assemble(sources, KINDS)
    told = [f"{p.line}:{p.column}: {p.text}" for p in caught.value.problems]
    assert [text.replace(f"{tmp_path}/", "") for text in told] == expected
    assert all(problem.file == str(main) for problem in caught.value.problems)


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_the_same_mistakes_are_told_after_a_journey_as_json(path: Path, tmp_path: Path) -> None:
    sources = read(path, shipped=tmp_path / "shipped", system=tmp_path / "etc")
    with pytest.raises(ConfigError) as here:
        assemble(sources, KINDS)
    with pytest.raises(ConfigError) as there:
        assemble(Sources.from_json(sources.to_json()), KINDS)
    assert here.value.problems == there.value.problems
