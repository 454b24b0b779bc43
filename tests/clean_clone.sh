#!/bin/sh
# Proves the first steps of the README on a bare Debian: debootstraps a minbase system with only
# python3, python3-venv, make and git, clones HEAD into it, and runs `make demo`, then `make test`.
#
# usage: tests/clean_clone.sh [TARGET...]     make targets, default: demo test; as root
#
# The mirror, pip's configuration, the CA certificates and the environment are this machine's, read
# when it runs. It prints what each part took and removes everything, in whatever way it ends.
set -eu
suite=bookworm
here=$(cd "$(dirname "$0")/.." && pwd)

say() { printf '\n== %s\n' "$*"; }

if [ "$(id -u)" != 0 ]; then
    echo "clean_clone: chroot and namespaces need root"
    exit 1
fi
if [ "${CLEAN_CLONE_ROOT-}" = "" ]; then
    command -v debootstrap >/dev/null || { echo "clean_clone: apt-get install debootstrap"; exit 1; }
    CLEAN_CLONE_ROOT=$(mktemp -d "${TMPDIR:-/var/tmp}/clean-clone-XXXXXX")
    export CLEAN_CLONE_ROOT
    chmod 755 "$CLEAN_CLONE_ROOT" # it becomes /, which everybody must be able to enter
    trap 'rm -rf "$CLEAN_CLONE_ROOT"' EXIT
    trap 'exit 130' INT TERM
    # All mounts and processes of this live in namespaces: they are gone before the folder is
    # removed, so that nothing behind a mount can be removed with it.
    unshare --mount --pid --fork --kill-child --propagation private sh "$0" "$@"
    exit
fi

root=$CLEAN_CLONE_ROOT
unset CLEAN_CLONE_ROOT
[ $# -gt 0 ] || set -- demo test
started=$(date +%s)
lap() { now=$(date +%s); say "$* took $((now - started)) s"; started=$now; }

mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Component: main' \
    "Codename: $suite" | head -n 1)
say "debootstrap $suite"
debootstrap --variant=minbase --include=python3,python3-venv,make,git,ca-certificates \
    "$suite" "$root" $mirror >"$root.log" 2>&1 || { tail -n 30 "$root.log"; exit 1; }
rm -f "$root.log"
lap debootstrap

# pivot_root and overlays (the test hosts) ask for a root that is a mount.
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
for path in /etc/resolv.conf /etc/hosts /etc/apt/apt.conf.d /usr/local/share/ca-certificates \
    /etc/ssl/certs/ca-certificates.crt; do
    [ ! -e "$path" ] || { mkdir -p "$root${path%/*}" && cp -aL "$path" "$root${path%/*}/"; }
done
# pip's configuration files, and the files and folders that they or PIP_* variables point to.
pip_files=$(python3 -m pip config debug | sed -n 's/^ *\(\/.*\), exists: True$/\1/p')
pip_words=$(python3 -m pip config list | tr "=' \"" '\n\n\n\n' | sed 's|^file://||' | grep '^/')
for path in $pip_files $pip_words; do
    if [ -f "$path" ]; then
        mkdir -p "$root${path%/*}"
        cp -L "$path" "$root$path"
    elif [ -d "$path" ]; then
        path=${path%/simple} # a local index has its files beside its pages
        mkdir -p "$root$path"
        mount --bind -o ro "$path" "$root$path"
    fi
done
git clone -q --no-hardlinks "file://$here" "$root/srv/monitord"
lap "set-up"

for target in "$@"; do
    say "make $target"
    # A root of its own, not a chroot: in one the kernel refuses user namespaces, which the units
    # want. What the caller ignores (nohup, &) would be ignored by all that gets signals in tests.
    unshare --mount --propagation private env --default-signal sh -ec '
        cd "$1" && mkdir -p .before && pivot_root . .before
        exec chroot . sh -ec "umount -l /.before; cd /srv/monitord; exec make \"\$1\"" make "$2"
    ' in "$root" "$target"
    lap "make $target"
done
say "the clean clone holds: $*"
