#!/usr/bin/env bash
# The flow archive beside nfdump and DuckDB, on the same flows in one run: size, import, three searches.
# Needs numpy; nfdump and python3 with duckdb where they are to be compared.
# BENCH_FLOWS (default 10 million) and BENCH_ROUNDS (default 3) may be set; figures go to standard output.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

flows=${BENCH_FLOWS:-10000000}
rounds=${BENCH_ROUNDS:-3}
folder=${BENCH_FOLDER:-.build/bench}
port=${BENCH_PORT:-19996}
mkdir -p "$folder"
nfcapd="$folder/nfcapd-$flows"
data="$folder/flows-$flows"

swift build -c release --product noroshi
noroshi=$(swift build -c release --show-bin-path)/noroshi

command -v nfcapd >/dev/null || { echo "nfcapd is not installed: it receives the load"; exit 0; }
if [ ! -e "$nfcapd/done" ]; then
  rm -rf "$nfcapd" && mkdir -p "$nfcapd"
  nfcapd -b 127.0.0.1 -p "$port" -w "$(realpath "$nfcapd")" -t 3600 -B 4000000 -y >/dev/null 2>&1 &
  collector=$!
  sleep 1
  python3 Benchmarks/flows_load.py "$port" "$flows" 400000
  sleep 2
  kill -TERM "$collector"
  wait "$collector" || true
  touch "$nfcapd/done"
fi
file=$(find "$nfcapd" -name 'nfcapd.2*' | sort | head -1)

race() {
  local name=$1
  shift
  python3 - "$name" "$flows" "$rounds" "$@" <<'PYTHON'
import os, subprocess, sys, time
name, flows, rounds, command = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
best, memory = None, 0
for _ in range(rounds):
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    if status != 0:
        print(f"{name:34} failed ({status})")
        sys.exit(0)
    if best is None or wall < best[0]:
        best = (wall, usage.ru_utime + usage.ru_stime)
    memory = max(memory, usage.ru_maxrss)
print(f"{name:34} {best[0]:7.3f} s {best[1]:7.3f} CPU s {flows / best[0] / 1e6:7.1f} M/s {memory / 1024:8.0f} MB")
PYTHON
}

nfdump -V
cat >"$folder/import.sh" <<SCRIPT
set -e
rm -rf "$data"
NOROSHI_PASSWORD=bench-bench-bench "$noroshi" init "$data" --administrator bench --network 198.18.0.0/16
exec "$noroshi" flows import --data "$data" "$file"
SCRIPT
race "noroshi flows import" bash "$folder/import.sh"
octets=$(find "$data/flows" -name '*.parquet' -printf '%s\n' | awk '{s+=$1} END {print s}')
echo "nfcapd -y (LZ4)                    $(stat -c %s "$file" | awk -v n="$flows" '{printf "%.1f", $1 / n}') octets a record"
echo "noroshi (Parquet, zstd)            $(echo "$octets" | awk -v n="$flows" '{printf "%.1f", $1 / n}') octets a record"

one=$(nfdump -r "$file" -q -o 'fmt:%sa' -c 1000 | tail -1 | tr -d ' ')
query=("$noroshi" flows query --data "$data" --purpose bench --format csv)
race "nfdump   top sources by octets" nfdump -r "$file" -s srcip/bytes -n 10
race "noroshi  top sources by octets" "${query[@]}" -s srcip/bytes -n 10
race "nfdump   one source ($one)" nfdump -r "$file" "src ip $one"
race "noroshi  one source ($one)" "${query[@]}" -n 0 "src ip $one"
race "nfdump   src,dst,port,proto" nfdump -r "$file" -A srcip,dstip,dstport,proto -O bytes -n 10
race "noroshi  src,dst,port,proto" "${query[@]}" -A srcip,dstip,dstport,proto -O bytes -n 10
if python3 -c 'import duckdb' 2>/dev/null; then
  duck() { race "$1" python3 -c "import duckdb; duckdb.sql(\"\"\"$2\"\"\").fetchall()"; }
  from="from '$data/flows/**/*.parquet'"
  duck "DuckDB   top sources by octets" \
    "select source_ipv4, sum(bytes) b $from group by 1 order by 2 desc limit 10"
  number=$(python3 -c "import ipaddress; print(int(ipaddress.ip_address('$one')))")
  duck "DuckDB   one source ($one)" "select * $from where source_ipv4 = $number"
  duck "DuckDB   src,dst,port,proto" \
    "select source_ipv4, destination_ipv4, destination_port, protocol, sum(bytes) b $from group by all order by b desc limit 10"
fi
