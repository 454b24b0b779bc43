"""What people and other monitors call a kind of check, for "did you mean"; a word is no alias."""

from collections.abc import Iterable

from monitord.config.names import nearest

_CALLED = {
    "cert": "tls",
    "certificate": "tls",
    "command": "nagios",
    "docker": "containers",
    "exec": "nagios",
    "https": "http",
    "mariadb": "mysql",
    "mount": "disk",
    "opensearch": "elasticsearch",
    "ping": "icmp",
    "plugin": "nagios",
    "podman": "containers",
    "port": "tcp",
    "promql": "prometheus",
    "script": "nagios",
    "service": "systemd",
    "ssl": "tls",
    "unit": "systemd",
    "ups": "snmp_ups",
    "url": "http",
    "valkey": "redis",
    "vpn": "tunnel",
    "wireguard": "tunnel",
}


def nearest_kind(word: str, kinds: Iterable[str]) -> str:
    """Give ` (did you mean X?)` by meaning, else by spelling; nothing when no kind is near."""
    names = list(kinds)
    meant = _CALLED.get(word.lower())
    return f" (did you mean {meant}?)" if meant in names else nearest(word, names)
