"""The hostile strings of the shared vectors as byte strings, and a runbook's worth of our own."""

import base64

from tests.world.vectors import vector

OURS = [
    b"",
    b" ",
    b"'",
    b"''",
    b"\\",
    b"\\'",
    b"-n",
    b"--",
    b"$HOME",
    b"${HOME}",
    b"$(touch canary)",
    b"`touch canary`",
    b"'; touch canary; '",
    b"\n",
    b"a\n\nb\n",
    b"\t \r\n",
    b"*",
    b"?[a-z]{b,c}~",
    b"!!",
    b"%s%n\\x41\\n",
    b"END",
    b"\nEND\n",
    bytes(range(1, 128)),
    bytes(range(128, 256)),
    b"\x81\x82\x83\x88",
    b"A" * 131_071,
]
"""`END` is the here-document of the runner; the bytes above 127 are what dash marks quotes with."""


def shared() -> dict[str, bytes]:
    """Give the shared strings by their id."""
    found = {}
    for case in vector("fuzz/hostile_strings.json")["cases"]:
        if case["encoding"] == "base64":
            value = base64.b64decode(case["value"])
        else:
            value = str(case["value"]).encode("utf-8", "surrogatepass") * int(case.get("count", 1))
        found[case["id"]] = value
    return found
