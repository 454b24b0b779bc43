# Brings a PostgreSQL dump back into a database beside the live one, and compares the rows of both. The
# live one is only read, in read-only transactions. What it made and could not finish it drops again.
# POSIX sh, from standard input:
#   sh -s -- LOOK DUMP DATABASE SIDE LEAST BECOME SERVER PORT ROLE
# LEAST in percent of the live rows; empty arguments are as psql has them. monitord_step=N stands
# before it. With LOOK it only says whether it could begin.

say() { printf '%s\n' "database: $*"; }

fail() {
  [ -z "${made:-}" ] || ask postgres "drop database if exists \"$made\"" >/dev/null 2>&1
  say "$*" >&2
  exit 1
}

as() { if [ -n "$become" ] && [ "$(id -u)" = 0 ]; then runuser -u "$become" -- "$@"; else "$@"; fi; }

# Asks one database; rows are lines, fields are separated by tabs.
ask() {
  as psql -X -w -q -A -t -F '	' -v ON_ERROR_STOP=1 -d "$1" -c "$2" </dev/null
}

ask_read_only() {
  PGOPTIONS='-c default_transaction_read_only=on -c statement_timeout=600000' ask "$@"
}

# The kind of dump: restorable by pg_restore (a folder, a file), or SQL, or SQL under gzip.
kind_of_dump() {
  if [ -d "$dump" ]; then kind=folder; return; fi
  [ -s "$dump" ] || fail "there is no dump $dump, or it is empty"
  case $(head -c 5 -- "$dump" | tr -c 'A-Z' .) in
    PGDMP) kind=archive; return ;;
  esac
  if gzip -t -- "$dump" 2>/dev/null; then kind=gzip; return; fi
  if [ "$(tail -c +258 -- "$dump" | head -c 5)" = ustar ]; then kind=archive; return; fi
  kind=sql
}

sql() { if [ "$kind" = gzip ]; then gzip -dc -- "$dump"; else cat -- "$dump"; fi; }

# A dump of SQL may say where it goes by itself; such a one could reach the live database.
must_be_harmless() {
  case $kind in
    folder) as pg_restore --list -- "$dump" </dev/null >/dev/null 2>&1 ;;
    archive) as pg_restore --list <"$dump" >/dev/null 2>&1 ;;
    *)
      sql | head -c 4096 | grep -qi 'postgresql database dump' ||
        fail "$dump is not what pg_dump writes"
      ! sql | grep -qE '^\\(c|connect)([[:space:]]|$)|^(CREATE|DROP|ALTER) DATABASE ' ||
        fail "$dump names a database itself (pg_dump --create): it is not restored beside"
      sql | tail -c 200 | grep -q 'PostgreSQL database dump complete' ||
        fail "$dump has no end: it was cut short"
      ;;
  esac || fail "pg_restore cannot read $dump"
}

must_answer() {
  standby=$(ask postgres 'select pg_is_in_recovery()') || fail "PostgreSQL does not answer"
  [ "$standby" = f ] || fail "this PostgreSQL is a standby: nothing can be restored here"
}

# As much as the live one has, or five times the dump, must be free where the data lies.
must_have_room() {
  data=$(ask postgres 'show data_directory') && [ -d "$data" ] || return 0
  need=$(ask postgres "select pg_database_size('$live') / 1024" 2>/dev/null) ||
    need=$(du -sk -- "$dump" | awk '{ print $1 * 5 }')
  free=$(df -Pk -- "$data" | awk 'NR == 2 { print $4 }')
  [ "$free" -gt "$need" ] || fail "$data has $free KiB free, and the copy may need $need"
}

# Takes the first name that is free; one that an interrupted run of ours left is dropped.
choose_name() {
  name=$side number=2
  while :; do
    about=$(ask postgres "select coalesce(shobj_description(oid, 'pg_database'), '-')
      from pg_database where datname = '$name'") || fail "the databases cannot be listed"
    case $about in
      '') break ;;
      'monitord: unfinished'*) ask postgres "drop database \"$name\"" || fail "$name is in use" ;;
      *) name=${side}_$number number=$((number + 1)) ;;
    esac
  done
  side=$name
}

