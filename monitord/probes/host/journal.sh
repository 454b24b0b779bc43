# What the journal gained since the last look: after look.sh, with budget (bytes). $since is empty at
# the first look (then only its end is told), `+` where it had none yet, else a cursor.

# journal ARGUMENT…: which entries; one JSON mapping a line.
journal() {
  have journalctl || stop missing 'there is no journalctl: it has no systemd journal'
  told 'begin newest'
  # Where it ends before we read: what comes meanwhile is told by the next look, and once.
  journalctl --no-pager --lines=1 --output=json --output-fields=PRIORITY
  told 'end newest'
  [ -n "$since" ] || return
  set -- --no-pager --output=json --output-fields=MESSAGE,_BOOT_ID,SYSLOG_IDENTIFIER "$@"
  [ "$since" = + ] || set -- "$@" --after-cursor="$since"
  told 'begin entries'
  journalctl "$@" | head -c "$budget"
  told 'end entries'
}

main() { asked; }
