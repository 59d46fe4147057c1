#!/bin/bash
# Runs each scanner that is installed in a pair of network namespaces of its own, without any other
# link, and captures what arrives in the darknet 198.19.0.0/24.
# usage: fresh-captures.sh OUTPUT-DIRECTORY
set -eu
out=$1

session() { # NAME COMMAND...: %mac% is the darknet's link-layer address
  local name=$1 scanner=nf$$-$1-s darknet=nf$$-$1-d
  shift
  command -v "$1" >/dev/null || return 0
  ip netns add "$scanner"
  ip netns add "$darknet"
  ip -n "$scanner" link add v0 type veth peer name v1 netns "$darknet"
  ip -n "$scanner" addr add 198.18.0.1/24 dev v0
  ip -n "$darknet" addr add 198.18.0.2/24 dev v1
  for space in "$scanner" "$darknet"; do ip -n "$space" link set lo up; done
  ip -n "$scanner" link set v0 up
  ip -n "$darknet" link set v1 up
  ip -n "$scanner" route add 198.19.0.0/24 via 198.18.0.2
  ip -n "$darknet" route add local 198.19.0.0/24 dev lo
  local mac
  mac=$(ip -n "$darknet" -o link show v1 | sed 's/.*ether \([0-9a-f:]*\).*/\1/')
  ip netns exec "$darknet" tcpdump --immediate-mode -s 256 -U -n -i v1 -w "$out/$name.pcap" \
    'ip and src 198.18.0.1 and dst net 198.19.0.0/24' 2>"$out/$name.tcpdump" &
  local capture=$!
  for _ in $(seq 50); do
    grep -q listening "$out/$name.tcpdump" && break
    sleep 0.1
  done
  ip netns exec "$scanner" timeout 30 "${@//%mac%/$mac}" >"$out/$name.log" 2>&1 || true
  sleep 1
  kill -TERM $capture
  wait $capture || true
  ip netns del "$scanner"
  ip netns del "$darknet"
}

session masscan masscan 198.19.0.0/24 -p23,80 --rate 2000 --wait 1 -e v0 --router-mac %mac% \
  --source-ip 198.18.0.1 &
session masscan-icmp masscan 198.19.0.0/24 --ping --rate 2000 --wait 1 -e v0 --router-mac %mac% \
  --source-ip 198.18.0.1 &
session zmap zmap -p 80 -i v0 -G %mac% -S 198.18.0.1 -r 500 -c 1 -q -b /dev/null 198.19.0.0/24 &
session zmap-icmp zmap -M icmp_echoscan -i v0 -G %mac% -S 198.18.0.1 -r 500 -c 1 -q -b /dev/null \
  198.19.0.0/24 &
session nmap-syn nmap -n -Pn -sS -p22,23,80 --max-retries 1 198.19.0.0/27 &
session nmap-fin nmap -n -Pn -sF -p22 --max-retries 1 198.19.0.0/27 &
session nmap-ping nmap -n -sn -PE 198.19.0.0/27 &
session nmap-connect nmap -n -Pn -sT -p22,23 198.19.0.0/27 &
session hping3 hping3 -S -p 80 -c 30 -i u2000 198.19.0.9 &
wait
