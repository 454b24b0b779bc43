"""monitord-web: job pings, health and metrics over TCP, in a process without keys or rights."""

from monitord.web.process import run

__all__ = ["run"]
