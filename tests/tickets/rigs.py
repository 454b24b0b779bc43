"""Each kind of backend before a server of its kind: what the contract is asked of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from monitord.model.kinds import TicketBackend
from monitord.secrets import SecretRef, resolve
from monitord.tickets import BACKENDS
from monitord.tickets.contract import Rig
from tests.tickets.fakes import desks, forges, jira
from tests.world.sinks import MailSink, WebhookSink

HOOK = "s3cr3t-of-the-hook"
JIRA = {"project": "OPS", "token": jira.TOKEN}
SPECS: Mapping[str, Mapping[str, Any]] = {
    "alertmanager": {},
    "apprise": {},
    "github": {"repo": "shop/operations", "token": forges.TOKEN},
    "gitlab": {"project": "shop/operations", "token": forges.TOKEN},
    "jira": {**JIRA, "api": "2"},
    "jira-cloud": {**JIRA, "api": "3", "user": "kim@example.com"},
    "pagerduty": {"routing_key": desks.ROUTING},
    "rt": {"user": "root", "password": "password"},
    "servicenow": {"user": "monitord", "token": desks.PASSWORD},
    "webhook": {"secret": HOOK},
    "zammad": {"token": desks.PASSWORD, "group": "Users", "customer": "monitord@example.com"},
}
FAKES: Mapping[str, Callable[[], Any]] = {
    "apprise": WebhookSink,
    "github": forges.Github,
    "gitlab": forges.Gitlab,
    "jira": jira.Jira,
    "jira-cloud": jira.JiraCloud,
    "pagerduty": desks.Pagerduty,
    "servicenow": desks.Servicenow,
    "webhook": WebhookSink,
    "zammad": desks.Zammad,
}


def plain(value: str | SecretRef) -> str:
    """Give a secret as the engine's resolver would."""
    return value if isinstance(value, str) else resolve(value)


def build(name: str, url: str, timeout: float = 5.0, **more: Any) -> TicketBackend:
    """Make a backend of a kind (or `jira-cloud`) for the server at a URL."""
    kind = BACKENDS[name.removesuffix("-cloud")]
    spec: dict[str, Any] = {"timeout": f"{round(timeout * 1000)}ms", **more}
    if name == "email":
        parts = urlsplit(url)
        spec |= {"host": parts.hostname, "port": parts.port, "security": "none"}
        spec |= {"sender": "monitord@example.com", "to": ["ops@example.com"]}
    elif name == "apprise":
        spec |= {"url": url.replace("http://", "json://")}
    else:
        spec |= {"url": url, **SPECS[name]}
    return kind.build(kind.spec.model_validate({**spec, **more}), plain)


def rig(name: str, url: str) -> Rig:
    """Give the contract's rig of a kind before a server."""
    spec = SPECS.get(name, {})
    secret = str(spec.get("token") or spec.get("password") or spec.get("routing_key") or "")
    return Rig(lambda at, timeout: build(name, at, timeout), url, secret or spec.get("secret", ""))


@contextmanager
def faked(name: str) -> Iterator[Rig]:
    """Give the rig of a kind before a local server that holds its documented API."""
    if name == "email":
        with MailSink() as post:
            yield rig(name, f"http://127.0.0.1:{post.port}")
        return
    with FAKES[name]() as fake:
        yield rig(name, fake.url)
