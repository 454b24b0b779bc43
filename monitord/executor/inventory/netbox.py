"""NetBox's devices or virtual machines, page by page. It reads; it judges no row.

The token goes to the configured server alone: a next page elsewhere is refused, as is a redirect.
"""

import asyncio
from typing import Any
from urllib.parse import urlsplit

from monitord.errors import MonitordError
from monitord.executor.inventory.rows import Answer, Raw
from monitord.model.inventory import FieldsModel, NetboxModel
from monitord.model.text import one_line
from monitord.secrets import SecretRef, resolve

_PAGE = 200
_MOST = 500  # pages
_LIMIT = 16 * 1024 * 1024  # bytes of one
_USUAL = FieldsModel(
    name=("name",),
    address=("primary_ip.address",),
    groups=("role.slug", "device_role.slug", "platform.slug"),
    site=("site.slug",),
    customer=("tenant.slug",),
    tags=("tags.slug",),
)
_CURES = {
    401: "the token is wrong",
    403: "the token is wrong, or may not read devices",
    404: "mend `url:` (its root, without /api)",
}


async def read(model: NetboxModel) -> Answer:
    """Ask for all that match the filter and have both a name and a primary address.

    Raises:
        MonitordError: NetBox cannot be asked, or what it says is no list.
    """
    return await asyncio.to_thread(_read, model)


def _read(model: NetboxModel) -> Answer:
    import requests  # costs 94 ms, and most have no NetBox

    token = resolve(model.token) if isinstance(model.token, SecretRef) else str(model.token)
    url: str | None = f"{model.url.rstrip('/')}/api/{model.list.strip('/')}/"
    parameters: dict[str, str] | None = {**model.filter, "limit": str(_PAGE)}
    found: list[Any] = []
    with requests.Session() as session:
        session.trust_env = False  # no proxy or .netrc of whoever starts us
        session.headers.update({"Authorization": f"Token {token}", "Accept": "application/json"})
        for _ in range(_MOST):
            if url is None:
                break
            if _origin(url) != _origin(model.url):
                raise MonitordError(f"{model.url}: NetBox names a next page elsewhere: refused")
            page = _page(session, url, parameters, model.timeout.total_seconds())
            found.extend(page["results"])
            url, parameters = page.get("next"), None
        else:
            raise MonitordError(f"{model.url}: more than {_MOST} pages (narrow `filter:`)")
    whole = [one for one in found if one.get("name") and one.get("primary_ip")]
    rows = [Raw(number, one) for number, one in enumerate(whole, 1)]
    return Answer(f"{model.url.rstrip('/')}/api/{model.list}", rows, _USUAL)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _page(session: Any, url: str, parameters: Any, seconds: float) -> dict[str, Any]:
    import requests

    try:
        with session.get(
            url, params=parameters, timeout=seconds, allow_redirects=False, stream=True
        ) as answer:
            if answer.status_code != 200:  # noqa: PLR2004 - HTTP's own
                cure = _CURES.get(answer.status_code, "see its log")
                raise MonitordError(f"{url}: NetBox answers {answer.status_code} ({cure})")
            body = answer.raw.read(_LIMIT + 1, decode_content=True)
    except requests.RequestException as error:
        raise MonitordError(f"{url}: cannot be asked: {one_line(str(error), 200)}") from None
    if len(body) > _LIMIT:
        raise MonitordError(f"{url}: a page is longer than {_LIMIT >> 20} MiB")
    return _parsed(url, body)


def _parsed(url: str, body: bytes) -> dict[str, Any]:
    import json

    try:
        page = json.loads(body)
        right = isinstance(page["results"], list) and isinstance(page.get("next"), str | None)
    except (ValueError, KeyError, TypeError, RecursionError):
        right = False
    if not right or not all(isinstance(one, dict) for one in page["results"]):
        raise MonitordError(f"{url}: the answer is not NetBox's (no `results`)")
    found: dict[str, Any] = page
    return found
