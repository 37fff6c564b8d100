#!/usr/bin/env bash
# Loads the server on loopback with wrk (apt-get install wrk) and prints a table.
#   tools/OnnxDistill.Server/load.sh [MODEL] [SECONDS a run] [ROUNDS]
# Settings are taken in turns, round after round, so that whatever else the machine does falls on all of them.
set -euo pipefail
cd "$(dirname "$0")/../.."
model=${1:-models/mnist/generator.onnx} seconds=${2:-10} rounds=${3:-3}
command -v wrk >/dev/null || { echo "wrk is not there: apt-get install wrk" >&2; exit 2; }
server=tools/OnnxDistill.Server/bin/Release/net10.0/OnnxDistill.Server
[ -x "$server" ] || dotnet build tools/OnnxDistill.Server -c Release
port=${PORT:-5080} log=$(mktemp) pid=
stop() { if [ -n "$pid" ]; then kill -TERM "$pid" 2>/dev/null || true; wait "$pid" || true; pid=; fi; }
trap 'stop; rm -f "$log"' EXIT

# name, connections, options of the server
settings=(
  "moderate, batch 1|8|--queue 64 --batch 1"
  "moderate, batch 8|8|--queue 64 --batch 8"
  "overload, batch 1|400|--queue 16 --batch 1"
  "overload, batch 8|400|--queue 16 --batch 8"
)
echo "| load | connections | 200 | 429 | other | images/s | answers/s | p50, ms | p99, ms | batch, mean | memory, MB |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |"
for round in $(seq "$rounds"); do
  for setting in "${settings[@]}"; do
    IFS='|' read -r name connections options <<<"$setting"
    # shellcheck disable=SC2086 # words on purpose
    "$server" --model "$model" --urls "http://127.0.0.1:$port" $options >"$log" 2>&1 &
    pid=$!
    for _ in $(seq 600); do curl -sf --noproxy "*" "http://127.0.0.1:$port/health" >/dev/null && break; sleep 0.1; done
    wrk -t1 -c8 -d1s -s tools/OnnxDistill.Server/load.lua "http://127.0.0.1:$port" >/dev/null # warm
    read -r _ ok full other images answers p50 p99 < <(wrk -t1 -c"$connections" -d"${seconds}s" --timeout 30s -s tools/OnnxDistill.Server/load.lua "http://127.0.0.1:$port" | grep RESULT)
    mean=$(curl -sf --noproxy "*" "http://127.0.0.1:$port/stats" | sed -E 's/.*"drawn":([0-9]+).*"batchSizes":\[([0-9,]*)\].*/\1 \2/' | awk '{ n = split($2, s, ","); for (i = 1; i <= n; i++) b += s[i]; printf "%.2f", $1 / b }')
    memory=$(awk '/VmHWM/ { printf "%d", $2 / 1024 }' "/proc/$pid/status")
    stop
    echo "| $name | $connections | $ok | $full | $other | $images | $answers | $p50 | $p99 | $mean | $memory |"
  done
done
