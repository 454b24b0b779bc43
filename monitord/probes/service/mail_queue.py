"""The `mail_queue` probe: mails that wait on the host, and since when, of Postfix or Exim.

It judges counts and ages; no mail is read or moved. The script only lists. Sources: Postfix,
postqueue(1) `-j`; Exim specification, `-bp`.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field

from monitord.model.facts import PluginOutput
from monitord.model.ids import Instant
from monitord.model.kinds import HostScript, ScriptProbe, Target
from monitord.model.result import Cause, Result
from monitord.model.spec import Spec
from monitord.model.text import one_line
from monitord.probes.limits import show_age
from monitord.probes.service.limits import Limits, limits, number
from monitord.probes.verdict import verdict

# Postfix tells one JSON mapping a line; Exim only counts, to those whom it trusts.
_SCRIPT = """
LC_ALL=C PATH=/usr/sbin:/sbin:$PATH
export LC_ALL PATH
date +%s
if command -v postqueue >/dev/null; then
    echo postfix
    postqueue -j
elif command -v exim4 >/dev/null; then
    echo exim
    exim4 -bpc
else
    echo none
fi
"""


class MailQueueSpec(Spec):
    """Mails that wait in the host's queue, of Postfix or Exim, and how long the oldest waits.

    Postfix tells both; Exim tells their number alone, and only to its own group.
    """

    example = """
        mail_queue:
          mails: {warning: 100, critical: 1000}
          oldest: {warning: 3600, critical: 21600}
    """

    mails: Limits = Field(
        limits("100", "1000"), description="Limits on the number of mails that wait."
    )
    oldest: Limits = Field(
        limits("14400", "86400"),
        description="Limits on the seconds that the oldest waits (Postfix).",
    )


def script(_spec: MailQueueSpec, _target: Target) -> HostScript:
    """Give the script that lists the queue."""
    return HostScript(_SCRIPT)


def judge(
    spec: MailQueueSpec, output: PluginOutput, _target: Target, _now: Instant
) -> Sequence[Result]:
    """Give one result; see ScriptProbe for the contract."""
    if output.timed_out:
        return [Result.unknown("mail queue: not listed within the time limit", Cause.TIMEOUT)]
    if output.flooded or output.truncated:
        text = "mail queue: longer than can be read, thousands of mails wait"
        return [Result.critical(text)]
    now, _, rest = output.stdout.partition("\n")
    server, _, listed = rest.partition("\n")
    if server == "none":
        text = "mail queue: the host has neither postqueue nor exim4"
        return [Result.unknown(text, Cause.MISSING)]
    if output.exit_code != 0:
        said = one_line(output.stderr, 120) or f"exit code {output.exit_code}"
        return [Result.unknown(f"mail queue: {server} does not list it: {said}", Cause.PLUGIN)]
    return [_listed(spec, server, now, listed)]


def _listed(spec: MailQueueSpec, server: str, now: str, listed: str) -> Result:
    try:
        if server == "exim":
            return _judge(spec, number(listed), 0.0, "")
        mails = [json.loads(line) for line in listed.splitlines() if line.strip()]
        since = [number(now) - number(mail["arrival_time"]) for mail in mails]
        return _judge(spec, len(mails), max(since, default=0.0), _reason(mails))
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        text = f"mail queue: the list makes no sense: {one_line(str(error), 80)}"
        return Result.unknown(text, Cause.PLUGIN)


def _reason(mails: Sequence[Any]) -> str:
    """Give what the oldest mail is said to wait for."""
    oldest: Mapping[str, Any] = min(
        mails, key=lambda mail: number(mail["arrival_time"]), default={}
    )
    reasons = [
        str(to["delay_reason"]) for to in oldest.get("recipients", ()) if "delay_reason" in to
    ]
    return one_line(reasons[0], 120) if reasons else ""


def _judge(spec: MailQueueSpec, count: float, oldest: float, reason: str) -> Result:
    why = f": {reason}" if reason else ""
    findings = [
        spec.mails.judge(f"{count:.0f} mails wait{why}", count),
        spec.oldest.judge(f"the oldest waits since {show_age(oldest)}{why}", oldest, "s"),
    ]
    measurements = (
        spec.mails.measured("mails", count),
        spec.oldest.measured("oldest", max(oldest, 0.0), "s"),
    )
    return verdict("mail queue", findings, f"{count:.0f} mails wait", measurements)


KIND = ScriptProbe("mail_queue", MailQueueSpec, script, judge)
