"""A page for each runbook, in Markdown, made of its own file: what it does, when, and how often.

What stands on a page is what the loader understood; the file's opening comment is its introduction.
Nothing here judges a runbook.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import wrap
from typing import Any

import yaml

from monitord.config.runbooks import parameters_of
from monitord.config.sources import Document
from monitord.config.tree import plain
from monitord.model.catalog import Catalog, Runbook, StepSpec
from monitord.model.spec import format_duration

_PHASES = (
    ("collect", "It looks at", "Evidence for the ticket; nothing is changed."),
    (
        "require",
        "It begins only when",
        "Each of these must be met; else it is refused, and says why.",
    ),
    ("steps", "It does", "In this order; the first that fails ends it."),
    ("undo", "It takes back", "Each step once, as written."),
)
_MODES = {
    "auto": "by itself, under profile `standard`",
    "approve": "when a person has said yes to this very plan",
    "shadow": "not: it only tells what it would do",
}
_CHANGES = {
    "start": "starts what is dead",
    "rerun": "runs a job again",
    "cleanup": "removes what is disposable",
    "change": "changes something",
    "network": "changes the network",
    "reboot": "restarts the machine",
}
_WIDTH = 96


def pages(catalog: Catalog, documents: tuple[Document, ...]) -> dict[str, str]:
    """Give the page of each runbook that stands in a file of its own, by name."""
    return {
        document.stem: "\n".join(_page(catalog.runbooks[document.stem], document)) + "\n"
        for document in sorted(documents, key=lambda one: one.stem)
        if document.role == "runbook" and document.stem in catalog.runbooks
    }


def _page(runbook: Runbook, document: Document) -> Iterator[str]:
    yield f"# {runbook.name}"
    yield from _introduction(Path(document.file).read_text(encoding="utf-8"))
    if runbook.means:
        yield ""
        yield from (f"> {line}" for line in wrap(runbook.means, _WIDTH))
    yield from ("", "| | |", "| --- | --- |", *_facts(runbook))
    yield from _parameters(runbook)
    tree: Any = plain(document.tree)
    for key, title, text in _PHASES:
        specs: tuple[StepSpec, ...] = getattr(runbook, key)
        if specs:
            yield from ("", f"## {title}", text)
            yield from ("```yaml", *_steps(tree[key]), "```")


def _introduction(text: str) -> Iterator[str]:
    """Give the comment at the top of the file, as it is wrapped there."""
    for line in text.splitlines():
        if not line.startswith("#"):
            return
        yield line.removeprefix("#").removeprefix(" ")


def _facts(runbook: Runbook) -> Iterator[str]:
    verify, limits = runbook.verify, runbook.limits
    yield f"| acts | {_MODES[runbook.mode]} |"
    yield f"| changes | `{runbook.changes}`: {_CHANGES[runbook.changes]} |"
    yield f"| answers | {', '.join(sorted(status.name for status in runbook.on))} |"
    proof = (
        f"{verify.oks} OKs of the same check, {format_duration(verify.settle)} after the last step"
    )
    yield f"| is proven by | {proof}, within {format_duration(verify.within)} |"
    yield f"| at most | {', '.join(_most(limits))} |"
    if runbook.undo:
        yield f"| is taken back | {', '.join(_undone(runbook))} |"
    if runbook.lock:
        yield f"| holds alone | `{runbook.lock}` |"


def _undone(runbook: Runbook) -> Iterator[str]:
    if runbook.on_failure == "undo":
        yield "when a step fails"
    if runbook.on_harm == "undo":
        yield "when it did harm beside"
    yield "when a person calls it wrong"


def _most(limits: Any) -> Iterator[str]:
    yield f"{limits.per_incident} per incident"
    if limits.per_hour:
        yield f"{limits.per_hour} an hour"
    if limits.per_day:
        yield f"{limits.per_day} a day"
    yield f"{format_duration(limits.cooldown)} apart"


def _parameters(runbook: Runbook) -> Iterator[str]:
    names = parameters_of(runbook)
    if not names:
        return
    where = f"`{runbook.name}: {{with: {{{names[0]}: …}}}}`"
    yield from ("", "## Parameters", f"Given where it is attached: {where}.", "")
    yield from ("| name | left out |", "| --- | --- |")
    for name in names:
        yield f"| `{name}` | {_default(runbook.parameters, name)} |"


def _default(given: Mapping[str, str], name: str) -> str:
    if name not in given:
        return "must be given"
    return f"`{given[name]}`" if given[name] else "empty: not asked for"


def _steps(steps: Any) -> list[str]:
    text = yaml.safe_dump(
        steps, sort_keys=False, default_flow_style=None, width=_WIDTH, allow_unicode=True
    )
    return str(text).rstrip().splitlines()
