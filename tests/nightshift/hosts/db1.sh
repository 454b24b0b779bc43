# Makes a fresh test host the shop's database server. Run as root inside it, once.
set -eu
version=$(ls /usr/lib/postgresql | sort -n | tail -1)
# A cluster of its own: the machine's may hold somebody's data, or not exist.
rm -rf /etc/postgresql /var/lib/postgresql
mkdir -p /etc/postgresql /var/lib/postgresql
chown postgres:postgres /etc/postgresql /var/lib/postgresql
pg_createcluster "$version" main -- --no-sync -A trust >/dev/null
cd "/etc/postgresql/$version/main"
cat >>postgresql.conf <<'END'
listen_addresses = '*'
fsync = off
END
echo 'host all all 0.0.0.0/0 trust' >>pg_hba.conf
systemctl enable --quiet "postgresql@$version-main"
systemctl start "postgresql@$version-main"
psql -qU postgres -c 'create table orders (id serial primary key, what text)'

# Its strong sandbox cannot be had inside a test host.
mkdir -p /etc/systemd/system/redis-server.service.d
cat >/etc/systemd/system/redis-server.service.d/test-host.conf <<'END'
[Service]
Type=simple
PrivateTmp=false
PrivateDevices=false
PrivateUsers=false
ProtectSystem=false
ProtectHome=false
ProtectClock=false
ProtectControlGroups=false
ProtectHostname=false
ProtectKernelLogs=false
ProtectKernelModules=false
ProtectKernelTunables=false
ProtectProc=default
MemoryDenyWriteExecute=false
RestrictNamespaces=false
SystemCallFilter=
NoExecPaths=
ExecPaths=
ReadWritePaths=
CapabilityBoundingSet=CAP_SETUID
ExecStart=
ExecStart=/usr/bin/redis-server /etc/redis/redis.conf --supervised no --daemonize no
END
sed -i 's/^bind .*/bind 0.0.0.0/; s/^protected-mode .*/protected-mode no/' /etc/redis/redis.conf
mkdir -p /var/lib/redis /var/log/redis
chown redis:redis /var/lib/redis /var/log/redis /etc/redis/redis.conf
systemctl daemon-reload
systemctl enable --quiet redis-server cron
systemctl start redis-server cron
until redis-cli ping >/dev/null 2>&1; do sleep 0.05; done
redis-cli set visitors 7 >/dev/null

# The nightly backup: what borg says goes to who reads it.
borg init --encryption=none /srv/borg
mkdir -p /srv/dump
head -c 20M /dev/urandom >/srv/dump/orders
cat >/usr/local/bin/backup <<'END'
#!/bin/sh
exec borg create "/srv/borg::$(date +%s)" /srv/dump 2>&1
END
chmod 755 /usr/local/bin/backup
