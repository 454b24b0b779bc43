# What a host tells about itself, for facts_remote.py: read-only, POSIX sh, no bashisms.
# Works in dash and busybox ash. Nothing that a target wrote is ever expanded again; every line of
# ours carries a word that the kernel makes up anew for each run, so that no content can forge one.

# bounded SECONDS TOOL ARGUMENTS…: exit code 124 (busybox: 143) when the time is over. Empty: no limit.
bounded() {
  limit=$1
  shift
  if [ -n "$limit" ] && command -v timeout >/dev/null 2>&1; then
    timeout "$limit" "$@"
    ended=$?
    case $ended in
      124 | 143) echo "$1 gave no answer within $limit s" ;;
    esac
    return "$ended"
  fi
  "$@"
}

# section JSON BYTES FUNCTION ARGUMENTS…: run it, framed and cut off past BYTES.
section() {
  told=$1 most=$2
  shift 2
  printf '\n%s begin %s\n' "$nonce" "$told"
  {
    "$@" 2>&1
    printf '\n%s exit %s\n' "$nonce" "$?"
  } | head -c "$most"
  printf '\n%s end\n' "$nonce"
}

wall_clock() {
  printf '\n%s clock %s\n' "$nonce" "$(date +%s.%N)"
}

nothing() {
  :
}

# disk "PSEUDO TYPES" "NETWORK TYPES" SECONDS: statvfs numbers, a bar, the line of mountinfo.
disk() {
  while read -r id parent device root mount options rest; do
    case $rest in
      '- '*) tail=${rest#- } ;;
      *) tail=${rest#* - } ;;
    esac
    fstype=${tail%% *}
    case " $1 " in *" $fstype "*) continue ;; esac
    if [ "$fstype" = overlay ] && [ "$mount" != / ]; then continue; fi
    path=$mount
    case $mount in
      *\\*)
        path=$(printf '%s' "$mount" | sed 's/\\\([0-7][0-7][0-7]\)/\\0\1/g')
        path=$(printf '%b.' "$path")
        path=${path%.}
        ;;
    esac
    seconds=
    case " $2 " in *" $fstype "*) seconds=$3 ;; esac
    case $fstype in fuse*) seconds=$3 ;; esac
    space=$(bounded "$seconds" stat -f -c '%S %b %f %a %c %d' -- "$path" 2>&1) || {
      case $space in *'Permission denied' | *'No such file or directory') continue ;; esac
      space="error ${space##*: }"
    }
    case $space in *'
'*) space='error garbled' ;; esac
    printf '%s | %s %s %s %s %s %s %s\n' "$space" \
      "$id" "$parent" "$device" "$root" "$mount" "$options" "$rest"
  done </proc/self/mountinfo
}

memory() {
  while read -r name value unit; do
    case $name in
      MemTotal: | MemFree: | MemAvailable: | Buffers: | Cached: | SwapTotal: | SwapFree:)
        echo "$name $value"
        ;;
    esac
  done </proc/meminfo
}

load() {
  read -r averages </proc/loadavg
  cpus=
  if [ -r /sys/devices/system/cpu/online ]; then
    read -r cpus </sys/devices/system/cpu/online
  fi
  echo "$averages"
  echo "${cpus:-$(grep -c '^processor' /proc/cpuinfo)}"
}

# process LONGEST: names and commands in two lists, since either may hold blanks.
process() {
  if ps -e -o pid= -o state= -o user:64= -o rss= -o etimes= -o comm= 2>/dev/null; then
    echo "$nonce commands"
    # Twice the length: the first blanks are ps's own, and a character may take several bytes.
    ps -e -ww -o pid= -o args= | cut -b "1-$1"
  else
    process_by_hand "$1"
  fi
}

# Without procps: /proc itself, one fork per process.
process_by_hand() {
  read -r up rest </proc/uptime
  echo "$nonce by hand ${up%%.*} $(getconf CLK_TCK 2>/dev/null || echo 100) $(getconf PAGESIZE 2>/dev/null || echo 4096)"
  for folder in /proc/[0-9]*; do
    # A name may hold a line end: all of the file becomes one line.
    stat=$(tr '\n' ' ' <"$folder/stat") || continue
    [ -n "$stat" ] || continue
    owner=$(stat -c '%U %u' "$folder") || continue
    command=$(tr '\000\n' '  ' <"$folder/cmdline" | head -c "$1")
    printf '%s\n%s\n%s\n' "$owner" "$stat" "$command"
  done 2>/dev/null # processes that end meanwhile are no news
}

