#!/bin/sh
# Becomes the systemd of a test host. It must never run on the machine's own root: systemd's
# tmpfiles rules would empty the real /tmp. Hence pivot_root into the overlay first.
set -eu
work=$1
cgroup=$2
if [ "${3-}" != inside ]; then
    # A cgroup of its own, or equal unit names of two hosts would collide.
    [ -z "$cgroup" ] || echo 0 >"$cgroup/cgroup.procs"
    exec unshare --cgroup sh "$0" "$work" "$cgroup" inside
fi
read -r pid _ </proc/self/stat
cd "$work/disk/root"
[ -f etc/monitord-test-host ] || exit 70

mount -t proc -o nosuid,nodev,noexec proc proc
# Kernel settings belong to the machine; only those of the network are the host's own.
mount --bind proc/sys proc/sys
mount --bind proc/sys/net proc/sys/net
# A boot id of its own for each boot: the kernel has only one for the whole machine.
mount -t tmpfs -o size=64m,mode=755,nosuid,nodev tmpfs run
cat /proc/sys/kernel/random/uuid >run/boot_id
mount --bind run/boot_id proc/sys/kernel/random/boot_id
mount -o remount,bind,ro proc/sys
[ ! -e proc/sysrq-trigger ] || mount --bind /dev/null proc/sysrq-trigger
# Read-only, as in every container: udev stays away.
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup || mount -t tmpfs cgroup sys/fs/cgroup
mount -t tmpfs -o size=256m,mode=1777,nosuid,nodev tmpfs tmp
mount -t tmpfs -o size=16m,mode=755 tmpfs dev
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
mount -t tmpfs -o size=64m,mode=1777,nosuid,nodev tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
echo "$pid" >"$work/pid1.new"
mv "$work/pid1.new" "$work/pid1"
pivot_root . mnt
umount -l /mnt
# Without these rights nothing inside can set the machine's clock or load a module.
exec setpriv --bounding-set=-sys_time,-sys_module,-sys_rawio env -i container=monitord-test \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=monitord-test-host.target </dev/null >/dev/null 2>&1
