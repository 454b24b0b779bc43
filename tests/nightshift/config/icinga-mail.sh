#!/bin/sh
# The mail to who is on call, kept in a file: instant, type, host/service, what the check said.
# usage: mail TYPE HOST SERVICE SERVICE_OUTPUT HOST_OUTPUT (of a host: no service)
printf '%s\t%s\t%s\t%s\n' "$(date +%s.%N)" "$1" "$2/${3:-reach}" "$(echo "${4:-$5}" | tr '\n\t' '  ')" \
    >>"$(dirname "$0")/mails"
