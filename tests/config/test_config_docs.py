"""docs/configuration.md holds true: its examples load, and no key is left out of it."""

import re
from pathlib import Path

from pydantic import BaseModel

from monitord.actions import ACTIONS
from monitord.config import assemble, calendar_models, read, schema
from monitord.config.compare import TARGET_FIELDS
from monitord.config.sections import KNOWN
from monitord.config.sentences import keys_of
from monitord.model.kinds import Kinds
from monitord.probes import PROBES
from monitord.tickets import BACKENDS

PAGE = (Path(__file__).parents[2] / "docs/configuration.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n# ([\w./-]+)\n(.*?)```", PAGE, re.DOTALL)
KINDS = Kinds(PROBES, ACTIONS, BACKENDS)


def test_every_example_loads(tmp_path: Path) -> None:
    """Each main file of the page, beside all content files of the page."""
    assert PAGE.count("```yaml") == len(BLOCKS)
    files = {name: text for name, text in BLOCKS if name != "monitord.yaml"}
    mains = [text for name, text in BLOCKS if name == "monitord.yaml"]
    assert len(mains) > 4
    for number, text in enumerate(mains):
        folder = tmp_path / str(number)
        for name, body in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(body, encoding="utf-8")
        main = folder / "monitord.yaml"
        main.write_text(text.replace("/srv/monitord", str(folder)), encoding="utf-8")
        assemble(read(main, system=Path("/nonexistent")), KINDS)


def test_every_key_is_on_the_page() -> None:
    models = [
        item
        for item in (*vars(schema).values(), *vars(calendar_models).values())
        if isinstance(item, type) and issubclass(item, BaseModel) and item is not BaseModel
    ]
    keys = {key for model in models for key in keys_of(model)} | set(KNOWN) | TARGET_FIELDS
    absent = {key for key in keys - {"runbook"} if not re.search(rf"\b{key}\b", PAGE)}
    assert absent == set()
