# Makes a fresh test host the shop's web server. Run as root inside it, once.
set -eu
# Names come from outside: ADDRESS is the host's own.
mkdir -p /srv/www /srv/app/public /srv/app/private /etc/nginx/tls /var/log/app /var/lib/app/sessions
echo '<h1>shop</h1>' >/srv/www/index.html
echo 'the application' >/srv/app/public/index.html
echo 'colour = blue' >/srv/app/config.ini

cat >/usr/local/sbin/renew-certificate <<'END'
#!/bin/sh
# Stands for certbot: asks "the authority" (a key in this folder) for DAYS more days.
set -eu
cd /etc/nginx/tls
[ -s ca.pem ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
    -subj /CN=night-authority -days 3650 -keyout ca.key -out ca.pem 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=web1 \
    -keyout new.key -out new.csr 2>/dev/null
printf 'subjectAltName=IP:%s,DNS:web1\n' "$(cat address)" >extensions
openssl x509 -req -in new.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days "${DAYS:-90}" \
    -extfile extensions -out new.pem 2>/dev/null
mv new.key site.key
mv new.pem site.pem
echo renewed >>/var/log/renewals
END
chmod 755 /usr/local/sbin/renew-certificate
echo "$ADDRESS" >/etc/nginx/tls/address
renew-certificate
# The timer that should renew it; the fault is that it is off.
cat >/etc/systemd/system/renew-certificate.service <<'END'
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/renew-certificate
END

rm -f /etc/nginx/sites-enabled/default
cat >/etc/nginx/conf.d/shop.conf <<'END'
server {
    listen 80 default_server;
    listen 443 ssl;
    ssl_certificate /etc/nginx/tls/site.pem;
    ssl_certificate_key /etc/nginx/tls/site.key;
    root /srv/www;
    location = /health { default_type text/plain; return 200 "ok\n"; }
    location /app { proxy_pass http://127.0.0.1:8000/; }
}
END

cat >/usr/local/bin/app <<'END'
#!/bin/sh
# The application: it cannot start without its configuration.
[ -s /srv/app/config.ini ] || { echo "app: cannot open /srv/app/config.ini" >&2; exit 1; }
exec python3 -m http.server 8000 --bind 127.0.0.1 --directory /srv/app/public
END
chmod 755 /usr/local/bin/app
cat >/etc/supervisor/conf.d/shop.conf <<'END'
[program:app]
command=/usr/local/bin/app
startsecs=3
startretries=2
[program:oneshot]
command=/bin/true
autostart=false
autorestart=unexpected
startsecs=0
END

# A worker that is watched by its name alone, so that its check does not know its unit.
cp /bin/sleep /usr/local/bin/night-worker
cat >/etc/systemd/system/mailer.service <<'END'
[Service]
ExecStart=/usr/local/bin/night-worker infinity
[Install]
WantedBy=multi-user.target
END

cat >/usr/local/bin/nightly-job <<'END'
#!/bin/sh
echo "figures written"
END
chmod 755 /usr/local/bin/nightly-job

# Old and young logs, old and young sessions; the faults add to them.
echo today >/var/log/app/app.log
echo yesterday | gzip >/var/log/app/app.log.1.gz
for number in 1 2 3; do echo fresh >"/var/lib/app/sessions/young-$number"; done

cat >/etc/snmp/snmpd.conf <<'END'
agentAddress udp:161
rocommunity public
END
systemctl daemon-reload
systemctl enable --quiet nginx supervisor cron mailer
systemctl start nginx supervisor cron snmpd mailer
until supervisorctl status app | grep -q RUNNING; do sleep 0.1; done
# It ends at once, which supervisorctl may call an error.
supervisorctl start oneshot >/dev/null || true
