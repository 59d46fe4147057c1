#!/usr/bin/env python3
"""A UDP flood in NetFlow v5 over a background, to several ports of 127.0.0.1 at once: ddos_flood.py SECONDS PORT…

Ten seconds of background (600 records a second to a /24), then on top of it 100 records a second of 400 packets of
80 octets each, 40,000 packets a second, from random sources and port 53 to one host. Prints when the flood begins, as
Unix time.
"""
import random
import socket
import struct
import sys
import time

seconds, ports = float(sys.argv[1]), [int(port) for port in sys.argv[2:]]
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
began = time.time()
booted = int(began) - 3_600
sequence = 0
network = (203 << 24) | (113 << 8)
random.seed(1)


def send(records):
    global sequence
    now = time.time()
    up = int((now - booted) * 1_000)
    datagram = struct.pack(
        "!HHIIIIBBH", 5, len(records), up, int(now), int(now % 1 * 1e9), sequence, 0, 0, 0)
    sequence += len(records)
    for source, target, packets, octets, source_port, target_port, protocol in records:
        datagram += struct.pack(
            "!IIIHHIIIIHHBBBBHHBBH", source, target, 0, 1, 2, packets, octets, up - 1_000, up,
            source_port, target_port, 0, 2, protocol, 0, 64512, 64513, 24, 24, 0)
    for port in ports:
        sender.sendto(datagram, ("127.0.0.1", port))


def background():
    send([
        (random.getrandbits(32), network + random.randrange(10, 200), random.randrange(1, 20),
         random.randrange(60, 9_000), 443, random.randrange(1_024, 65_535), 6)
        for _ in range(30)])


while time.time() < began + 10:
    background()
    time.sleep(0.05)
flood = time.time()
print(flood, flush=True)
while time.time() < flood + seconds:
    background()
    send([
        (random.getrandbits(32), network + 7, 400, 400 * 80, 53, random.randrange(1_024, 65_535), 17)
        for _ in range(5)])
    time.sleep(0.05)
