# Reads what logs gained since the last look: after look.sh and pieces.sh, with budget (bytes). $since
# is empty at the first look, else `+` and places: ,FILE.INODE.OFFSET.PRINT… oldest first; ,FILE.end
# of one that could not be read till now. A rotation by name keeps the inode, one that copies keeps
# the text: each place is sought by both.

main() {
  left=$budget files=0
  asked
}

# watch PATTERN: each file that matches, but nothing that a rotation left there.
watch() {
  case $1 in
    *[*?[]*) ;;
    *) one "$1"; return ;;
  esac
  any='' IFS=''
  for name in $1; do
    unset IFS
    case $name in
      *.gz | *.xz | *.bz2 | *.zst | *.old | *.[0-9] | *.[0-9][0-9] | *-[0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]) continue ;;
    esac
    [ -f "$name" ] || continue
    any=1
    one "$name"
  done
  unset IFS
  [ -n "$any" ] || told "absent $1"
}

one() {
  file=$1 files=$((files + 1))
  [ "$files" -le 50 ] || { told "many $file"; return; }
  key=$(printf %s "$file" | cksum)
  key=${key%% *}
  [ -x "${file%/*}/" ] && { [ ! -e "$file" ] || [ -r "$file" ]; } || { told "denied $key $file"; return; }
  told "file $key $file"
  [ -f "$file" ] || told "absent $file"
  case $since, in
    , | *",$key.end,"*)
      [ ! -f "$file" ] || drain "$file" "$(size_of "$file")"
      return
      ;;
  esac
  seen=' '
  IFS=,
  for place in ${since#+}; do
    unset IFS
    case $place in "$key".*) go_on "${place#*.}" ;; esac
  done
  unset IFS
  [ -f "$file" ] || return
  case $seen in *" $(inode_of "$file") "*) ;; *) drain "$file" 0 ;; esac
}

# go_on INODE.OFFSET.PRINT: from there to the end, then all of what was begun and rotated since.
go_on() {
  inode=${1%%.*} rest=${1#*.}
  offset=${rest%.*} print=${rest#*.} found=''
  seek
  [ -n "$found" ] || { told "lost $key $inode $offset"; return; }
  seen="$seen$(inode_of "$found") "
  drain "$found" "$offset"
  [ "$found" != "$file" ] || return
  for newer in "$file".[0-9]* "$file"-[0-9]*; do
    # Not older: busybox tells times by the second.
    case $newer in *.gz | *.xz | *.bz2 | *.zst) continue ;; esac
    { [ -f "$newer" ] && [ ! -L "$newer" ] && [ ! "$newer" -ot "$found" ]; } || continue
    case $seen$since, in *" $(inode_of "$newer") "* | *",$key.$(inode_of "$newer")."*) continue ;; esac
    seen="$seen$(inode_of "$newer") "
    drain "$newer" 0
  done
}
