"""The checks that we ship: each loads, says what it means and what to do, and names one probe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from monitord.model.ranges import parse_range
from monitord.probes import PROBES
from monitord.probes.limits import show_age, show_bytes, show_limit
from monitord.secrets import SecretRef

FOLDER = Path(__file__).resolve().parents[2] / "checks"
FILES = sorted(FOLDER.rglob("*.yaml"))
COMMON = {"every", "retry_every", "timeout", "attempts", "recoveries", "means", "by_hand"}


class _Secrets(yaml.SafeLoader):
    """Reads `!secret scheme:name`, as the configuration does."""


_Secrets.add_constructor(
    "!secret", lambda loader, node: SecretRef(*loader.construct_scalar(node).split(":", 1))
)


def loaded(file: Path) -> dict[str, Any]:
    text = file.read_text(encoding="utf-8").replace("{address}", "192.0.2.1")
    tree: dict[str, Any] = yaml.load(text, _Secrets)  # noqa: S506 - a safe loader with one tag more
    return tree


def test_about_a_dozen_are_shipped_and_no_name_comes_twice() -> None:
    assert len(FILES) >= 12
    assert len({file.stem for file in FILES}) == len(FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_shipped_check(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.startswith("# "), "its first line says what it looks at"
    ((name, check),) = loaded(file).items()
    assert name == file.stem
    (kind,) = set(check) - COMMON
    PROBES[kind].spec.model_validate(check[kind] or {})
    assert len(check["means"]) > 40
    assert len(check["by_hand"]) > 40
    assert max(map(len, text.splitlines())) <= 110


@pytest.mark.parametrize("kind", sorted(PROBES))
def test_every_setting_of_a_probe_is_described(kind: str) -> None:
    schema = PROBES[kind].spec.model_json_schema()
    assert schema.get("description"), "the spec's docstring says what it is for"
    for name, field in schema["properties"].items():
        assert field.get("description"), f"{kind}: {name}"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (7830, "2 h 10 min"), (360_000, "4 d 4 h"),
     (86_460, "1 d 1 min"), (-90, "−1 min 30 s"), (-0.5, "0 s")],
)  # fmt: skip
def test_a_span_in_words(seconds: float, text: str) -> None:
    assert show_age(seconds) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0 B"), (999, "999 B"), (1024, "1.0 KiB"), (10_240, "10 KiB"), (1 << 30, "1.0 GiB"),
     (5 * (1 << 60), "5120 PiB")],
)  # fmt: skip
def test_an_amount_in_words(amount: float, text: str) -> None:
    assert show_bytes(amount) == text


@pytest.mark.parametrize(
    ("limit", "text"),
    [("95", "limit 95 %"), ("10:", "at least 10 %"), ("~:5", "limit 5 %"),
     ("2:4", "allowed 2–4 %"), ("@2:4", "not 2–4 %")],
)  # fmt: skip
def test_a_limit_in_words(limit: str, text: str) -> None:
    assert show_limit(parse_range(limit), "%") == text
