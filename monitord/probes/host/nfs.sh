# Whether a share is mounted and a file in it is read in time: after look.sh, with mount, file, within.
# Nothing else touches the mount: on a stale one each look hangs until it is killed.

main() {
  told "mounted $(while read -r from at type rest; do
    [ "$at" != "$mount" ] || printf '%s %s\n' "$type" "$from"
  done </proc/mounts | tail -n 1)"
  have timeout || stop missing 'there is no timeout (coreutils, busybox)'
  ask file timeout -s KILL "$within" head -c 4096 -- "$mount/$file"
}
