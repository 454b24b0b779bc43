#!/bin/sh
# The lock on a login: a forced command for authorized_keys that takes what monitord asks and nothing
# else. Printed with its lists by `monitord locked-login HOST`, root's on the host, mode 0755.
# POSIX sh with awk and sha256sum.
#
# What comes over standard input is data with a program of ours behind (runner) or before it (facts).
# The program is known by its hash; the data may only be quoted words in their places, so that nothing
# of it is ever a command. Of the runner's orders only those are taken whose words are listed, too.
# $1 is what the key is for: read, act or both.

#LISTS

refuse() {
  printf 'monitord-locked: refused: %s\n' "$*"
  exit 126
}

hash() { sha256sum | { read -r sum _ && echo "$sum"; }; }

# Nothing is in no list: what could not be hashed is refused, whatever is listed.
among() {
  [ -n "$1" ] || return 1
  case " $2 " in *" $1 "*) ;; *) return 1 ;; esac
}

# Each line behind the facts' program is one call of a listed section with quoted words, or the end.
is_facts() {
  [ "$(sed -n 1p "$asked")" = '{' ] && [ "$(tail -n 1 "$asked")" = '} </dev/null' ] || return 1
  for known in $facts; do
    count=${known%%:*}
    [ "$(sed -n "2,$((count + 1))p" "$asked" | hash)" = "${known#*:}" ] && break
    count=''
  done
  [ -n "$count" ] || return 1
  word="([A-Za-z0-9@%+=:,./_-]|'[^']*'|\"'\")+"
  sed -n "$((count + 2)),\$p" "$asked" | sed '$d' | {
    while IFS= read -r line; do
      case $line in '' | wall_clock | nothing | "printf '%s done\\n' \"\$nonce\"") continue ;; esac
      printf '%s\n' "$line" | grep -Eqx "section $word $word ($functions)( $word)*" && continue
      among "$(printf '%s' "$line" | hash)" "$programs" || exit 1
    done
  }
}

# Splits a runner's order: prints what it asks, canonically, and at the end where the program begins.
order() {
  awk -v first="$runner_first" -v variables="$variables" '
    function bad() { failed = 1; exit }
    function simple(name) {
      if (name == "mode") return "(run|adopt|kill)"
      if (name == "mark") return "@monitord-[0-9a-f]+"
      if (name == "store" || name == "step") return "[A-Za-z0-9._-]+"
      if (name == "base") return ""
      if (name ~ /^(keep|epoch|limit|late)$/) return "[0-9]*"
      return "no"
    }
    !quoted && $0 == first { found = NR; exit }
    {
      line = $0
      at = 1
      if (!quoted) {
        opened = 0
        if (line ~ /^set --/) { name = "set"; at = 7 }
        else if (match(line, /^[a-z]+=/)) { name = substr(line, 1, RLENGTH - 1); at = RLENGTH + 1 }
        else bad()
      }
      while (1) {
        rest = substr(line, at)
        if (quoted) {
          end = index(rest, "\047")
          if (!end) break
          at += end
          quoted = 0
        } else if (rest == "") break
        else if (opened && substr(rest, 1, 3) == "\\\047\047") { at += 3; quoted = 1 }
        else if (name == "set" && substr(rest, 1, 2) == " \047") { at += 2; quoted = opened = 1 }
        else if (name != "set" && !opened && substr(rest, 1, 1) == "\047") { at++; quoted = opened = 1 }
        else bad()
      }
      if (name == "vars") {
        sub(/^vars=\047/, "", line)
        if (!quoted) sub(/\047$/, "", line)
        if (line != "" && line !~ ("^export (" variables ")=\047\\\\\047\047[^\047]*\047\\\\\047\047$")) bad()
      } else if (name ~ /^(sudo|cwd|feed|input|set)$/) {
        sub(/^input=\047monitord_step=[0-9]+( monitord_[a-z]+=[0-9]+)*$/, "input=\047monitord_step=", line)
        print line
      } else if (quoted || line !~ ("^" name "=\047" simple(name) "\047$")) bad()
      else if (name == "mode") print line
    }
    END { if (failed || !found) exit 1; print "program " found }' "$asked"
}

is_runner() {
  wanted=$(order) || return 1
  [ "$(sed -n "${wanted##*program },\$p" "$asked" | hash)" = "$runner" ] || return 1
  among "$(printf '%s\n' "$wanted" | sed '$d' | hash)" "$orders" ||
    refuse 'this step is on no ladder of the host (print the lock anew: monitord locked-login)'
}

main() {
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
  export PATH LC_ALL
  umask 077
  [ "${SSH_ORIGINAL_COMMAND:-}" = "$command" ] || refuse 'only monitord may ask here'
  # In memory where there is such a place: a full disk is to be seen and repaired as well.
  asked=$(mktemp -p /dev/shm 2>/dev/null || mktemp) || refuse 'no room for what was asked'
  trap 'rm -f "$asked"' EXIT
  head -c "$most" >"$asked"
  [ "$(wc -c <"$asked")" -lt "$most" ] || refuse 'too much was asked'
  # A shell leaves NULs out where some awks end the line: the two would read different texts.
  [ "$(tr -dc '\000' <"$asked" | wc -c)" -eq 0 ] || refuse 'no text of monitord holds a NUL'
  case $1 in
    read) is_listed || is_facts || refuse 'this is not what monitord looks with' ;;
    act) is_runner || refuse 'this is not what monitord acts with' ;;
    both) is_listed || is_facts || is_runner || refuse 'this is not of monitord' ;;
    *) refuse 'the lock is set up wrongly (read, act or both)' ;;
  esac
  exec 3<"$asked"
  rm -f "$asked"
  trap - EXIT
  exec env -i PATH="$PATH" LC_ALL=C HOME="$HOME" LOGNAME="$LOGNAME" USER="$LOGNAME" /bin/sh <&3 3<&-
}

# Probes' own scripts, whole and without secrets; before one may stand where its last look ended.
is_listed() {
  among "$(hash <"$asked")" "$scripts" && return
  sed -n 1p "$asked" | grep -Eqx "since='[A-Za-z0-9=;:,.+-]*'" || return 1
  among "$(sed 1d "$asked" | hash)" "$scripts"
}

main "$@"
