#!/bin/sh
# Makes the cluster of the first node, before that node starts, and the token with which the others join.
# Usage: cluster-init.sh DIRECTORY NODES
set -eu
directory=$1

left=30
until vendue cluster init; do
  left=$((left - 1))
  [ "$left" -gt 0 ] || exit 1
  sleep 2
done
[ ! -s "$directory/cluster" ] || exit 0
umask 077
vendue cluster invite --uses "$2" --expires 24h > "$directory/cluster.new"
mv "$directory/cluster.new" "$directory/cluster"
