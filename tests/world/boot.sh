#!/bin/sh
# Pid 1 of a host's outer namespace: the machine around the operating system. It owns the disk
# (an overlay of /, so nothing outside is touched) and the network card, both of which outlive a
# reboot, and boots a systemd each time a line arrives on the fifo WORK/power.
set -eu
here=$(dirname "$0")
work=$1
cgroup=$2
# The outer pid: /proc is still the one of the machine. The cable is plugged in from outside.
read -r outer _ </proc/self/stat
trap 'echo "$?" >"$work/ended"' EXIT

mount -t tmpfs -o size=1g,mode=755 world "$work/disk"
mkdir "$work/disk/upper" "$work/disk/work" "$work/disk/root"
cp -a "$work/seed/." "$work/disk/upper/"
# Layers on a tmpfs: a second lowerdir inside / fails with ELOOP.
mount -t overlay -o "lowerdir=/,upperdir=$work/disk/upper,workdir=$work/disk/work" \
    overlay "$work/disk/root"
cd "$work/disk/root"
# The timers of the machine (apt, mandb …) and its network clock are no part of a test.
rm -rf etc/systemd/system/timers.target.wants etc/systemd/system/sysinit.target.wants \
    etc/ssh/ssh_host_* etc/ssh/sshd_config.d var/log/journal
# These would reach for the machine's kernel: its modules, debugging, huge pages, audit.
for unit in systemd-modules-load.service systemd-sysctl.service systemd-journald-audit.socket \
    dev-hugepages.mount sys-kernel-config.mount sys-kernel-debug.mount \
    sys-kernel-tracing.mount sys-fs-fuse-connections.mount; do
    ln -s /dev/null "etc/systemd/system/$unit"
done
ssh-keygen -q -t ed25519 -N '' -C '' -f etc/ssh/ssh_host_ed25519_key
cp etc/ssh/ssh_host_ed25519_key.pub "$work/host_key.pub"
cd /
ip link set lo up
echo "$outer" >"$work/outer.new"
mv "$work/outer.new" "$work/outer"

while read -r _ <"$work/power"; do
    ip link set eth0 up
    while :; do
        code=0
        : >"$work/pid1"
        unshare --mount --pid --fork --kill-child --propagation private \
            sh "$here/init.sh" "$work" "$cgroup" || code=$?
        # Namespaces say "reboot" by ending pid 1 with SIGHUP, "power off" with SIGINT.
        [ "$code" = 129 ] || break
    done
    # Without this the kernel would go on answering pings for a machine that is off.
    ip link set eth0 down
    # Powered off or killed it may be switched on again. Without this file it never came so far.
    [ -s "$work/pid1" ] || exit 70
    : >"$work/pid1"
done
