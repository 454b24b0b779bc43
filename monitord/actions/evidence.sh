# What a person would look up first, told by the host itself: read-only, POSIX sh, bounded parts.
# Called with what it is about and one argument; `monitord_since` is the instant of the first
# failure in seconds since the epoch. It needs what Debian's minbase brings; what is missing or may
# not be read is told in a line. No name that it meets is ever expanded, and none makes a line.

me=$(id -un 2>/dev/null || id -u)
now=$(date +%s)
since=${monitord_since:-0}
[ "$since" -gt 0 ] && [ "$since" -le "$now" ] || since=$((now - 3600))

has() { command -v "$1" >/dev/null 2>&1; }

# needs TOOL PACKAGE
needs() {
  has "$1" && return
  echo "($1 is not installed here; package $2 brings it)"
  return 1
}

heading() { printf '== %s\n' "$*"; }

moment() { date -d "@$1" '+%Y-%m-%d %H:%M:%S %Z'; }

# keep HEAD TAIL: the first and the last lines of standard input, each of 400 bytes at most.
keep() {
  awk -v first="$1" -v last="$2" '
    NR <= first { print substr($0, 1, 400); next }
    { ring[NR % last] = substr($0, 1, 400) }
    END {
      left = NR - first - last
      if (left > 0) print "[... " left " lines left out ...]"
      for (n = (left > 0 ? NR - last : first) + 1; n <= NR; n++) print ring[n % last]
      if (NR == 0) print "(nothing)"
    }'
}

# within SECONDS TOOL ARGUMENTS…: both its streams; says it when the time was over.
within() {
  limit=$1
  shift
  timeout -k 2 "$limit" "$@" 2>&1 </dev/null
  [ $? -ne 124 ] || echo "($1 was ended after $limit s)"
}

# one_name_a_line: records that end in a NUL become lines; a line end inside a name becomes a `?`.
one_name_a_line() { tr '\n\000' '?\n'; }

# processes cpu|memory COUNT: two samples of /proc two seconds apart, or one.
processes() {
  case $(grep ' /proc ' /proc/mounts) in
    *hidepid=*) echo "(/proc hides the processes of other users from $me)" ;;
  esac
  printf '%-7s %9s %-2s %-12s %s\n' PID "$([ "$1" = cpu ] && echo CPU% || echo MiB)" S USER COMMAND
  printf '%s\n' /proc/[0-9]*/stat | timeout -k 2 20 awk -v by="$1" \
    -v ticks="$(getconf CLK_TCK 2>/dev/null || echo 100)" \
    -v page="$(getconf PAGESIZE 2>/dev/null || echo 4096)" '
    # A name may hold a line end or a bracket: the fields stand behind the last bracket.
    function look(n, told,    line, all, at) {
      all = ""
      while ((getline line < file[n]) > 0) all = all line " "
      close(file[n])
      if (!match(all, /.*\) /)) return 0
      return split(substr(all, RLENGTH + 1), told, " ")
    }
    function number(path,    parts) { split(path, parts, "/"); return parts[3] }
    { file[NR] = $0 }
    END {
      if (by == "cpu") {
        for (n = 1; n <= NR; n++) if (look(n, told)) before[n] = told[12] + told[13] + 1
        system("sleep 2")
      }
      for (n = 1; n <= NR; n++) {
        if (!look(n, told)) continue
        if (by != "cpu") value = told[22] * page / 1048576
        else if (before[n]) value = (told[12] + told[13] + 1 - before[n]) * 50 / ticks
        else continue
        printf "%.1f %d %s\n", value, number(file[n]), told[1]
      }
    }' | sort -rn | head -n "$2" | while read -r value pid state; do
    owner=$(stat -c %U "/proc/$pid" 2>/dev/null) || continue # it has ended meanwhile
    words=$(tr '\000\n' '  ' 2>/dev/null <"/proc/$pid/cmdline" | head -c 200)
    [ -n "$words" ] || words="[$(tr '\n' '?' 2>/dev/null <"/proc/$pid/comm" | sed 's/?$//')]"
    printf '%-7s %9s %-2s %-12s %s\n' "$pid" "$value" "$state" "$owner" "$words"
  done
}

# stuck: processes that wait for a device, or whose parent does not ask for their end.
stuck() {
  for status in /proc/[0-9]*/status; do
    awk '/^Name:/ { name = $2 } /^State:/ { state = $2 } /^PPid:/ { parent = $2 }
      END { if (state == "D" || state == "Z") print state, FILENAME, name, "parent", parent }' \
      "$status" 2>/dev/null
  done | sed 's|/proc/\([0-9]*\)/status|\1|' | keep 15 5
}

