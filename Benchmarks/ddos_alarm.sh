#!/usr/bin/env bash
# How long after its first record a UDP flood of 40,000 packets a second is told of: `noroshi ddos watch`, and
# FastNetMon beside it where it is installed, both from the same datagrams. Needs python3. FastNetMon has its
# packaged configuration but for addresses, its script, and its limit of megabits, which is put out of the way.
# BENCH_ROUNDS (default 3) and BENCH_NOROSHI (a built program) may be set; figures go to standard output.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rounds=${BENCH_ROUNDS:-3}
ours=${BENCH_PORT:-19996}
theirs=$((ours + 1))
folder=${BENCH_FOLDER:-.build/bench}/alarm
noroshi=${BENCH_NOROSHI:-}
if [ -z "$noroshi" ]; then
  swift build -c release --product noroshi
  noroshi=$(swift build -c release --show-bin-path)/noroshi
fi
packaged=/etc/fastnetmon.conf
for round in $(seq "$rounds"); do
  rm -rf "$folder" && mkdir -p "$folder"
  folder=$(realpath "$folder")
  NOROSHI_PASSWORD=bench-bench-bench "$noroshi" init "$folder/data" --administrator bench >/dev/null
  "$noroshi" ddos watch --data "$folder/data" --listen "127.0.0.1:$ours" --protect 203.0.113.0/24 \
    --seconds 25 2>/dev/null | python3 -u -c 'import sys, time
for line in sys.stdin: print(time.time(), line, end="", flush=True)' >"$folder/noroshi.log" &
  watch=$!
  peer=
  if command -v fastnetmon >/dev/null && [ -r "$packaged" ]; then
    echo 203.0.113.0/24 >"$folder/networks"
    : >"$folder/white"
    printf '#!/bin/bash\necho "$(date +%%s.%%N) $@" >>"%s/fastnetmon.log"\ncat >/dev/null\n' "$folder" \
      >"$folder/notify.sh"
    chmod +x "$folder/notify.sh"
    sed -E -e 's|^disable_usage_report *=.*|disable_usage_report = on|' \
      -e "s|^networks_list_path *=.*|networks_list_path = $folder/networks|" \
      -e "s|^white_list_path *=.*|white_list_path = $folder/white|" \
      -e 's|^threshold_mbps *=.*|threshold_mbps = 100000|' -e 's|^netflow *=.*|netflow = on|' \
      -e "s|^netflow_port *=.*|netflow_port = $theirs|" -e 's|^netflow_host *=.*|netflow_host = 127.0.0.1|' \
      -e "s|^notify_script_path *=.*|notify_script_path = $folder/notify.sh|" \
      -e 's|^monitor_local_ip_addresses *=.*|monitor_local_ip_addresses = off|' \
      -e "s|^pid_path *=.*|pid_path = $folder/fastnetmon.pid|" -e 's|^enable_api *=.*|enable_api = off|' \
      -e 's|^prometheus *=.*|prometheus = off|' "$packaged" >"$folder/fastnetmon.conf"
    fastnetmon --configuration_file "$folder/fastnetmon.conf" --log_file "$folder/fnm.log" \
      >/dev/null 2>&1 &
    peer=$!
  fi
  sleep 2
  began=$(python3 Benchmarks/ddos_flood.py 8 "$ours" "$theirs")
  wait "$watch" || true
  if [ -n "$peer" ]; then
    kill "$peer" 2>/dev/null || true
    wait "$peer" 2>/dev/null || true
  fi
  python3 - "$round" "$began" "$folder" <<'PYTHON'
import sys
number, began, folder = sys.argv[1], float(sys.argv[2]), sys.argv[3]
for name, mark in [("noroshi", "attack began"), ("fastnetmon", "203.0.113.7")]:
    try:
        lines = [line for line in open(f"{folder}/{name}.log") if mark in line]
    except FileNotFoundError:
        continue
    if lines:
        moment, words = lines[0].split(" ", 1)
        print(f"round {number}: {name:10} told {float(moment) - began:5.2f} s after the flood's first record: "
              + words.strip()[:110])
    else:
        print(f"round {number}: {name:10} told nothing")
PYTHON
done
rm -rf "$folder"
