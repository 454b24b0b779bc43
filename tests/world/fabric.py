"""Many small network namespaces held by one process: hosts behind switches, with a line to delay.

    python -m tests.world.fabric HOSTS SWITCHES TAP    # prints its pid and the namespaces' fds

Hosts come first; each takes connections on port 80. The last switch's `uplink` is a TAP whose
other end is `TAP` in the caller's namespace: a line on standard input says how many seconds each
frame is held between the two. It ends, and all is gone, when its standard input is closed.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import selectors
import socket
import struct
import sys
import threading
import time
from collections import deque
from collections.abc import Callable

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
TAP_WITHOUT_HEADER = 0x0002 | 0x1000
LARGEST = 65536


def in_new_namespace(work: Callable[[], None]) -> int:
    """Run `work` in a namespace of its own, and give a descriptor that keeps it."""
    kept: list[int] = []

    def enter() -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "no new network namespace")
        kept.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
        work()

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return kept[0]


def open_tap(name: str) -> int:
    """Make a TAP device in the thread's namespace; what is written to it arrives there."""
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), TAP_WITHOUT_HEADER))
    return tap


class Line:
    """Carries frames between two TAP devices, each `delay` seconds late."""

    def __init__(self, one: int, other: int) -> None:
        self.delay = 0.0
        self._ends = {one: other, other: one}
        self._under_way: deque[tuple[float, int, bytes]] = deque()

    def take(self, end: int) -> None:
        """Take what waits at one end."""
        try:
            while True:
                frame = os.read(end, LARGEST)
                self._under_way.append((time.monotonic() + self.delay, self._ends[end], frame))
        except OSError:  # nothing more, or the device is not up yet
            return

    def hand_over(self) -> float | None:
        """Hand over what is due; gives the seconds until the next is."""
        while self._under_way:
            due, end, frame = self._under_way[0]
            rest = due - time.monotonic()
            if rest > 0:
                return rest
            self._under_way.popleft()
            try:
                os.write(end, frame)
            except OSError:  # the far end is down: frames are lost on real lines, too
                continue
        return None


def main() -> None:
    """Make all of it, tell, and serve until the caller has gone."""
    hosts, switches, tap = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    listening: list[socket.socket] = []
    taps: list[int] = []

    def listen() -> None:
        listening.append(socket.create_server(("0.0.0.0", 80), backlog=50))

    spaces = [in_new_namespace(listen) for _ in range(hosts)]
    spaces += [in_new_namespace(lambda: None) for _ in range(switches - 1)]
    spaces.append(in_new_namespace(lambda: taps.append(open_tap("uplink"))))
    line = Line(open_tap(tap), taps[0])
    selector = selectors.DefaultSelector()
    for server in listening:
        server.settimeout(0)
        selector.register(server, selectors.EVENT_READ, "connection")
    for end in line._ends:
        selector.register(end, selectors.EVENT_READ, "frame")
    selector.register(sys.stdin, selectors.EVENT_READ, "word")
    print(os.getpid(), *spaces, flush=True)  # noqa: T201 - the caller reads it
    while True:
        for key, _ in selector.select(line.hand_over()):
            if key.data == "frame":
                line.take(key.fd)
            elif key.data == "connection":
                key.fileobj.accept()[0].close()  # type: ignore[union-attr]  # a server's socket
            else:
                word = sys.stdin.readline()
                if not word:
                    return
                line.delay = float(word)


if __name__ == "__main__":
    main()