cpu() {
  heading "load: $(cut -d' ' -f1-3 /proc/loadavg) on $(grep -c '^processor' /proc/cpuinfo) CPUs"
  if [ -r /proc/pressure/cpu ]; then cat /proc/pressure/cpu; fi 2>/dev/null
  heading 'processes by CPU, over 2 s'
  processes cpu 15
  heading 'processes that wait for a device (D) or for their parent (Z)'
  stuck
}

memory() {
  heading 'memory'
  grep -E '^(MemTotal|MemFree|MemAvailable|Cached|Shmem|SReclaimable|SUnreclaim|SwapTotal|SwapFree|Dirty|CommitLimit|Committed_AS):' /proc/meminfo
  heading 'processes by memory'
  processes memory 15
  heading "killed for want of memory since $(moment "$since")"
  kernel_log | grep -iE 'out of memory|oom-kill|oom_reaper' | keep 5 15
}

# sizes COUNT: records of `bytes, blank, text`, the largest first.
sizes() {
  sort -zrn | head -zn "$1" | one_name_a_line | awk '{
    size = $1; sub(/^[0-9]+[ \t]/, "")
    if (size >= 2 ^ 60) { print "(" $0 ")"; next }
    for (unit = 0; size >= 1024 && unit < 4; unit++) size /= 1024
    printf "%8.1f %s  %s\n", size, substr("B  KiBMiBGiBTiB", unit * 3 + 1, 3), substr($0, 1, 300)
  }'
}

# not_all TOOL CODE: the record that says of an unprivileged look that it saw less.
not_all() {
  case $2 in
    0) ;;
    124 | 137) printf '%s %s was ended by its time limit: what follows is not all\000' "$huge" "$1" ;;
    *) printf '%s %s may not read all of it: what follows is not all\000' "$huge" "$me" ;;
  esac
}
huge=1152921504606846976 # 2^60: sorts before every size

disk() {
  heading "filesystem of $1"
  within 5 df -PTh -- "$1"
  within 5 df -Pi -- "$1" | tail -n 1 | awk '{ print "inodes: " $3 " of " $2 " used (" $5 ")" }'
  heading 'largest folders, on this filesystem only'
  {
    timeout -k 2 20 du -x -0 -B1 -d 4 -- "$1" 2>/dev/null
    not_all du $?
  } | sizes 25
  heading 'largest files'
  {
    timeout -k 2 10 find "$1" -xdev -type f -size +10240k -printf '%s %TY-%Tm-%Td %p\0' 2>/dev/null
    not_all find $?
  } | sizes 15
  heading "files above 1 MiB written since $(moment "$since")"
  {
    timeout -k 2 10 find "$1" -xdev -type f -size +1024k -newermt "@$since" -printf '%s %p\0' 2>/dev/null
    not_all find $?
  } | sizes 15
  deleted
}

deleted() {
  heading 'deleted, but still open and taking space'
  [ "$(id -u)" -eq 0 ] || echo "($me may not see the open files of other users)"
  seen=
  timeout -k 2 10 find /proc/[0-9]*/fd -maxdepth 1 -type l -lname '/* (deleted)' \
    ! -lname '/memfd:*' ! -lname '/SYSV*' ! -lname '/dev/zero*' -printf '%p %l\0' 2>/dev/null |
    one_name_a_line | head -n 400 | while read -r descriptor name; do
    told=$(stat -L -c '%s %d:%i %F' "$descriptor" 2>/dev/null) || continue
    case $told in '0 '*) continue ;; *'regular'*) ;; *) continue ;; esac
    # One file is often held by many: the first of them will do.
    file=${told#* }
    file=${file%% *}
    case " $seen " in *" $file "*) continue ;; esac
    seen="$seen $file"
    owner=${descriptor#/proc/}
    owner=${owner%%/*}
    printf '%s held by %s (pid %s, descriptor %s): %s\000' "${told%% *}" \
      "$(tr '\n' '?' 2>/dev/null <"/proc/$owner/comm" | sed 's/?$//')" "$owner" "${descriptor##*/}" "$name"
  done | sizes 15 | keep 15 1
}

# journal_readable: journalctl tells an outsider nothing, and that as if there were nothing.
journal_readable() {
  has journalctl || return 1
  for file in /var/log/journal/*/system.journal /run/log/journal/*/system.journal; do
    [ -r "$file" ] && return
  done
  return 1
}

kernel_log() {
  if journal_readable; then
    within 10 journalctl -q -k --no-pager -o short-iso --since="@$((since - 300))"
  elif timeout -k 2 5 dmesg >/dev/null 2>&1; then
    within 5 dmesg --time-format iso
  else
    echo "($me may not read the kernel log; the groups adm and systemd-journal may)"
  fi
}

