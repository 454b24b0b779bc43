"""Slots are filled once, and nothing that comes out of one is looked at again."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.actions.text import fill, fill_secrets, slots
from monitord.model.effect import StepContext
from monitord.secrets import SecretRef

HERE = StepContext("web1", "10.1.1.11", "nginx.service", {"path": "/srv/www", "braces": "{item}"})


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("plain", "plain"),
        ("{host}/{address}", "web1/10.1.1.11"),
        ("--unit={item}", "--unit=nginx.service"),
        ("{path}/x", "/srv/www/x"),
        ("{{item}}", "{item}"),
        ("awk {{print $1}}", "awk {print $1}"),
        ("{braces}", "{item}"),  # what a parameter holds is not a slot
        ("", ""),
    ],
)
def test_a_slot_is_filled_once(text: str, filled: str) -> None:
    assert fill(text, HERE) == filled


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "{port}",
            (
                "'{port}' needs {port}, which is not given"
                " (known: host, address, item, braces, path; add it under `with:`)"
            ),
        ),
        ("{", "'{' has a lone { (write {{ for a brace)"),
        ("a}b", "'a}b' has a lone } (write }} for a brace)"),
        ("{host.__class__}", "'{host.__class__}' has a lone { (write {{ for a brace)"),
        ("{0}", "'{0}' has a lone { (write {{ for a brace)"),
        ("{host!r}", "'{host!r}' has a lone { (write {{ for a brace)"),
        ("{}", "'{}' has a lone { (write {{ for a brace)"),
    ],
)
def test_what_cannot_be_filled_says_so(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        fill(text, HERE)


def test_an_item_that_is_missing_says_that_the_check_has_none() -> None:
    with pytest.raises(ValueError, match="but this check has no items"):
        fill("{item}", StepContext("web1", "10.1.1.11"))


def test_a_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="holds a NUL character"):
        fill("{item}", StepContext("web1", "10.1.1.11", "a\0b"))


@given(st.text(st.characters(exclude_characters="\0"), min_size=1))
def test_any_item_comes_through_unchanged(item: str) -> None:
    assert fill("<{item}>", StepContext("web1", "", item)) == f"<{item}>"


@given(st.text())
def test_doubled_braces_give_the_text_back(text: str) -> None:
    doubled = text.replace("{", "{{").replace("}", "}}")
    assert slots(doubled) == ()
    assert fill(doubled, HERE) == text


def test_a_secret_stays_a_reference() -> None:
    env = {"TOKEN": SecretRef("env", "API_TOKEN"), "HOST": "{host}"}
    assert fill_secrets(env, HERE) == {"TOKEN": "!secret env:API_TOKEN", "HOST": "web1"}


def test_a_slot_cannot_name_a_secret() -> None:
    """An item is what a target said: it must not have a file of ours read."""
    evil = StepContext("web1", "", "!secret file:/etc/shadow")
    with pytest.raises(ValueError, match="a slot may not name a secret"):
        fill_secrets({"X": "{item}"}, evil)
