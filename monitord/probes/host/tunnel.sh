# What WireGuard or strongSwan tell of their peers: after look.sh, with type (wireguard, ipsec). No
# private or preshared key is ever asked for: `wg show dump` would tell both.

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

main() {
  if [ "$type" = ipsec ]; then
    have swanctl || stop missing 'there is no swanctl (strongSwan)'
    ask conns as_root swanctl --list-conns
    ask sas as_root swanctl --list-sas
    return
  fi
  have wg || stop missing 'there is no wg (wireguard-tools)'
  for what in latest-handshakes persistent-keepalive transfer endpoints; do
    ask "$what" as_root wg show all "$what"
  done
}
