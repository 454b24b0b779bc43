# Makes room on one full filesystem: removes what is listed as disposable, oldest first, until it is
# full enough no more. Each file stands in a manifest before it goes; with a quarantine it is copied to
# another filesystem instead. Files in use, young ones, links and other filesystems are left alone.
# POSIX sh with GNU find, stat, sort and xargs, from standard input, as root:
#   sh -s -- LOOK FILESYSTEM UNTIL MOST MANIFEST QUARANTINE JOURNAL [FOLDER MINUTES COUNT NAME…]…
# With LOOK it changes nothing: exit 1 when nothing may go. monitord_step=N stands before it.

say() { printf '%s\n' "cleanup: $*"; }
fail() { say "$*" >&2; exit 1; }
plain() { tr -c '[:print:]\n' '?'; }
size() { numfmt --to=iec --suffix=B -- "$1"; }

must_be_possible() {
  find --version 2>/dev/null | grep -q GNU || fail "GNU find is missing; nothing was looked at"
  [ "$(id -u)" = 0 ] || fail "only root sees which files are in use (let the step use sudo)"
  case $filesystem in /*) ;; *) fail "$filesystem is not where a filesystem is mounted" ;; esac
  cd -P -- "$filesystem" 2>/dev/null || fail "$filesystem is not a folder"
  [ "$(stat -c %m .)" = "$filesystem" ] || fail "$filesystem is not where a filesystem is mounted"
  [ -w . ] || fail "$filesystem is read-only: the kernel may have seen its disk fail"
  device=$(stat -c %d .)
  for place in /run /dev/shm /tmp; do
    [ -w "$place" ] && [ "$(stat -c %d "$place")" != "$device" ] || continue
    work=$(mktemp -d "$place/monitord-cleanup.XXXXXX") && break
  done
  [ -n "$work" ] || fail "there is no room for a list outside of $filesystem (/run, /dev/shm)"
  trap 'rm -rf -- "$work"' EXIT
  trap 'exit 143' TERM INT HUP
}

# Gives "used free percent" of the filesystem of $1, of its KiB and of its inodes. The columns are counted
# from the percentage: blanks may stand in the name of the device before it.
counts() {
  { df -Pk -- "$1"; df -Pi -- "$1"; } | awk '$1 != "Filesystem" {
    at = 5
    while (at < NF && $at !~ /^([0-9]+%|-)$/) at++
    print $(at - 2), $(at - 1), $at + 0
  }'
}

free_kib() { counts "$1" | awk 'NR == 1 { print $2 }'; }

# Gives used percent of space and inodes, the higher one; a filesystem without inodes has none.
used() { counts "$filesystem" | awk '$3 > most { most = $3 } END { print most + 0 }'; }

# Gives what must go: KiB and inodes above UNTIL percent.
needed() {
  counts "$filesystem" | awk -v until="$until" '{
    more = $1 - ($1 + $2) * until / 100
    printf "%d ", (more > 0 ? more + 1 : 0)
  }'
}

# Device and inode of all files that a process has open or mapped, that are swapped to or mounted.
list_what_is_used() {
  {
    find /proc/[0-9]*/fd /proc/[0-9]*/map_files -mindepth 1 -maxdepth 1 -print0 |
      xargs -0 -r stat -L -c %d:%i --
    { cat /sys/block/loop*/loop/backing_file; awk 'NR > 1 { print $1 }' /proc/swaps; } |
      while IFS= read -r file; do stat -L -c %d:%i -- "$file"; done
  } 2>/dev/null | sort -u >"$work/used"
}

# Tells whether the filesystem itself is mounted once more below a folder: find's -xdev sees no bound.
has_a_bind_mount() {
  BELOW=$1/ awk '
    BEGIN {
      below = ENVIRON["BELOW"]
      gsub(/\\/, "\\134", below); gsub(/ /, "\\040", below)
      gsub(/\t/, "\\011", below); gsub(/\n/, "\\012", below)
    }
    index($5, below) == 1 { print $5 }' /proc/self/mountinfo |
    { while IFS= read -r point; do
      [ "$(stat -c %d -- "$(printf '%b' "$point")" 2>/dev/null)" != "$device" ] || exit 0
    done; exit 1; }
}

