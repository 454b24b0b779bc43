# What disks tell of themselves, by smartctl (smartmontools 7 or newer, for JSON): after look.sh, with
# devices (words; empty: those that it finds). It starts no test.

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

main() {
  have smartctl || stop missing 'there is no smartctl (apt install smartmontools)'
  if [ -z "$devices" ]; then
    found=$(as_root smartctl --scan-open) || stop login "smartctl --scan-open is refused: $(as_root smartctl --scan-open 2>&1 | head -n 1)"
    devices=$(printf '%s\n' "$found" | sed -n 's/^\(\/dev\/[^ ]*\) .*/\1/p')
  fi
  told "devices $(echo "$devices" | wc -w)"
  for one in $devices; do
    ask "$one" as_root smartctl --json=c --all "$one"
  done
}
