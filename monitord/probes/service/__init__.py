"""What servers say of themselves in their own protocol: one file per kind, all in `SERVICE`."""

from collections.abc import Mapping

from monitord.model.kinds import ProbeKind
from monitord.probes.service import (
    apache,
    haproxy,
    json,
    memcached,
    nginx,
    php_fpm,
    postgresql,
    prometheus,
    redis,
)

SERVICE: Mapping[str, ProbeKind] = {
    "apache": apache.KIND,
    "haproxy": haproxy.KIND,
    "json": json.KIND,
    "memcached": memcached.KIND,
    "nginx": nginx.KIND,
    "php_fpm": php_fpm.KIND,
    "postgresql": postgresql.KIND,
    "prometheus": prometheus.KIND,
    "redis": redis.KIND,
}