# One rule: what of a folder may go. Appends "mtime inode device KiB path" ended by NUL. The device is
# the file's own: on an overlay it is another than its folder's.
list_rule() {
  folder=$1 minutes=$2 count=$3
  shift 3
  real=$(cd -P -- "$folder" 2>/dev/null && pwd -P) || return 0
  if [ "$real" != "$folder" ]; then
    say "$folder is left alone: it is reached through a symbolic link, name $real itself" | plain
    return 0
  fi
  [ "$(stat -c %d -- "$folder")" = "$device" ] || return 0
  if has_a_bind_mount "$folder"; then
    say "$folder is left alone: another folder of $filesystem is mounted below it" | plain
    return 0
  fi
  tests=
  while [ "$count" -gt 0 ]; do
    set -- "$@" ${tests:+-o} -name "$1"
    shift
    tests=1 count=$((count - 1))
  done
  find "$folder" -xdev -type f -links 1 -mmin "+$minutes" \( "$@" \) \
    -printf '%T@ %i %D %k %p\0' 2>/dev/null >>"$work/found"
}

# Takes the oldest that nobody uses until enough would go; a name's line break travels as \001.
choose() {
  # The path is a key too: by the time alone, -u would take files of one age for one file.
  sort -z -u -k 1,1n -k 2 "$work/found" | tr '\n\0' '\1\n' |
    awk -v kib="$1" -v inodes="$2" -v most="$most" -v list="$work/used" '
      BEGIN { while ((getline line < list) > 0) used[line] = 1 }
      n >= most || (sum >= kib && n >= inodes) { exit }
      !(($3 ":" $2) in used) { n++; sum += $4; print }
      END { printf "%d %d\n", n, sum > "'"$work/sum"'" }' |
    tr '\n\1' '\0\n' >"$work/chosen"
  read -r number kibibytes <"$work/sum"
}

