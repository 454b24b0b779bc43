"""`halt --now`: has the executor kill the process groups of all steps under way, all at once.

One host that hangs or refuses must not keep another's step running. It decides nothing; what
became of each step is learnt where it is waited for.
"""

import asyncio

from monitord.engine.instance import Instance
from monitord.errors import MonitordError
from monitord.log import get_logger
from monitord.model.incident import Step

log = get_logger(__name__)

_PATIENCE = 15.0  # seconds for one kill: the runner's own 10, and the way there and back


async def kill_running(instance: Instance, *, by: str) -> list[str]:
    """Kill what runs; gives a line per step, which says so where it was not killed.

    Raises:
        StoreError: the open steps cannot be read.
    """
    steps = await instance.store.read(lambda view: view.open_steps())
    told = await asyncio.gather(*(_kill(instance, step) for step in steps))
    log.warning("running steps killed", by=by, steps=told)
    return list(told)


async def _kill(instance: Instance, step: Step) -> str:
    what = f"step {step.id} on {step.target}: {step.kind}"
    try:
        async with asyncio.timeout(_PATIENCE):
            await instance.executor.kill(step.id)
    except TimeoutError:
        return f"{what}: NOT killed: no answer in {_PATIENCE:.0f} s (its own deadline ends it)"
    except MonitordError as error:
        return f"{what}: NOT killed: {error} (its own deadline ends it)"
    return what
