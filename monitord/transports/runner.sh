# The runner: does one step on the machine it runs on, so that the step outlives whoever asked.
# POSIX sh, read from standard input after a few assignments (see runner.py); needs setsid and timeout
# besides the POSIX tools, and flock where it exists. It judges nothing about the step.
#
# Assignments before it: mode (run, adopt, kill), mark (begins each line that is ours), base (where
# records live, empty: ~/.monitord/runs), store (whose epochs count), step (the record's name),
# epoch, limit (seconds), late (seconds after which adopt stops waiting), sudo (1 or empty), cwd,
# keep (bytes of output kept at each end), vars (export lines), feed (1: input is in `input`), and
# the argv in "$@".
#
# A record is BASE/STORE.STEP/: intent, lock, input, runner, begun, group, out.head, out.tail, exit.
# Its mkdir is the once-only lock; `lock` is held by the detached runner for as long as it lives.

say() { printf '%s %s\n' "$mark" "$*"; }
refuse() { say "refused $*"; exit 0; }
have() { command -v "$1" >/dev/null 2>&1; }

# Where flock is missing, mkdir still runs a step once; only epochs may then race.
lock() { if have flock; then flock "$@"; fi; }

# Seconds that no change of the clock moves.
uptime() { { read -r up _ </proc/uptime; } 2>/dev/null && echo "${up%%.*}" || date +%s; }

boot() { cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo unknown; }

# Gives the start time of a process in clock ticks since boot; with its pid it is never used twice.
born() {
  read -r stat 2>/dev/null <"/proc/$1/stat" || { echo unknown; return; }
  set -f
  set -- ${stat##*) }
  set +f
  echo "${20:-unknown}"
}

# Tells whether the process noted in a file still is that process.
lives() {
  [ -f "$1" ] || return 1
  read -r pid pid_born pid_boot <"$1" || return 1
  [ -d "/proc/$pid" ] || kill -0 "$pid" 2>/dev/null || return 1
  [ "$(born "$pid")" = "$pid_born" ] && [ "$(boot)" = "$pid_boot" ]
}

# The epoch test, the once-only mkdir and the record's own lock, as one.
claim() {
  exec 8>>"$base/.lock"
  lock 8
  seen=0
  [ ! -s "$base/.epoch.$store" ] || read -r seen <"$base/.epoch.$store"
  [ "$epoch" -ge "$seen" ] || refuse "epoch $epoch is older than $seen, which was seen here"
  if [ "$epoch" -gt "$seen" ]; then
    { echo "$epoch" >"$base/.epoch.new" && mv "$base/.epoch.new" "$base/.epoch.$store"; } ||
      refuse "record: nothing can be written in $base (disk full?)"
  fi
  if ! mkdir "$record" 2>/dev/null; then
    [ ! -d "$record" ] || refuse "already ran: its record is $record"
    refuse "record: $record cannot be made (disk full?)"
  fi
  exec 9>"$record/lock"
  lock 9
  { printf 'step %s epoch %s limit %s at %s\n' "$step" "$epoch" "$limit" "$(date +%s)" &&
    printf '%s\n' "$@"; } >"$record/intent" && printf '%s' "$input" >"$record/input" || {
    rm -rf "$record"
    refuse "record: $record cannot be written (disk full?)"
  }
  exec 8>&-
}

# What runs detached, in a session of its own; its variables begin with m_ and end before the step.
detached=$(
  cat <<'END'
note() {
  printf '%s %s %s\n' "$2" "$(
    { read -r stat <"/proc/$2/stat"; } 2>/dev/null || exit
    set -f
    set -- ${stat##*) }
    echo "${20:-unknown}"
  )" "$m_boot" >"$m_record/$1.new" && mv "$m_record/$1.new" "$m_record/$1"
}
# Output past the limit is read to its end and never closed, so the step does not die of SIGPIPE.
# dd byte by byte: head would hold back what came, and lose it with a daemon that keeps the pipe.
drain() {
  dd bs=1 count="$m_keep" >"$m_record/out.head" 2>/dev/null
  tail -c "$((m_keep + 1))" >"$m_record/out.tail"
}
# Waits for the reader, but 2 s at most: a daemon that the step left behind may hold the pipe on.
settle() {
  trap : USR1
  (sleep 2; kill -USR1 $$) 9>&- 2>/dev/null &
  timer=$!
  wait "$1"
  kill "$timer" 2>/dev/null
}
finish() {
  printf '%s %s %s\n' "$1" "$2" "$(date +%s)" >"$m_record/exit.new" &&
    mv "$m_record/exit.new" "$m_record/exit"
}
uptime() { { read -r up _ </proc/uptime; } 2>/dev/null && echo "${up%%.*}" || date +%s; }
note runner $$ 2>/dev/null
mkfifo "$m_record/pipe" && : >"$m_record/begun" || exit
sync "$m_record/begun" "$m_record" "${m_record%/*}" 2>/dev/null # it must outlive the power, too
[ ! -f "$m_record/killed" ] || { finish 137 killed; exit; }
drain <"$m_record/pipe" 6>&- 9>&- &
reader=$!
exec 7>"$m_record/pipe"
rm -f "$m_record/pipe"
(trap '' PIPE; printf '%s started\n' "$m_mark" >&6) 2>/dev/null # whoever asked may be gone
exec 6>&-
begun=$(uptime)
(
  umask 022
  cd "${m_cwd:-/}" 2>&7 || exit 125
  exec </dev/null
  [ -z "$m_feed" ] || exec <"$m_record/input"
  eval "$m_vars"
  unset m_record m_cwd m_feed m_keep m_limit m_boot m_vars m_mark OLDPWD
  exec setsid "$@" >&7 2>&7 7>&- 9>&-
) &
group=$!
note group "$group" 2>/dev/null
exec 7>&-
wait "$group"
code=$?
how=ended
[ "$(($(uptime) - begun))" -lt "$m_limit" ] || [ "$code" -lt 124 ] || how=deadline
[ ! -f "$m_record/killed" ] || how=killed
[ "$how" = ended ] || kill -s KILL -- "-$group" 2>/dev/null
settle "$reader"
finish "$code" "$how"
find "${m_record%/*}" -mindepth 1 -maxdepth 1 -type d -mtime +7 -exec rm -rf {} + 2>/dev/null
END
)

# Tells whether the machine has started anew since the record's runner began.
restarted() { [ -f "$record/runner" ] && read -r _ _ then <"$record/runner" && [ "$then" != "$(boot)" ]; }

report() {
  read -r code how ended <"$record/exit"
  if [ "$how" = ended ] && restarted; then how=restarted; fi
  say "finished $code $how $(($(wc -c 2>/dev/null <"$record/out.head" || echo 0)))"
  cat "$record/out.head" "$record/out.tail" 2>/dev/null
  exit 0
}

run() {
  claim "$@"
  set -- timeout -k 5 "$limit" "$@"
  if [ -n "$sudo" ] && [ "$(id -u)" != 0 ]; then set -- sudo -n -- "$@"; fi
  m_record=$record m_keep=$keep m_cwd=$cwd m_feed=$feed m_limit=$limit m_vars=$vars \
    m_boot=$(boot) m_mark=$mark \
    setsid sh -c "$detached" monitord-step "$@" 6>&1 </dev/null >/dev/null 2>&1 9>&9 &
  exec 9>&-
  wait $!
  [ ! -f "$record/exit" ] || report
  say "lost the runner ended before the step"
}

# Waits until nobody works on the record any more, until `latest` at most.
await() {
  if have flock && flock -w "$late" 9 2>/dev/null; then return; fi
  while [ ! -f "$record/exit" ] && [ "$(uptime)" -lt "$latest" ]; do
    lives "$record/runner" || lives "$record/group" || break
    sleep 1
  done
}

adopt() {
  exec 8>>"$base/.lock"
  lock 8
  [ -d "$record" ] || { say "never"; exit 0; }
  exec 9>>"$record/lock"
  if have flock && flock -n 9 && [ ! -f "$record/begun" ] && [ ! -f "$record/exit" ]; then
    # Nobody holds the record and the step was never begun: its name is given free again.
    rm -rf "$record"
    say "never"
    exit 0
  fi
  exec 8>&-
  [ -f "$record/exit" ] || say "started"
  latest=$(($(uptime) + late))
  await
  [ ! -f "$record/exit" ] || report
  while lives "$record/group" && [ "$(uptime)" -lt "$latest" ]; do sleep 1; done
  if lives "$record/group"; then say "lost it still runs, past its deadline"; exit 0; fi
  if restarted; then say "lost the machine restarted before the step ended"; exit 0; fi
  say "lost the runner was killed before the step ended"
}

# Sets groups to the process groups of a process and all below it (sudo and timeout make their own), and
# theirs when one of them is not ours to end.
look_below() {
  tree=" $1 " groups="-$1" theirs= before=
  [ -O "/proc/$1" ] || theirs=1
  while [ "$tree" != "$before" ]; do
    before=$tree
    for folder in /proc/[0-9]*; do
      { read -r stat <"$folder/stat"; } 2>/dev/null || continue
      set -f
      set -- ${stat##*) }
      set +f
      case $tree in *" ${folder#/proc/} "*) continue ;; *" $2 "*) ;; *) continue ;; esac
      tree="$tree${folder#/proc/} "
      [ -O "$folder" ] || theirs=1
      case " $groups " in *" -$3 "*) ;; *) groups="$groups -$3" ;; esac
    done
  done
  [ "$(id -u)" != 0 ] || theirs=
}

