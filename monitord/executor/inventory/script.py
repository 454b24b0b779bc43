"""A program's list of hosts, as JSON on its standard output. It runs it; it judges no row."""

import json
import signal
from collections.abc import Mapping
from typing import Any

from monitord.errors import MonitordError
from monitord.executor.inventory.rows import Answer, Raw
from monitord.model.inventory import FieldsModel, ScriptModel
from monitord.model.text import one_line
from monitord.transports import local

_LIMIT = 16 * 1024 * 1024  # bytes of an answer
_USUAL = FieldsModel(
    name=("name",),
    address=("address",),
    groups=("groups",),
    site=("site",),
    customer=("customer",),
    tags=("tags",),
)


async def read(script: ScriptModel) -> Answer:
    """Run the program, without a shell and with a cleared environment, and read its answer.

    Raises:
        MonitordError: it failed, took too long, or its answer is no list of hosts.
    """
    seconds = script.timeout.total_seconds()
    program = script.argv[0]
    ran = await local.run(script.argv, timeout=seconds, limit=_LIMIT, whole=True)
    if ran.timed_out:
        raise MonitordError(f"{program} gave no answer within {seconds:g} s")
    if ran.exit_code != 0:
        said = one_line(ran.stderr.decode("utf-8", "replace"), 200) or "it said nothing"
        how = f"exit code {ran.exit_code}"
        if ran.exit_code < 0:
            how = f"killed by {signal.Signals(-ran.exit_code).name}"
        raise MonitordError(f"{program} failed ({how}): {said}")
    if ran.truncated or ran.flooded:
        raise MonitordError(f"{program} wrote more than {_LIMIT >> 20} MiB")
    try:
        data = json.loads(ran.stdout)
    except (ValueError, RecursionError) as error:
        raise MonitordError(
            f"{program}: the answer is not JSON: {one_line(str(error), 200)}"
        ) from None
    return Answer(program, _rows(program, data), _USUAL)


def _rows(program: str, data: Any) -> list[Raw]:
    if isinstance(data, Mapping) and "hosts" in data:
        data = data["hosts"]
    if isinstance(data, Mapping):
        data = [
            {"name": name, **settings} if isinstance(settings, Mapping) else settings
            for name, settings in data.items()
        ]
    if not isinstance(data, list) or not all(isinstance(one, Mapping) for one in data):
        form = '[{"name": "web1", "address": "10.0.0.1", "groups": ["linux"]}]'
        raise MonitordError(f"{program}: the answer is no list of hosts (print {form})")
    return [Raw(number, one) for number, one in enumerate(data, 1)]
