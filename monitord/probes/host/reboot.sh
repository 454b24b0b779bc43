# Whether the host waits for a reboot: after look.sh. The kernel that runs, those that are installed,
# and what Debian's packages leave in /run.

main() {
  if [ -e /run/reboot-required ]; then
    told "required $(stat -c %Y /run/reboot-required)"
    [ ! -r /run/reboot-required.pkgs ] || ask packages head -c 4000 /run/reboot-required.pkgs
  fi
  running=$(uname -r)
  told "running $running"
  # A container, or a machine that is given its kernel from outside, has none of its own to compare.
  [ -e "/boot/vmlinuz-$running" ] || return 0
  for image in /boot/vmlinuz-*; do
    told "kernel $(stat -L -c %Y -- "$image") ${image#/boot/vmlinuz-}"
  done
}