# Ends a step with all below it. KILL would end sudo alone and leave root's work behind: root does it, or
# TERM, which sudo passes on and timeout follows up with KILL after 5 s. Judged by what is left: not every
# shell's kill knows `--`, without which procps' own takes -12 for all processes.
end() {
  look_below "$1"
  if [ -z "$theirs" ]; then
    kill -s KILL -- $groups 2>/dev/null
  elif ! sudo -n -- kill -s KILL -- $groups >/dev/null 2>&1; then
    kill -s TERM "$1" 2>/dev/null
  fi
  latest=$(($(uptime) + 8))
  while lives "$record/group"; do
    [ "$(uptime)" -lt "$latest" ] || return 1
    sleep 1
  done
}

stop() {
  [ -d "$record" ] || { say "never"; exit 0; }
  touch "$record/killed"
  # A step that is just being begun has no group yet: look again.
  for look in 1 2 3; do
    [ ! -f "$record/exit" ] || break
    if lives "$record/group"; then
      read -r pid _ <"$record/group"
      end "$pid" || refuse "kill: it runs as root and sudo does not let us end it; its deadline will"
      break
    fi
    [ "$look" = 3 ] || sleep 1
  done
  say "stopped"
}

main() {
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
  export PATH LC_ALL
  [ ! -d "/run/user/$(id -u)" ] || export "XDG_RUNTIME_DIR=/run/user/$(id -u)"
  [ -n "$base" ] || base=$HOME/.monitord/runs
  record=$base/$store.$step
  umask 077
  { have setsid && have timeout; } || refuse "tools: setsid or timeout is missing on this machine"
  { mkdir -p "$base" && touch "$base/.lock"; } 2>/dev/null ||
    refuse "record: nothing can be written in $base (disk full, or not ours?)"
  case $mode in
    run) run "$@" ;;
    adopt) adopt ;;
    kill) stop ;;
  esac
}

main "$@"
