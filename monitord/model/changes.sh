# changes SECONDS USERS…: what was done to this host in the last SECONDS, oldest first: read-only,
# POSIX sh. A line each: instant (seconds since the epoch), kind, who, text; tabs between them. The
# kind `now` gives the host's own clock, `unread` says what may not be read. Sessions without a
# terminal of USERS are monitord's own and left out; `.` leaves out all that the own user does.

changes() {
  now=$(date +%s)
  since=$((now - $1))
  shift
  me=$(id -un 2>/dev/null || id -u)
  own=" $* " self=
  case $own in *' . '*) self=$me ;; esac
  printf '%s\tnow\t-\t-\n' "$now"
  {
    changed_by_last
    changed_by_log
    changed_terminals
    changed_packages
    changed_files
    changed_units
    changed_boot
  } 2>/dev/null | awk -F '\t' -v own="$own" -v self="$self" '
    NF >= 4 && !($3 == self && self != "") {
      # The fifth field says that there was no terminal: what our own steps look like.
      if ($5 == "-" && index(own, " " $3 " ")) next
      print substr($1 "\t" $2 "\t" $3 "\t" $4, 1, 400)
    }' | sort -n | tail -n 150
}

changed_unread() { printf '%s\tunread\t-\t%s\t+\n' "$now" "$1"; }

# Terminals only: sshd writes no record of a session that just runs a command.
changed_by_last() {
  command -v last >/dev/null || return 0
  [ -r /var/log/wtmp ] || return 0
  TZ=UTC timeout 5 last -w -n 300 --time-format iso </dev/null | TZ=UTC awk -v since="$since" '
    $1 == "reboot" || $1 == "shutdown" || $1 == "runlevel" { next }
    $1 == "wtmp" && $2 == "begins" { next } # its last line; wtmp is new after each rotation
    match($0, /[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9:]+/) {
      at = substr($0, RSTART, RLENGTH)
      gsub(/[-T:]/, " ", at)
      at = mktime(at)
      if (at < since) next
      from = (NF > 3 && $3 !~ /^[0-9][0-9][0-9][0-9]-/) ? " from " $3 : ""
      printf "%d\tlogin\t%s\tlogged in on %s%s\t+\n", at, $1, $2, from
    }'
}

# changed_log: lines that begin with an instant in seconds, from the journal or from auth.log.
changed_log() {
  for file in /var/log/journal/*/system.journal /run/log/journal/*/system.journal; do
    [ -r "$file" ] || continue
    timeout 10 journalctl -q --no-pager -o short-unix --since="@$since" \
      -t sshd -t sshd-session -t sudo -t su -t login </dev/null | tail -n 4000
    return
  done
  if [ -r /var/log/auth.log ]; then
    tail -n 4000 /var/log/auth.log | awk -v since="$since" -v year="$(date +%Y)" '
      BEGIN {
        split("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec", name, " ")
        for (n in name) month[name[n]] = n
      }
      /^[0-9][0-9][0-9][0-9]-/ {
        at = substr($1, 1, 19)
        gsub(/[-T:]/, " ", at)
        at = mktime(at)
        sub(/^[^ ]+/, "")
      }
      $1 in month && $3 ~ /:/ {
        at = $3
        gsub(/:/, " ", at)
        at = mktime(year " " month[$1] " " $2 " " at)
        sub(/^[^ ]+ +[^ ]+ +[^ ]+/, "")
      }
      at >= since { print at $0 }'
    return
  fi
  case $(id -u) in
    0) changed_unread 'logins and sudo: there is neither a journal nor an auth.log' ;;
    *) changed_unread "logins and sudo: $me may read no journal or auth.log (groups systemd-journal and adm may)" ;;
  esac
}

changed_by_log() {
  changed_log | awk '
    /\tunread\t/ { print; next }
    {
      at = int($1)
      text = $0
      sub(/^[^ ]+ +[^ ]+ +[^:]*: */, "", text)
    }
    / sshd(-session)?\[[0-9]+\]: Accepted / {
      split(text, word, " ")
      printf "%d\tlogin\t%s\tlogged in over SSH from %s (%s)\t-\n", at, word[4], word[6], word[2]
    }
    / sudo(\[[0-9]+\])?: / && text ~ / ; COMMAND=/ {
      who = text
      sub(/ .*/, "", who)
      command = text
      sub(/.* ; COMMAND=/, "", command)
      refused = text ~ /not allowed|NOT in sudoers|incorrect password/ ? " (refused)" : ""
      gsub(/\t/, " ", command)
      tty = text ~ /TTY=(pts|tty)/ ? "+" : "-"
      printf "%d\tsudo\t%s\tran sudo%s: %s\t%s\n", at, who, refused, command, tty
    }
    / su(\[[0-9]+\])?: \(to / {
      split(text, word, " ")
      to = word[2]
      sub(/\)/, "", to)
      printf "%d\tsudo\t%s\tbecame %s by su\t+\n", at, word[3], to
    }'
}

# A terminal is read when somebody types: its access time, and its owner.
changed_terminals() {
  for terminal in /dev/pts/[0-9]* /dev/tty[1-9]; do
    [ -e "$terminal" ] || continue
    stat -c '%X %U' "$terminal" | while read -r at who; do
      case $terminal in /dev/tty*) [ "$who" != root ] || continue ;; esac
      [ "$at" -lt "$since" ] ||
        printf '%s\tsession\t%s\ttyped something on %s\t-\n' "$at" "$who" "${terminal#/dev/}"
    done
  done
}