# In a chroot systemctl answers every question with success and nothing.
booted() {
  [ -d /run/systemd/system ] || {
    echo "systemd does not run here (there is no /run/systemd/system)"
    return 1
  }
}

# unit PROPERTIES SECONDS NAMES…
unit() {
  booted || return
  properties=$1 seconds=$2
  shift 2
  bounded "$seconds" systemctl show --no-pager --property="$properties" -- "$@"
}

failed_units() {
  booted || return
  bounded "$1" systemctl list-units --all --failed --plain --no-legend --no-pager --full
}

# program SECONDS ARGV…: exit code 3 says that one is not running, which is what we ask.
program() {
  seconds=$1
  shift
  bounded "$seconds" "$@" status
  ended=$?
  [ "$ended" -eq 3 ] || return "$ended"
}

clock() {
  bounded "$1" timedatectl show --property=NTPSynchronized 2>/dev/null || :
}

# newest PATTERN: the newest path that it matches. IFS is empty, so that blanks do not split it.
newest() {
  found=
  for candidate in $1; do
    [ -e "$candidate" ] || continue
    if [ -z "$found" ] || [ "$candidate" -nt "$found" ]; then found=$candidate; fi
  done
}

# file HASH SECONDS PATHS…: one line each, in their order; names only as hexadecimal digits.
file() {
  hash=$1 seconds=$2 hex= sum=
  shift 2
  now=$(date +%s)
  for path in "$@"; do
    found=$path hex=- sum=-
    case $path in
      *[*?[]*)
        before=$IFS
        IFS=
        newest "$path"
        IFS=$before
        [ -n "$found" ] || {
          echo missing
          continue
        }
        hex=$(printf '%s' "$found" | od -An -v -tx1 | tr -d ' \n')
        ;;
    esac
    told=$(stat -L -c '%f %s %Y %u %U' -- "$found" 2>&1) || {
      case $told in
        *'No such file or directory' | *'Not a directory') echo missing ;;
        *) printf 'error %s\n' "${told##*: }" ;;
      esac
      continue
    }
    if [ "$hash" = yes ] && [ -f "$found" ]; then
      sum=$(bounded "$seconds" sha256sum <"$found" 2>&1) || sum=failed
      sum=${sum%% *}
    fi
    echo "ok $now $told $hex $sum"
  done
}

# kernel BYTES GROUPS…: texts of the kernel's own files; facts_kernel.py lists them in kernel_files.
kernel() {
  longest=$1
  shift
  for group in "$@"; do
    case " $kernel_groups " in *" $group "*) continue ;; esac
    echo "there is no group '$group' of kernel files"
    return 1
  done
  for group in uptime "$@"; do
    kernel_files "$group"
  done
}

whole() {
  for path in "$@"; do
    [ -r "$path" ] || continue
    printf '\n%s file %s\n' "$nonce" "$path"
    head -c "$longest" "$path" 2>/dev/null
  done
  return 0
}

# small FILES…: without a fork, for there can be hundreds. Some exist and refuse to be read.
small() {
  for path in "$@"; do
    [ -r "$path" ] || continue
    printf '\n%s file %s\n' "$nonce" "$path"
    while IFS= read -r line || [ -n "$line" ]; do
      printf '%s\n' "$line"
    done 2>/dev/null <"$path"
  done
  return 0
}

# Messages in English, and letters beyond ASCII as they are, where the host knows that locale.
unset LC_ALL LC_MESSAGES LANGUAGE
LANG=C LC_CTYPE=C.UTF-8
PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
export LANG LC_CTYPE PATH
unset IFS
read -r nonce </proc/sys/kernel/random/uuid
read -r boot_id </proc/sys/kernel/random/boot_id
read -r uptime rest </proc/uptime
printf '\nmonitord-facts 1 %s\n%s boot %s %s\n' "$nonce" "$nonce" "$boot_id" "$uptime"
