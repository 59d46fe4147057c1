#!/usr/bin/env python3
"""Sends deterministic NetFlow v9 to a collector on 127.0.0.1. Needs numpy.
usage: flows_load.py PORT RECORDS RATE [SEED]     (RATE in records per second)
One IPv4 template of 17 fields, 28 records a datagram, announced every 1,000 datagrams. Sources are
log-uniform over 200,000 addresses of 10/8, destinations over 50,000 of 203/8; ports, sizes and durations
are heavy-tailed."""
import socket
import struct
import sys
import time

import numpy as np

port, records, rate = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
rng = np.random.default_rng(int(sys.argv[4]) if len(sys.argv) > 4 else 7)
PER, CHUNK = 28, 28 * 2_000
FIELDS = [
    ("src", 8, ">u4"), ("dst", 12, ">u4"), ("sp", 7, ">u2"), ("dp", 11, ">u2"), ("pr", 4, "u1"),
    ("fl", 6, "u1"), ("tos", 5, "u1"), ("pk", 2, ">u4"), ("by", 1, ">u4"), ("st", 22, ">u4"),
    ("en", 21, ">u4"), ("in", 10, ">u2"), ("out", 14, ">u2"), ("sas", 16, ">u4"), ("das", 17, ">u4"),
    ("sm", 9, "u1"), ("dm", 13, "u1"),
]
RECORD = np.dtype([(name, kind) for name, _, kind in FIELDS])
PORTS = np.array([443, 80, 53, 22, 123, 25, 8080, 3389, 5060, 6667], ">u2")


def heavy(limit, n):
    return np.exp(rng.random(n) * np.log(limit)).astype(np.uint64) - 1


def chunk(n, uptime):
    r = np.zeros(n, RECORD)
    a, c = heavy(200_000, n), heavy(50_000, n)
    r["src"] = 0x0A000000 + (a * 2654435761 & 0xFFFFFF)
    r["dst"] = 0xCB000000 + (c * 40503 & 0xFFFFFF)
    kind = rng.integers(0, 100, n)
    r["pr"] = np.where(kind < 70, 6, np.where(kind < 95, 17, 1))
    icmp = r["pr"] == 1
    r["sp"] = np.where(icmp, 0, rng.integers(1024, 65024, n))
    known = PORTS[np.minimum(heavy(10, n), 9).astype(int)]
    r["dp"] = np.where(icmp, 2048, np.where(rng.random(n) < 0.75, known, rng.integers(0, 65536, n)))
    r["pk"] = 1 + heavy(2000, n)
    r["by"] = r["pk"] * rng.integers(40, 1440, n)
    r["fl"] = np.where(r["pr"] == 6, np.where(rng.random(n) < 0.75, 0x1B, 2), 0)
    r["en"] = uptime - 1000
    r["st"] = uptime - 1000 - rng.integers(0, 60000, n)
    r["in"], r["out"] = rng.integers(1, 5, n), rng.integers(5, 9, n)
    r["sas"], r["das"] = 64512 + a % 200, 1 + c % 30000
    r["sm"] = r["dm"] = 24
    return r.tobytes()


template = struct.pack(">HHHH", 0, 8 + 4 * len(FIELDS), 300, len(FIELDS)) + b"".join(
    struct.pack(">HH", number, np.dtype(kind).itemsize) for _, number, kind in FIELDS
)
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect(("127.0.0.1", port))
size, sent, sequence, began = RECORD.itemsize, 0, 0, time.monotonic()
while sent < records:
    n = min(CHUNK, records - sent)
    now = time.time()
    uptime = 3_600_000 + int((time.monotonic() - began) * 1000)
    data = chunk(n, uptime)
    for first in range(0, n, PER):
        count = min(PER, n - first)
        if sequence % 1000 == 0:
            sock.send(struct.pack(">HHIIII", 9, 1, uptime, int(now), sequence, 1) + template)
            sequence += 1
        head = struct.pack(">HHIIII", 9, count, uptime, int(now), sequence, 1)
        body = data[first * size : (first + count) * size]
        pad = -(len(body) + 4) % 4
        sock.send(head + struct.pack(">HH", 300, 4 + len(body) + pad) + body + bytes(pad))
        sequence += 1
        sent += count
        ahead = sent / rate - (time.monotonic() - began)
        if ahead > 0.002:
            time.sleep(ahead)
print(f"sent {sent} records in {time.monotonic() - began:.1f} s")
