# Bytes of files that grow: for log.sh. Reads whole blocks, so that every dd seeks and none counts
# through a long file; a packed one is unpacked on the way.

# piece FILE FROM COUNT
piece() {
  case $1 in
    *.gz) gzip -dc <"$1" 2>/dev/null | tail -c "+$(($2 + 1))" | head -c "$3" ;;
    *)
      dd if="$1" bs=4096 skip="$(($2 / 4096))" count="$((($2 % 4096 + $3) / 4096 + 1))" 2>/dev/null |
        tail -c "+$(($2 % 4096 + 1))" | head -c "$3"
      ;;
  esac
}

size_of() {
  case $1 in
    *.gz) gzip -dc <"$1" 2>/dev/null | wc -c ;;
    *) stat -L -c %s -- "$1" ;;
  esac
}

inode_of() { stat -L -c %i -- "$1"; }

# print_of FILE OFFSET: what stands just before it. A file is known by this, not by its name.
print_of() {
  before=$(($2 < 512 ? $2 : 512))
  printed=$(piece "$1" "$(($2 - before))" "$before" | cksum)
  echo "${printed%% *}"
}

# drain FILE FROM: what came since, in whole lines as long as it grows, and where that ends.
drain() {
  size=$(($(size_of "$1")))
  count=$((size - $2))
  whole=$count
  [ "$count" -le "$left" ] || whole=$left
  if [ "$whole" -gt 0 ]; then
    if [ "$1" = "$file" ] || [ "$whole" -lt "$count" ]; then
      lines=$(($(piece "$1" "$2" "$whole" | wc -l)))
      ended=$(($(piece "$1" "$2" "$whole" | head -n "$lines" | wc -c)))
      # A line longer than all that is read at once goes in parts, or it would be waited for forever.
      [ "$ended" -eq 0 ] && [ "$whole" -eq "$budget" ] || whole=$ended
    fi
    told "text $key"
    piece "$1" "$2" "$whole"
    left=$((left - whole))
  fi
  told "at $key $(inode_of "$1") $(($2 + whole)) $(print_of "$1" "$(($2 + whole))") $((count - whole))"
}
