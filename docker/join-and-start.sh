#!/bin/sh
# Joins the mesh with a token, the first time, and the cluster where CLUSTER_TOKEN names a file with a token for that;
# then it starts the node. Settings come from VENDUE_* variables.
# Usage: join-and-start.sh TOKEN_FILE ADDRESS [FLAGS OF vendue start]
set -eu
token=$1
address=$2
shift 2

joined="$VENDUE_HOME/joined"
if [ ! -e "$joined" ]; then
  left=30
  until vendue mesh join "$(cat "$token")" --address "$address"; do
    left=$((left - 1))
    [ "$left" -gt 0 ] || exit 1
    sleep 2
  done
  touch "$joined"
fi
if [ -n "${CLUSTER_TOKEN:-}" ] && [ ! -e "$VENDUE_HOME/joined-cluster" ]; then
  vendue cluster join "$(cat "$CLUSTER_TOKEN")"
  touch "$VENDUE_HOME/joined-cluster"
fi
# So that signals reach the node itself.
exec vendue start --rpc "$address" "$@"
