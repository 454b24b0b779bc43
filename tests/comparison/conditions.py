"""The conditions, field by field. Where both differ on purpose, the condition says why."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace

from monitord.model.result import Status
from tests.comparison.condition import Condition
from tests.comparison.world import World

HERE = "127.0.0.1"


def on_purpose(one: Condition, why: str) -> Condition:
    """Give a condition of which we say CRITICAL where the plugin is milder."""
    return replace(one, why=why, ours=Status.CRITICAL)


def conditions(world: World) -> list[Condition]:
    """Give all of them."""
    return [
        *_web(world),
        *_certificates(world),
        *_ports(world),
        *_names(world),
        *_time(world),
        *_mail(world),
        *_host(world),
        *_files(world),
    ]


def _web(world: World) -> Iterator[Condition]:
    web = world.port["web"]

    def page(what: str, path: str, *words: str, **given: object) -> Condition:
        argv = ("check_http", "-H", HERE, "-p", str(web), "-u", f"/{path}", "-t", "3", *words)
        url = f"http://{HERE}:{web}/{path}"
        return Condition(what, argv, "http", {"url": url, **given})

    yield page("a page that is well", "ok")
    yield on_purpose(
        page("a page that is not there", "404"), "a page that nobody finds is broken for its users"
    )
    yield page("a server's own error", "500")
    yield page("a service that is overloaded", "503")
    yield page("a redirect that is followed", "moved", "-f", "follow")
    yield page("a redirect that is expected", "moved", "-f", "ok", redirects="no", status=302)
    yield page(
        "a redirect where none may be", "moved", "-f", "critical", redirects="no", status=200
    )
    yield page("the text that must be there", "ok", "-s", "basket", body="basket")
    yield page("a text that is missing", "ok", "-s", "checkout", body="checkout")
    yield page("a pattern that matches", "ok", "-r", "build [0-9]+", regex="build [0-9]+")
    yield page("a pattern that does not", "ok", "-r", "build [a-z]+", regex="build [a-z]+")
    yield page(
        "a pattern that must not match and does not",
        "ok",
        "-r",
        "Exception",
        "--invert-regex",
        not_regex="Exception",
    )
    yield page(
        "a pattern that must not match and does",
        "ok",
        "-r",
        "basket",
        "--invert-regex",
        not_regex="basket",
    )
    yield page("the status that is expected", "204", "-e", "204", status=204)
    yield page("another status than is expected", "204", "-e", "200", status=200)
    yield page(
        "a header that must be there", "ok", "-d", "X-Build: 42", expect_headers={"X-Build": "^42$"}
    )
    yield page(
        "a header with another value", "ok", "-d", "X-Build: 43", expect_headers={"X-Build": "^43$"}
    )
    yield page(
        "a slow page, within its limits", "slow", "-w", "2", "-c", "3", warning="2s", critical="3s"
    )
    yield page(
        "a slow page, a warning", "slow", "-w", "0.1", "-c", "3", warning="100ms", critical="3s"
    )
    yield page(
        "a slow page, critical", "slow", "-w", "0.1", "-c", "0.2", warning="100ms", critical="200ms"
    )
    yield from _no_web(world)


def _no_web(world: World) -> Iterator[Condition]:
    for what, where in (
        ("a web server that is not there", "closed"),
        ("one that takes connections and says nothing", "silent"),
        ("one that closes at once", "closes_at_once"),
        ("an answer that is no HTTP", "garbage"),
        ("redirects in a circle", "circles"),
    ):
        port = str(world.port[where])
        argv = ("check_http", "-H", HERE, "-p", port, "-t", "2", "-f", "follow")
        yield Condition(what, argv, "http", {"url": f"http://{HERE}:{port}/"}, within=2.0)
    for what, name in (("one that is cut short", "cut_short"), ("one that is reset", "resets")):
        port = str(world.port[name])
        half = ("check_http", "-H", HERE, "-p", port, "-t", "2")
        given = {"url": f"http://{HERE}:{port}/"}
        one = Condition(f"an answer, and {what}", half, "http", given)
        yield on_purpose(one, "half a page is no page")


def _certificates(world: World) -> Iterator[Condition]:
    for what, name in (
        ("a certificate with 90 days to go", "tls90"),
        ("one with 14 days to go", "tls14"),
        ("one with 3 days to go", "tls3"),
        ("one that has ended", "tls0"),
    ):
        port = world.port[name]
        argv = ("check_tcp", "-H", HERE, "-p", str(port), "-S", "-D", "21,7")
        given = {
            "port": port,
            "server_name": "a.shop.test",
            "ca": str(world.folder / f"{name}.ca"),
            "expires": {"warning": "21d", "critical": "7d"},
        }
        yield Condition(what, argv, "tls", given)
    port = world.port["tls90"]
    plugin = ("check_tcp", "-H", HERE, "-p", str(port), "-S", "-D", "21,7")
    ca = str(world.folder / "tls90.ca")
    yield Condition(
        "one of an authority that nobody knows",
        plugin,
        "tls",
        {"port": port},
        "the plugin looks at the date alone; a browser refuses it",
        Status.CRITICAL,
    )
    yield Condition(
        "one for another name",
        plugin,
        "tls",
        {"port": port, "server_name": "shop.other.test", "ca": ca},
        "the plugin looks at the date alone; a browser refuses it",
        Status.CRITICAL,
    )
    closed = world.port["closed"]
    yield Condition(
        "no TLS server at all",
        ("check_tcp", "-H", HERE, "-p", str(closed), "-S", "-D", "21,7"),
        "tls",
        {"port": closed},
    )


def _ports(world: World) -> Iterator[Condition]:
    def port(what: str, name: str, *words: str, **given: object) -> Condition:
        number = world.port[name]
        argv = ("check_tcp", "-H", HERE, "-p", str(number), "-t", "2", *words)
        return Condition(what, argv, "tcp", {"port": number, **given}, within=2.0)

    yield port("a port that is open", "web")
    yield port("a port that is closed", "closed")
    yield port("a banner that is right", "banner", "-e", "220", regex="^220 ")
    yield port("a banner that is wrong", "banner", "-e", "554", "-M", "crit", regex="^554 ")
    mild = port(
        "a banner that is wrong, as the plugin judges by itself",
        "banner",
        "-e",
        "554",
        regex="^554 ",
    )
    yield on_purpose(mild, "another service on the port is no milder than none")
    yield port(
        "an answer to what is sent",
        "echo",
        "-E",
        "-s",
        "PING\\r\\n\\r\\n",
        "-e",
        "+PONG",
        send="PING\r\n\r\n",
        expect="+PONG",
    )
    yield port("a port that says nothing where it must", "silent", "-e", "220", expect="220")
    ssh = world.port["ssh"]
    for what, number in (
        ("an SSH server", ssh),
        ("no SSH server", world.port["closed"]),
        ("another service on SSH's port", world.port["banner"]),
    ):
        yield Condition(
            what,
            ("check_ssh", "-t", "2", "-p", str(number), HERE),
            "tcp",
            {"port": number, "regex": "^SSH-2[.]0-"},
            within=2.0,
        )
    yield Condition("a host that answers pings", ("check_icmp", "-H", HERE, "-n", "3"), "icmp", {})


def _names(world: World) -> Iterator[Condition]:
    port = world.port["dns"]

    def name(
        what: str, asked: str, *words: str, kind: str = "A", where: int = port, **given: object
    ) -> Condition:
        argv = (
            "check_dig",
            "-H",
            HERE,
            "-p",
            str(where),
            "-l",
            asked,
            "-T",
            kind,
            "-t",
            "2",
            *words,
        )
        spec = {"name": asked, "type": kind, "port": where, **given}
        return Condition(what, argv, "dns", spec, within=2.0)

    yield name("a name that is there", "www.shop.test")
    yield name("a name that is not there", "gone.shop.test")
    yield name(
        "the address that it must have", "www.shop.test", "-a", "192.0.2.80", contains="192.0.2.80"
    )
    yield on_purpose(
        name(
            "another address than it must have",
            "www.shop.test",
            "-a",
            "192.0.2.99",
            contains="192.0.2.99",
        ),
        "a name that leads elsewhere leads users elsewhere",
    )
    yield name(
        "where mail goes", "shop.test", "-a", "mail.shop.test", kind="MX", regex="mail[.]shop"
    )
    gone = name("a name server that is not there", "www.shop.test", where=world.port["closed"])
    yield on_purpose(gone, "who asks it finds nothing at all")


def _time(world: World) -> Iterator[Condition]:
    for what, name in (
        ("a time server in step", "ntp"),
        ("one that knows no time itself", "ntp0"),
        ("no time server at all", "closed"),
    ):
        port = world.port[name]
        argv = ("check_ntp_time", "-H", HERE, "-p", str(port), "-w", "1", "-c", "10", "-t", "3")
        given = {"port": port, "offset_warning": "1s", "offset_critical": "10s"}
        yield Condition(what, argv, "ntp", given)


def _mail(world: World) -> Iterator[Condition]:
    for what, plugin, kind, name in (
        ("a mail server", "check_smtp", "smtp", "smtp"),
        ("no mail server", "check_smtp", "smtp", "closed"),
        ("one that says nothing", "check_smtp", "smtp", "silent"),
        ("mailboxes", "check_imap", "imap", "imap"),
        ("no mailboxes", "check_imap", "imap", "closed"),
        ("mailboxes of the old kind", "check_pop", "pop3", "pop3"),
        ("none of the old kind", "check_pop", "pop3", "closed"),
    ):
        port = world.port[name]
        argv = (plugin, "-H", HERE, "-p", str(port), "-t", "2")
        yield Condition(what, argv, kind, {"port": port}, within=2.0)
    port = world.port["banner"]
    yield Condition(
        "something else on their port",
        ("check_pop", "-H", HERE, "-p", str(port)),
        "pop3",
        {"port": port},
        "no mailbox can be opened there",
        Status.CRITICAL,
    )


def _host(world: World) -> Iterator[Condition]:
    yield Condition(
        "a load within its limits",
        ("check_load", "-w", "900,900,900", "-c", "950,950,950"),
        "load",
        {"warning": "900", "critical": "950"},
    )
    usage = shutil.disk_usage("/")
    used = 100 * usage.used / (usage.used + usage.free)
    for what, warning, critical in (
        ("a filesystem with room", 99.9, 99.95),
        ("one that fills", used - 5, 99.95),
        ("one that is full", used - 10, used - 5),
    ):
        argv = (
            "check_disk",
            "-w",
            f"{100 - warning:.2f}%",
            "-c",
            f"{100 - critical:.2f}%",
            "-p",
            "/",
            "-W",
            "0%",
            "-K",
            "0%",
        )
        given = {"mounts": ["/"], "warning": f"{warning:.2f}%", "critical": f"{critical:.2f}%"}
        yield Condition(what, argv, "disk", given)
    yield Condition(
        "a filesystem that is not mounted",
        ("check_disk", "-w", "10%", "-c", "5%", "-E", "-p", "/no/such/mount"),
        "disk",
        {"mounts": ["/no/such/mount"]},
    )
    for what, name, low, words in (
        ("a process that runs", "sshd", {"min": 1}, ("-c", "1:")),
        ("a process that does not", "no-such-daemon", {"min": 1}, ("-c", "1:")),
        ("too many of them", "sshd", {"min": 0, "max": 0}, ("-c", "0:0")),
    ):
        yield Condition(what, ("check_procs", "-C", name, *words), "process", {"name": name, **low})


def _files(world: World) -> Iterator[Condition]:
    for what, name, words, given in (
        (
            "a file that is fresh",
            "fresh",
            ("-w", "3600", "-c", "86400"),
            {"warning_age": "1h", "critical_age": "1d"},
        ),
        (
            "a file that is old",
            "old",
            ("-w", "3600", "-c", "86400"),
            {"warning_age": "1h", "critical_age": "1d"},
        ),
        (
            "a file that is much too old",
            "old",
            ("-w", "60", "-c", "3600"),
            {"warning_age": "1m", "critical_age": "1h"},
        ),
        ("a file that is not there", "gone", (), {}),
        (
            "a file that is too small",
            "small",
            ("-w", "86400", "-c", "86400", "-C", "1000"),
            {"min_size": 1000},
        ),
    ):
        path = str(world.folder / name)
        yield Condition(
            what, ("check_file_age", *words, "-f", path), "file", {"path": path, **given}
        )