# What deleted files on this filesystem processes still hold: their room comes back with their end.
held() {
  find /proc/[0-9]*/fd -mindepth 1 -maxdepth 1 -lname '* (deleted)' 2>/dev/null |
    while IFS= read -r fd; do
      facts=$(stat -L -c '%d %s' -- "$fd" 2>/dev/null) || continue
      [ "${facts% *}" = "$device" ] && [ "${facts#* }" -ge 1048576 ] || continue
      pid=${fd#/proc/} pid=${pid%%/*}
      printf '%s pid %s (%s) holds %s\n' "${facts#* }" "$pid" \
        "$(head -n 1 "/proc/$pid/comm" 2>/dev/null)" "$(readlink -n -- "$fd" | tr '\n' '?')"
    done | sort -rn | head -n 10 | plain
}

open_manifest() {
  folder=$manifest
  if ! { mkdir -p -- "$folder" && [ ! -L "$folder" ] &&
    { [ "$(stat -c %d -- "$folder")" != "$device" ] ||
      [ "$(free_kib "$folder")" -ge 1024 ]; }; } 2>/dev/null; then
    folder=/run/monitord-cleanup # in memory, and told in the output too
    mkdir -p -- "$folder" || fail "no manifest can be written, so nothing is removed"
  fi
  manifest=$folder/cleanup-$monitord_step.txt
  echo "# what step $monitord_step of monitord removed from $filesystem" >>"$manifest" ||
    fail "$manifest cannot be written, so nothing is removed"
}

open_quarantine() {
  [ -n "$quarantine" ] || return 0
  [ -d "$quarantine" ] && [ ! -L "$quarantine" ] || fail "quarantine $quarantine is not a folder"
  [ "$(stat -c %d -- "$quarantine")" != "$device" ] ||
    fail "quarantine $quarantine is on $filesystem itself: moving there frees nothing"
  [ "$(free_kib "$quarantine")" -gt "$kibibytes" ] ||
    fail "quarantine $quarantine has no room for $kibibytes KiB"
  quarantine=$quarantine/monitord-$monitord_step
  mkdir -p -- "$quarantine" || fail "$quarantine cannot be made"
}

# For a batch of files, in a shell of its own. The folder is entered and must be the one that was
# listed (no link came in between); from there only the bare name is used, and it is the same file.
worker=$(
  cat <<'END'
left() { printf '%s\n' "left alone ($1): $path" >>"$W_WORK/left"; }
for one do
  mtime=${one%% *} one=${one#* } inode=${one%% *} one=${one#* } device=${one%% *} one=${one#* }
  path=${one#* } mtime=${mtime%.*} kept=$W_QUARANTINE/$device-$inode # on an overlay inodes are not unique
  folder=${path%/*} name=${path##*/}
  cd -P -- "$folder" 2>/dev/null || { left "its folder is gone"; continue; }
  here=$(pwd -P; echo x) here=${here%?x}
  [ "$here" = "$folder" ] || { left "a link came into its path"; continue; }
  if [ ! -f "./$name" ] || [ -L "./$name" ]; then left "it is another file now"; continue; fi
  facts=$(QUOTING_STYLE=shell-escape-always stat -c '%i %d %Y|%s %y %U' -- "./$name") || continue
  [ "${facts%%|*}" = "$inode $device $mtime" ] || { left "it was changed"; continue; }
  printf '%s %s%s\n' "${facts#*|}" "$(printf '%s' "$path" | tr -c '[:print:]' '?')" \
    "${W_QUARANTINE:+ -> $kept}" >>"$W_MANIFEST" || exit 255
  if [ -n "$W_QUARANTINE" ]; then
    cp -a -T -- "./$name" "$kept" && cmp -s -- "./$name" "$kept" ||
      { left "it could not be copied"; exit 255; }
  fi
  rm -f -- "./$name" && printf . >>"$W_WORK/gone"
done
END
)

remove() {
  : >"$work/gone"
  W_WORK=$work W_MANIFEST=$manifest W_QUARANTINE=$quarantine \
    xargs -0 -r -n 100 sh -c "$worker" cleanup <"$work/chosen"
  number=$(wc -c <"$work/gone")
}

# The journal's archived files, when files alone were not enough and it lies on this filesystem.
vacuum() {
  [ -n "$journal" ] && [ "$(used)" -gt "$until" ] && journal_is_here || return 0
  journalctl --vacuum-size="$journal" 2>&1 | tail -n 1
  vacuumed=1
}

# Whether the journal lies on this filesystem and is larger than it may stay.
journal_is_here() {
  [ -d /var/log/journal ] && wanted=$(numfmt --from=auto -- "${journal%B}" 2>/dev/null) &&
    [ $(($(du -sk /var/log/journal | cut -f 1) * 1024)) -gt "$wanted" ] && [ "$(stat -c %d /var/log/journal)" = "$device" ] &&
    command -v journalctl >/dev/null 2>&1
}

look_only() {
  [ "$number" -eq 0 ] || {
    tr '\0\n' '\n?' <"$work/chosen" | cut -d ' ' -f 5- | head -n 40 | plain
    say "$number files of $(size $((kibibytes * 1024))) may go from $filesystem ($before % used)"
    exit 0
  }
  if [ -n "$journal" ] && journal_is_here; then
    say "nothing on the list may go from $filesystem, but the journal may shrink to $journal"
    exit 0
  fi
  first=$(printf '%s\n' "$holding" | head -n 1)
  say "nothing on the list may go from $filesystem ($before % used)${first:+; ${first#* }}"
  exit 1
}

main() {
  look=$1 filesystem=$2 until=$3 most=$4 manifest=$5 quarantine=$6 journal=$7
  shift 7
  umask 077
  work= vacuumed= number=0 kibibytes=0
  must_be_possible
  before=$(used)
  [ -n "$look" ] || [ "$before" -gt "$until" ] || { say "$filesystem has room: $before %"; exit 0; }
  list_what_is_used
  : >"$work/found"
  while [ $# -gt 0 ]; do
    rule=$(($3 + 3))
    list_rule "$@"
    shift "$rule"
  done
  # shellcheck disable=SC2046 # two numbers
  choose $(needed)
  holding=$(held)
  [ -z "$holding" ] || printf 'deleted, but still open: %s\n' "$holding"
  [ -z "$look" ] || look_only
  open_manifest
  open_quarantine
  remove
  vacuum
  [ ! -f "$work/left" ] || head -n 20 "$work/left" | plain
  tail -n +2 "$manifest" | head -n 100
  after=$(used)
  [ "$number" -gt 0 ] || [ -n "$vacuumed" ] || fail "nothing could be removed from $filesystem"
  say "$filesystem was $before %, is $after %; $number files" \
    "${quarantine:+are in $quarantine, }named in $manifest"
}

main "$@"
