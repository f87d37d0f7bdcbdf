#!/bin/sh
# Makes the mesh in the first node's home, before that node starts, and the tokens with which the others join.
# Usage: mesh-init.sh ADDRESS DIRECTORY NODES GATEWAYS
set -eu
address=$1
directory=$2

vendue mesh init
invite() { # role, uses
  [ "$2" -gt 0 ] || return 0
  [ ! -s "$directory/$1" ] || return 0
  umask 077
  vendue mesh invite --role "$1" --uses "$2" --expires 24h --address "$address" > "$directory/$1.new"
  mv "$directory/$1.new" "$directory/$1"
}
invite node "$3"
invite gateway "$4"
