# What the kernel wrote since the last look: after look.sh and journal.sh. From the journal where it
# holds the kernel's messages, else from the ring itself; $since then is ring:BOOT:SECONDS.

main() {
  if have journalctl && [ -n "$(journalctl --quiet --lines=1 --output=cat _TRANSPORT=kernel 2>/dev/null)" ]; then
    case $since in ring:*) since='' ;; esac
    told 'source journal'
    # By transport: --dmesg would leave out how the last boot ended.
    journal _TRANSPORT=kernel
    return
  fi
  have dmesg || stop missing 'there is neither a journal of the kernel nor dmesg'
  read -r boot </proc/sys/kernel/random/boot_id
  told "source ring:${boot%%-*}"
  told 'begin ring'
  case $since in
    "ring:${boot%%-*}:"*) dmesg | awk -v after="${since##*:}" '{ at = $0; sub(/^\[ */, "", at); if (at + 0 > after + 0) print }' | head -c "$budget" ;;
    ring:*) dmesg | head -c "$budget" ;;
    *) dmesg | tail -n 1 ;;
  esac
  told 'end ring'
}
