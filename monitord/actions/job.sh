# Says whether a job runs already, exit 1; it changes nothing. POSIX sh on Linux, from standard input:
#   sh -s -- PROGRAM ARGUMENT…
# A process is the job when its arguments end with the job's own: an interpreter, a wrapper or a lock
# may stand before them.

# Where /proc hides the processes of others (hidepid), nobody can say that it does not run.
if ! { read -r _ </proc/1/stat; } 2>/dev/null; then
  echo "whether it runs cannot be seen: /proc hides other users' processes from $(id -un) (hidepid=)"
  exit 1
fi

asked=$(printf '%s ' "$@" | tr '\n' ' ')
for folder in /proc/[0-9]*; do
  line=$({ tr '\0\n' '  ' <"$folder/cmdline"; } 2>/dev/null) || continue
  case " $line" in
    *" sh -s -- $asked") continue ;; # this very question, and what stands before it
    *" $asked")
      echo "it runs already: pid ${folder#/proc/}"
      exit 1
      ;;
  esac
done
echo "it does not run"
