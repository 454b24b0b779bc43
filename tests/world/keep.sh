#!/bin/sh
# Keeps one test host for as long as its standard input stays open, then takes all of it away.
# A pipe and not a signal handler: the host goes as well when the test run is killed with -9.
#
# usage: keep.sh WORK [CGROUP]     WORK: the host's folder; CGROUP: a folder to make, its own
set -eu
here=$(dirname "$0")
work=$1
cgroup=${2-}
[ -z "$cgroup" ] || mkdir "$cgroup"
# unshare dies with this shell (pdeathsig) and takes pid 1 of the namespace with it (kill-child).
setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child --uts --ipc --net \
    --propagation private sh "$here/boot.sh" "$work" "$cgroup" >>"$work/boot.log" 2>&1 &
child=$!
read -r _ || true
pid1=$(cat "$work/pid1" 2>/dev/null || true)
kill -KILL "$child" 2>/dev/null || true
wait "$child" 2>/dev/null || true
[ -z "$pid1" ] || while [ -d "/proc/$pid1" ]; do sleep 0.01; done
[ -z "$cgroup" ] || until find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null; do
    [ -d "$cgroup" ] || break
    sleep 0.01
done
rm -rf "$work"
