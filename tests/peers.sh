#!/bin/sh
# Installs the Debian packages of tests/peers.txt that are missing; without root it names them.
# Other lists may be given instead.
# It never fails: what is still missing is said at the end of the tests, or fails them in CI.
set -eu
[ $# -gt 0 ] || set -- "$(dirname "$0")/peers.txt"
list=$(sed 's/#.*//' "$@")
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "peers: this is no Debian; the tests use what they find of:" $list
    exit 0
fi
missing=
for package in $list; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
    echo "peers: not installed:$missing"
    echo "peers: the end of the tests says what that leaves unproven; as root: apt-get install$missing"
    exit 0
fi
# Installed, not started: the tests start their own, and port 80 may be somebody's.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
lock='-o DPkg::Lock::Timeout=300'
echo "peers: installing$missing"
install() {
    apt-get $lock install -y -q --no-install-recommends "$@" >"$log" 2>&1
}
log=$(mktemp)
# The package lists may be absent or old: only then are they fetched.
# shellcheck disable=SC2086 # names of packages hold no blanks
if ! install $missing && ! { apt-get $lock update -q >"$log" 2>&1 && install $missing; }; then
    # One that clashes with what is there (another vendor's kubectl) must not keep out the others.
    for package in $missing; do
        install "$package" || { tail -n 5 "$log"; echo "peers: could not install $package (see above)"; }
    done
fi
rm -f "$log"
