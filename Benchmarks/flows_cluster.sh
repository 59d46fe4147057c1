#!/usr/bin/env bash
# Receiving NetFlow v9 and writing it into one local ClickHouse server with `noroshi flows collect --to`: flows a
# second from the first datagram to the moment at which the server has nine in ten (the last batch waits for ten
# seconds, since it is not full), and whether any was lost. Needs clickhouse-server and python3 with numpy; without
# the server it says so and ends.
# BENCH_CLUSTER_FLOWS (default 4 million), BENCH_CLUSTER_RATE (default 400,000 a second) and BENCH_NOROSHI (a built
# program) may be set; figures go to standard output.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v clickhouse-server >/dev/null; then
  echo "clickhouse-server is not installed: left out"
  exit 0
fi
flows=${BENCH_CLUSTER_FLOWS:-4000000}
rate=${BENCH_CLUSTER_RATE:-400000}
port=${BENCH_PORT:-19995}
http=${BENCH_CLUSTER_PORT:-19123}
folder=${BENCH_FOLDER:-.build/bench}/cluster
noroshi=${BENCH_NOROSHI:-}
if [ -z "$noroshi" ]; then
  swift build -c release --product noroshi
  noroshi=$(swift build -c release --show-bin-path)/noroshi
fi
rm -rf "$folder" && mkdir -p "$folder/server/"{data,tmp,formats,log}
folder=$(realpath "$folder")
server=$folder/server
cat >"$server/config.xml" <<XML
<yandex><logger><level>warning</level><log>$server/log/server.log</log><errorlog>$server/log/error.log</errorlog></logger>
<listen_host>127.0.0.1</listen_host><http_port>$http</http_port><tcp_port>$((http + 1))</tcp_port>
<interserver_http_port>$((http + 2))</interserver_http_port>
<path>$server/data/</path><tmp_path>$server/tmp/</tmp_path><format_schema_path>$server/formats/</format_schema_path>
<users_config>users.xml</users_config><default_profile>default</default_profile>
<default_database>default</default_database><mark_cache_size>67108864</mark_cache_size></yandex>
XML
cat >"$server/users.xml" <<XML
<yandex><profiles><default></default></profiles><users><default><password></password>
<networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users>
<quotas><default></default></quotas></yandex>
XML
clickhouse-server --config-file="$server/config.xml" >/dev/null 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null; wait $pid 2>/dev/null || true; rm -rf "$folder"' EXIT
for _ in $(seq 100); do
  curl -s "127.0.0.1:$http/" >/dev/null && break
  sleep 0.1
done
NOROSHI_PASSWORD=bench-bench-bench "$noroshi" init "$folder/data" --administrator bench \
  --network 198.18.0.0/16 >/dev/null

python3 - "$flows" "$rate" "$port" "$http" "$folder/data" "$noroshi" "$pid" <<'PYTHON'
import json, os, signal, subprocess, sys, time, urllib.request
flows, rate, port, http, data, noroshi, server = int(sys.argv[1]), sys.argv[2], *sys.argv[3:]
address = f"clickhouse://127.0.0.1:{http}/noroshi/flows"
collector = subprocess.Popen(
    [noroshi, "flows", "collect", "--data", data, "--listen", f"127.0.0.1:{port}", "--buffer", "4000",
     "--to", address, "--create-tables"],
    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
time.sleep(3)

def count():
    try:
        query = b"SELECT count() FROM noroshi.flows"
        return int(urllib.request.urlopen(f"http://127.0.0.1:{http}/", query).read())
    except OSError:
        return 0

def cpu(process):
    fields = open(f"/proc/{process}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

before, began = cpu(server), time.time()
load = subprocess.Popen([sys.executable, "Benchmarks/flows_load.py", port, str(flows), rate])
seen, still, most = 0, time.time(), None
while seen < flows and time.time() - still < 30:
    time.sleep(0.2)
    now = count()
    if now > seen: seen, still = now, time.time()
    if most is None and seen >= 0.9 * flows: most = seen / (time.time() - began)
took, used = still - began, cpu(server) - before
load.wait()
collector.send_signal(signal.SIGTERM)
said = collector.stderr.read().decode(errors="replace").strip().splitlines()
_, _, usage = os.wait4(collector.pid, 0)
own = usage.ru_utime + usage.ru_stime
print(f"noroshi to ClickHouse {(most or seen / took) / 1e3:6.0f} k flows/s; {seen:,} of {flows:,} in {took:.1f} s; "
      f"noroshi {own:.1f} CPU s, {usage.ru_maxrss / 1024:.0f} MB; the server {used:.1f} CPU s")
if said: print("  " + said[-1])
PYTHON
