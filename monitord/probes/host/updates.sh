# What apt or dnf would install by the lists that are there: after look.sh. It fetches no lists, takes
# no lock and keeps no cache of its own.

newest_of() {
  newest=0
  for one in "$@"; do
    [ -e "$one" ] || continue
    changed=$(stat -L -c %Y -- "$one")
    [ "$changed" -le "$newest" ] || newest=$changed
  done
  told "lists $newest"
}

main() {
  if have apt-get; then
    told 'source apt'
    # Its server's time stands on a list; the folders tell when somebody last asked for them.
    newest_of /var/lib/apt/lists/partial /var/lib/apt/lists /var/lib/apt/periodic/update-success-stamp
    ask pending apt-get --simulate --quiet=2 --option=Debug::NoLocking=true --option=Dir::Cache::pkgcache= \
      --option=Dir::Cache::srcpkgcache= --option=APT::Get::Upgrade-Allow-New=true upgrade
  elif have dnf; then
    told 'source dnf'
    newest_of /var/cache/dnf/*.solv /var/cache/dnf/*/repodata /var/cache/libdnf5/*/repodata
    ask pending dnf --quiet --cacheonly check-update
    ask security dnf --quiet --cacheonly updateinfo list --updates --security
  else
    stop missing 'there is neither apt-get nor dnf'
  fi
}
