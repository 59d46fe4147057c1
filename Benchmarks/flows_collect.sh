#!/usr/bin/env bash
# Receiving NetFlow v9 into the archive with `noroshi flows collect`, and nfcapd with LZ4 beside it where it is
# installed: records a CPU second, and whether anything was lost. Needs python3 with numpy.
# BENCH_FLOWS (default 10 million), BENCH_RATE (default 1 million a second) and BENCH_NOROSHI (a built program)
# may be set; figures go to standard output.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

flows=${BENCH_FLOWS:-10000000}
rate=${BENCH_RATE:-1000000}
port=${BENCH_PORT:-19995}
folder=${BENCH_FOLDER:-.build/bench}/collect
noroshi=${BENCH_NOROSHI:-}
if [ -z "$noroshi" ]; then
  swift build -c release --product noroshi
  noroshi=$(swift build -c release --show-bin-path)/noroshi
fi
rm -rf "$folder" && mkdir -p "$folder/nfcapd"
folder=$(realpath "$folder")
NOROSHI_PASSWORD=bench-bench-bench "$noroshi" init "$folder/data" --administrator bench \
  --network 198.18.0.0/16 >/dev/null

race() {
  local name=$1
  shift
  python3 - "$name" "$flows" "$rate" "$port" "$@" <<'PYTHON'
import os, signal, subprocess, sys, time
name, flows, rate, port, command = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:]
collector = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
time.sleep(2)
subprocess.run([sys.executable, "Benchmarks/flows_load.py", port, str(flows), rate], check=True)
time.sleep(2)
collector.send_signal(signal.SIGTERM)
said = collector.stderr.read().decode(errors="replace").strip().splitlines()
_, _, usage = os.wait4(collector.pid, 0)
cpu = usage.ru_utime + usage.ru_stime
print(f"{name:20} {cpu:6.2f} CPU s {flows / cpu / 1e6:5.2f} M records/CPU s {usage.ru_maxrss / 1024:6.0f} MB")
if said: print("  " + said[-1])
PYTHON
}

race "noroshi" "$noroshi" flows collect --data "$folder/data" --listen "127.0.0.1:$port" --buffer 4000
if command -v nfcapd >/dev/null; then
  race "nfcapd -y (LZ4)" nfcapd -b 127.0.0.1 -p "$port" -w "$folder/nfcapd" -t 3600 -B 4000000 -y
fi
rm -rf "$folder"
