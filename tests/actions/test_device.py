"""What is typed at a network device: lines from YAML, and never more than they say."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitord.actions.device import KIND, DeviceSpec
from monitord.model.effect import DeviceCall, StepContext, describe, from_json, to_json

OPEN = {"configure": ["router bgp {as}", "no neighbor {item} shutdown"], "item": "address"}


def render(found: str = "10.0.0.2", **written: Any) -> DeviceCall:
    context = StepContext("r1", "10.0.0.1", found, {"as": "65001", "save": "yes"})
    effect = KIND.render(DeviceSpec.model_validate(written), context)
    assert isinstance(effect, DeviceCall)
    return effect


def test_slots_are_filled_and_the_rest_is_typed_as_written() -> None:
    call = render(**OPEN, save="{save}")
    assert call == DeviceCall(
        configure=("router bgp 65001", "no neighbor 10.0.0.2 shutdown"), save=True
    )
    assert describe(call) == (
        "configure: router bgp 65001; no neighbor 10.0.0.2 shutdown; and save"
    )
    assert from_json(to_json(call)) == call


@pytest.mark.parametrize(
    "item",
    [
        "10.0.0.2\nreload",
        "10.0.0.2 shutdown",
        "all",
        "*",
        "10.0.0.2;reload",
        "",
        "10.0.0.2?",
        "a\tb",
    ],
)
def test_an_item_that_is_no_address_is_never_typed(item: str) -> None:
    with pytest.raises(ValueError, match=r"address|no items"):
        render(item, **OPEN)


@pytest.mark.parametrize(
    "item", ["lo", "all", "eth 0", "eth0\n", "eth0;x", "eth0 shutdown", "0eth"]
)
def test_an_item_that_is_no_interface_is_never_typed(item: str) -> None:
    with pytest.raises(ValueError, match="is not an interface's name"):
        render(item, configure=["interface {item}", "no shutdown"], item="interface")


@pytest.mark.parametrize("item", ["eth0", "GigabitEthernet0/0/1", "ae0.100", "Port-channel1"])
def test_an_interface_is_named_as_the_device_names_it(item: str) -> None:
    call = render(item, configure=["interface {item}", "no shutdown"], item="interface")
    assert call.configure == (f"interface {item}", "no shutdown")


@given(st.text(max_size=40))
def test_whatever_a_value_is_a_line_has_as_many_words_as_in_yaml(value: str) -> None:
    """A word in a word's place: no value ends a line, begins another, or adds to one."""
    context = StepContext("r1", "10.0.0.1", "", {"name": value})
    spec = DeviceSpec.model_validate({"configure": ["interface {name}", "no shutdown"]})
    try:
        call = KIND.render(spec, context)
    except ValueError:
        return
    assert isinstance(call, DeviceCall)
    first, second = call.configure
    assert (len(first.split()), second) == (2, "no shutdown")
    assert first.isprintable()
    assert first.isascii()
    assert not set(first) & set("?;|!\"'`$\\&<>")


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({}, "needs either commands"),
        ({"commands": ["show a"], "configure": ["b"]}, "needs either commands"),
        ({"configure": ["a\nb"]}, "control character"),
        ({"configure": ["a\x1bb"]}, "control character"),
        ({"configure": [""]}, "not one line"),
        ({"commands": ["show ?"]}, "leave it out"),
        ({"configure": ["x" * 401]}, "longer than 400"),
        ({"configure": ["no neighbor {item} shutdown"]}, "item: is missing"),
        ({"commands": ["show a"], "save": True}, "save: fits configure"),
        ({"configure": ["a"], "says": "b"}, "says: fits commands"),
    ],
)
def test_what_cannot_be_typed_is_refused_when_the_file_is_read(
    written: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValidationError, match=says):
        DeviceSpec.model_validate(written)


def test_it_locks_the_device() -> None:
    spec = DeviceSpec.model_validate(OPEN)
    assert KIND.resource(spec, StepContext("r1", "10.0.0.1", "10.0.0.2")) == "r1:host"