# What asked for it (apt's history), and what became of which package (dpkg's log); local times.
changed_packages() {
  from=$(date -d "@$since" '+%Y-%m-%d %H:%M:%S')
  for log in /var/log/apt/history.log /var/log/dpkg.log; do
    [ ! -e "$log" ] || [ -r "$log" ] || changed_unread "packages: $me may not read $log"
  done
  if [ -r /var/log/apt/history.log ]; then
    tail -n 2000 /var/log/apt/history.log | awk -v from="$from" '
      function instant(text) { gsub(/[-: ]+/, " ", text); return mktime(text) }
      /^Start-Date: / { at = $2 " " $3; line = ""; who = "-" }
      /^Commandline: / { line = substr($0, 14) }
      /^Requested-By: / { who = $2 }
      /^End-Date: / && at >= from && line != "" {
        gsub(/\t/, " ", line)
        printf "%d\tpackage\t%s\tran %s\t+\n", instant(at), who, line
      }'
  fi
  for log in /var/log/dpkg.log.1 /var/log/dpkg.log; do
    [ ! -r "$log" ] || tail -n 8000 "$log"
  done | awk -v from="$from" '
    function instant(text) { gsub(/[-: ]+/, " ", text); return mktime(text) }
    ($1 " " $2) >= from && $3 ~ /^(install|upgrade|remove|purge)$/ {
      versions = $5 == "<none>" ? $6 : $5 " to " $6
      if ($3 == "remove" || $3 == "purge") versions = $5
      printf "%d\tpackage\t-\t%s %s %s\t+\n", instant($1 " " $2), $3, $4, versions
    }' | tail -n 40
}

# By the time of the last change of the inode: it shows a copy that kept its old dates, too.
changed_files() {
  folders=
  for folder in /etc /usr/local/etc /var/spool/cron; do
    [ ! -d "$folder" ] || folders="$folders $folder"
  done
  # The folders are three fixed words.
  told=$(timeout 10 find $folders -xdev -type f -newerct "@$since" ! -name '*-' ! -name ld.so.cache \
    -printf '%C@ %u %p\0' 2>/dev/null | tr '\n\t\000' '??\n' | sort -rn | head -n 40)
  [ -z "$told" ] || printf '%s\n' "$told" | while read -r at who path; do
    kind=file
    case $path in */cron* | *crontab*) kind=crontab ;; esac
    printf '%s\t%s\t-\t%s was written (it belongs to %s)\t+\n' "${at%%.*}" "$kind" "$path" "$who"
  done
  if [ -d /var/spool/cron/crontabs ] && [ ! -r /var/spool/cron/crontabs ]; then
    changed_unread "crontabs: $me may not read /var/spool/cron/crontabs"
  fi
}

# Services that came up or went down; what runs and ends all the time (oneshot) is no news. systemd
# forgets a unit that nothing refers to as soon as it is stopped: then only the journal knows.
changed_units() {
  [ -d /run/systemd/system ] || return 0
  timeout 10 journalctl -q --no-pager -o short-unix --since="@$since" -t systemd </dev/null | awk '
    match($0, / systemd\[1\]: Stopped [^ ]+\.service/) {
      id = substr($0, RSTART, RLENGTH)
      sub(/.* /, "", id)
      if (id !~ /^user(-runtime-dir)?@/) printf "%d\tunit\t-\t%s was stopped\t+\n", $1, id
    }' | tail -n 30
  read -r up rest </proc/uptime
  timeout 10 systemctl show --no-pager --property=Id,Type,ActiveState,Result \
    --property=ActiveEnterTimestampMonotonic,InactiveEnterTimestampMonotonic '*.service' </dev/null |
    awk -v now="$now" -v since="$since" -v up="${up%%.*}" '
      function instant(micros) { return int(now - up + micros / 1000000) }
      function tell(    at) {
        if (id ~ /^(user@|user-runtime-dir@|systemd-(hostnamed|timedated|localed|machined))/) return
        if (id == "" || type == "oneshot") return
        at = instant(state == "active" ? entered : left)
        if (at < since || (state == "active" ? entered : left) == 0) return
        # What came up with the machine is told by the boot.
        if (state == "active" && entered < 120000000) return
        if (state == "active") print at "\tunit\t-\t" id " was started\t+"
        if (state == "inactive") print at "\tunit\t-\t" id " was stopped\t+"
        if (state == "failed") print at "\tunit\t-\t" id " failed (" result ")\t+"
      }
      /^Id=/ { id = substr($0, 4) }
      /^Type=/ { type = substr($0, 6) }
      /^ActiveState=/ { state = substr($0, 13) }
      /^Result=/ { result = substr($0, 8) }
      /^ActiveEnterTimestampMonotonic=/ { entered = substr($0, 31) + 0 }
      /^InactiveEnterTimestampMonotonic=/ { left = substr($0, 33) + 0 }
      /^$/ { tell(); id = type = state = result = ""; entered = left = 0 }
      END { tell() }' | sort -n | tail -n 30
}

changed_boot() {
  read -r up rest </proc/uptime
  at=$((now - ${up%%.*}))
  [ "$at" -lt "$since" ] || printf '%s\treboot\t-\tthe machine was started\t+\n' "$at"
}
