"""The reports of months as pages: figures, a table for spreadsheets, and what a seal is of."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

from tests.web.conftest import Web
from tests.web.test_console import ask, session

MONTH = datetime.now(UTC).strftime("%Y-%m")


def test_a_month_is_a_page_a_table_and_accounts(web: Web) -> None:
    cookie = session(web, "rep", "viewer")
    page = ask(web, f"/reports/{MONTH}", cookie=cookie).body.decode()
    for said in (f"Report of {MONTH}", "not over yet", "shop", "jobs", "✕ missed", "MTTR"):
        assert said in page
    assert "\x1b" not in page
    csv = ask(web, f"/reports/{MONTH}/csv", cookie=cookie)
    assert csv.headers["content-type"].startswith("text/csv")
    assert csv.headers["content-disposition"] == f'attachment; filename="monitord-{MONTH}.csv"'
    assert b"part,about,measure,value\r\n" in csv.body
    last = ask(web, "/reports", cookie=cookie).body.decode()
    link = re.search(r'href="(/reports/[\d-]+/account/shop)"', last)
    assert link is not None
    sent = ask(web, link[1], cookie=cookie)
    digest = hashlib.sha256(sent.body).hexdigest()
    assert re.search(rf'-{digest[:16]}\.json"', sent.headers["content-disposition"])
    assert f"{digest[:16]}…" in last
    assert "✕ rows differ" in last
    seal = re.search(r'href="(/reports/[\d-]+/account/jobs\?seal=1)"', last)
    assert seal is not None
    assert ask(web, seal[1], cookie=cookie).body.startswith(b'{"agreed":[]')
    assert ask(web, f"{seal[1]}9", cookie=cookie).status == 404
    assert ask(web, f"{seal[1]}x", cookie=cookie).status == 400
    assert "/account/" not in page  # a month that is not over is not sealed
    for path in ("/reports/soon", "/reports/9999-01", '/reports/2026"x/csv'):
        assert ask(web, path, cookie=cookie).status == 400, path
    assert ask(web, f"/reports/{MONTH}/account/none", cookie=cookie).status == 404
