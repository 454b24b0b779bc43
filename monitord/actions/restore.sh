# Brings a directory back from a backup: beside it first, verified there, then swapped by rename; the
# old copy is kept. It deletes nothing but its own half-done folders, so it may be run again.
# POSIX sh, from standard input: sh -s -- [look|back] KIND SOURCE TARGET INSIDE SNAPSHOT HOST PASSWORD_FILE FILE…
# With look it only tells whether there is a backup that can be read; with back what stood there before
# takes its place again, and what was restored is kept as .monitord-undone-N-of-….
# The line monitord_step=N stands before it, with back also which steps are taken back: monitord_first=N
# and monitord_last=N. KIND is tar, restic or borg; empty arguments mean "not
# given". Of borg, SNAPSHOT is the archive (latest: the newest) and HOST a pattern for its name.

say() { printf '%s\n' "restore: $*"; }

fail() {
  say "$*" >&2
  [ -z "${new:-}" ] || rm -rf -- "$new" "$new.borg"
  exit 1
}

# Sets old to the first of NAME, NAME-2, NAME-3 … that is free.
free_name() {
  old=$1 number=2
  while [ -e "$old" ] || [ -L "$old" ]; do
    old=$1-$number number=$((number + 1))
  done
}

# Removes what an interrupted run for the same target left beside it.
sweep() {
  for left in "$1"/.monitord-new-*; do
    number=${left##*/.monitord-new-}
    number=${number%".borg"}
    number=${number%"-of-$2"}
    case $number in '' | *[!0-9]*) continue ;; esac
    [ "${left%".borg"}" = "$1/.monitord-new-$number-of-$2" ] || continue
    rm -rf -- "$left"
  done
}

bring() {
  case $kind in
    tar) (enter && tar -x -p -f "$source") ;;
    restic)
      set -- --repo "$source" --no-cache
      [ -z "$password_file" ] || set -- "$@" --password-file "$password_file"
      set -- "$@" restore "$snapshot" --target . --verify
      [ -z "$from_host" ] || set -- "$@" --host "$from_host"
      [ -z "$inside" ] || set -- "$@" --include "/$inside"
      (enter && restic "$@")
      ;;
    borg) bring_borg ;;
    *) fail "$kind is neither tar, restic nor borg" ;;
  esac
}

# borg checks every chunk that it extracts. It asks nothing and leaves nothing in the login's home.
bring_borg() {
  open_borg "$new.borg" || return 1
  say "from archive $snapshot"
  (enter && borg extract --lock-wait 60 "$source::$snapshot" ${inside:+"$inside"})
}

# Goes into the new folder, and nowhere else: whoever owns the folder beside may have put a link in its
# place. Until the swap nobody else may enter it.
enter() {
  cd -P -- "$new" && [ -O . ] && here=$(pwd -P; echo x) || return 1
  case ${here%?x} in */"${new##*/}") ;; *) return 1 ;; esac
}

# A backup of what is in a folder does not always tell whose the folder is: then it stays as it was.
keep_rights() {
  [ "$tree" = "$new" ] && [ "$(stat -c %a -- "$new")" = 700 ] || return 0
  rights=$(stat -c '%u:%g %a' -- "$to" 2>/dev/null) || rights="$(id -u):$(id -g) 755"
  (
    enter || exit
    chown -- "${rights% *}" . 2>/dev/null # of another's only root can
    chmod -- "${rights#* }" .
  )
}

open_borg() {
  BORG_BASE_DIR=$1
  export BORG_BASE_DIR
  if [ -n "$password_file" ]; then
    BORG_PASSPHRASE=$(cat -- "$password_file") || return 1
    export BORG_PASSPHRASE
  elif [ -z "${BORG_PASSPHRASE:-}" ]; then
    export BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes
  fi
  if [ "$snapshot" = latest ]; then
    snapshot=$(borg list --lock-wait 60 --last 1 --short --glob-archives "${from_host:-*}" "$source")
    [ -n "$snapshot" ] || { say "no archive is called ${from_host:-anything}"; return 1; }
  fi
}

look() {
  case $kind in
    tar) [ -s "$source" ] && tar -t -f "$source" >/dev/null ;;
    restic)
      set -- --repo "$source" --no-cache --no-lock
      [ -z "$password_file" ] || set -- "$@" --password-file "$password_file"
      restic "$@" snapshots --latest 1
      ;;
    borg)
      base=$(mktemp -d) && open_borg "$base" && say "the archive is $snapshot"
      code=$?
      rm -rf -- "$base"
      return "$code"
      ;;
  esac
}

verify() {
  [ -d "$tree" ] && [ ! -L "$tree" ] || fail "the backup has no folder ${inside:-(top)}"
  [ -n "$(ls -A -- "$tree")" ] || fail "the backup's folder ${inside:-(top)} is empty"
  for file do
    [ -f "$tree/$file" ] && [ -s "$tree/$file" ] || fail "$file is missing or empty in the backup"
  done
}

