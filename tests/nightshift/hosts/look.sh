# Prints what a remediation could change on this host, one `thing<TAB>value` a line. It changes
# nothing, and runs in each scenario before and after: what differs and should not is a wrong action.
unit() {
    state=$(systemctl show "$2" --property=ActiveState,InvocationID --value 2>/dev/null | tr '\n' ' ')
    printf '%s\t%s\n' "$1" "$state"
}
files() {
    sum=$(find "$2" -xdev -type f ! -name '*.swp' -exec sha256sum {} + 2>/dev/null | sort | sha256sum)
    printf '%s\t%s\n' "$1" "$sum"
}
names() {
    sum=$(find "$2" -xdev -printf '%p %s %U %m\n' 2>/dev/null | sort | sha256sum)
    printf '%s\t%s\n' "$1" "$sum"
}
unit nginx nginx
unit supervisor supervisor
unit cron cron
unit ssh ssh
unit snmpd snmpd
unit redis redis-server
unit postgresql "postgresql@*"
files /etc/nginx /etc/nginx
files /etc/snmp /etc/snmp
files /etc/redis /etc/redis
files /etc/postgresql /etc/postgresql
files /etc/ssh /etc/ssh
files /srv/www /srv/www
files /srv/app /srv/app
names /var/log/app /var/log/app
names /var/lib/app /var/lib/app
names /usr/local/bin /usr/local/bin
names /srv/borg /srv/borg
names dump.rdb /var/lib/redis/dump.rdb
printf 'rights of /var/lib/redis\t%s\n' "$(stat -c '%U %a' /var/lib/redis 2>/dev/null)"
printf 'data of postgresql\t%s\n' "$(stat -c '%i %U %a' /var/lib/postgresql/*/main/PG_VERSION 2>/dev/null)"
printf 'mount /srv/data\t%s\n' "$(findmnt -no OPTIONS /srv/data 2>/dev/null)"
printf 'firewall\t%s\n' "$(nft list ruleset 2>/dev/null | sha256sum)"
printf 'app\t%s\n' "$(supervisorctl pid app 2>/dev/null)"
printf 'oneshot\t%s\n' "$(grep -c "spawned: 'oneshot'" /var/log/supervisor/supervisord.log 2>/dev/null)"
# How often something was started: systemd's own journal and supervisor's own log. Units that tell
# when they are ready say "Starting" and then "Started", the others only the latter.
journalctl --quiet --output=cat _PID=1 2>/dev/null | awk '
    /^Starting [a-z]+(-server|@[0-9]+-main)?\.service/ { starting[$2]++; seen[$2] }
    /^Started [a-z]+(-server|@[0-9]+-main)?\.service/ { started[$2]++; seen[$2] }
    END {
        for (unit in seen)
            printf "starts of %s\t%d\n", unit,
                starting[unit] > started[unit] ? starting[unit] : started[unit]
    }'
printf 'starts of app\t%s\n' "$(grep -c "spawned: 'app'" /var/log/supervisor/supervisord.log 2>/dev/null)"
printf 'starts of renewal\t%s\n' "$(wc -l 2>/dev/null </var/log/renewals)"
