"""What servers say of themselves in their own protocol: one file per kind, all in `SERVICE`."""

from collections.abc import Mapping

from monitord.model.kinds import ProbeKind
from monitord.probes.service import (
    apache,
    elasticsearch,
    haproxy,
    json,
    ldap,
    mail_queue,
    memcached,
    mysql,
    nginx,
    php_fpm,
    postgresql,
    prometheus,
    rabbitmq,
    radius,
    redis,
    smb,
)

SERVICE: Mapping[str, ProbeKind] = {
    "apache": apache.KIND,
    "elasticsearch": elasticsearch.KIND,
    "haproxy": haproxy.KIND,
    "json": json.KIND,
    "ldap": ldap.KIND,
    "mail_queue": mail_queue.KIND,
    "memcached": memcached.KIND,
    "mysql": mysql.KIND,
    "nginx": nginx.KIND,
    "php_fpm": php_fpm.KIND,
    "postgresql": postgresql.KIND,
    "prometheus": prometheus.KIND,
    "rabbitmq": rabbitmq.KIND,
    "radius": radius.KIND,
    "redis": redis.KIND,
    "smb": smb.KIND,
}