# A mount below moves along with a rename: the live volume would stand in the old copy.
must_not_hold_a_mount() {
  ! BELOW=$to/ awk '
    BEGIN {
      below = ENVIRON["BELOW"]
      gsub(/\\/, "\\134", below); gsub(/ /, "\\040", below)
      gsub(/\t/, "\\011", below); gsub(/\n/, "\\012", below)
    }
    index($5 "/", below) == 1 { found = 1 }
    END { exit !found }' /proc/self/mountinfo ||
    fail "something is mounted on or below $to: it would move with the old copy"
}

# rename(2) and nothing else: what cannot be renamed (a lower layer's folder on an overlay, one of another
# quota project) mv would carry over file by file, and on a full disk stand half-way.
rename() {
  if command -v perl >/dev/null 2>&1; then
    perl -e 'rename($ARGV[0], $ARGV[1]) or die "rename: $!\n"' -- "$1" "$2"
  elif command -v python3 >/dev/null 2>&1; then
    python3 -I -S -c 'import os, sys; os.rename(*sys.argv[1:])' "$1" "$2"
  elif [ "$(stat -f -c %T -- "$parent")" = overlayfs ]; then
    say "on an overlay only perl or python3 can rename a folder" >&2
    return 1
  else
    mv -T -- "$1" "$2"
  fi
}

# rename(2) twice; from the first on signals are put off, and a failed second one is taken back. They
# stay put off: what follows only sweeps up, and must not tell that nothing was done.
swap() {
  trap '' TERM INT HUP
  if [ -e "$to" ]; then
    rename "$to" "$old" || fail "$to cannot be moved aside; it stays as it was"
  fi
  if ! rename "$tree" "$to"; then
    [ ! -e "$old" ] || [ -e "$to" ] || rename "$old" "$to"
    [ -e "$old" ] || fail "the restored copy cannot take the place of $to; the old one is back"
    fail "something made $to anew meanwhile; it stays, and what was there before is $old"
  fi
}

# Gives the lowest number N of PREFIX-N-of-BASE that is there and at least LEAST; empty for none.
lowest() {
  for kept in "$parent/$1"-*; do
    number=${kept#"$parent/$1-"}
    number=${number%"-of-$base"}
    case $number in '' | *[!0-9]*) continue ;; esac
    [ -d "$parent/$1-$number-of-$base" ] && [ "$number" -ge "$2" ] && printf '%s\n' "$number"
  done | sort -n | head -n 1
}

# Takes back what the steps of one attempt swapped, once, to what stood there before the first of them.
# A copy that another restore left is never touched: it is not what stood there.
back() {
  since=$(lowest .monitord-old $((monitord_last + 1)))
  [ -z "$since" ] || fail "$to was restored once more since, by step $since; it stays"
  [ -z "$(lowest .monitord-undone "$monitord_first")" ] || fail "this restore of $to was taken back already"
  first=$(lowest .monitord-old "$monitord_first")
  [ -n "$first" ] || fail "nothing that stood in the place of $to was moved aside; it stays"
  tree=$parent/.monitord-old-$first-of-$base
  free_name "$parent/.monitord-undone-$monitord_step-of-$base"
  swap
  say "$to is again what it was; what was restored is $old"
}

main() {
  mode=
  case $1 in look | back) mode=$1; shift ;; esac
  kind=$1 source=$2 to=$3 inside=$4 snapshot=$5 from_host=$6 password_file=$7
  shift 7
  umask 022
  case $source in /* | *:*) ;; *) source=$PWD/$source ;; esac
  case $password_file in '' | /*) ;; *) password_file=$PWD/$password_file ;; esac
  while [ "$to" != "${to%/}" ]; do to=${to%/}; done
  parent=${to%/*} base=${to##*/}
  case $to in /*/* | /?*) ;; *) fail "${to:-/} cannot be restored as a whole" ;; esac
  must_not_hold_a_mount
  if [ "$mode" = look ]; then look || fail "$kind cannot read the backup $source"; exit 0; fi
  [ -d "${parent:-/}" ] || fail "${parent:-/} is not a folder"
  [ ! -L "$to" ] || fail "$to is a symbolic link; name the folder that it points to"
  if [ "$mode" = back ]; then back; exit 0; fi
  sweep "$parent" "$base"
  free_name "$parent/.monitord-old-$monitord_step-of-$base"
  new=$parent/.monitord-new-$monitord_step-of-$base
  mkdir -m 700 -- "$new" || { new=; fail "nothing can be written beside $to"; }
  trap 'fail "was ended before the swap; $to is as it was"' TERM INT HUP
  tree=$new${inside:+/$inside}
  bring || fail "$kind could not read the backup $source; $to is as it was"
  verify "$@"
  keep_rights
  swap
  rm -rf -- "$new" "$new.borg"
  if [ -e "$old" ]; then say "$to restored; the old copy is $old"; else say "$to restored"; fi
}

main "$@"
