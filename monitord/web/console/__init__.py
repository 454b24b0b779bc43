"""The console's pages: rendered on the server, of what the core says to whoever is logged in."""

from monitord.web.console.app import Console

__all__ = ["Console"]
