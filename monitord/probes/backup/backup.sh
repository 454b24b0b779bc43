# Tells what a backup holds, and for a drill restores it into a folder of its own: for backup_script.py.
# POSIX sh, read from standard input after assignments: mode (look, verify, drill), kind, source (a
# repository, or a path or pattern), filters and options as written there, limit (seconds a tool may
# take). Outside of the drill's own folder it writes nothing. Each line of ours begins with a word that
# the kernel makes up anew, so that no file of a backup can forge one; tools write in between.

told() { printf '\n%s %s\n' "$nonce" "$*"; }

# ask NAME TOOL…: what a tool says, framed, and its exit code; what it complains of is stderr.
ask() {
  asked=$1
  shift
  told "begin $asked"
  "$@"
  code=$?
  told "end $asked $code"
  return "$code"
}

quietly() { "$@" >/dev/null; }

# Until the script's own deadline: all tools of one run share it.
bounded() {
  left=$((until_ - $(date +%s)))
  [ "$left" -gt 0 ] || return 124
  timeout -k 5 "$left" "$@"
}

# Gives up with a sentence; WORD says whose fault it is: ours (unknown) or the backup's (critical).
stop() {
  word=$1
  shift
  told "stop $word $*"
  exit 0
}

# The newest path that a pattern matches. IFS is empty, so that blanks do not split it.
newest() {
  before=$IFS found='' IFS=
  for candidate in $1; do
    [ -e "$candidate" ] || continue
    if [ -z "$found" ] || [ "$candidate" -nt "$found" ]; then found=$candidate; fi
  done
  IFS=$before
}

