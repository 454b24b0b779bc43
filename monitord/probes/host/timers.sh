# What systemd says of its timers, and of the units that they start: after look.sh. `asked` calls
# `timers` with unit names or `*.timer`.

timers() {
  have systemctl || stop missing 'there is no systemctl: it has no systemd timers'
  told 'begin timers'
  systemctl show --all --property=Id,Unit,LoadState,ActiveState,SubState,UnitFileState,Result \
    --property=LastTriggerUSec,NextElapseUSecRealtime,NextElapseUSecMonotonic -- "$@"
  code=$?
  told "end timers $code"
  [ "$code" -eq 0 ] || return
  set -f
  # shellcheck disable=SC2046 # names of units hold no blanks
  set -- $(systemctl show --property=Unit --value -- "$@")
  set +f
  [ "$#" -gt 0 ] || return
  ask units systemctl show --property=Id,ActiveState,SubState,Result,ExecMainStatus,ActiveEnterTimestamp \
    --property=InactiveExitTimestamp -- "$@"
}

main() { asked; }
