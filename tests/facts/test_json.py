"""Facts and plugin output cross the wire whole; anything else is refused with one error."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.model.facts import (
    ClockFact,
    DiskFact,
    Facts,
    FileFact,
    LoadFact,
    MemoryFact,
    PluginOutput,
    ProcessFact,
    ProgramFact,
    Section,
    UnitFact,
)
from monitord.transports.facts_json import (
    facts_from_json,
    facts_to_json,
    plugin_from_json,
    plugin_to_json,
)
from monitord.transports.facts_local import gather

TEXT = st.text(max_size=20)
NUMBER = st.integers(min_value=0, max_value=2**60)
TIME = st.floats(allow_nan=False, allow_infinity=False)


def made(kind: type[Any], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    by_type = {str: TEXT, int: NUMBER, float: TIME, bool: st.booleans()}
    known = {f.name: by_type[f.type] for f in fields(kind) if f.name not in given}  # type: ignore[index]  # annotations are real types here
    return st.builds(kind, **{**known, **given})


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | st.lists(strategy, max_size=3).map(tuple)


FACTS = st.builds(
    Facts,
    host=TEXT,
    boot_id=TEXT,
    uptime=TIME,
    disks=some(made(DiskFact)),
    memory=st.none() | made(MemoryFact),
    load=st.none() | made(LoadFact),
    processes=some(made(ProcessFact)),
    units=st.dictionaries(TEXT, made(UnitFact), max_size=2),
    failed_units=some(TEXT),
    files=st.dictionaries(TEXT, made(FileFact), max_size=2),
    programs=st.dictionaries(
        st.lists(TEXT, max_size=2).map(tuple),
        st.lists(made(ProgramFact), max_size=2).map(tuple),
        max_size=2,
    ),
    clock=st.none() | st.builds(ClockFact, TIME, st.none() | st.booleans()),
    kernel=st.dictionaries(TEXT, TEXT, max_size=2),
    errors=st.dictionaries(TEXT, TEXT, max_size=2),
)


@given(FACTS)
def test_facts_come_back_as_they_went(facts: Facts) -> None:
    assert facts_from_json(json.loads(json.dumps(facts_to_json(facts)))) == facts


def test_this_machines_facts_come_back_as_they_went() -> None:
    names = ("disk", "memory", "load", "process", "clock", "unit", "failed-units")
    facts = gather("me", (*map(Section, names), Section("file", ("/etc/passwd", "/nowhere"))))
    assert facts_from_json(json.loads(json.dumps(facts_to_json(facts)))) == facts


@given(made(PluginOutput))
def test_plugin_output_comes_back_as_it_went(output: PluginOutput) -> None:
    assert plugin_from_json(json.loads(json.dumps(plugin_to_json(output)))) == output


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"host": "x"},
        {**facts_to_json(Facts("x")), "disks": [{"mount": "/"}]},
        {**facts_to_json(Facts("x")), "disks": 7},
        {**facts_to_json(Facts("x")), "uptime": "soon"},
        {**facts_to_json(Facts("x")), "units": []},
        {**facts_to_json(Facts("x")), "programs": [["a"]]},
    ],
)
def test_what_is_not_facts_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="this is not the JSON of facts"):
        facts_from_json(told)


def test_what_is_not_plugin_output_is_refused() -> None:
    with pytest.raises(ValueError, match="this is not the JSON of a plugin's output"):
        plugin_from_json({"exit": 0})
