# Says what stands in the way of a start, all of it in one line, exit 1; it changes nothing.
# POSIX sh, from standard input: sh -s -- UNIT MAY_RUN FOLDER OWNER FREE PORT
# Empty arguments are not asked. Without root it names a port's holder by its user instead of by name.

found=

no() { found="$found${found:+; }$*"; }

plain() { tr -c '\040-\176' '?'; }

# Gives one property of the unit.
property() { systemctl show --property="$1" --value -- "$unit" 2>/dev/null; }

look_at_unit() {
  command -v systemctl >/dev/null 2>&1 || { no "there is no systemctl"; return; }
  loaded=$(property LoadState) active=$(property ActiveState) file=$(property UnitFileState)
  case $loaded in
    loaded) ;;
    masked) no "$unit is masked: somebody does not want it to run"; return ;;
    *) no "$unit is ${loaded:-not known} to systemd"; return ;;
  esac
  case $file in disabled | masked*) no "$unit is $file: nobody wants it to run" ;; esac
  [ -z "$may_run" ] || return 0
  case $active in
    inactive | failed) ;;
    *) no "$unit is $active: only a stopped one is started" ;;
  esac
}

look_at_folder() {
  [ -d "$folder" ] || { no "$folder is not a folder"; return; }
  if [ -n "$owner" ]; then
    if ! id -u -- "$owner" >/dev/null 2>&1; then
      no "there is no user $owner"
    else
      look_at_owner
    fi
  fi
  if [ "$(id -u)" = 0 ] && [ ! -w "$folder" ]; then no "$folder is on a read-only filesystem"; fi
  [ -z "$free" ] || look_at_space
}

look_at_owner() {
  has=$(stat -L -c %U -- "$folder")
  if [ "$has" != "$owner" ]; then
    no "$folder belongs to $has, not to $owner"
    return
  fi
  case $(stat -L -c %A -- "$folder") in
    ??w*) ;;
    *) no "$owner may not write $folder" ;;
  esac
  other=$(foreign | head -n 1 | plain)
  [ -z "$other" ] || no "${other%"?"} does not belong to $owner"
}

# Gives what in the folder is somebody else's, but for root's marks that no server reads or writes:
# each filesystem has a lost+found, and the packages of MySQL and MariaDB note their version.
foreign() {
  find "$folder/." -maxdepth 1 ! -user "$owner" ! \( -user 0 \( -name 'lost+found' \
    -o -name 'debian-*.flag' -o -name 'mysql_upgrade_info' -o -name 'mariadb_upgrade_info' \) \) \
    2>/dev/null
}

look_at_space() {
  for what in space inodes; do
    option=-P
    [ "$what" = space ] || option=-Pi
    used=$(df "$option" -- "$folder" 2>/dev/null | awk 'NR == 2 { sub("%", "", $5); print $5 }')
    case $used in '' | *[!0-9]*) continue ;; esac
    [ $((100 - used)) -ge "$free" ] || no "the filesystem of $folder has $used % of its $what used"
  done
}

# Gives the process ids behind a socket's inode, as far as we may see them.
holders() {
  find /proc/[0-9]*/fd -maxdepth 1 -lname "socket:\[$1\]" 2>/dev/null | cut -d / -f 3 | sort -un
}

look_at_port() {
  hex=$(printf %04X "$port")
  listening=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    awk -v port=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10 ":" $8 }')
  for socket in $listening; do
    pids=$(holders "${socket%:*}")
    if [ -z "$pids" ]; then
      held_by_somebody "${socket#*:}"
      continue
    fi
    for pid in $pids; do
      ! ours "$pid" || continue
      no "port $port is held by $(plain 2>/dev/null <"/proc/$pid/comm" | sed 's/?$//') (pid $pid)"
      break
    done
  done
}

ours() {
  [ -n "$unit" ] || return 1
  if [ "$1" = 1 ]; then awaited; else grep -qF "/$unit" "/proc/$1/cgroup" 2>/dev/null; fi
}

# systemd itself holds the port for a unit that it starts at the first connection (Debian's MariaDB).
awaited() {
  [ -n "$unit" ] || return 1
  for socket_unit in $(property TriggeredBy); do
    case $socket_unit in *.socket) ;; *) continue ;; esac
    systemctl show --property=Listen --value -- "$socket_unit" 2>/dev/null |
      grep -qE "(^|:)$port \(Stream\)$" && return 0
  done
  return 1
}

# Of a process that we may not look into only its user is known.
held_by_somebody() {
  if [ -n "$may_run" ] && [ "$(property ActiveState)" = active ]; then return; fi
  if [ "$1" = 0 ] && awaited; then return; fi
  name=$(awk -F: -v id="$1" '$3 == id { print $1; exit }' /etc/passwd)
  no "port $port is held by a process of ${name:-user $1}"
}

main() {
  unit=$1 may_run=$2 folder=$3 owner=$4 free=$5 port=$6
  [ -z "$unit" ] || look_at_unit
  [ -z "$folder" ] || look_at_folder
  [ -z "$port" ] || look_at_port
  [ -n "$found" ] || { echo "ready"; exit 0; }
  printf '%s\n' "$found"
  exit 1
}

main "$@"
