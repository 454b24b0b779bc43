"""docs/scenarios.md tells every word of the format, and its example holds."""

import re
import shutil
from pathlib import Path

import pytest

from monitord.daemon.kinds import KINDS
from monitord.engine.scenario import run_files
from monitord.engine.scenario.file import (
    HAPPENINGS,
    Action,
    Deed,
    Expectation,
    Scenario,
)
from monitord.model.result import Cause
from monitord.model.spec import Spec

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "scenarios.md").read_text(encoding="utf-8")


def words(model: type[Spec]) -> set[str]:
    return {field.alias or name for name, field in model.model_fields.items()}


@pytest.mark.parametrize("model", [Scenario, Action, Deed, Expectation])
def test_every_word_is_on_the_page(model: type[Spec]) -> None:
    told = set(re.findall(r"\w+", PAGE))
    assert words(model) - told == set()


def test_every_outcome_and_cause_is_on_the_page() -> None:
    does = Action.model_fields["does"].annotation.__args__  # type: ignore[union-attr]  # a Literal
    for word in (*does, *HAPPENINGS, *(cause.value for cause in Cause if cause is not Cause.GONE)):
        assert word in PAGE, word


def test_the_example_holds(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    shutil.copy(HERE / "shop.yaml", tmp_path / "monitord.yaml")
    (tmp_path / "example.test.yaml").write_text(text)
    (report,) = run_files([tmp_path], KINDS)
    assert report.failures == ()
    assert report.title == "A restart heals it, and nobody is woken"
