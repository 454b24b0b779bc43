# What kubectl tells of a cluster: after look.sh, with kubeconfig, context, server, what (words), and
# namespaces (words; empty: all). Columns hold no blanks; it only gets.

from_cluster() {
  set -- "$@" --no-headers --request-timeout=15s
  [ -z "$context" ] || set -- "$@" --context "$context"
  ask "$part" kubectl "$@"
}

list() {
  kinds=$1 columns=$2
  if [ -z "$namespaces" ]; then
    part=$3 from_cluster get "$kinds" --all-namespaces -o "custom-columns=$columns"
    return
  fi
  for one in $namespaces; do
    part=$3 from_cluster get "$kinds" --namespace "$one" -o "custom-columns=$columns"
  done
}

main() {
  have kubectl || stop missing 'there is no kubectl (apt install kubernetes-client, or its own package)'
  if [ -n "$kubeconfig" ]; then
    [ -r "$kubeconfig" ] || stop login "$kubeconfig cannot be read by the reading login"
    KUBECONFIG=$kubeconfig
    export KUBECONFIG
  fi
  place='NS:.metadata.namespace,NAME:.metadata.name'
  for one_of in $what; do
    case $one_of in
      nodes)
        part=nodes from_cluster get nodes -o 'custom-columns=NAME:.metadata.name,OFF:.spec.unschedulable,TRUE:.status.conditions[?(@.status=="True")].type,UNKNOWN:.status.conditions[?(@.status=="Unknown")].type'
        ;;
      workloads)
        list deployments,statefulsets "KIND:.kind,$place,WANT:.spec.replicas,READY:.status.readyReplicas" workloads
        list daemonsets "KIND:.kind,$place,WANT:.status.desiredNumberScheduled,READY:.status.numberReady" workloads
        ;;
      pods)
        list pods "$place,PHASE:.status.phase,WHY:.status.containerStatuses[*].state.waiting.reason,LAST:.status.containerStatuses[*].lastState.terminated.reason,RESTARTS:.status.containerStatuses[*].restartCount,MADE:.metadata.creationTimestamp" pods
        ;;
      volumes) list persistentvolumeclaims "$place,PHASE:.status.phase" volumes ;;
    esac
  done
}
