# What docker or podman tells of all its containers: after look.sh, with tool (auto, docker, podman).

inspected='{"name":{{json .Name}},"id":{{json .ID}},"image":{{json .Config.Image}},"restarts":{{.RestartCount}}'
inspected=$inspected',"policy":{{json .HostConfig.RestartPolicy.Name}},"status":{{json .State.Status}}'
inspected=$inspected',"code":{{.State.ExitCode}},"oom":{{.State.OOMKilled}},"began":{{json .State.StartedAt}}'
inspected=$inspected',"ended":{{json .State.FinishedAt}},"why":{{json .State.Error}}'
inspected=$inspected',"health":{{if .State.Health}}{{json .State.Health.Status}}{{else}}""{{end}}}'

main() {
  if [ "$tool" = auto ]; then
    if have docker; then tool=docker; else tool=podman; fi
  fi
  have "$tool" || stop missing "there is no $tool (say tool: docker or podman if it is elsewhere on PATH)"
  ids=$("$tool" ps --all --quiet --no-trunc)
  told "end list $?"
  # shellcheck disable=SC2086 # ids hold no blanks
  [ -z "$ids" ] || ask containers "$tool" inspect --type container --format "$inspected" $ids
}
