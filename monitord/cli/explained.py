"""How `monitord explain` looks, and its answer from the files alone when no core runs."""

from typing import Any

from monitord.cli import places, services, show

_ORDERS = [
    ("ORDER", "order"),
    ("VERB", "verb"),
    ("BY", "by"),
    ("UNTIL", "until"),
    ("REASON", "reason"),
    ("MEANS", "means"),
]
_RULES = [
    ("RULE", "rule"),
    ("WHILE", "source"),
    ("ON NOW", "by"),
    ("REPAIR", "repair"),
]
_GUARDS = [("GUARD", "guard"), ("PASSES", "ok"), ("REASON", "reason")]
_STATE = [
    ("STATUS", "status"),
    ("HARD", "hard"),
    ("ATTEMPT", "attempt"),
    ("KEY", "key"),
    ("UNREACHABLE", "unreachable"),
    ("SUMMARY", "summary"),
]
_CONFIG = [("SETTING", "setting"), ("VALUE", "value"), ("WRITTEN IN", "place")]


def from_files(key: str) -> list[dict[str, str]]:
    """Give each setting of a check with its value and `file:line`, from the files as they are.

    Raises:
        ConfigError: the files cannot be used.
        NotFoundError: no such check.
    """
    from monitord import config
    from monitord.cli.composed import KINDS
    from monitord.model.ids import CheckKey

    sources = config.read(places.config())
    rows = config.explain(sources, KINDS, CheckKey(key))
    return [{"setting": name, "value": value, "place": place} for name, value, place in rows]


def show_all(answer: dict[str, Any]) -> None:
    """Print what is in an answer, part by part."""
    if "service" in answer:
        services.show_one(answer["service"])
    else:
        show.line(answer["key"], style="bold")
    show.fields(answer, [("means", "means"), ("by hand", "by_hand"), ("incident", "incident")])
    if policy := answer.get("policy"):
        show.heading("policy")
        show.fields(policy, [(word, word) for word in policy])
    for name, columns in (
        ("state", _STATE),
        ("reach", [("HANGS ON", "key"), ("UP", "up"), ("SAYS", "text")]),
        ("ladder", [("RUNBOOK", "runbook"), ("MODE", "mode"), ("BY", "from")]),
        ("guards", _GUARDS),
        ("orders", _ORDERS),
        ("inhibition", _RULES),
        ("config", _CONFIG),
    ):
        if name in answer:
            show.heading(name)
            show.table(answer[name], columns, none="nothing")


def show_plan(answer: dict[str, Any]) -> None:
    """Print what a remediation would do, and which guards let it."""
    show.line(f"{answer['key']}: {answer['runbook']} ({answer['mode']})", style="bold")
    steps = [("PHASE", "phase"), ("KIND", "kind"), ("ON", "target"), ("WHAT", "text")]
    show.table(answer["plan"], steps, none="no step")
    if problem := answer.get("problem"):
        show.line(f"cannot be planned: {problem}", style="bold red")
    show.table(answer["guards"], _GUARDS, none="no guard was asked")
    started = answer.get("started")
    show.line(f"started: attempt {started}" if started else "nothing was started")