# A local place that we may not look into is our own lack, not the backup's.
may_read() {
  place=$1
  while [ "$place" != "${place%/*}" ] && [ -n "${place%/*}" ]; do
    place=${place%/*}
    if [ -d "$place" ] && [ ! -x "$place" ]; then stop unknown "$(id -un) may not look into $place"; fi
  done
}

have() { command -v "$1" >/dev/null 2>&1 || stop unknown "$1 is not installed there"; }

restic_() { bounded restic --repo "$source" --no-lock --no-cache --quiet "$@"; }

# with_filters TOOL ARGUMENTS…: the same, and which snapshots are meant.
with_filters() {
  [ -z "$host" ] || set -- "$@" --host "$host"
  [ -z "$path" ] || set -- "$@" --path "$path"
  [ -z "$tag" ] || set -- "$@" --tag "$tag"
  "$@"
}

borg_archives() {
  [ -z "$archives" ] || set -- "$@" --glob-archives "$archives"
  bounded borg "$@" "$source"
}

look_restic() {
  ask snapshots with_filters restic_ snapshots --json --latest 1 || exit 0
  ask size with_filters restic_ stats latest --mode restore-size --json
}

look_borg() { ask archives borg_archives info --json --bypass-lock --last 1; }

look_file() {
  newest "$source"
  [ -n "$found" ] || stop critical "there is no file $source"
  [ -r "$found" ] || stop unknown "$(id -un) may not read $found"
  size=$(stat -L -c %s -- "$found") changed=$(stat -L -c %Y -- "$found")
  [ ! -d "$found" ] || size=$(du -sk -- "$found" | { read -r kib _; echo "$((kib * 1024))"; })
  told "file $changed $size $(printf '%s' "$found" | od -An -v -tx1 | tr -d ' \n')"
}

verify_restic() {
  [ -z "$read_data" ] || set -- "--read-data-subset=$read_data"
  ask check quietly restic_ check "$@"
}

verify_borg() {
  [ -z "$read_data" ] || set -- --verify-data
  ask check bounded borg check --lock-wait 60 "$@" "$source"
}

verify_tar() { ask check quietly bounded tar -t -f "$found"; }

# A custom or folder dump is read to its end; a plain one must end as pg_dump ends it.
verify_pg_dump() {
  if is_plain; then
    ask check plain_ends
  else
    have pg_restore
    ask check bounded pg_restore -f /dev/null "$found"
  fi
}

is_plain() { [ ! -d "$found" ] && [ "$(head -c 5 -- "$found" | tr -d '\000')" != PGDMP ]; }

plain() {
  case $found in
    *.gz) bounded gzip -dc <"$found" ;;
    *) bounded cat <"$found" ;;
  esac
}

plain_ends() {
  case $found in *.gz) bounded gzip -t <"$found" || return ;; esac
  plain | tail -c 300 | grep -q 'PostgreSQL database dump complete' && return
  echo 'it does not end as pg_dump ends a dump: it was cut short' >&2
  return 1
}

# -- the drill -------------------------------------------------------------------------------------

# A folder of its own on the named filesystem, removed at the end whatever happens. What an earlier
# one left (the machine died) is removed, unless somebody is still at work in it.
make_room() {
  [ -d "$scratch" ] || stop unknown "the scratch folder $scratch is not there"
  [ -w "$scratch" ] || stop unknown "$(id -un) may not write in the scratch folder $scratch"
  room=$scratch/.monitord-drill-$name
  if [ -L "$room" ] || [ -L "$room.lock" ]; then stop unknown "$room is a link that somebody laid"; fi
  : >>"$room.lock" && exec 9>>"$room.lock"
  if command -v flock >/dev/null 2>&1 && ! flock -n 9; then stop unknown 'another drill is still at it'; fi
  remove_room
  trap remove_room EXIT
  trap 'exit 0' HUP INT TERM PIPE
  mkdir -m 700 -- "$room" || stop unknown "nothing can be written in $scratch"
}

remove_room() {
  [ ! -d "$room" ] || chmod -R u+rwx -- "$room" 2>/dev/null
  rm -rf -- "$room"
}

# needs BYTES: whether they fit, with what must stay free.
needs() {
  free=$(df -P -k -- "$scratch" | { read -r _; read -r _ _ _ free _; echo "$free"; })
  if [ "$(($1 / 1024 + keep_free / 1024))" -gt "$free" ]; then
    stop unknown "$scratch has $((free / 1024)) MiB free; the backup takes $(($1 / 1048576)) MiB," \
      "and $((keep_free / 1048576)) MiB must stay free"
  fi
}

sum() { awk -v column="$1" '{ bytes += $column } END { printf "%.0f", bytes }'; }

numbers() { sed -n 's/.*"'"$1"'": *\([0-9][0-9]*\).*/\1/p'; }

drill_restic() {
  look_restic || exit 0
  if [ -n "$inside" ]; then
    bytes=$(with_filters restic_ ls --json latest "/$inside" | numbers size | sum 1)
  else
    bytes=$(with_filters restic_ stats latest --mode restore-size --json | numbers total_size)
  fi
  needs "${bytes:-0}"
  [ -z "$inside" ] || set -- --include "/$inside"
  ask restore with_filters restic_ restore latest --target "$room" "$@"
}

drill_borg() {
  look_borg || exit 0
  archive=$(borg_archives list --short --last 1 --bypass-lock)
  [ -n "$archive" ] || exit 0
  [ -z "$inside" ] || set -- "$inside"
  needs "$(bounded borg list --bypass-lock --format '{size}{NL}' "$source::$archive" "$@" | sum 1)"
  cd "$room" || exit 0
  # Relative repositories would be looked for in the folder; the spec asks for absolute ones.
  ask restore bounded borg extract --bypass-lock "$source::$archive" "$@"
}

drill_tar() {
  look_file
  needs "$(bounded tar -t -v --numeric-owner -f "$found" 2>/dev/null | sum 3)"
  ask restore bounded tar -x -f "$found" -C "$room"
}

# Without a database: read to the end, and what it would make. With one: made there, and counted.
drill_pg_dump() {
  look_file
  have pg_restore
  if [ -z "$database" ]; then
    verify_pg_dump || exit 0
    told 'begin tables'
    if is_plain; then plain | sed -n 's/^CREATE TABLE \([^ ]*\) .*/\1/p'; else
      bounded pg_restore --list "$found" | sed -n 's/.* TABLE \([^ ]*\) \([^ ]*\) .*/\1.\2/p'
    fi
    told 'end tables 0'
    return
  fi
  have psql
  export PGDATABASE="$database"
  trap 'bounded dropdb --if-exists "$database" >/dev/null 2>&1' EXIT
  trap 'exit 0' HUP INT TERM PIPE
  bounded dropdb --if-exists "$database" 2>/dev/null
  bounded createdb --template=template0 "$database" || stop unknown 'no scratch database could be made'
  if is_plain; then ask restore fill_plain; else
    ask restore bounded pg_restore --no-owner --no-privileges --exit-on-error -d "$database" "$found"
  fi || exit 0
}

# Owners and grants of a plain dump may name roles that are not here: the rows decide.
fill_plain() {
  plain_ends || return
  plain | bounded psql -q -X -f - >/dev/null 2>&1
}

# rows NUMBER SQL: how many rows, counted no further than asked.
rows() {
  [ -n "$database" ] || return 0
  told "rows $1 $(bounded psql -A -t -q -X -c "$2" 2>/dev/null || echo missing)"
}

# expect NUMBER HASH PATH: what came back of a file; a link out of the folder is no file.
expect() {
  file=$(readlink -f -- "$room/${inside:+$inside/}$3") || file=
  case $file in "$(readlink -f -- "$room")"/*) ;; *) file= ;; esac
  if [ -z "$file" ] || [ ! -f "$file" ]; then
    told "expect $1 missing"
    return
  fi
  sum=-
  [ -z "$2" ] || sum=$(bounded sha256sum <"$file") || sum=-
  told "expect $1 $(stat -c '%s %Y' -- "$file") ${sum%% *}"
}

count() {
  files=$(find "$room" -type f -exec sh -c 'for one do echo; done' sh {} + | wc -l)
  bytes=$(du -sk -- "$room" | { read -r kib _; echo "$((kib * 1024))"; })
  latest=$(find "$room" -type f -exec stat -c %Y -- {} + | sort -n | tail -n 1)
  told "restored $((files)) $bytes ${latest:-0}"
}

main() {
  PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
  LC_ALL=C TZ=UTC
  # Nobody is there to be asked; a repository that moved, or has no password, is still to be judged.
  BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
  export PATH LC_ALL TZ BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK BORG_RELOCATED_REPO_ACCESS_IS_OK
  umask 077
  read -r nonce </proc/sys/kernel/random/uuid
  begun=$(date +%s)
  until_=$((begun + limit))
  printf '\nmonitord-backup 1 %s\n' "$nonce"
  told "now $begun"
  have timeout
  case $kind in restic | borg | tar) have "$kind" ;; esac
  case $source in /*) may_read "$source" ;; esac
  if [ -n "$secret_file" ] && [ ! -r "$secret_file" ]; then
    stop unknown "$(id -un) may not read $secret_file, or it is not there"
  fi
  "$mode"
}

look() {
  case $kind in restic | borg) "look_$kind" ;; *) look_file ;; esac
}

verify() {
  look || exit 0
  "verify_$kind"
}

drill() {
  [ "$kind" = pg_dump ] || make_room
  "drill_$kind" || exit 0
  [ "$kind" = pg_dump ] || count
  expectations
  told "took $(($(date +%s) - begun))"
}
