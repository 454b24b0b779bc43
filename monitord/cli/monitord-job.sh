#!/bin/sh
# monitord-job: runs a job and reports its start, end, exit code and the tail of its output to its ping
# URL, on hosts without Python. POSIX sh, with curl, wget or busybox; what `monitord job url` printed is
# the URL.
#
#   MONITORD_PING_URL=http://monitor:9750/ping/… monitord-job COMMAND [ARGUMENT…]
#   monitord-job --url URL COMMAND [ARGUMENT…]     (the URL then stands in the process list)
#   monitord-job --send                            (sends what could not be sent, e.g. from cron)
#
# The job's input, output and exit code stay its own, and nothing that goes wrong here becomes its
# failure: what cannot be sent is kept in $MONITORD_JOB_SPOOL and sent the next time, with its age.
# TERM, HUP, USR1 and USR2 are passed on; INT becomes TERM, since a shell's background job ignores it.

url=${MONITORD_PING_URL:-}
if [ "${1:-}" = --url ]; then
  url=${2:-}
  shift 2 2>/dev/null || shift $#
fi
[ "${1:-}" = -- ] && shift
unset MONITORD_PING_URL # it is a secret, and none of the job's business

spool=${MONITORD_JOB_SPOOL:-${HOME:-/var/tmp}/.monitord-job}
most=100 # reports kept; the oldest go first

complain() { printf 'monitord-job: %s\n' "$1" >&2 2>/dev/null || :; }

if [ $# -eq 0 ]; then
  complain 'give the command: monitord-job COMMAND [ARGUMENT…]'
  exit 2
fi

# deliver URL FILE: posts a file, in at most ten seconds. curl reads the URL from its input, where
# no process list shows it.
deliver() {
  if command -v curl >/dev/null 2>&1; then
    printf 'url = "%s"\n' "$1" |
      curl -fsS -m 10 -o /dev/null --data-binary "@$2" -K - >/dev/null 2>&1
  elif command -v wget >/dev/null 2>&1; then
    limited wget -q -O /dev/null --post-file="$2" "$1"
  elif command -v busybox >/dev/null 2>&1; then
    limited busybox wget -q -O /dev/null --post-file "$2" "$1"
  else
    return 1
  fi
}

limited() {
  "$@" >/dev/null 2>&1 &
  sent=$!
  { sleep 10; kill "$sent" 2>/dev/null; } >/dev/null 2>&1 &
  guard=$!
  wait "$sent"
  ended=$?
  kill "$guard" 2>/dev/null
  return "$ended"
}

# keep WORD FILE WHEN: writes a report into the spool, whole or not at all.
keep() {
  (
    umask 077
    mkdir -p "$spool" && draft=$spool/.$$.$1 &&
      { printf '%s\n%s\n' "$url" "$1"; cat "$2"; } >"$draft" &&
      mv "$draft" "$spool/$3.$$.$1"
  ) 2>/dev/null || complain "a report is lost: $spool cannot be written"
  set -- "$spool"/[0-9]*
  while [ $# -gt $most ]; do
    rm -f "$1"
    shift
  done
}

# send_kept: sends what waits, the oldest first, until one cannot be sent.
send_kept() {
  for kept in "$spool"/[0-9]*; do
    [ -f "$kept" ] || continue
    name=${kept##*/}
    { read -r to && read -r word; } <"$kept" || continue
    tail -n +3 "$kept" >"$kept.body" 2>/dev/null || return 1
    deliver "$to/$word?ago=$(($(date +%s) - ${name%%.*}))" "$kept.body"
    delivered=$?
    rm -f "$kept.body"
    if [ $delivered -ne 0 ] && [ $(($(date +%s) - ${name%%.*})) -lt 604800 ]; then
      return 1
    fi
    rm -f "$kept"
  done
}

# report WORD FILE WHEN: sends now, behind what is older, or keeps it.
report() {
  if [ -z "$url" ]; then
    complain 'MONITORD_PING_URL is not set: nobody is told'
  elif ! { send_kept && deliver "$url/$1" "$2"; }; then
    keep "$1" "$2" "$3"
  fi
}

if [ "$1" = --send ]; then
  send_kept
  exit $?
fi

work=$(mktemp -d 2>/dev/null) || work=
if [ -n "$work" ] && ! mkfifo "$work/out" "$work/err" "$work/both" 2>/dev/null; then
  rm -rf "$work"
  work=
fi

began=$(date +%s)
(report start /dev/null "$began") &
starting=$!

exec 3<&0
if [ -n "$work" ]; then
  { tail -c 10240 <"$work/both" >"$work/tail"; : >"$work/ended"; } 2>/dev/null &
  exec 4>"$work/both" # held open, or the tail ends with whichever output is closed first
  { tee "$work/both" <"$work/out"; : >"$work/out.ended"; } 3<&- 4>&- &
  { tee "$work/both" <"$work/err" >&2; : >"$work/err.ended"; } 3<&- 4>&- &
  "$@" <&3 >"$work/out" 2>"$work/err" 3<&- 4>&- &
else
  complain 'no room for its output: only how it ends is told'
  "$@" <&3 3<&- &
fi
job=$!
exec 3<&-
trap 'kill -TERM "$job" 2>/dev/null' TERM INT
trap 'kill -HUP "$job" 2>/dev/null' HUP
trap 'kill -USR1 "$job" 2>/dev/null' USR1
trap 'kill -USR2 "$job" 2>/dev/null' USR2

wait "$job"
code=$?
while kill -0 "$job" 2>/dev/null; do # a signal ended the waiting, not the job
  wait "$job"
  code=$?
done
ended=$(date +%s)

# A child that still writes keeps the tail open: it is not waited for longer than five seconds.
tries=0
until_there() {
  while [ $tries -lt 50 ] && ! [ -e "$1" ]; do
    sleep 0.1 2>/dev/null || { sleep 1 && tries=$((tries + 9)); }
    tries=$((tries + 1))
  done
}
if [ -n "$work" ]; then
  until_there "$work/out.ended"
  until_there "$work/err.ended"
  exec 4>&-
  until_there "$work/ended"
fi
wait "$starting" 2>/dev/null
if [ -n "$work" ]; then
  report "$code" "$work/tail" "$ended"
  if [ -e "$work/ended" ]; then
    rm -rf "$work"
  fi
else
  report "$code" /dev/null "$ended"
fi
exit "$code"
