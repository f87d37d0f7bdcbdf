#!/usr/bin/env bash
# Starts two Grapes on this machine, linked to each other: APIs on 30001 and 40001. Ctrl-C stops both.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit

# Longer than set-up gives npm to take back what it had half installed.
readonly KILL_AFTER_S=12

children=()
pipes=$(mktemp -d) || exit

# Ends all children and then this script, with the given code.
stop() {
  trap '' INT TERM HUP
  kill -TERM "${children[@]}" 2>/dev/null
  for ((tenths = 0; tenths < KILL_AFTER_S * 10; tenths++)); do
    kill -0 "${children[@]}" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL "${children[@]}" 2>/dev/null
  wait
  rm -rf "$pipes"
  exit "$1"
}
trap 'stop 0' INT TERM HUP

# Prefixes each line; outlives the signals, to show the last words of its grape, and ends with it.
label() {
  trap '' INT TERM HUP
  local line
  while IFS= read -r line || [[ -n $line ]]; do
    printf '[grape %s] %s\n' "$1" "$line"
  done
}

start_grape() {
  local number=$1 dht_port=$2 api_port=$3 other_dht_port=$4
  mkfifo "$pipes/$number" || stop 1
  label "$number" <"$pipes/$number" &
  children+=($!)
  node dist/bin/vendue.js grape --log-level warn --dht-port "$dht_port" --grape-port "$api_port" \
    --bootstrap "127.0.0.1:$other_dht_port" >"$pipes/$number" 2>&1 &
  grape=$!
  children+=("$grape")
}

# In the background, since bash would hold a signal back until a foreground command has ended.
node bin/setup.mjs &
children+=($!)
wait $! || stop $?

start_grape 1 20001 30001 20002
first=$grape
start_grape 2 20002 40001 20001
second=$grape

# Not "wait -n", which the bash of macOS does not know.
while kill -0 "$first" 2>/dev/null && kill -0 "$second" 2>/dev/null; do
  sleep 0.2 &
  wait $!
done
if kill -0 "$first" 2>/dev/null; then ended=2 pid=$second; else ended=1 pid=$first; fi
wait "$pid"
code=$?
echo "grape.sh: grape $ended has ended with code $code; stopping" >&2
stop "$code"
