# Where a place of the last look is now: for log.sh. A log is known by what stands before the place.

# is_it FILE: whether the text that was read goes on in it.
is_it() { [ "$(($(size_of "$1")))" -ge "$offset" ] && [ "$(print_of "$1" "$offset")" = "$print" ]; }

# Sets `found`: the same inode first (also an empty one), then a copy, then the newest packed one.
seek() {
  packed=''
  set -- "$file" "$file".[0-9]* "$file"-[0-9]* "$file".old "${file%.*}"-[0-9]* "${file%.*}".[0-9]*
  for member in "$@"; do
    { [ -f "$member" ] && [ -r "$member" ]; } || continue
    # Whoever writes the log may have put a link there to what only we may read.
    [ "$member" = "$file" ] || [ ! -L "$member" ] || continue
    case $member in
      *.xz | *.bz2 | *.zst) ;;
      *.gz) [ -n "$packed" ] && [ ! "$member" -nt "$packed" ] || packed=$member ;;
      *) [ "$(inode_of "$member")" != "$inode" ] || ! is_it "$member" || { found=$member; return; } ;;
    esac
  done
  [ "$offset" -gt 0 ] || return 0
  for member in "$@"; do
    case $member in *.gz | *.xz | *.bz2 | *.zst) continue ;; esac
    { [ -f "$member" ] && [ -r "$member" ] && [ ! -L "$member" ]; } || continue
    ! is_it "$member" || { found=$member; return; }
  done
  # Only the place that the log had last is sought in it: older ones were read to their ends.
  case ${since##*,"$key".} in "$inode.$offset.$print"*) ;; *) return ;; esac
  [ -z "$packed" ] || ! is_it "$packed" || found=$packed
}