kernel() {
  heading "kernel log since 5 min before $(moment "$since")"
  kernel_log | keep 30 90
}

logs() {
  if has systemctl && [ -d /run/systemd/system ]; then
    heading "unit $1"
    within 10 systemctl status --no-pager --full --lines=0 -- "$1" | keep 30 5
  fi
  heading "log of $1 since 5 min before $(moment "$since")"
  if journal_readable; then
    within 10 journalctl -q --no-pager -o short-iso --since="@$((since - 300))" --unit="$1" | keep 40 80
  elif has journalctl; then
    echo "($me may not read the journal; the groups adm and systemd-journal may)"
  else
    echo '(there is no journal here)'
  fi
}

# listening FILE NAME: /proc/net/tcp as words; its addresses are hexadecimal words of the machine.
listening() {
  [ -r "$1" ] || return 0
  awk -v name="$2" '
    function decimal(text,    n, value) {
      value = 0
      for (n = 1; n <= length(text); n++)
        value = value * 16 + index("0123456789abcdef", tolower(substr(text, n, 1))) - 1
      return value
    }
    NR > 1 {
      split($2, place, ":")
      if ($4 == "0A") ports[decimal(place[2])] = 1
      count[$4]++
    }
    END {
      line = name " listens on:"
      for (port in ports) line = line " " port
      print line
      print name ": " (count["01"] + 0) " established, " (count["06"] + 0) " in TIME_WAIT, " \
        (count["08"] + 0) " in CLOSE_WAIT, " (count["02"] + 0) " in SYN_SENT"
    }' "$1"
}

sockets() {
  heading 'sockets by state'
  listening /proc/net/tcp tcp
  listening /proc/net/tcp6 tcp6
  cat /proc/net/sockstat
  if needs ss iproute2; then
    heading 'listening'
    within 5 ss -H -n -l -t -u -p | keep 40 10
    heading 'connections, the longest queues first'
    within 5 ss -H -n -t -p state connected | sort -k 3,3rn -k 2,2rn | keep 25 1
    [ "$(id -u)" -eq 0 ] || echo "($me may not see which process of another user holds a socket)"
  fi
}

routes() {
  if needs ip iproute2; then
    heading 'addresses'
    within 5 ip -br address | keep 20 5
    heading 'links: errors and drops'
    within 5 ip -s -br link | keep 20 5
    heading 'routes'
    within 5 ip route show | keep 25 5
    within 5 ip -6 route show | keep 10 5
    heading 'neighbours that do not answer'
    within 5 ip neigh show nud failed nud incomplete | keep 10 2
  else
    heading 'routes (hexadecimal, as the kernel writes them)'
    keep 25 5 </proc/net/route
  fi
  heading 'interfaces: bytes, packets, errors, drops (received, sent)'
  keep 20 5 </proc/net/dev
}

dns() {
  heading 'resolver'
  grep -vE '^[[:space:]]*(#|;|$)' /etc/resolv.conf 2>&1 | keep 10 2
  grep '^hosts:' /etc/nsswitch.conf 2>/dev/null
  heading "what $1 resolves to"
  began=$(date +%s%N)
  told=$(within 8 getent ahosts "$1")
  printf '%s\n' "${told:-(no address)}" | keep 10 2
  echo "after $((($(date +%s%N) - began) / 1000000)) ms"
  if has resolvectl; then
    heading 'resolvectl'
    within 5 resolvectl status --no-pager | keep 20 5
  fi
}

way() {
  heading "way to $1"
  if has traceroute; then
    within 30 traceroute -n -w 1 -q 1 -m 20 -- "$1" | keep 25 3
  elif has tracepath; then
    within 30 tracepath -n -m 20 "$1" | keep 25 3
  elif has mtr; then
    within 30 mtr -n -r -c 3 -- "$1" | keep 25 3
  else
    needs traceroute traceroute || :
  fi
  if has ip; then within 5 ip route get "$1"; fi
}

changed() {
  heading "what changed since an hour before $(moment "$since")"
  changes $((now - since + 3600)) "$me" | while IFS="$(printf '\t')" read -r at kind who text; do
    case $kind in
      now) continue ;;
      unread) printf '(%s)\n' "$text" ;;
      *) printf '%s  %-8s %-10s %s\n' "$(moment "$at")" "$kind" "$who" "$text" ;;
    esac
  done | keep 20 80
}

LC_ALL=C.UTF-8 # of the names that may stand here every Debian knows this one
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL PATH
"$@" </dev/null
exit 0