make_side() {
  like=$(ask postgres "select format('encoding %L lc_collate %L lc_ctype %L',
    pg_encoding_to_char(encoding), datcollate, datctype) from pg_database where datname = '$live'")
  ask postgres "create database \"$side\" template template0 $like" || fail "$side cannot be made"
  made=$side
  ask postgres "comment on database \"$side\" is 'monitord: unfinished, step $monitord_step'" ||
    fail "$side cannot be marked"
}

fill_side() {
  case $kind in
    folder) as pg_restore -w --exit-on-error --no-password -d "$side" -- "$dump" </dev/null ;;
    archive) as pg_restore -w --exit-on-error -d "$side" <"$dump" ;;
    *) sql | as psql -X -w -q -v ON_ERROR_STOP=1 -d "$side" >/dev/null ;;
  esac || fail "$dump could not be restored; nothing is left of it, and $live is as it was"
}

# Gives "rows TAB table" for each table of a database.
count() {
  each=$(ask_read_only "$1" "select string_agg(format('select count(*), %L from %I.%I',
    replace(schemaname || '.' || tablename, E'\n', '?'), schemaname, tablename), ' union all ')
    from pg_tables where schemaname not in ('pg_catalog', 'information_schema')") || return 1
  [ -z "$each" ] || ask_read_only "$1" "$each"
}

# Prints both counts of each table; the last line is the verdict.
compare() {
  there=$(count "$side") || fail "the rows of $side cannot be counted"
  [ -n "$there" ] || fail "the dump holds no table"
  here=$(count "$live" 2>/dev/null) || here=
  { printf '%s\n' "$here" | sed 's/^/live	/'; printf '%s\n' "$there" | sed 's/^/side	/'; } |
    awk -F '\t' -v least="$least" -v known="${here:+1}" '
      $2 == "" { next }
      { rows[$1 "\t" $3] = $2; names[$3] = 1; sum[$1] += $2 }
      END {
        for (name in names) {
          l = "live\t" name; s = "side\t" name
          printf "%-40s live %12s  restored %12s\n", name,
            (l in rows ? rows[l] : "-"), (s in rows ? rows[s] : "-") | "sort"
          if (l in rows && !(s in rows)) missing = missing " " name
        }
        close("sort")
        if (missing != "") { print "missing in the dump:" missing; exit 3 }
        if (known && sum["side"] * 100 < sum["live"] * least) {
          printf "only %d rows of %d came back\n", sum["side"], sum["live"]; exit 3
        }
        printf "%d rows came back%s\n", sum["side"],
          (known ? sprintf(", the live one has %d", sum["live"]) : "; the live one cannot be asked")
      }'
}

main() {
  look=$1 dump=$2 live=$3 side=$4 least=$5 become=$6
  [ -z "$7" ] || export PGHOST="$7"
  [ -z "$8" ] || export PGPORT="$8"
  [ -z "$9" ] || export PGUSER="$9"
  made=
  kind_of_dump
  must_be_harmless
  must_answer
  must_have_room
  [ -z "$look" ] || { say "$dump can be restored beside $live"; exit 0; }
  choose_name
  trap 'fail "was ended before it was whole; $live is as it was"' TERM INT HUP
  make_side
  fill_side
  compare || fail "what came back is not whole; it was dropped again, and $live is as it was"
  ask postgres "comment on database \"$side\" is 'restored by monitord, step $monitord_step'" ||
    fail "$side cannot be marked"
  say "$side is ready beside $live. To swap them, with nobody connected:"
  printf '%s\n' "  alter database \"$live\" rename to \"${live}_before\";" \
    "  alter database \"$side\" rename to \"$live\";"
}

main "$@"
