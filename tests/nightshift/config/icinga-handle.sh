#!/bin/sh
# The event handler that the field's guides show: it acts when a service has failed three times in a
# row, and once more when Icinga is sure. What it did is written down for the night, since Icinga
# keeps no record of it (instant, host/service, exit code, command), and what it heard of as well.
# usage: handle HOST SERVICE STATE TYPE ATTEMPT ADDRESS REPAIR
here=$(dirname "$0")
[ "$3" = OK ] || printf '%s\t%s\n' "$(date +%s.%N)" "$1/$2" >>"$here/heard"
case "$3 $4 $5" in
    "CRITICAL SOFT 3" | "CRITICAL HARD "*) ;;
    *) exit 0 ;;
esac
code=0
case "$7" in
    http://*) curl -fsS -X POST -m 10 "$7" || code=$? ;;
    *)
        ssh -i "$here/key" -o "UserKnownHostsFile=$here/known_hosts" -o StrictHostKeyChecking=yes \
            -o BatchMode=yes -o ConnectTimeout=5 "monitord@$6" "$7" </dev/null || code=$?
        ;;
esac
printf '%s\t%s\t%s\t%s\n' "$(date +%s.%N)" "$1/$2" "$code" "$7" >>"$here/actions"
