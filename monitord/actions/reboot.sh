# Says why this machine should not be restarted now, all of it in one line, exit 1; changes nothing.
# POSIX sh, from standard input, without root: sh -s -- SECONDS_UP

found=

no() { found="$found${found:+; }$*"; }

look_at_systemd() {
  command -v systemctl >/dev/null 2>&1 || { no "there is no systemctl"; return; }
  case $(systemctl is-system-running 2>/dev/null) in
    starting | initializing) no "it is still starting" ;;
    stopping) no "it is shutting down already" ;;
  esac
}

# In a container the kernel's time says nothing; pid 1 is as old as the machine. Both are counted from
# the boot: neither a step of the clock nor a fresh inode of /proc makes it younger or older.
look_at_age() {
  read -r up _ </proc/uptime
  up=${up%%.*}
  { read -r stat </proc/1/stat; } 2>/dev/null || stat=
  set -f
  # shellcheck disable=SC2086 # the fields behind the name
  set -- ${stat##*) }
  set +f
  age=$((up - ${20:-0} / $(getconf CLK_TCK 2>/dev/null || echo 100)))
  [ "$age" -ge 0 ] || age=$up # a container that shows its own uptime
  [ "$age" -ge "$least" ] || no "it was started only $age s ago: another restart will not help"
}

look_at_packages() {
  for folder in /proc/[0-9]*; do
    { read -r name <"$folder/comm"; } 2>/dev/null || continue
    case $name in
      dpkg | apt-get | apt | rpm | dnf | yum | zypper | pacman)
        no "$name (pid ${folder#/proc/}) works on packages"
        return
        ;;
    esac
  done
}

look_at_disks() {
  if grep -qE 'recovery|resync|reshape|check' /proc/mdstat 2>/dev/null; then no "a RAID is rebuilt"; fi
  ! awk '$2 == "/" { o = $4 } END { exit o !~ /^ro(,|$)/ }' /proc/mounts ||
    no "its root is read-only: a disk may be failing, and it may not come back"
}

look_at_people() {
  who=$(who 2>/dev/null | awk 'NR == 1 { print $1 " (" $2 ")" }' | tr -cd '\040-\176')
  [ -z "$who" ] || no "$who is logged in"
}

least=$1
look_at_systemd
look_at_age
look_at_packages
look_at_disks
look_at_people
[ -n "$found" ] || { echo "nothing speaks against a restart"; exit 0; }
printf '%s\n' "$found"
exit 1
