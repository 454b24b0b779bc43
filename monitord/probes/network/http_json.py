"""Paths into a JSON answer, `a.b[0]["c.d"]`, and the verdict on the values found there.

It decides what a path may look like and when a value is bad; it reads no answer from the wire.
"""

import json
import re
import sys
from collections.abc import Sequence
from typing import Any

from monitord.model.result import Measurement, Status
from monitord.model.text import one_line
from monitord.probes.verdict import Finding

_STEP = re.compile(r"""\.?([^\s.\[\]"']+)|\[(-?\d+)\]|\[(?:"([^"]*)"|'([^']*)')\]""")
_SHOWN = 60
_GREATEST = sys.float_info.max


def parse_path(text: str) -> tuple[str | int, ...]:
    """Give the keys and indexes of a path; a leading `$` means the whole and may be left out.

    Raises:
        ValueError: not a path; the message shows how to write one.
    """
    body = text.strip().removeprefix("$")
    steps: list[str | int] = []
    at = 0
    while at < len(body):
        match = _STEP.match(body, at)
        if match is None or (match[1] and steps and body[at] != "."):
            raise ValueError(f'{text!r} is not a JSON path (write status, a.b[0] or ["a.b"])')
        key, index, double, single = match.groups()
        steps.append(int(index) if index is not None else key or double or single or "")
        at = match.end()
    return tuple(steps)


def read_json(body: bytes) -> Any:
    """Parse a hostile answer.

    Raises:
        ValueError: not JSON, nested too deep, or a number too long; the message says which.
    """
    try:
        return json.loads(body, parse_constant=_refused)
    except RecursionError:
        raise ValueError("nested too deep") from None
    except UnicodeDecodeError:
        raise ValueError("not in UTF-8") from None


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is not a JSON value")


def judge_values(
    expectations: Sequence[Any], paths: Sequence[tuple[str | int, ...]], document: Any
) -> tuple[list[Finding], list[Measurement]]:
    """Hold each expected value (`JsonExpectation`) against the document."""
    findings: list[Finding] = []
    measurements: list[Measurement] = []
    for expected, path in zip(expectations, paths, strict=True):
        try:
            value = follow(document, path)
        except LookupError:
            findings.append((Status.CRITICAL, f"{expected.path} is not in the answer"))
            continue
        findings.extend(_judge_value(expected, value))
        if is_number(value) and (expected.warning or expected.critical):
            measurements.append(_measure(expected, value))
    return findings, measurements


def follow(document: Any, path: tuple[str | int, ...]) -> Any:
    """Give what stands at a path.

    Raises:
        LookupError: nothing does.
    """
    for step in path:
        if isinstance(step, int) and isinstance(document, list):
            document = document[step]
        elif isinstance(document, dict):
            document = document[str(step)]
        else:
            raise LookupError(step)  # noqa: TRY004 - to the caller it is one more missing value
    return document


def _judge_value(expected: Any, value: Any) -> list[Finding]:
    where = expected.path
    if expected.equals is not None and not same(expected.equals, value):
        wanted = json.dumps(expected.equals, ensure_ascii=False)
        return [(Status.CRITICAL, f"{where} is {shown(value)}, expected {one_line(wanted)}")]
    if expected.warning is None and expected.critical is None:
        return []
    if not is_number(value):
        return [(Status.CRITICAL, f"{where} is {shown(value)}, expected a number")]
    for status, limit in (
        (Status.CRITICAL, expected.critical),
        (Status.WARNING, expected.warning),
    ):
        if limit is not None and limit.alerts(value):
            return [(status, f"{where} is {shown(value)}, the limit is {limit.text}")]
    return []


def same(wanted: Any, value: Any) -> bool:
    """Tell whether two JSON values are the same."""
    # True == 1 in Python, but not in JSON.
    return wanted == value and isinstance(wanted, bool) is isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Tell whether a value is a number that can be kept."""
    # 1e999 and integers of 400 digits are JSON, but nothing that can be kept as a measurement.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -_GREATEST <= value <= _GREATEST


def _measure(expected: Any, value: float) -> Measurement:
    warning = expected.warning.text if expected.warning else ""
    critical = expected.critical.text if expected.critical else ""
    return Measurement(expected.path, float(value), "", warning, critical)


def shown(value: Any) -> str:
    """Give a value for a sentence."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    return one_line(json.dumps(value, ensure_ascii=False), _SHOWN)
