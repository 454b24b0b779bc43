"""docs/tickets.md: its examples load, and its receiver accepts what is really sent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitord.tickets import BACKENDS
from tests.tickets.test_webhook import SECRET, hook
from tests.tickets.ticket import TICKET, message
from tests.world.sinks import WebhookSink

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "tickets.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", sorted(BACKENDS))
def test_each_backend_has_an_example_that_is_accepted(kind: str) -> None:
    section = PAGE.partition(f"\n## {kind}\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)
    written = yaml.load(block, Loader=yaml.BaseLoader)["tickets"]  # noqa: S506 - makes only texts
    for backend in written.values():
        BACKENDS[kind].spec.model_validate(backend[kind])


def test_the_receiver_of_the_page_tells_genuine_from_forged(webhook_sink: WebhookSink) -> None:
    code = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    page: dict[str, Any] = {}
    exec(code, page)  # noqa: S102 - our own page
    hook(webhook_sink.url).deliver(message(), TICKET, "")
    (received,) = webhook_sink.received
    signature = received.headers["x-monitord-signature"]
    assert page["is_genuine"](SECRET, signature, received.body)
    assert not page["is_genuine"]("other", signature, received.body)
    assert not page["is_genuine"](SECRET, signature, received.body + b" ")
    assert not page["is_genuine"](SECRET, "t=1" + signature[signature.index(",") :], received.body)
