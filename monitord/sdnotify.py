"""Telling systemd how a process fares: READY=1, WATCHDOG=1, STATUS=…, STOPPING=1.

Without systemd (no NOTIFY_SOCKET) every call does nothing and says so by its False. It never
raises: a service manager that does not listen is no reason to stop watching servers.
"""

import asyncio
import os
import socket


def notify(*lines: str) -> bool:
    """Send state lines, e.g. `notify("READY=1", "STATUS=watching 12 hosts")`.

    Gives whether a service manager took the datagram. Source: sd_notify(3).
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):  # the abstract namespace is written with an @
        address = "\0" + address[1:]
    text = "\n".join(line.replace("\n", " ") for line in lines)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.sendto(text.encode(), address)
        except OSError:
            return False
    return True


def watchdog_every() -> float | None:
    """Give how often WATCHDOG=1 must be sent (s): half of what systemd allows; None: never."""
    allowed = os.environ.get("WATCHDOG_USEC", "")
    owner = os.environ.get("WATCHDOG_PID", "")
    if not allowed.isdigit() or (owner and owner != str(os.getpid())):
        return None
    return int(allowed) / 2_000_000


async def keep_watchdog() -> None:
    """Tell the watchdog again and again that this event loop still turns; until cancelled."""
    every = watchdog_every()
    while every is not None:
        notify("WATCHDOG=1")
        await asyncio.sleep(every)
