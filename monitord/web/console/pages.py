"""The console's first page, and which pages there are besides: one table of each field's own."""

from starlette.responses import Response

from monitord.web.console.accounts_pages import ACCOUNTS
from monitord.web.console.asked import Asked, Page
from monitord.web.console.chains import CHAINS
from monitord.web.console.configuration import CONFIGURATION
from monitord.web.console.duty import DUTY
from monitord.web.console.incident import INCIDENT
from monitord.web.console.lists import LISTS
from monitord.web.console.looking import LOOKING
from monitord.web.console.records import RECORDS
from monitord.web.console.reports import REPORTS
from monitord.web.console.standing import STANDING
from monitord.web.console.status import STATUS
from monitord.web.console.wall import WALL


async def now(asked: Asked) -> Response:
    """GET /: what needs a person, what is at work, and how all hosts are."""
    await asked.board.fresh()
    return asked.page("now.html", part=asked.board.fragment, map=await asked.board.cells())


async def more(asked: Asked) -> Response:
    """GET /more: the pages that nobody needs every hour."""
    return asked.page("more.html")


PAGES = (
    Page("GET", "/", "viewer", now),
    *INCIDENT,
    *LOOKING,
    *STANDING,
    *CHAINS,
    *LISTS,
    *DUTY,
    *WALL,
    Page("GET", "/more", "viewer", more),
    *ACCOUNTS,
    *RECORDS,
    *CONFIGURATION,
    *STATUS,
    *REPORTS,
)
