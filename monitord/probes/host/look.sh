# What each script that looks at a host begins with: frames.py reads it. POSIX sh, dash and busybox.
# It only reads. Each line of ours begins with a word that the kernel makes up anew, so that no text
# of the host (a log, a name) can forge one; what stands below such a line is the host's own.

told() { printf '\n%s %s\n' "$nonce" "$*"; }

# Gives up with a sentence; the first word (login, missing, plugin) says why it cannot be judged.
stop() {
  told "stop $*"
  told 'done'
  exit 0
}

have() { command -v "$1" >/dev/null 2>&1; }

# ask NAME TOOL…: what a tool says, and its exit code; what it complains of is stderr.
ask() {
  asked=$1
  shift
  told "begin $asked"
  "$@"
  told "end $asked $?"
}

look() {
  PATH=${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin
  LC_ALL=C TZ=UTC
  export PATH LC_ALL TZ
  read -r nonce </proc/sys/kernel/random/uuid
  printf '\nmonitord-look 1 %s\n' "$nonce"
  told "now $(date +%s)"
  main
  told 'done'
}
