"""From what a network probe found wrong to one result: the worst decides, all are told.

It decides order and wording of the summary only; what is wrong the probes decide.
"""

from collections.abc import Iterable

from monitord.model.result import Measurement, Result, Status

Finding = tuple[Status, str]
"""Something that is wrong, as a sentence without its subject, and how bad it is."""

_LONGEST = 400  # characters: a summary stays one line in lists, tickets and subjects


def verdict(
    thing: str,
    findings: Iterable[Finding | None],
    good: str,
    measurements: tuple[Measurement, ...] = (),
) -> Result:
    """Give the result on `thing`: `good` when nothing was found, else the findings, worst first."""
    found = [finding for finding in findings if finding is not None]
    if not found:
        return Result(Status.OK, f"{thing}: {good}", measurements)
    found.sort(key=lambda finding: -finding[0])
    text = f"{thing}: {'; '.join(sentence for _, sentence in found)}"
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return Result(found[0][0], text, measurements)
