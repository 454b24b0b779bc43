# Ends the one process that is sick, or none. It is found by its name and by what is wrong with it, and
# held on to by pid, start time and name: before each signal all three must still be the same.
# POSIX sh on Linux, from standard input: sh -s -- LOOK NAME USER OLDER RSS CPU GRACE
# OLDER and GRACE in seconds, RSS in KiB, CPU in percent of one core; empty ones are not asked. With
# LOOK it only tells. Exit 1 when it is not exactly one, or when it did not end.

say() { printf '%s\n' "process: $*"; }
fail() { say "$*" >&2; exit 1; }
uptime() { read -r up _ </proc/uptime && echo "${up%%.*}"; }

# Sets state, parent, ticks (of CPU so far) and born (in ticks since boot) of a process.
read_stat() {
  { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 1
  set -f
  # shellcheck disable=SC2086 # the fields behind the name
  set -- ${line##*) }
  set +f
  state=$1 parent=$2 ticks=$((${12} + ${13})) born=${20}
}

named() { { read -r comm <"/proc/$1/comm"; } 2>/dev/null && [ "$comm" = "$name" ]; }

resident() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status" 2>/dev/null; }

# Whether it is the process that was found, and not another that has its number by now.
same() { read_stat "$pid" && [ "$born" = "$was_born" ] && [ "$state" != Z ] && named "$pid"; }

# Whether a process meets all conditions but the CPU's.
sick() {
  named "$1" && [ "$1" != 1 ] && [ "$1" != $$ ] && read_stat "$1" || return 1
  [ "$parent" != 2 ] && [ "$state" != Z ] || return 1 # the kernel's own, or dead already
  [ -z "$user" ] || [ "$(stat -c %U "/proc/$1" 2>/dev/null)" = "$user" ] || return 1
  [ -z "$older" ] || [ $(($(uptime) - born / second)) -gt "$older" ] || return 1
  [ -z "$rss" ] || [ "$(resident "$1" || echo 0)" -gt "$rss" ] || return 1
}

find_sick() {
  found=
  for folder in /proc/[0-9]*; do
    number=${folder#/proc/}
    ! sick "$number" || found="$found $number:$born:$ticks"
  done
  [ -z "$cpu" ] || [ -z "$found" ] || keep_the_busy
}

# Two samples, two seconds apart.
keep_the_busy() {
  sleep 2
  busy=
  for one in $found; do
    number=${one%%:*} rest=${one#*:}
    read_stat "$number" && [ "$born" = "${rest%:*}" ] || continue
    [ $(((ticks - ${rest#*:}) * 100 / second / 2)) -lt "$cpu" ] || busy="$busy $one"
  done
  found=$busy
}

describe() {
  printf 'pid %s (%s of %s, for %s s, %s KiB, state %s)' "$pid" "$name" \
    "$(stat -c %U "/proc/$pid" 2>/dev/null)" "$(($(uptime) - born / second))" \
    "$(resident "$pid")" "$state" | tr -c '\040-\176' '?'
}

# Sends a signal and waits until it is gone; fails when it is still there after GRACE.
send() {
  same || return 0
  kill -s "$1" "$pid" 2>/dev/null || { same && fail "$who cannot be sent $1 (sudo: yes?)"; }
  end=$(($(uptime) + grace))
  while same; do
    [ "$(uptime)" -lt "$end" ] || return 1
    sleep 0.2 2>/dev/null || sleep 1
  done
}

main() {
  look=$1 name=$2 user=$3 older=$4 rss=$5 cpu=$6 grace=$7
  second=$(getconf CLK_TCK 2>/dev/null || echo 100)
  find_sick
  # shellcheck disable=SC2086 # pid:born:ticks, no blanks within
  set -- $found
  [ $# -gt 0 ] || fail "no process $name is what was asked for"
  [ $# -eq 1 ] || fail "$# processes $name are what was asked for; only exactly one is ended"
  pid=${1%%:*} rest=${1#*:}
  was_born=${rest%:*}
  same || fail "pid $pid has ended meanwhile"
  who=$(describe)
  [ "$state" != D ] || fail "$who waits in the kernel (state D): no signal ends it"
  [ -z "$look" ] || { say "it is $who"; exit 0; }
  ! send TERM || { say "$who ended on TERM"; exit 0; }
  ! send KILL || { say "$who ended on KILL: it did not answer TERM in $grace s"; exit 0; }
  fail "$who is still there after KILL"
}

main "$@"
