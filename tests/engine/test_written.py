"""Where values are written is told from the files as they are now, and nobody waits for that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from monitord import config
from monitord.daemon.kinds import KINDS
from monitord.engine.written import Written
from monitord.errors import CommandRefusedError, ConfigError, ExecutorLostError

SHOP = """\
hosts:
  web1:
    address: 127.0.0.1
    checks:
      site:
        tcp: {port: 80}
        every: 47s
"""


class Child:
    """Parses as the executor's child does; `lost` while there is none."""

    def __init__(self, file: Path) -> None:
        self.file, self.lost = file, False

    async def parse(self) -> Mapping[str, Any]:
        if self.lost:
            raise ExecutorLostError("the executor is not connected")
        try:
            return {"sources": json.loads(json.dumps(config.read(self.file).to_json()))}
        except ConfigError as error:
            return {"problems": [(p.file, p.line, p.column, p.text) for p in error.problems]}


def test_a_value_is_told_with_the_line_that_says_it_now(tmp_path: Path) -> None:
    file = tmp_path / "monitord.yaml"
    child = Child(file)
    written = Written(child, KINDS)

    def every() -> tuple[str, str]:
        rows = asyncio.run(written.of("web1/site"))
        return next((value, place) for name, value, place in rows if name == "every")

    file.write_text(SHOP)
    assert every() == ("47s", f"{file}:7")
    file.write_text("# one line more\n" + SHOP)
    assert every() == ("47s", f"{file}:8")
    child.lost = True
    with pytest.raises(CommandRefusedError, match="cannot be read now"):
        every()


def test_files_with_mistakes_are_told_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "monitord.yaml"
    file.write_text("hosts: {web1: {addres: 127.0.0.1}}\n")
    with pytest.raises(ConfigError, match="addres"):
        asyncio.run(Written(Child(file), KINDS).of("web1/site"))
